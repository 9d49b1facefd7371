// ReportRates: rates, shares and percentiles of the time since the report before.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "metrics/report.hpp"
#include "runtime/running_sums.hpp"

namespace millrace::detail {

/// Turns two readings of the same topology into what happened between them. One thread.
class ReportRates {
 public:
  /// The first reports count from here.
  explicit ReportRates(std::int64_t now_ns);

  /// Fills the figures of `report` that are per second or of late. `sums` was read with it.
  void add(Report& report, RunningSums sums, std::int64_t now_ns);

 private:
  struct Counts {
    std::vector<std::uint64_t> received;  ///< by component
    std::vector<std::uint64_t> emitted;
    std::vector<std::uint64_t> edges;
    std::vector<std::uint64_t> tasks;
    std::uint64_t in = 0;
    std::uint64_t out = 0;
  };
  struct Span;

  void add_components(Report& report, const RunningSums& sums, const Span& span);
  void add_tasks(Report& report, const RunningSums& sums, const Span& span) const;

  std::int64_t ns_;
  std::int64_t ticks_;
  Counts counts_;
  RunningSums sums_;
};

}  // namespace millrace::detail
