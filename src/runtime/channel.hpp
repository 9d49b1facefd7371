// Channel: the ring of batches from one sending to one receiving task, and the way back for empty
// buffers.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "base/ring.hpp"
#include "metrics/counter.hpp"
#include "record/batch.hpp"
#include "runtime/waker.hpp"

namespace millrace::detail {

/// One sending and one receiving task. A full ring is backpressure.
class Channel {
 public:
  /// `memory` counts the bytes of what is on its way, and outlives the channel; null: nobody does.
  Channel(const BatchType& type, std::size_t batches_max, MemoryMeter* memory = nullptr)
      : type_(type), ring_(batches_max), empties_(batches_max + 2), queued_bytes_(memory) {}

  /// The tasks at its ends are told of batches and of room here; without, nobody is told.
  void set_ends(const Home* sender, const Home* receiver) {
    sender_ = sender;
    receiver_ = receiver;
  }

  /// Sender: an empty batch, recycled when there is one.
  BatchPtr take_empty() {
    BatchPtr batch;
    if (empties_.pop(batch)) return batch;
    return type_.make();
  }
  /// Sender: frees the empty batches that wait to be used again.
  void drop_empties() {
    for (BatchPtr batch; empties_.pop(batch);) batch.reset();
  }
  /// Sender: counts what was appended to `open`, its own open batch, as on its way from now on.
  void add_queued(BatchBase& open, std::size_t records, std::size_t bytes) {
    queued_.fetch_add(records, std::memory_order_relaxed);
    queued_bytes_.grow(bytes);
    open.queued_bytes += bytes;
  }
  /// Sender: false when the ring is full; then `batch` is untouched.
  bool push(BatchPtr& batch) {
    if (!ring_.push(batch)) return false;
    if (receiver_) receiver_->wake();
    return true;
  }
  /// Receiver.
  bool pop(BatchPtr& batch) {
    if (!ring_.pop(batch)) return false;
    queued_.fetch_sub(batch->size(), std::memory_order_relaxed);
    passed_.add(batch->size());
    if (sender_) sender_->wake();
    return true;
  }
  /// Receiver: gives a used batch back; the arenas it held are let go now, and its bytes no longer
  /// count as on their way.
  void recycle(BatchPtr batch) {
    queued_bytes_.shrink(std::exchange(batch->queued_bytes, 0));
    batch->clear();
    (void)empties_.push(batch);
  }
  /// Any thread.
  std::uint64_t queued() const { return queued_.load(std::memory_order_relaxed); }
  std::size_t batches() const { return ring_.size(); }
  std::size_t capacity() const { return ring_.capacity(); }
  /// Any thread: records that the receiver has taken, ever.
  std::uint64_t passed() const { return passed_.value(); }
  /// Any thread: bytes of the records on their way or being handled, without shared texts.
  std::uint64_t queued_bytes() const { return queued_bytes_.bytes(); }
  bool empty() const { return ring_.empty(); }
  bool full() const { return ring_.full(); }
  bool half_full() const { return 2 * ring_.size() >= ring_.capacity(); }
  /// Sender: true when its own executor steps the receiver now.
  bool local() const {
    return sender_ == receiver_ || (sender_ && receiver_ && sender_->waker() == receiver_->waker());
  }

 private:
  const BatchType& type_;
  Ring<BatchPtr> ring_;
  Ring<BatchPtr> empties_;
  std::atomic<std::uint64_t> queued_{0};
  MemoryMeter queued_bytes_;
  Counter passed_;
  const Home* sender_ = nullptr;
  const Home* receiver_ = nullptr;
};

}  // namespace millrace::detail
