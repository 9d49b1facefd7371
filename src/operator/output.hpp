// Output<T>: what user code emits through: records take the event time and lateness of the record
// they are made from.
#pragma once

#include <string_view>
#include <utility>

#include "record/batch.hpp"
#include "record/bytes.hpp"

namespace millrace {

/// Given to `process` and `next`; valid during the call.
template <class T>
class Output {
 public:
  /// Emits `record`. O(1); no allocation once the batch has its capacity.
  void emit(T record) { batch_->values.push_back(std::move(record)); }

  /// Copies `text` into the batch's own bytes and returns the copy: for records that hold a
  /// string_view.
  std::string_view intern(std::string_view text) {
    if (!arena_) {
      arena_ = detail::ArenaRef::make(16u << 10, arenas_);
      batch_->pin(arena_);
    }
    return arena_->intern(text);
  }

  /// The bytes as a member of a record: short ones are copied as intern() does, long ones (from
  /// 4096 on) into a block of their own. Bytes that own a block need no call: emit them as they
  /// are.
  Bytes bytes(std::string_view content) {
    if (content.size() >= detail::kOwnBlockBytes) return Bytes::copy_of(content);
    return Bytes::view_of(intern(content));
  }

  /// Internal: records in the batch so far.
  std::size_t size() const { return batch_->values.size(); }
  /// Internal: bytes of the texts interned since bind().
  std::size_t interned_bytes() const { return arena_ ? arena_->used_bytes() : 0; }
  /// Internal: `arenas` counts what texts take; null: nobody does.
  void count_with(detail::MemoryMeter* arenas) { arenas_ = arenas; }
  /// Internal: starts to fill `batch`.
  void bind(detail::Batch<T>& batch) {
    batch_ = &batch;
    arena_ = {};
  }

 private:
  detail::Batch<T>* batch_ = nullptr;
  detail::MemoryMeter* arenas_ = nullptr;
  detail::ArenaRef arena_;
};

}  // namespace millrace
