// SlotMemory: zeroed memory for tables, counted, and in huge pages where tables are large.
#pragma once

#include <cstddef>
#include <memory>
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
  /// What take(bytes) of `from` returned belongs to this from now on, which gives it back.
  /// O(regions of both). Throws MemoryRefused, unchanged.
  void take_over(void* at, std::size_t bytes, SlotMemory& from);
  /// Taken and not given back.
  std::size_t bytes() const { return bytes_; }

 private:
  /// Pages, which go with the last of those whose tables lie in them; in whatever thread.
  struct Pages {
    char* begin;
    std::size_t bytes;
    Pages(char* mapped, std::size_t size) : begin(mapped), bytes(size) {}
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;
    ~Pages();
    bool hold(const void* at) const { return at >= begin && at < begin + bytes; }
  };
  struct Region {
    std::shared_ptr<Pages> pages;
    std::size_t used;    ///< from the beginning; what is given back is not used again
    std::size_t tables;  ///< of this that lie in it
  };
  void* take_of_region(std::size_t bytes);
  void take_over_region(const void* at, SlotMemory& from);
  std::vector<Region>::iterator region_of(const void* at);
  void leave_region(const void* at) noexcept;

  MemoryMeter* meter_;
  std::size_t bytes_ = 0;
  std::vector<Region> regions_;
};

}  // namespace millrace::detail
