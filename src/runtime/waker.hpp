// Waker: how an executor that found nothing to do sleeps, and how others wake it, at most once a
// batch.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace millrace::detail {

/// The machine's own atomics, lock and condition; a model checker passes its own of the same shape.
struct RealSleep {
  template <class T>
  using Atomic = std::atomic<T>;
  using Mutex = std::mutex;
  using Condition = std::condition_variable;
};

/// The sleep of one executor. `wake` may be called by any thread.
///
/// Protocol: the sleeper calls prepare(), looks once more for work, then park() or cancel(). A
/// waker publishes its work with a sequentially consistent store first and then calls wake(): in
/// the total order of these operations either the sleeper sees the work or the waker sees the
/// sleeper. tests/model explores it.
template <class Sleep>
class BasicWaker {
 public:
  void prepare() { parked_.store(true, std::memory_order_seq_cst); }
  void cancel() { parked_.store(false, std::memory_order_seq_cst); }
  /// Sleeps until woken, or at most `nanoseconds` (negative: no limit).
  void park(std::int64_t nanoseconds) {
    std::unique_lock lock(mutex_);
    const auto woken = [this] { return !parked_.load(std::memory_order_seq_cst); };
    if (nanoseconds < 0) {
      condition_.wait(lock, woken);
    } else {
      condition_.wait_for(lock, std::chrono::nanoseconds(nanoseconds), woken);
    }
    parked_.store(false, std::memory_order_seq_cst);
  }
  /// One load when nobody sleeps.
  void wake() {
    if (parked_.load(std::memory_order_seq_cst)) wake_parked();
  }

 private:
  void wake_parked() {
    {
      const std::lock_guard lock(mutex_);
      if (!parked_.exchange(false, std::memory_order_seq_cst)) return;
    }
    condition_.notify_one();
  }

  typename Sleep::template Atomic<bool> parked_{false};
  typename Sleep::Mutex mutex_;
  typename Sleep::Condition condition_;
};

using Waker = BasicWaker<RealSleep>;

/// Where a task is stepped now. What wakes the task follows it here, so that a task may move to
/// another executor while batches are on their way to it.
///
/// Only the executor that steps the task moves it: it calls move_to() before it hands the task
/// over. Whoever still wakes the old home wakes for a batch that the new one finds, for it steps
/// each task it takes over before it sleeps.
template <class Sleep>
class BasicHome {
 public:
  using WakerType = BasicWaker<Sleep>;
  void move_to(WakerType& waker) { waker_.store(&waker, std::memory_order_seq_cst); }
  /// Any thread.
  void wake() const {
    if (WakerType* waker = waker_.load(std::memory_order_seq_cst)) waker->wake();
  }
  /// Any thread: the waker of the executor that owns the task; null before the start.
  const WakerType* waker() const { return waker_.load(std::memory_order_relaxed); }

 private:
  typename Sleep::template Atomic<WakerType*> waker_{nullptr};
};

using Home = BasicHome<RealSleep>;

}  // namespace millrace::detail
