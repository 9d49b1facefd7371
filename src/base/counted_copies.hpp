// CountedCopies: bytes that one owner has a meter count until they are handed on.
#pragma once

#include <cstddef>
#include <utility>

#include "base/memory_meter.hpp"

namespace millrace::detail {

/// One thread.
class CountedCopies {
 public:
  CountedCopies() = default;
  CountedCopies(const CountedCopies&) = delete;
  CountedCopies& operator=(const CountedCopies&) = delete;
  ~CountedCopies() { clear(); }

  /// Once, before anything else; `meter` outlives this; null: nobody counts.
  void count_with(MemoryMeter* meter) { meter_ = meter; }
  void add(std::size_t bytes) {
    if (meter_ == nullptr) return;
    meter_->grow(bytes);
    bytes_ += bytes;
  }
  void clear() {
    if (bytes_ > 0) meter_->shrink(std::exchange(bytes_, 0));
  }

 private:
  MemoryMeter* meter_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace millrace::detail
