// RunningSums: what only grows while a topology runs; two readings make the rates of a report.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "metrics/histogram.hpp"

namespace millrace::detail {

/// Read together with a Report; `components` and `tasks` have its order. Ticks are those of
/// busy_ticks_now().
struct RunningSums {
  struct Component {
    std::uint64_t busy_ticks = 0;
    std::uint64_t blocked_ticks = 0;  ///< of all its tasks
    StepHistogram::Buckets steps{};
    std::optional<Histogram::Buckets> latency;      ///< of sinks
    std::optional<Histogram::Buckets> ack_latency;  ///< of sources whose messages are tracked
    std::vector<std::uint64_t> received_by_task;
  };
  struct OneTask {
    std::uint64_t busy_ticks = 0;
    std::uint64_t blocked_ticks = 0;
    std::int64_t running_since = 0;  ///< ticks; 0: between steps
  };

  std::vector<Component> components;
  std::vector<OneTask> tasks;
  Histogram::Buckets latency{};
};

}  // namespace millrace::detail
