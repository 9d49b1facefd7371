// Parking and waking of executors.
#include "runtime/waker.hpp"

#include <chrono>

namespace millrace::detail {

void Waker::park(std::int64_t nanoseconds) {
  std::unique_lock lock(mutex_);
  const auto woken = [this] { return !parked_.load(std::memory_order_seq_cst); };
  if (nanoseconds < 0) {
    condition_.wait(lock, woken);
  } else {
    condition_.wait_for(lock, std::chrono::nanoseconds(nanoseconds), woken);
  }
  parked_.store(false, std::memory_order_seq_cst);
}

void Waker::wake_parked() {
  {
    std::lock_guard lock(mutex_);
    if (!parked_.exchange(false, std::memory_order_seq_cst)) return;
  }
  condition_.notify_one();
}

}  // namespace millrace::detail
