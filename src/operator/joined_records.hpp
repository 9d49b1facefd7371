// JoinedRecords: the records of one side of a join, and in which order those of a key are found.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/memory_meter.hpp"
#include "operator/kept_figures.hpp"
#include "operator/operator.hpp"
#include "record/batch_type.hpp"
#include "record/row_batch.hpp"
#include "record/schema.hpp"

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

/// What kept records take.
struct JoinedBytes {
  std::size_t taken = 0;
  std::size_t wasted = 0;  ///< of that what has gone, and goes with the last ones of its chunk
};

/// Some records of a JoinedRecords, and what they take.
template <class T>
struct JoinedChunk {
  /// The texts of the records from `first` on leave the batch that they came with, unless their
  /// type cannot be looked into.
  void own_texts(const Batch<T>& in, std::size_t first, MemoryMeter* meter) {
    if constexpr (!kKnowsTexts<T>) {
      batch->pin_all(in);
    } else if constexpr (Schema<T>::kBorrows) {
      if (!texts) texts = ArenaRef::make(kTextBlockBytes, meter);
      rehome_from(batch->values, first, *texts);
    }
  }
  /// Once records have come, or all have gone.
  void count() {
    const std::size_t records = batch->size();
    const std::size_t taken = bytes + (texts ? texts->capacity_bytes() : 0);
    share = taken / std::max<std::size_t>(1, records);
    counted = {taken, share * (records - left)};
  }
  /// An eighth or more has gone.
  bool is_sparse() const { return counted.wasted > 0 && counted.wasted * 8 >= counted.taken; }
  double wasted_part() const {
    return static_cast<double>(counted.wasted) / static_cast<double>(counted.taken);
  }

  std::unique_ptr<Batch<T>> batch = std::make_unique<Batch<T>>();
  ArenaRef texts;
  std::size_t left = 0;   ///< records that have not gone
  std::size_t bytes = 0;  ///< that the meter has been told of
  std::size_t share = 0;  ///< bytes of a record, about
  JoinedBytes counted;
  bool leaves = false;  ///< its records are to be moved

