// Waker: how an executor that found nothing to do sleeps, and how others wake it, at most once a
// batch.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

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
/// A waker publishes its work with a sequentially consistent store first and then calls wake(); the
/// sleeper announces that it sleeps before it looks for work a last time. In the total order of
/// these operations either the sleeper sees the work or the waker sees the sleeper. tests/model
/// explores it.
template <class Sleep>
class BasicWaker {
 public:
  /// What sleep()'s look may say besides a number of nanoseconds.
  static constexpr std::int64_t kForEver = -1;
  /// Somebody else is the sleeper now: leave at once, touch nothing.
  static constexpr std::int64_t kLeave = -2;

  /// Sleeps until woken, but not when `look` finds work: look() returns nullopt for work, else how
  /// long to sleep at most, or one of the above. True: it slept.
  template <class Look>
  bool sleep(Look look) {
    parked_.store(true, std::memory_order_seq_cst);
    const std::optional<std::int64_t> nanoseconds = look();
    if (nanoseconds == kLeave) return false;
    if (nanoseconds) park(*nanoseconds);
    parked_.store(false, std::memory_order_seq_cst);
    return nanoseconds.has_value();
  }
  /// One load when nobody sleeps.
  void wake() {
    if (parked_.load(std::memory_order_seq_cst)) wake_parked();
  }

 private:
  void park(std::int64_t nanoseconds) {
    std::unique_lock lock(mutex_);
    const auto woken = [this] { return !parked_.load(std::memory_order_seq_cst); };
    if (nanoseconds < 0) {
      condition_.wait(lock, woken);
    } else {
      condition_.wait_for(lock, std::chrono::nanoseconds(nanoseconds), woken);
    }
  }
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
