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
  struct Turn {
    int side;
    std::uint64_t slot;
    Time time;
  };

  explicit JoinTurns(MemoryMeter* meter) : queue_(meter) {}

  std::size_t size() const { return queue_.size(); }
  void push(int side, Time time, std::uint64_t slot) {
    queue_.push(time, slot | (side == 1 ? kRight : 0));
  }
  /// Calls visit(turn) for each, in no order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    queue_.for_each([&](const TimedHash& pair) { visit(turn_of(pair)); });
  }
  /// Takes out some of those up to `until`, in the order of their times, of equal times in that of
  /// place_of(side, slot), and of equal places the left one first. Returns how many: 0: none are
  /// left. turn() tells them until the next call.
  template <class PlaceOf>
  std::size_t take(Time until, PlaceOf&& place_of) {
    const auto place = [&](const TimedHash& pair) {
      const Turn turn = turn_of(pair);
      return place_of(turn.side, turn.slot);
    };
    const auto precedes = [&](const TimedHash& a, const TimedHash& b) {
      const Arrival left = place(a);
      const Arrival right = place(b);
      return left == right ? a.hash < b.hash : left < right;
    };
    queue_.take(until, kTogether, due_);
    each_tie(due_, [&](auto from, auto to) { std::sort(from, to, precedes); });
    return due_.size();
  }
  Turn turn(std::size_t at) const { return turn_of(due_[at]); }

 private:
  static constexpr std::uint64_t kRight = std::uint64_t{1} << 63;
  static constexpr std::size_t kTogether = 256;  ///< so many slots of a table stay near
  static Turn turn_of(const TimedHash& pair) {
    return {(pair.hash & kRight) != 0 ? 1 : 0, pair.hash & ~kRight, pair.time};
  }

  TimerQueue queue_;
  std::vector<TimedHash> due_;
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