 private:
  static constexpr std::size_t kTextBlockBytes = 4096;
};

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
  /// Who says how many there are.
  KeptRecords& figures() { return figures_; }

  /// Keeps the records `picks` of `in`, at least one, with their places and messages, which stay
  /// borrowed. Returns the slot of the first; the others follow it. Throws MemoryRefused.
  std::uint64_t keep(const Batch<T>& in, std::span<const std::uint32_t> picks) {
    if (open_ == kNone || chunks_[open_].batch->size() >= kChunkRecords) open_ = free_chunk();
    Chunk& chunk = chunks_[open_];
    Batch<T>& to = *chunk.batch;
    const std::size_t first = to.size();
    append_records(to.values, in.values, picks);
    if (!in.arrivals.empty()) append_picked(to.arrivals, in.arrivals, picks);
    if (!in.messages.empty()) {
      for (std::size_t at = 0; at < picks.size(); ++at)
        to.messages.put(first + at, in.message_of(picks[at]));
    }
    chunk.own_texts(in, first, meter_);  // where it is refused, places are still in step
    const std::size_t bytes = picks.size() * (batch_type<T>().record_bytes() + sizeof(Arrival)) +
                              batch_type<T>().heap_bytes(to, first);
    if (meter_) meter_->grow(bytes);  // where it refuses they go with the chunk
    chunk.bytes += bytes;
    chunk.left += picks.size();
    figures_.add(picks.size());
    count_again(chunk);
    return std::uint64_t{open_} << 32 | first;
  }
  Batch<T>& batch(std::uint64_t slot) { return *chunks_[slot >> 32].batch; }
  decltype(auto) record(std::uint64_t slot) {
    return record_at(std::as_const(batch(slot)), static_cast<std::uint32_t>(slot));
  }
  /// Brings near what record() reads.
  void prefetch(std::uint64_t slot) const {
    const auto& values = chunks_[slot >> 32].batch->values;
    if constexpr (std::is_same_v<std::decay_t<decltype(values)>, std::vector<T>>)
      __builtin_prefetch(&values[static_cast<std::uint32_t>(slot)]);
  }
  Arrival place_of(std::uint64_t slot) const {
    return chunks_[slot >> 32].batch->arrival_of(static_cast<std::uint32_t>(slot));
  }
  /// What a record takes, about: its share of its chunk. O(1).
  std::size_t bytes_of(std::uint64_t slot) const { return chunks_[slot >> 32].share; }
  /// What all chunks take, and of that those records that have gone. O(1).
  const JoinedBytes& bytes() const { return bytes_; }

  // Records that go one here, one there leave chunks of which little is in use. Who can tell
  // what is kept moves the rest out of them.

  /// Chunks of which an eighth or more has gone are to be left, those of which most has gone first,
  /// until so many bytes of records are to be moved: whoever keeps one for which leaves() holds,
  /// moves it. Until the next call. Returns how many of these bytes are left over. O(n log n) for
  /// n chunks.
  std::size_t leave_sparse(std::size_t bytes_most) {
    sparse_.clear();
    for (std::uint32_t number = 0; number < chunks_.size(); ++number) {
      Chunk& chunk = chunks_[number];
      chunk.leaves = false;
      if (chunk.is_sparse()) sparse_.push_back(number);
    }
    std::sort(sparse_.begin(), sparse_.end(), [this](std::uint32_t a, std::uint32_t b) {
      return chunks_[a].wasted_part() > chunks_[b].wasted_part();
    });
    for (const std::uint32_t number : sparse_) {
      if (bytes_most == 0) break;
      Chunk& chunk = chunks_[number];
      chunk.leaves = true;
      bytes_most -= std::min(bytes_most, chunk.counted.taken - chunk.counted.wasted);
      if (number == open_) open_ = kNone;
    }
    return bytes_most;
  }
  bool leaves(std::uint64_t slot) const { return chunks_[slot >> 32].leaves; }
  /// Puts a record behind all others; where it lies now. Throws MemoryRefused.
  std::uint64_t move(std::uint64_t slot) {
    const auto place = static_cast<std::uint32_t>(slot);
    const std::uint64_t moved = keep(batch(slot), {&place, 1});
    gone(slot);
    return moved;
  }
  /// One record has gone.
  void gone(std::uint64_t slot) {
    const auto number = static_cast<std::uint32_t>(slot >> 32);
    Chunk& chunk = chunks_[number];
    figures_.take_away_one();
    if (--chunk.left > 0) {
      chunk.counted.wasted += chunk.share;
      bytes_.wasted += chunk.share;
      return;
    }
    let_go(chunk);
    if (number != open_) free_.push_back(number);
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  using Chunk = JoinedChunk<T>;

  /// Records have come into the chunk, or all have gone. A record that goes alone costs no
  /// division.
  void count_again(Chunk& chunk) {
    bytes_.taken -= chunk.counted.taken;
    bytes_.wasted -= chunk.counted.wasted;
    chunk.count();
    bytes_.taken += chunk.counted.taken;
    bytes_.wasted += chunk.counted.wasted;
  }
  std::uint32_t free_chunk() {
    if (!free_.empty()) {
      const std::uint32_t number = free_.back();
      free_.pop_back();
      return number;
    }
    chunks_.emplace_back();
    return static_cast<std::uint32_t>(chunks_.size() - 1);
  }
  void let_go(Chunk& chunk) {
    if (meter_) meter_->shrink(chunk.bytes);
    chunk.bytes = 0;
    chunk.leaves = false;
    chunk.texts = {};
    chunk.batch->clear();
    count_again(chunk);
  }

  MemoryMeter* meter_ = nullptr;
  KeptRecords figures_;
  std::vector<Chunk> chunks_;
  JoinedBytes bytes_;                  ///< of all chunks
  std::vector<std::uint32_t> free_;    ///< of chunks_
  std::vector<std::uint32_t> sparse_;  ///< of these what may be left
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
  /// The record lies there now.
  void move_to(std::uint64_t slot) { bits_ = slot | (bits_ & kMatched); }

  Time time;

 private:
  static constexpr std::uint64_t kMatched = std::uint64_t{1} << 63;
  std::uint64_t bits_;
};

/// The records of one key and side in the order of their times; of equal times those that came
/// first stand first. Up to `kInline` of them lie here, more in a block of their own, which knows
/// who counts it. One thread. A record in order costs O(1), another one the move of what is newer;
/// a look-up O(log n).
template <class Entry, std::size_t kInline = 1>
class JoinEntries {
  static_assert(std::is_trivially_copyable_v<Entry> && std::is_trivially_destructible_v<Entry>);

