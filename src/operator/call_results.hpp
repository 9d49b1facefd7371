// CallResults: records that were called for, as they came, and what of them leaves.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "operator/held_batches.hpp"
#include "operator/operator.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {

/// What became of a record: with a failure it is a dead letter, without result it is filtered.
template <class U>
struct CallOutcome {
  std::optional<U> result;
  std::string failure;
};

/// A batch as it came. Its records are shared with calls that run, on whatever thread; the rest is
/// the task's. Throws MemoryRefused.
template <class T>
struct CallChunk {
  CallChunk(std::shared_ptr<Batch<T>> of, MemoryMeter* counts) : meter(counts) {
    batch_type<T>().rehome(*of);
    of->hashes.clear();  // restored ones have none
    of->hashed_by = nullptr;
    messages.swap(of->messages);
    messages.own();
    const std::size_t size = held_bytes(*of);
    if (meter) meter->grow(size);
    bytes = size;
    records = std::move(of);
  }
  CallChunk(const CallChunk&) = delete;
  CallChunk& operator=(const CallChunk&) = delete;
  ~CallChunk() {
    if (meter) meter->shrink(bytes);
  }
  MessageRef message_of(std::uint32_t index) const {
    return index < messages.size() ? messages[index] : MessageRef();
  }
  /// They are neither acked nor failed.
  void abandon_messages() {
    messages.each_origin([](Origin& origin) { origin.abandon(); });
    messages.release();
  }

  MemoryMeter* meter;  ///< null: nobody counts
  std::shared_ptr<const Batch<T>> records;
  MessageRefs messages;
  std::size_t bytes = 0;
};

/// Whether a result points into the records that it was made of.
template <class U>
inline constexpr bool kPointsToRecords = false;

/// A record that waits.
template <class T, class U>
struct CalledRecord {
  std::shared_ptr<CallChunk<T>> chunk;  ///< null: the place is free
  std::uint32_t index = 0;
  std::uint64_t number = 0;  ///< in the order they came
  CallOutcome<U> outcome;
};

/// What leaves: a result with all that its record came with, or a dead letter. One thread.
template <class T, class U>
class CallResults {
 public:
  void open(const OperatorContext& context, Tally& tally) {
    context_ = &context;
    tally_ = &tally;
  }
  void leave(CalledRecord<T, U>& held, Outputs& outputs) {
    if (!held.outcome.failure.empty()) {
      fail(*held.chunk, held.index, held.outcome.failure);
    } else if (!held.outcome.result) {
      ++tally_->filtered;
    } else {
      emit(held, outputs);
    }
  }
  /// The record is a dead letter.
  void fail(const CallChunk<T>& chunk, std::uint32_t index, const std::string& reason) {
    Batch<T> alone;
    batch_type<T>().append(alone, *chunk.records, {&index, 1});
    alone.messages.put(0, chunk.message_of(index));
    context_->dead_letters->fail(reason, alone, 0, batch_type<T>());
    ++tally_->dead_lettered;
  }
  void flush(Outputs& outputs) {
    if (out_.values.empty()) return;
    outputs.push(0, out_);
    out_.clear();
    leaving_.clear();
  }

 private:
  void emit(CalledRecord<T, U>& held, Outputs& outputs) {
    const Batch<T>& from = *held.chunk->records;
    const std::size_t at = out_.values.size();
    if (at == 0) out_.due_ns = from.due_ns;
    out_.values.push_back(std::move(*held.outcome.result));
    if (from.has_times()) out_.times.push_back(from.times[held.index]);
    const auto behind =
        std::lower_bound(from.behind.begin(), from.behind.end(), held.index,
                         [](const Behind& a, std::uint32_t index) { return a.index < index; });
    if (behind != from.behind.end() && behind->index == held.index)
      out_.behind.push_back({static_cast<std::uint32_t>(at), behind->watermark});
    if (!from.arrivals.empty()) out_.arrivals.push_back(from.arrivals[held.index]);
    out_.messages.put(at, held.chunk->message_of(held.index));
    if (kPointsToRecords<U> || !out_.messages.empty())
      leaving_.push_back(held.chunk);  // it counts them until then
    out_.pin_all(from);
    ++tally_->processed;
    if (out_.values.size() >= context_->batch_records_max) flush(outputs);
  }

  const OperatorContext* context_ = nullptr;
  Tally* tally_ = nullptr;
  Batch<U> out_;
  std::vector<std::shared_ptr<CallChunk<T>>> leaving_;
};

}  // namespace millrace::detail
