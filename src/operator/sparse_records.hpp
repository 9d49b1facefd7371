// SparseRecords: reclaims what kept records that have gone leave behind in their chunks.
#pragma once

#include <algorithm>
#include <cstddef>

#include "operator/joined_records.hpp"

namespace millrace::detail {

/// Records that went one here, one there leave chunks of which little is used. When that is an
/// eighth of all, the rest moves out of them, of an eighth at a time. One thread.
template <class T>
class SparseRecords {
 public:
  /// `records` outlive it.
  explicit SparseRecords(JoinedRecords<T>& records) : records_(records) {}

  /// Between batches: each_slot(move) tells where all records lie: each slot becomes move(slot).
  /// O(chunks), and a call of each_slot where any moves.
  template <class EachSlot>
  void reclaim(EachSlot&& each_slot) {
    const JoinedBytes bytes = records_.bytes();
    left_over_ = std::min(left_over_, bytes.wasted);
    if (bytes.wasted - left_over_ <= std::max(kWastedBytesMin, bytes.taken / 8)) return;
    records_.leave_sparse(bytes.taken / 8);
    try {
      each_slot([this](auto slot) { return records_.leaves(slot) ? records_.move(slot) : slot; });
    } catch (const MemoryRefused&) {
      // What moves needs room before it gives some back: where there is none, it stays.
    }
    const std::size_t wasted = records_.bytes().wasted;
    if (wasted >= bytes.wasted) left_over_ = wasted;
  }

 private:
  static constexpr std::size_t kWastedBytesMin = 256u << 10;  ///< less is not worth a move

  JoinedRecords<T>& records_;
  std::size_t left_over_ = 0;  ///< wasted bytes that could not be reclaimed
};

}  // namespace millrace::detail
