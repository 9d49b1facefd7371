// Output<T>: what user code emits through: records take the event time and lateness of the record
// they are made from.
#pragma once

#include <string_view>
#include <utility>

#include "record/batch.hpp"

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
      arena_ = detail::ArenaRef::make(16u << 10);
      batch_->pin(arena_);
    }
    return arena_->intern(text);
  }

  /// Internal: starts to fill `batch`.
  void bind(detail::Batch<T>& batch) {
    batch_ = &batch;
    arena_ = {};
  }

 private:
  detail::Batch<T>* batch_ = nullptr;
  detail::ArenaRef arena_;
};

}  // namespace millrace
