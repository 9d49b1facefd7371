// Counter: an exact count with one writing thread and any number of readers.
#pragma once

#include <atomic>
#include <cstdint>

namespace millrace::detail {

/// Added to once a batch by its one owner; read by any thread, monotone.
class Counter {
 public:
  void add(std::uint64_t count) {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace millrace::detail
