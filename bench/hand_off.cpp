// A queue between two threads, with and without sleep.
#include "hand_off.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "flat_map.hpp"
#include "open_loop.hpp"

namespace millrace::bench {
namespace {

/// One sender, one receiver.
class TickQueue {
 public:
  bool push(const KeyedTick& tick) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == kSlots) return false;
    slots_[tail % kSlots] = tick;
    tail_.store(tail + 1, std::memory_order_seq_cst);
    return true;
  }
  bool pop(KeyedTick& tick) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_seq_cst)) return false;
    tick = slots_[head % kSlots];
    head_.store(head + 1, std::memory_order_release);
    return true;
  }
  void wake() {
    if (sleeps_.load(std::memory_order_seq_cst) == 0) return;
    sleeps_.store(0, std::memory_order_seq_cst);
    syscall(SYS_futex, &sleeps_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }
  void sleep() {
    sleeps_.store(1, std::memory_order_seq_cst);
    if (head_.load() == tail_.load(std::memory_order_seq_cst)) {
      syscall(SYS_futex, &sleeps_, FUTEX_WAIT_PRIVATE, 1, nullptr, nullptr, 0);
    }
    sleeps_.store(0, std::memory_order_seq_cst);
  }

 private:
  static constexpr std::size_t kSlots = 4096;
  std::array<KeyedTick, kSlots> slots_{};
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
  alignas(64) std::atomic<std::uint32_t> sleeps_{0};
};

}  // namespace

Answer run_by_hand_off(std::uint64_t rate, std::uint64_t records, HandOff kind) {
  Recorder recorder(records);
  TickQueue queue;
  Schedule schedule(rate, records);
  std::thread receiver([&] {
    FlatMap<std::uint32_t, Seen, 4> counts;
    KeyedTick tick{};
    for (std::uint64_t taken = 0; taken < records;) {
      if (!queue.pop(tick)) {
        if (kind == HandOff::futex) queue.sleep();
        continue;
      }
      Seen& seen = counts[tick.key];
      count_tick(seen, tick);
      recorder.take(tick.key, seen);
      ++taken;
    }
  });
  schedule.start();
  while (!schedule.done()) {
    if (!schedule.is_due()) continue;
    const KeyedTick tick = keyed(schedule.take());
    while (!queue.push(tick)) std::this_thread::yield();
    if (kind == HandOff::futex) queue.wake();
  }
  receiver.join();
  return std::move(recorder).answer();
}

}  // namespace millrace::bench
