// OrderRestore: hands records on in the order of their event times.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "operator/operator.hpp"
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

/// Holds each record until the watermark lies beyond its time, then hands it on by (time, place in
/// the inputs) on port 0. Records behind the watermark of their own source partition are late: they
/// go to port 1 as they come.
///
/// Cost: O(1) amortised a record (a radix heap of 16 bytes a record), one copy of its texts when it
/// goes. Memory: the batches of the bound, counted as state.
template <class T>
class OrderRestore final : public Operator {
 public:
  void open(const OperatorContext& context) override {
    Operator::open(context);
    queue_ = std::make_unique<TimerQueue>(context.state);
  }
  void close() override {
    for (Chunk& chunk : chunks_) let_go(chunk);
  }

  void process(BatchBase& base, bool exclusive, Outputs& outputs) override {
    auto& in = static_cast<Batch<T>&>(base);
    if (!in.behind.empty()) hand_late(in, outputs);
    const std::size_t late = in.behind.size();
    tally().late += late;
    if (late == in.values.size()) return;
    held_ += in.values.size() - late;
    keep(in, exclusive);
  }

  void advance(Time watermark, Outputs& outputs) override {
    hand_on(watermark == kTimeMax ? watermark : watermark - 1, outputs);
  }
  Waiting waiting() const override { return {held_, kNeverDue}; }
  void release(std::int64_t, bool drain, Outputs& outputs) override {
    if (drain) hand_on(kTimeMax, outputs);
  }

 private:
  /// A batch as it came, until its last record has gone.
  struct Chunk {
    std::unique_ptr<Batch<T>> batch;
    std::size_t left = 0;  ///< records that have not gone
    std::size_t bytes = 0;
  };

  void hand_late(Batch<T>& in, Outputs& outputs) {
    picks_.clear();
    for (const Behind& behind : in.behind) picks_.push_back(behind.index);
    if (!outputs.has_readers(1)) return;
    out_.clear();
    carry_marks(in, out_);
    batch_type<T>().append(out_, in, picks_);
    outputs.push(1, out_);
  }

  void keep(Batch<T>& in, bool exclusive) {
    const std::uint32_t number = free_chunk();
    Chunk& chunk = chunks_[number];
    if (exclusive) {
      batch_type<T>().swap(*chunk.batch, in);
    } else {
      batch_type<T>().append_all(*chunk.batch, in);
    }
    Batch<T>& batch = *chunk.batch;
    chunk.left = batch.values.size() - batch.behind.size();
    const std::size_t bytes = held_bytes(batch);
    if (context().state) context().state->grow(bytes);
    chunk.bytes = bytes;
    std::size_t late = 0;
    for (std::uint32_t at = 0; at < batch.values.size(); ++at) {
      if (late < batch.behind.size() && batch.behind[late].index == at) {
        ++late;
      } else {
        queue_->push(batch.times[at], std::uint64_t{number} << 32 | at);
      }
    }
  }
  std::uint32_t free_chunk() {
    if (free_.empty()) {
      chunks_.push_back({std::make_unique<Batch<T>>(), 0, 0});
      return static_cast<std::uint32_t>(chunks_.size() - 1);
    }
    const std::uint32_t number = free_.back();
    free_.pop_back();
    return number;
  }
  void let_go(Chunk& chunk) {
    if (context().state) context().state->shrink(chunk.bytes);
    chunk.bytes = 0;
    chunk.batch->clear();
  }

  void hand_on(Time until, Outputs& outputs) {
    start_batch();
    while (queue_->pop(until, due_)) {
      std::sort(due_.begin(), due_.end(), [this](std::uint64_t a, std::uint64_t b) {
        const Arrival left = place_of(a);
        const Arrival right = place_of(b);
        return left == right ? a < b : left < right;
      });
      for (const std::uint64_t slot : due_) hand_on_one(slot);
      if (out_.values.size() >= context().batch_records_max) {
        flush(outputs);
        start_batch();
      }
    }
    flush(outputs);
  }
  Arrival place_of(std::uint64_t slot) const {
    return chunks_[slot >> 32].batch->arrival_of(static_cast<std::uint32_t>(slot));
  }
  void hand_on_one(std::uint64_t slot) {
    Chunk& chunk = chunks_[slot >> 32];
    const auto at = static_cast<std::uint32_t>(slot);
    Batch<T>& from = *chunk.batch;
    out_.times.push_back(from.times[at]);
    if (!from.arrivals.empty()) out_.arrivals.push_back(from.arrivals[at]);
    out_.values.push_back(std::move(from.values[at]));
    own_texts(from);
    ++going_;
    if (--chunk.left > 0) return;
    let_go(chunk);
    free_.push_back(static_cast<std::uint32_t>(slot >> 32));
  }
  /// The record's texts leave the batch that it came with, unless its type cannot be looked into.
  void own_texts(const Batch<T>& from) {
    if constexpr (!kKnowsTexts<T>) {
      out_.pin_all(from);
    } else if constexpr (Schema<T>::kBorrows) {
      if (!texts_) {
        texts_ = pool_.take(context().arenas);
        out_.pin(texts_);
      }
      rehome_last(out_.values, *texts_);
    }
  }
  void start_batch() {
    out_.clear();
    texts_ = {};
  }
  void flush(Outputs& outputs) {
    tally().processed += going_;
    held_ -= going_;
    going_ = 0;
    if (!out_.values.empty()) outputs.push(0, out_);
  }

  std::unique_ptr<TimerQueue> queue_;  ///< of chunk number << 32 | place in the chunk
  std::vector<Chunk> chunks_;
  std::vector<std::uint32_t> free_;  ///< of chunks_
  std::size_t held_ = 0;
  std::size_t going_ = 0;  ///< of them, those in out_
  std::vector<std::uint64_t> due_;
  std::vector<std::uint32_t> picks_;
  Batch<T> out_;
  ArenaPool pool_{64u << 10};
  ArenaRef texts_;
};

}  // namespace millrace::detail
