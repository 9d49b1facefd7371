// The figures of a stage: exact counts, watermarks of partitions, and whose time it is.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "metrics/counter.hpp"
#include "metrics/histogram.hpp"
#include "operator/operator.hpp"

namespace millrace::detail {

/// Exact counts of one stage in one task: written by its thread, read by any.
struct StageCounters {
  Counter received;
  Counter processed;
  Counter filtered;
  Counter late;
  Counter dead_lettered;
  Counter failed;
  Counter rows_refused;
  Counter in_flight;
  Counter emitted;
  Counter busy_ticks;
  std::atomic<Time> watermark{kTimeMin};
  std::atomic<Time> newest_time{kTimeMin};   ///< of stages that originate time
  std::atomic<Time> slowest_time{kTimeMin};  ///< what others of them may be ahead of
  std::atomic<bool> idle{false};             ///< the same, see Standing
  StepHistogram steps;                       ///< own time of each call with records, in ticks
};

/// The watermarks of a source's partitions as the stage that makes them saw them last; any thread
/// may read them.
class PartitionMarks {
 public:
  /// Those beyond are not shown.
  static constexpr std::size_t kMax = 64;

  /// Before anything runs.
  void add(const std::vector<std::string>& names);
  void store(const Standing& standing) {
    const std::size_t count = std::min(standing.partitions.size(), marks_.size());
    for (std::size_t at = 0; at < count; ++at) {
      marks_[at].store(standing.partitions[at], std::memory_order_relaxed);
      const bool idle = standing.states[at] == PartitionWatermarks::State::idle;
      idle_[at].store(idle, std::memory_order_relaxed);
    }
  }
  std::size_t size() const { return marks_.size(); }
  const std::string& name(std::size_t at) const { return names_[at]; }
  Time watermark(std::size_t at) const { return marks_[at].load(std::memory_order_relaxed); }
  bool idle(std::size_t at) const { return idle_[at].load(std::memory_order_relaxed); }

 private:
  std::vector<std::string> names_;
  std::deque<std::atomic<Time>> marks_;
  std::deque<std::atomic<bool>> idle_;
};

/// As reports have it.
inline std::optional<Time> shown_watermark(Time watermark) {
  if (watermark == kTimeMin) return std::nullopt;
  return watermark;
}

/// A processor tick count for busy shares: rdtsc where there is one, else the steady clock.
std::int64_t busy_ticks_now();

/// Whose time it is now, so that each stage is charged for its own work and not for its readers'.
/// Switched by one task's thread.
class BusyMeter {
 public:
  /// Charges the time so far to the current owner and switches to `next`; returns the owner before.
  Counter* switch_to(Counter* next) {
    const std::int64_t now = busy_ticks_now();
    Counter* before = owner_.load(std::memory_order_relaxed);
    if (before) before->add(static_cast<std::uint64_t>(now - since()));
    since_.store(now, std::memory_order_relaxed);
    owner_.store(next, std::memory_order_relaxed);
    return before;
  }
  /// Whose time runs: after an exception came out of a stage, still that stage's. Any thread.
  const Counter* owner() const { return owner_.load(std::memory_order_relaxed); }
  /// Since when it runs, in ticks. Any thread; owner and moment may be of two neighbouring calls.
  std::int64_t since() const { return since_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Counter*> owner_{nullptr};
  std::atomic<std::int64_t> since_{0};
};

}  // namespace millrace::detail
