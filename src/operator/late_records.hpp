// LateRecords: the records of a task that came behind the end of their pane and wait for the
// watermark to say so.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "operator/kernels.hpp"
#include "operator/keyed.hpp"
#include "state/counted_allocator.hpp"

namespace millrace::detail {

/// A record as an accumulator of its own: it borrows nothing.
template <class K, class Acc>
struct LateRecord {
  Time behind;  ///< the watermark of its own partition when it left the source
  Stamp stamp;
  std::uint64_t hash;
  typename KeyTraits<K>::Owned key;
  Acc acc;
  friend bool operator>(const LateRecord& a, const LateRecord& b) {
    return a.behind != b.behind ? a.behind > b.behind : b.stamp < a.stamp;
  }
};

/// Hands late records out in the order of the watermarks that they were behind, then of their times
/// and places: all up to W are there when the task's watermark has passed W, whatever the schedule.
/// One thread. O(log n) each.
template <class K, class Acc>
class LateRecords {
 public:
  using Record = LateRecord<K, Acc>;

  void count_with(MemoryMeter* meter) {
    heap_ = CountedVector<Record>(CountedAllocator<Record>(meter));
  }
  void add(Record record) {
    heap_.push_back(std::move(record));
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  }
  /// The watermark that the first one was behind.
  std::optional<Time> first() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().behind;
  }
  /// Calls visit(const Record&) for each, in no order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Record& record : heap_) visit(record);
  }
  Record take() {
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    Record record = std::move(heap_.back());
    heap_.pop_back();
    return record;
  }

 private:
  CountedVector<Record> heap_;
};

}  // namespace millrace::detail
