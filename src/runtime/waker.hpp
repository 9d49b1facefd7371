// Waker: how an executor that found nothing to do sleeps, and how others wake it, at most once a
// batch.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace millrace::detail {

/// The sleep of one executor. `wake` may be called by any thread.
///
/// Protocol: the sleeper calls prepare(), looks once more for work, then park() or cancel(). A
/// waker publishes its work with a sequentially consistent store first and then calls wake(): in
/// the total order of these operations either the sleeper sees the work or the waker sees the
/// sleeper.
class Waker {
 public:
  void prepare() { parked_.store(true, std::memory_order_seq_cst); }
  void cancel() { parked_.store(false, std::memory_order_seq_cst); }
  /// Sleeps until woken, or at most `nanoseconds` (negative: no limit).
  void park(std::int64_t nanoseconds);
  /// One load when nobody sleeps.
  void wake() {
    if (parked_.load(std::memory_order_seq_cst)) wake_parked();
  }

 private:
  void wake_parked();

  std::atomic<bool> parked_{false};
  std::mutex mutex_;
  std::condition_variable condition_;
};

}  // namespace millrace::detail
