// Ring: a bounded single-producer single-consumer queue over an atomics parameter, so that a model
// can explore it.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <utility>
#include <vector>

namespace millrace::detail {

/// The machine's own atomics; a model checker passes its own with the same shape.
struct RealAtomics {
  template <class T>
  using Atomic = std::atomic<T>;
};

/// A bounded queue of movable items between exactly one pushing and one popping thread.
///
/// Positions are published with sequentially consistent operations: "push, then look whether the
/// other side sleeps" and "announce sleep, then look for items" need a total order, and fences are
/// invisible to TSan. Items are batches, so the cost (about 20 cycles) is paid once a batch.
template <class T, class Atomics = RealAtomics>
class Ring {
 public:
  /// `capacity` is rounded up to a power of two, at least 1.
  explicit Ring(std::size_t capacity)
      : slots_(std::bit_ceil(capacity == 0 ? std::size_t{1} : capacity)),
        mask_(slots_.size() - 1) {}

  std::size_t capacity() const { return slots_.size(); }

  /// Producer only. Moves from `item` and returns true, or leaves it alone and returns false when
  /// full.
  bool push(T& item) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ == slots_.size()) {
      head_seen_ = head_.load(std::memory_order_seq_cst);
      if (tail - head_seen_ == slots_.size()) return false;
    }
    slots_[tail & mask_] = std::move(item);
    tail_.store(tail + 1, std::memory_order_seq_cst);
    return true;
  }

  /// Consumer only. Moves the oldest item to `item`, or returns false when empty.
  bool pop(T& item) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_seq_cst);
      if (head == tail_seen_) return false;
    }
    item = std::move(slots_[head & mask_]);
    head_.store(head + 1, std::memory_order_seq_cst);
    return true;
  }

  /// Any thread: a moment's number of items.
  std::size_t size() const {
    const std::size_t head = head_.load(std::memory_order_seq_cst);
    const std::size_t tail = tail_.load(std::memory_order_seq_cst);
    return tail >= head ? tail - head : 0;
  }
  bool empty() const { return size() == 0; }
  bool full() const { return size() >= slots_.size(); }

 private:
  template <class V>
  using Atomic = typename Atomics::template Atomic<V>;

  std::vector<T> slots_;
  std::size_t mask_;
  // Each side on its own cache line, with its last sight of the other's position.
  alignas(64) Atomic<std::size_t> tail_{0};
  std::size_t head_seen_ = 0;
  alignas(64) Atomic<std::size_t> head_{0};
  std::size_t tail_seen_ = 0;
};

}  // namespace millrace::detail