 public:
  JoinEntries() {}
  JoinEntries(JoinEntries&& other) noexcept { take(other); }
  JoinEntries& operator=(JoinEntries&& other) noexcept {
    if (this == &other) return *this;
    let_go();
    take(other);
    return *this;
  }
  ~JoinEntries() { let_go(); }

  bool empty() const { return head_ == end_; }
  /// Another one takes more memory, or moves.
  bool is_full() const { return end_ == capacity(); }
  Entry& front() { return *begin(); }
  const Entry& front() const { return *begin(); }
  const Entry& back() const { return *(end() - 1); }
  Entry* begin() { return data() + head_; }
  const Entry* begin() const { return data() + head_; }
  Entry* end() { return data() + end_; }
  const Entry* end() const { return data() + end_; }

  /// `meter` counts what lies elsewhere, and outlives this; null: nobody does. Throws
  /// MemoryRefused, unchanged.
  void insert(const Entry& entry, MemoryMeter* meter) {
    if (end_ == capacity()) make_room(meter);
    Entry* at = end();
    ++end_;
    for (; at != begin() && entry.time < (at - 1)->time; --at) *at = *(at - 1);
    *at = entry;
  }
  /// The first one with that time or a later one.
  const Entry* from(Time time) const {
    const Entry* first = begin();
    for (std::size_t left = end_ - head_; left > 0;) {  // without jumps that depend on the times
      const std::size_t half = (left + 1) / 2;
      first += first[half - 1].time < time ? half : 0;
      left -= half;
    }
    return first;
  }
  Entry* from(Time time) { return const_cast<Entry*>(std::as_const(*this).from(time)); }
  void pop_front() {
    if (++head_ == end_) head_ = end_ = 0;
  }
  /// Brings near what begin() and end() read.
  void prefetch() const {
    if (in_block_) __builtin_prefetch(begin(), 1);
  }

 private:
  struct Block {
    MemoryMeter* meter;
    std::size_t capacity;
    Entry* entries() { return reinterpret_cast<Entry*>(this + 1); }
    std::size_t bytes() const { return sizeof(Block) + capacity * sizeof(Entry); }
  };
  static_assert(alignof(Entry) <= alignof(Block));
  static constexpr std::size_t kBlockBytesMin = 64;

  Entry* data() { return in_block_ ? block_->entries() : few_; }
  const Entry* data() const { return in_block_ ? block_->entries() : few_; }
  std::size_t capacity() const { return in_block_ ? block_->capacity : kInline; }

  /// Moves them to the front, or into a block of twice the size.
  void make_room(MemoryMeter* meter) {
    const std::size_t count = end_ - head_;
    if (count * 2 <= capacity() || (head_ > 0 && !in_block_)) {
      std::copy(begin(), end(), data());
    } else {
      Block* const block = new_block(in_block_ ? 2 * block_->bytes() : kBlockBytesMin, meter);
      std::copy(begin(), end(), block->entries());
      let_go();
      block_ = block;
      in_block_ = true;
    }
    head_ = 0;
    end_ = static_cast<std::uint32_t>(count) & kCountMask;
  }
  static Block* new_block(std::size_t bytes, MemoryMeter* meter) {
    const std::size_t capacity = (bytes - sizeof(Block)) / sizeof(Entry);
    const std::size_t taken = sizeof(Block) + capacity * sizeof(Entry);
    if (meter) meter->grow(taken);
    return new (::operator new(taken)) Block{meter, capacity};
  }
  void take(JoinEntries& other) {
    std::memcpy(static_cast<void*>(this), static_cast<const void*>(&other), sizeof(*this));
    other.head_ = other.end_ = 0;
    other.in_block_ = false;
  }
  void let_go() {
    if (!in_block_) return;
    if (block_->meter) block_->meter->shrink(block_->bytes());
    ::operator delete(block_);
    in_block_ = false;
  }

  static constexpr std::uint32_t kCountMask = 0x7fff'ffff;
  union {
    Entry few_[kInline];
    Block* block_;
  };
  std::uint32_t head_ = 0;  ///< those before it have gone
  std::uint32_t end_ : 31 = 0;
  std::uint32_t in_block_ : 1 = false;
};

}  // namespace millrace::detail
