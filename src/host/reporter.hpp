// Reporter: builds a Report from a running engine's counters, with the rates since the one before.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "host/host.hpp"
#include "runtime/report_rates.hpp"

namespace millrace::detail {

/// One thread.
class Reporter {
 public:
  /// `started_ns`: when the run began, maybe with an engine that has failed since.
  Reporter(const Declaration& declaration, const Engine& engine, const HostOptions& options,
           const HostExtras& extras, Env& env, std::int64_t started_ns);

  /// A report of this moment. Rates are per second since the last call.
  std::shared_ptr<const Report> report(std::string state, const Status& failure);

 private:
  const Declaration& declaration_;
  const Engine& engine_;
  const HostOptions& options_;
  const HostExtras& extras_;
  Env& env_;
  std::int64_t started_ns_;
  ReportRates rates_;
  std::shared_ptr<const Report> before_;
};

}  // namespace millrace::detail
