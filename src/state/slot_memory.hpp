// SlotMemory: zeroed memory for tables, counted, and in huge pages where a table is large.
#pragma once

#include <cstddef>
#include <utility>

#include "base/memory_meter.hpp"

namespace millrace::detail {

/// One thread.
class SlotMemory {
 public:
  /// `meter` counts the bytes and outlives this; null: nobody does.
  explicit SlotMemory(MemoryMeter* meter) : meter_(meter) {}
  SlotMemory(const SlotMemory&) = delete;
  SlotMemory& operator=(const SlotMemory&) = delete;

  /// `bytes` (> 0) zeroed bytes; large ones come as untouched pages. Throws MemoryRefused, or
  /// std::bad_alloc.
  void* take(std::size_t bytes);
  /// Gives back what take(bytes) returned; null is ignored.
  void give_back(void* at, std::size_t bytes) noexcept;
  /// Taken and not given back.
  std::size_t bytes() const { return bytes_; }

 private:
  MemoryMeter* meter_;
  std::size_t bytes_ = 0;
};

}  // namespace millrace::detail
