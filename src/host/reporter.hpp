// Reporter: builds a Report from a running engine's counters, with the rates since the one before.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "host/host.hpp"
#include "runtime/report_rates.hpp"

namespace millrace::detail {

/// What a run has counted before its engine began. Not what an engine did that failed: the one
/// after it does that again.
struct RunTotals {
  std::uint64_t records_in = 0;
  std::uint64_t records_out = 0;
  std::uint64_t dead_letters = 0;
};

/// One thread.
class Reporter {
 public:
  /// `started_ns`: when the run began, maybe with another engine. `before`: what that counted.
  Reporter(const Declaration& declaration, const Engine& engine, const HostOptions& options,
           const HostExtras& extras, Env& env, std::int64_t started_ns, const RunTotals& before);

  /// A report of this moment. Rates are per second since the last call.
  std::shared_ptr<const Report> report(std::string state, const Status& failure);
  /// Of the run, up to now.
  RunTotals totals() const;

 private:
  const Declaration& declaration_;
  const Engine& engine_;
  const HostOptions& options_;
  const HostExtras& extras_;
  Env& env_;
  std::int64_t started_ns_;
  RunTotals totals_before_;
  ReportRates rates_;
  std::shared_ptr<const Report> before_;
};

}  // namespace millrace::detail
