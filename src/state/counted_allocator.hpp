// CountedAllocator: memory of standard containers in keyed state, counted where it is taken.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/memory_meter.hpp"

namespace millrace::detail {

/// For containers that grow by doubling: a meter is asked once a block, not once an element.
/// `meter` outlives the container; null: nobody counts. Throws MemoryRefused.
template <class T>
class CountedAllocator {
 public:
  using value_type = T;
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap = std::true_type;

  explicit CountedAllocator(MemoryMeter* meter = nullptr) : meter_(meter) {}
  template <class U>
  CountedAllocator(const CountedAllocator<U>& other) : meter_(other.meter()) {}

  T* allocate(std::size_t count) {
    if (meter_) meter_->grow(count * sizeof(T));
    try {
      return std::allocator<T>().allocate(count);
    } catch (...) {
      if (meter_) meter_->shrink(count * sizeof(T));
      throw;
    }
  }
  void deallocate(T* at, std::size_t count) noexcept {
    std::allocator<T>().deallocate(at, count);
    if (meter_) meter_->shrink(count * sizeof(T));
  }
  MemoryMeter* meter() const { return meter_; }

  template <class U>
  friend bool operator==(const CountedAllocator& a, const CountedAllocator<U>& b) {
    return a.meter() == b.meter();
  }

 private:
  MemoryMeter* meter_;
};

template <class T>
using CountedVector = std::vector<T, CountedAllocator<T>>;

}  // namespace millrace::detail
