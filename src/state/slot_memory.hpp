// SlotMemory: zeroed memory for tables, counted, and in huge pages where tables are large.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/memory_meter.hpp"

namespace millrace::detail {

/// A random access to tables on many small pages misses the TLB each time. So tables from 128 KiB
/// on lie side by side in regions of huge pages, which go when their last table goes; those from
/// 2 MiB on have pages of their own, small ones lie on the heap. All begin at a multiple of 64. One
/// thread.
class SlotMemory {
 public:
  /// `meter` counts the bytes and outlives this; null: nobody does. What a region holds beside its
  /// tables is not counted.
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
  struct Region {
    char* begin;
    std::size_t bytes;
    std::size_t used;    ///< from the beginning; what is given back is not used again
    std::size_t tables;  ///< that lie in it
  };
  void* take_of_region(std::size_t bytes);
  void leave_region(const void* at) noexcept;

  MemoryMeter* meter_;
  std::size_t bytes_ = 0;
  std::vector<Region> regions_;
};

}  // namespace millrace::detail
