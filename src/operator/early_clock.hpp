// EarlyClock: when early rows by the wall clock are due.
#pragma once

#include <algorithm>
#include <cstdint>

#include "operator/operator.hpp"
#include "window/refire_rules.hpp"

namespace millrace::detail {

/// The last multiple of a span of the clock up to `now_ns`; its origin is arbitrary.
constexpr std::int64_t last_clock_tick(std::int64_t now_ns, std::int64_t span_us) {
  return now_ns - now_ns % (span_us * 1000);
}

/// At the multiples of its spans, while something has changed since the last rows. One thread.
class EarlyClock {
 public:
  explicit EarlyClock(const RefireRules& rules) : trigger_(rules.early()) {}

  bool used() const { return trigger_.uses(EarlyTrigger::Kind::clock); }
  /// Something has changed, or still waits for its row.
  void changed(std::int64_t now_ns) {
    if (due_ns_ != kNeverDue) return;
    trigger_.each_every([&](EarlyTrigger::Kind kind, std::int64_t span) {
      if (kind == EarlyTrigger::Kind::clock)
        due_ns_ = std::min(due_ns_, last_clock_tick(now_ns, span) + span * 1000);
    });
  }
  /// Nothing is due until the next change.
  void stop() { due_ns_ = kNeverDue; }
  std::int64_t due_ns() const { return due_ns_; }

 private:
  EarlyTrigger trigger_;
  std::int64_t due_ns_ = kNeverDue;
};

}  // namespace millrace::detail
