// HeldBatches: batches that an operator keeps until the last of their records has gone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/memory_meter.hpp"
#include "operator/stateless.hpp"
#include "record/batch_type.hpp"
#include "record/schema.hpp"
#include "state/timer_queue.hpp"

namespace millrace::detail {

/// Bytes of the texts that the records borrow.
template <class T>
std::size_t text_bytes(const std::vector<T>& records) {
  std::size_t bytes = 0;
  for (const T& record : records) bytes += Schema<T>::borrowed_bytes(record);
  return bytes;
}

/// What a batch that is held counts as.
template <class T>
std::size_t held_bytes(const Batch<T>& batch) {
  const std::size_t width = std::max(sizeof(T), batch_type<T>().record_bytes());
  std::size_t bytes = batch.values.size() * (width + sizeof(Time) + sizeof(Arrival)) +
                      batch_type<T>().heap_bytes(batch, 0);
  if constexpr (kKnowsTexts<T>) bytes += text_bytes(batch.values);
  return bytes;
}

/// A record is found by its slot: number of the batch << 32 | place in the batch. One thread.
template <class T>
class HeldBatches {
 public:
  /// `meter` counts them; null: nobody does. Throws MemoryRefused.
  std::uint32_t keep(Batch<T>& in, bool exclusive, MemoryMeter* meter) {
    const std::uint32_t number = free_number();
    Held& held = held_[number];
    if (exclusive) {
      batch_type<T>().swap(*held.batch, in);
    } else {
      batch_type<T>().append_all(*held.batch, in);
    }
    // Those of a batch that came over a shuffle meet restored ones, which have none.
    held.batch->hashes.clear();
    held.batch->hashed_by = nullptr;
    held.batch->messages.lend();  // the stage keeps them, see Standing::holds_from
    const std::size_t bytes = held_bytes(*held.batch);
    if (meter) meter->grow(bytes);
    held.bytes = bytes;
    return number;
  }
  Batch<T>& batch(std::uint64_t slot) { return *held_[slot >> 32].batch; }
  Arrival place_of(std::uint64_t slot) const {
    return held_[slot >> 32].batch->arrival_of(static_cast<std::uint32_t>(slot));
  }
  /// So many records of the batch are to go.
  void set_left(std::uint32_t number, std::size_t records) { held_[number].left = records; }
  /// One of them has gone.
  void gone(std::uint64_t slot, MemoryMeter* meter) {
    Held& held = held_[slot >> 32];
    if (--held.left > 0) return;
    let_go(held, meter);
    free_.push_back(static_cast<std::uint32_t>(slot >> 32));
  }
  /// Copies of the records whose slots are in `queue`, by time and then as they came; the highest
  /// bit of its slots is that of `side`, or they are another's.
  Batch<T> all(const TimerQueue& queue, std::uint64_t side) const {
    std::vector<TimerQueue::Entry> slots;
    queue.for_each([&](const TimerQueue::Entry& entry) {
      if ((entry.hash ^ side) >> 63 == 0) slots.push_back({entry.time, entry.hash ^ side});
    });
    std::sort(slots.begin(), slots.end());
    Batch<T> records;
    for (const TimerQueue::Entry& entry : slots) {
      const auto at = static_cast<std::uint32_t>(entry.hash);
      batch_type<T>().append(records, *held_[entry.hash >> 32].batch, {&at, 1});
    }
    return records;
  }
  /// Whatever is left goes.
  void clear(MemoryMeter* meter) {
    for (Held& held : held_) let_go(held, meter);
  }

 private:
  struct Held {
    std::unique_ptr<Batch<T>> batch;
    std::size_t left = 0;  ///< records that have not gone
    std::size_t bytes = 0;
  };
  std::uint32_t free_number() {
    if (free_.empty()) {
      held_.push_back({std::make_unique<Batch<T>>(), 0, 0});
      return static_cast<std::uint32_t>(held_.size() - 1);
    }
    const std::uint32_t number = free_.back();
    free_.pop_back();
    return number;
  }
  static void let_go(Held& held, MemoryMeter* meter) {
    if (meter) meter->shrink(held.bytes);
    held.bytes = 0;
    held.batch->clear();
  }

  std::vector<Held> held_;
  std::vector<std::uint32_t> free_;  ///< of held_
};

}  // namespace millrace::detail
