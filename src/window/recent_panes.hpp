// RecentPanes: finds an open pane by its start without a search among all of them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/hash.hpp"
#include "base/time.hpp"

namespace millrace::detail {

/// A pane with the interval of times for which it is the right one.
template <class Tables>
struct PaneSlot {
  Tables* tables = nullptr;
  Time from = kTimeMax;  ///< inclusive
  Time to = kTimeMin;    ///< exclusive
};

/// The panes looked up last, one a place. A place is chosen by Fibonacci hashing (Knuth, TAOCP 3,
/// 6.4): starts that follow each other at equal distances hardly ever share one.
///
/// Memory: 24 bytes a place, at least two places a pane that is open at once.
template <class Tables>
class RecentPanes {
 public:
  using Slot = PaneSlot<Tables>;

  /// The slot of the pane that starts at `start`, or null.
  const Slot* find(Time start) const {
    if (slots_.empty()) return nullptr;
    const Slot& slot = slots_[place_of(start)];
    return slot.tables != nullptr && slot.from == start ? &slot : nullptr;
  }
  /// Remembers one of `open` panes.
  const Slot& remember(Slot slot, std::size_t open) {
    if (slots_.size() < 2 * open) {
      const std::size_t places = std::bit_ceil(std::size_t{4} * open);
      slots_.assign(places, Slot{});
      shift_ = 64 - std::countr_zero(places);
    }
    return slots_[place_of(slot.from)] = slot;
  }
  /// The pane that starts at `start` is over.
  void forget(Time start) {
    if (find(start)) slots_[place_of(start)] = {};
  }
  void clear() { slots_.clear(); }

 private:
  std::size_t place_of(Time start) const {
    return (static_cast<std::uint64_t>(start) * kHashSeed) >> shift_;
  }

  std::vector<Slot> slots_;  ///< a power of two, or none
  int shift_ = 0;
};

}  // namespace millrace::detail
