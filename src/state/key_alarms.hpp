// KeyAlarms: which keys have something to do when, by the hashes of their keys.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/time.hpp"
#include "state/counted_allocator.hpp"

namespace millrace::detail {

/// A heap of (time, hash of a key). Nothing is ever taken back: who is woken looks whether it still
/// has something to do, and when next. One thread. O(log n) each; 16 bytes an alarm.
class KeyAlarms {
 public:
  void count_with(MemoryMeter* meter) { heap_ = Heap(CountedAllocator<Alarm>(meter)); }

  void add(Time when, std::uint64_t hash) {
    heap_.push_back({when, hash});
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  }
  /// The earliest one; nullopt: none.
  std::optional<Time> first() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().when;
  }
  /// Calls wake(when, hash) for each alarm before `time` (for all of them at kTimeMax), in their
  /// order; wake may add more.
  template <class Wake>
  void ring(Time time, Wake&& wake) {
    while (!heap_.empty() && (heap_.front().when < time || time == kTimeMax)) {
      std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
      const Alarm alarm = heap_.back();
      heap_.pop_back();
      wake(alarm.when, alarm.hash);
    }
  }

 private:
  struct Alarm {
    Time when;
    std::uint64_t hash;
    friend auto operator<=>(const Alarm&, const Alarm&) = default;
  };
  using Heap = CountedVector<Alarm>;
  Heap heap_;
};

}  // namespace millrace::detail
