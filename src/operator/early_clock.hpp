// EarlyClock: when early rows by the wall clock are due.
#pragma once

#include <cstdint>

#include "operator/operator.hpp"
#include "window/refire_rules.hpp"

namespace millrace::detail {

/// The span begins with the first change since the last rows. One thread.
class EarlyClock {
 public:
  explicit EarlyClock(const RefireRules& rules)
      : span_ns_(rules.early(EarlyTrigger::Kind::clock) * 1000) {}

  /// Once a batch: something has changed.
  void changed(Clock& clock) {
    if (span_ns_ > 0 && due_ns_ == kNeverDue) due_ns_ = clock.steady_ns() + span_ns_;
  }
  /// Nothing is due until the next change.
  void stop() { due_ns_ = kNeverDue; }
  std::int64_t due_ns() const { return due_ns_; }

 private:
  std::int64_t span_ns_;
  std::int64_t due_ns_ = kNeverDue;
};

}  // namespace millrace::detail
