// Reporter: builds a Report from a running engine's counters, with the rates since the one before.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "host/host.hpp"

namespace millrace::detail {

/// One thread.
class Reporter {
 public:
  Reporter(const Declaration& declaration, const Engine& engine, const HostOptions& options,
           const HostExtras& extras, Env& env);

  /// A report of this moment. Rates are per second since the last call.
  std::shared_ptr<const Report> report(std::string state, const Status& failure);

 private:
  struct Before {
    std::int64_t ns = 0;
    std::int64_t ticks = 0;
    std::uint64_t in = 0;
    std::uint64_t out = 0;
    std::map<std::string, double> busy;
    std::map<std::pair<std::string, std::string>, std::uint64_t> edges;
  };

  void add_rates(Report& report);

  const Declaration& declaration_;
  const Engine& engine_;
  const HostOptions& options_;
  const HostExtras& extras_;
  Env& env_;
  std::int64_t started_ns_;
  Before before_;
};

}  // namespace millrace::detail
