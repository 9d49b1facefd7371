// The topology `machine`: measurements of this computer as numbers, lines and alerts.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "millrace/millrace.hpp"

namespace millrace::apps {

/// Percent above which an alert is raised, after that many measurements in a row.
struct MachineLimits {
  double cpu = 90;
  double memory = 90;
  double disk = 95;
  double pressure = 50;
  std::uint32_t samples = 3;
};

/// What the alerts' task counts and the reports read.
struct AlertCounts {
  std::atomic<std::uint64_t> raised{0};
  std::atomic<std::uint64_t> cleared{0};
};

/// When a reading raises its alert and when it clears it; never for what has no limit.
AlertLimits limits_of(const MachineReading& reading, const MachineLimits& limits);

void declare_machine(Topology& topology, const MachineOptions& options, const MachineLimits& limits,
                     std::shared_ptr<AlertCounts> counts);

}  // namespace millrace::apps
