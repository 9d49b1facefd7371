// JoinTurns: records of both sides of a join that are handled in the order of their times and
// places.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "operator/operator.hpp"
#include "state/timer_queue.hpp"

namespace millrace::detail {

/// Slots of records, a side each, by time. One thread. O(1) amortised a record; 16 bytes each.
class JoinTurns {
 public:
  explicit JoinTurns(MemoryMeter* meter) : queue_(meter) {}

  std::size_t size() const { return size_; }
  void push(int side, Time time, std::uint64_t slot) {
    queue_.push(time, slot | (side == 1 ? kRight : 0));
    ++size_;
  }
  /// Calls visit(side, slot, time) for each, in no order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    queue_.for_each([&](const TimerQueue::Entry& turn) {
      visit(side_of(turn.hash), turn.hash & ~kRight, turn.time);
    });
  }
  /// Calls handle(side, slot, time) for all up to `until`, of equal times in the order of
  /// place_of(side, slot), and of equal places the left one first.
  template <class PlaceOf, class Handle>
  void take(Time until, PlaceOf&& place_of, Handle&& handle) {
    const auto place = [&](std::uint64_t turn) { return place_of(side_of(turn), turn & ~kRight); };
    const auto precedes = [&](std::uint64_t a, std::uint64_t b) {
      const Arrival left = place(a);
      const Arrival right = place(b);
      return left == right ? a < b : left < right;
    };
    while (const auto time = queue_.pop(until, due_)) {
      std::sort(due_.begin(), due_.end(), precedes);
      for (const std::uint64_t turn : due_) {
        --size_;
        handle(side_of(turn), turn & ~kRight, *time);
      }
    }
  }

 private:
  static constexpr std::uint64_t kRight = std::uint64_t{1} << 63;
  static int side_of(std::uint64_t turn) { return (turn & kRight) != 0 ? 1 : 0; }

  TimerQueue queue_;
  std::vector<std::uint64_t> due_;  ///< those of the time at hand
  std::size_t size_ = 0;
};

/// Keeps the records of a batch of side `kSide` until their turn. Those behind the watermark of
/// their own source partition by more than `lateness_us` are late: they leave by port kSide + 1.
template <int kSide, class Side, class T>
void await_turns(JoinTurns& turns, Side& side, Batch<T>& in, std::int64_t lateness_us,
                 const OperatorContext& context, Outputs& outputs) {
  const auto is_late = [lateness_us](Time time, Time behind) {
    return saturating_add(time, lateness_us) < behind;
  };
  side.take(in, kSide + 1, context, outputs, is_late, [&](std::uint64_t first, std::size_t count) {
    for (std::size_t at = 0; at < count; ++at) turns.push(kSide, side.time_of(in, at), first + at);
  });
}

}  // namespace millrace::detail
