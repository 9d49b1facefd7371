// KeyAlarms: which keys have something to do when, by the hashes of their keys.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/time.hpp"
#include "state/timer_queue.hpp"

namespace millrace::detail {

/// A queue of (time, hash of a key). Nothing is ever taken back: who is woken looks whether it
/// still has something to do, and when next. One thread. O(1) amortised each; 16 bytes an alarm.
class KeyAlarms {
 public:
  void count_with(MemoryMeter* meter) { queue_.emplace(meter); }

  void add(Time when, std::uint64_t hash) {
    const TimedHash alarm{when, hash};
    if (next_ == due_.size() || due_.back() < alarm) return queue_->push(when, hash);
    const auto rest = due_.begin() + static_cast<std::ptrdiff_t>(next_);
    due_.insert(std::upper_bound(rest, due_.end(), alarm), alarm);
  }
  /// The earliest one; nullopt: none.
  std::optional<Time> first() const {
    if (queue_->size() == 0) return std::nullopt;
    return queue_->next();
  }
  /// Calls wake(when, hash) for each alarm before `time` (for all of them at kTimeMax), in their
  /// order, and near(hash) a few alarms before; wake may add more. begin(alarms) is called with
  /// some of them, 256 at most, before the first of these; without those that wake adds among them.
  template <class Wake, class Near, class Begin>
  void ring(Time time, Wake&& wake, Near&& near, Begin&& begin) {
    while (next_block(time)) {
      for (std::size_t at = 0; at < std::min(kAhead, due_.size()); ++at) near(due_[at].hash);
      for (std::size_t begun = 0; next_ < due_.size();) {
        if (next_ == begun) {
          begun = std::min(due_.size(), next_ + kBlock);
          begin(std::span<const TimedHash>(due_).subspan(next_, begun - next_));
        }
        if (next_ + kAhead < due_.size()) near(due_[next_ + kAhead].hash);
        const TimedHash alarm = due_[next_++];
        wake(alarm.time, alarm.hash);
      }
    }
  }
  template <class Wake, class Near>
  void ring(Time time, Wake&& wake, Near&& near) {
    ring(time, wake, near, [](std::span<const TimedHash>) {});
  }
  template <class Wake>
  void ring(Time time, Wake&& wake) {
    ring(time, wake, [](std::uint64_t) {});
  }

 private:
  static constexpr std::size_t kBlock = 256;
  static constexpr std::size_t kAhead = 12;

  /// Takes the first alarms before `time` from the queue; those of equal times by their hashes.
  bool next_block(Time time) {
    next_ = 0;
    due_.clear();
    if (time == kTimeMin) return false;
    queue_->take(time == kTimeMax ? time : time - 1, kBlock, due_);
    each_tie(due_, [](auto from, auto to) { std::sort(from, to); });
    return !due_.empty();
  }

  std::optional<TimerQueue> queue_;  ///< from count_with() on
  std::vector<TimedHash> due_;       ///< those that ring now
  std::size_t next_ = 0;             ///< of these
};

}  // namespace millrace::detail
