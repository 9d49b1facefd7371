// HeldHeap: counts what an operator's accumulators hold on the heap (lists, sets, texts), now and
// then.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/memory_meter.hpp"
#include "operator/held_aggregates.hpp"
#include "operator/operator.hpp"

namespace millrace::detail {

/// Weighs all accumulators after so many records that a record pays for O(1) of it; sooner where
/// they grow fast, so that between two looks they grow by about a quarter and a MiB. Operators
/// whose accumulators hold nothing on the heap are never looked at. The task's thread.
class HeldHeap {
 public:
  /// Once, behind open() of the operator.
  void watch(Operator& its);
  /// So many records were taken or emitted. Throws MemoryRefused where what is held now is too much
  /// for `meter`.
  void passed(std::size_t records, MemoryMeter& meter) {
    if (holder_ == nullptr) return;
    if (const std::int64_t moved = holder_->take_moved_heap(); moved != 0) move(moved, meter);
    passed_ += records;
    if (passed_ >= next_) weigh(meter);
  }
  /// Looks now, where there is anything to look at.
  void look(MemoryMeter& meter) {
    if (holder_ != nullptr) weigh(meter);
  }

 private:
  /// Records between two looks, at least.
  static constexpr std::size_t kLeast = 1024;

  /// So much has come into memory, or, below 0, has gone to disk.
  void move(std::int64_t bytes, MemoryMeter& meter);
  void count(std::size_t bytes, MemoryMeter& meter);
  void weigh(MemoryMeter& meter);
  void plan_next(const HeldWeight& weight);

  HoldsAggregates* holder_ = nullptr;  ///< null: not watched
  std::size_t counted_bytes_ = 0;      ///< by the meter
  std::size_t passed_ = 0;             ///< since the last look
  std::size_t next_ = kLeast;
  double growth_ = 0;  ///< bytes a record, of late
};

}  // namespace millrace::detail
