// TimersAtEnd: how many timers may fire once the input has ended.
#pragma once

#include <cstddef>
#include <stdexcept>

#include "operator/keyed_context.hpp"

namespace millrace::detail {

/// Timers that set each other without end would hold the run forever.
class TimersAtEnd {
 public:
  /// The input has ended with so many timers pending, or records waiting for one.
  void begin(std::size_t pending) { left_ = pending + kMost; }
  /// One fires. Throws when there were too many; then no new ones are taken.
  void count(KeyTimers& timers) {
    if (left_ > 0) {
      --left_;
      return;
    }
    timers.set_deaf(true);
    throw std::runtime_error(
        "the input has ended, yet timers go on setting timers: ask context.at_end() before setting "
        "one in on_timer; this one did not fire, and no new ones are taken");
  }

 private:
  /// How many may fire beside those that were pending.
  static constexpr std::size_t kMost = 100'000;

  std::size_t left_ = 0;
};

}  // namespace millrace::detail
