// JoinedRecords: the records of one side of a join, and in which order those of a key are found.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "operator/operator.hpp"
#include "record/batch_type.hpp"
#include "record/row_batch.hpp"
#include "record/schema.hpp"
#include "state/counted_allocator.hpp"

namespace millrace::detail {

template <class T>
void append_records(std::vector<T>& to, const std::vector<T>& from,
                    std::span<const std::uint32_t> picks) {
  append_picked(to, from, picks);
}
inline void append_records(RowColumns& to, const RowColumns& from,
                           std::span<const std::uint32_t> picks) {
  to.append(from, picks);
}

/// Copies what the records from `first` on borrow into `arena`.
template <class T>
void rehome_from(std::vector<T>& records, std::size_t first, Arena& arena) {
  for (std::size_t at = first; at < records.size(); ++at) Schema<T>::rehome(records[at], arena);
}
inline void rehome_from(RowColumns& rows, std::size_t first, Arena& arena) {
  for (std::size_t field = 0; field < rows.schema()->fields().size(); ++field) {
    Column& column = rows.column(field);
    if (!lies_as_text(column.type())) continue;
    for (std::size_t at = first; at < rows.size(); ++at)
      column.set_text(at, arena.intern(column.text(at)));
  }
}

/// Copies of records with texts of their own, in chunks that are let go when the last of their
/// records has gone. A record is found by its slot: number of the chunk << 32 | place in it, below
/// 2^63. One thread.
template <class T>
class JoinedRecords {
 public:
  static constexpr std::size_t kChunkRecords =
      1024;  ///< from so many on the next batch has another

  JoinedRecords() = default;
  JoinedRecords(const JoinedRecords&) = delete;
  JoinedRecords& operator=(const JoinedRecords&) = delete;
  ~JoinedRecords() {
    for (Chunk& chunk : chunks_) let_go(chunk);
  }

  /// `meter` counts them and outlives this; null: nobody does.
  void count_with(MemoryMeter* meter) { meter_ = meter; }

  /// Keeps the records `picks` of `in`, at least one, with their places and messages, which stay
  /// borrowed. Returns the slot of the first; the others follow it. Throws MemoryRefused.
  std::uint64_t keep(const Batch<T>& in, std::span<const std::uint32_t> picks) {
    if (open_ == kNone || chunks_[open_].batch->size() >= kChunkRecords) open_ = free_chunk();
    Chunk& chunk = chunks_[open_];
    Batch<T>& to = *chunk.batch;
    const std::size_t first = to.size();
    append_records(to.values, in.values, picks);
    own_texts(chunk, in, first);
    for (std::size_t at = 0; at < picks.size(); ++at) {
      if (!in.arrivals.empty()) to.arrivals.push_back(in.arrivals[picks[at]]);
      if (!in.messages.empty()) to.messages.put(first + at, in.message_of(picks[at]));
    }
    chunk.left += picks.size();
    const std::size_t bytes = picks.size() * (batch_type<T>().record_bytes() + sizeof(Arrival)) +
                              batch_type<T>().heap_bytes(to, first);
    if (meter_) meter_->grow(bytes);
    chunk.bytes += bytes;
    return std::uint64_t{open_} << 32 | first;
  }
  Batch<T>& batch(std::uint64_t slot) { return *chunks_[slot >> 32].batch; }
  decltype(auto) record(std::uint64_t slot) {
    return record_at(std::as_const(batch(slot)), static_cast<std::uint32_t>(slot));
  }
  Arrival place_of(std::uint64_t slot) const {
    return chunks_[slot >> 32].batch->arrival_of(static_cast<std::uint32_t>(slot));
  }
  /// One record has gone.
  void gone(std::uint64_t slot) {
    const auto number = static_cast<std::uint32_t>(slot >> 32);
    Chunk& chunk = chunks_[number];
    if (--chunk.left > 0) return;
    let_go(chunk);
    if (number != open_) free_.push_back(number);
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct Chunk {
    std::unique_ptr<Batch<T>> batch;
    ArenaRef texts;
    std::size_t left = 0;  ///< records that have not gone
    std::size_t bytes = 0;
  };

  std::uint32_t free_chunk() {
    if (!free_.empty()) {
      const std::uint32_t number = free_.back();
      free_.pop_back();
      return number;
    }
    chunks_.push_back({std::make_unique<Batch<T>>(), {}, 0, 0});
    return static_cast<std::uint32_t>(chunks_.size() - 1);
  }
  /// The records' texts leave the batch that they came with, unless their type cannot be looked
  /// into.
  void own_texts(Chunk& chunk, const Batch<T>& in, std::size_t first) {
    if constexpr (!kKnowsTexts<T>) {
      chunk.batch->pin_all(in);
    } else if constexpr (Schema<T>::kBorrows) {
      if (!chunk.texts) chunk.texts = ArenaRef::make(kTextBlockBytes, meter_);
      rehome_from(chunk.batch->values, first, *chunk.texts);
    }
  }
  void let_go(Chunk& chunk) {
    if (meter_) meter_->shrink(chunk.bytes);
    chunk.bytes = 0;
    chunk.texts = {};
    chunk.batch->clear();
  }

  static constexpr std::size_t kTextBlockBytes = 4096;
  MemoryMeter* meter_ = nullptr;
  std::vector<Chunk> chunks_;
  std::vector<std::uint32_t> free_;  ///< of chunks_
  std::uint32_t open_ = kNone;
};

/// A record of a key: its time, where it lies, and one bit that the join uses.
class JoinEntry {
 public:
  JoinEntry(Time when, std::uint64_t slot, bool matched)
      : time(when), bits_(slot | (matched ? kMatched : 0)) {}
  std::uint64_t slot() const { return bits_ & ~kMatched; }
  bool matched() const { return (bits_ & kMatched) != 0; }
  void match() { bits_ |= kMatched; }

  Time time;

 private:
  static constexpr std::uint64_t kMatched = std::uint64_t{1} << 63;
  std::uint64_t bits_;
};

/// The records of one key and side in the order of their times; of equal times those that came
/// first stand first. One thread. A record in order costs O(1), another one the move of what is
/// newer; a look-up O(log n).
template <class Entry>
class JoinEntries {
 public:
  explicit JoinEntries(MemoryMeter* meter) : list_(CountedAllocator<Entry>(meter)) {}

  bool empty() const { return list_.empty(); }
  Entry& front() { return list_[head_]; }
  const Entry& front() const { return list_[head_]; }
  const Entry& back() const { return list_.back(); }
  auto begin() { return list_.begin() + static_cast<std::ptrdiff_t>(head_); }
  auto end() { return list_.end(); }

  void insert(Entry entry) {
    if (empty() || back().time <= entry.time) return list_.push_back(std::move(entry));
    const auto at = std::upper_bound(begin(), end(), entry.time,
                                     [](Time time, const Entry& e) { return time < e.time; });
    list_.insert(at, std::move(entry));
  }
  /// The first one with that time or a later one.
  auto from(Time time) {
    return std::lower_bound(begin(), end(), time,
                            [](const Entry& e, Time t) { return e.time < t; });
  }
  void pop_front() {
    ++head_;
    if (head_ == list_.size()) {
      list_.clear();
      head_ = 0;
    } else if (head_ >= kHeadMin && head_ * 2 >= list_.size()) {
      list_.erase(list_.begin(), begin());
      head_ = 0;
    }
  }

 private:
  static constexpr std::size_t kHeadMin = 16;
  CountedVector<Entry> list_;
  std::size_t head_ = 0;  ///< those before it have gone
};

}  // namespace millrace::detail
