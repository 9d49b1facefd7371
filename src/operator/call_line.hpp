// CallLine: the records of a task that wait for something from outside, until they leave.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/call_order.hpp"
#include "operator/held_batches.hpp"
#include "operator/operator.hpp"
#include "operator/stored_records.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {

/// What became of a record: with a failure it is a dead letter, without result it is filtered.
template <class U>
struct CallOutcome {
  std::optional<U> result;
  std::string failure;
};

/// A record has a place, a number, while it is here. What is made of it is a U, which may borrow
/// what the record borrows. One thread; the batch of records() may be read by any.
template <class T, class U>
class CallLine {
 public:
  explicit CallLine(bool ordered) : order_(ordered) {}

  void open(const OperatorContext& context, Tally& tally) {
    context_ = &context;
    tally_ = &tally;
  }
  /// Takes the records of a batch, with copies of their texts, and calls added(place) for each.
  /// Throws MemoryRefused.
  template <class Added>
  void add(Batch<T>& in, bool exclusive, Added&& added) {
    if (in.values.empty()) return;
    auto records = std::make_shared<Batch<T>>();
    if (exclusive) {
      batch_type<T>().swap(*records, in);
    } else {
      batch_type<T>().append_all(*records, in);
      carry_marks(in, *records);
    }
    keep(std::move(records), added);
  }
  void watermark(Time watermark) { order_.watermark(watermark); }

  const std::shared_ptr<const Batch<T>>& records(std::uint32_t place) const {
    return held_[place].chunk->records;
  }
  std::uint32_t index(std::uint32_t place) const { return held_[place].index; }

  void settle(std::uint32_t place, CallOutcome<U> outcome) {
    held_[place].outcome = std::move(outcome);
    order_.done(place);
  }

  /// Hands on what may go, watermarks too, and calls left(place) for each record; true when any
  /// went.
  template <class Left>
  bool release(Outputs& outputs, Left&& left) {
    const std::size_t before = size_;
    order_.release(
        [&](std::uint32_t place) {
          leave(place, outputs);
          left(place);
        },
        [&](Time watermark) {
          flush(outputs);
          passed_ = watermark;
          outputs.advance_watermark(watermark);
        });
    flush(outputs);
    return size_ != before;
  }
  /// Records that are here.
  std::size_t size() const { return size_; }
  /// The last watermark that was handed on.
  Time passed() const { return passed_; }

  void save(StateWriter& writer) const {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> places;
    for (std::uint32_t place = 0; place < held_.size(); ++place) {
      if (held_[place].chunk) places.push_back({held_[place].number, place});
    }
    std::sort(places.begin(), places.end());
    Batch<T> records;
    for (const auto& [number, place] : places) {
      const std::uint32_t index = held_[place].index;
      batch_type<T>().append(records, *held_[place].chunk->records, {&index, 1});
    }
    save_records(writer, kPart, records);
  }
  template <class Added>
  void restore(StateReader& reader, Added&& added) {
    auto records = std::make_shared<Batch<T>>(restored_records<T>(reader, kPart));
    if (!records->values.empty()) keep(std::move(records), added);
  }
  /// The run ends without them: the messages they came with are neither acked nor failed.
  void abandon() {
    for (Held& held : held_) {
      if (!held.chunk) continue;
      held.chunk->messages.each_origin([](Origin& origin) { origin.abandon(); });
      held.chunk->messages.release();
    }
  }

 private:
  static constexpr std::string_view kPart = "called";

  /// A batch as it came. Its records are shared with calls that run; the rest is the task's.
  struct Chunk {
    Chunk(std::shared_ptr<Batch<T>> of, MemoryMeter* counts) : meter(counts) {
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
    Chunk(const Chunk&) = delete;
    Chunk& operator=(const Chunk&) = delete;
    ~Chunk() {
      if (meter) meter->shrink(bytes);
    }
    MemoryMeter* meter;
    std::shared_ptr<const Batch<T>> records;
    MessageRefs messages;
    std::size_t bytes = 0;
  };
  struct Held {
    std::shared_ptr<Chunk> chunk;  ///< null: the place is free
    std::uint32_t index = 0;
    std::uint64_t number = 0;  ///< in the order they came
    CallOutcome<U> outcome;
  };

  template <class Added>
  void keep(std::shared_ptr<Batch<T>> records, Added& added) {
    const auto chunk = std::make_shared<Chunk>(std::move(records), context_->state);
    const auto count = static_cast<std::uint32_t>(chunk->records->values.size());
    for (std::uint32_t index = 0; index < count; ++index) {
      const std::uint32_t place = free_place();
      held_[place] = {chunk, index, ++numbered_, {}};
      order_.add(place);
      ++size_;
      added(place);
    }
  }
  std::uint32_t free_place() {
    if (free_.empty()) {
      held_.emplace_back();
      return static_cast<std::uint32_t>(held_.size() - 1);
    }
    const std::uint32_t place = free_.back();
    free_.pop_back();
    return place;
  }

  void leave(std::uint32_t place, Outputs& outputs) {
    Held held = std::exchange(held_[place], {});
    free_.push_back(place);
    --size_;
    if (!held.outcome.failure.empty()) {
      fail(held);
    } else if (!held.outcome.result) {
      ++tally_->filtered;
    } else {
      emit(held, outputs);
    }
  }
  MessageRef message_of(const Held& held) const {
    const MessageRefs& messages = held.chunk->messages;
    return held.index < messages.size() ? messages[held.index] : MessageRef();
  }
  void fail(const Held& held) {
    Batch<T> alone;
    batch_type<T>().append(alone, *held.chunk->records, {&held.index, 1});
    alone.messages.put(0, message_of(held));
    context_->dead_letters->fail(held.outcome.failure, alone, 0, batch_type<T>());
    ++tally_->dead_lettered;
  }
  void emit(Held& held, Outputs& outputs) {
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
    out_.messages.put(at, message_of(held));
    if (!out_.messages.empty()) leaving_.push_back(held.chunk);  // it counts them until then
    out_.pin_all(from);
    ++tally_->processed;
    if (out_.values.size() >= context_->batch_records_max) flush(outputs);
  }
  void flush(Outputs& outputs) {
    if (out_.values.empty()) return;
    outputs.push(0, out_);
    out_.clear();
    leaving_.clear();
  }

  const OperatorContext* context_ = nullptr;
  Tally* tally_ = nullptr;
  CallOrder order_;
  std::vector<Held> held_;  ///< by place
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
  std::uint64_t numbered_ = 0;
  Time passed_ = kTimeMin;
  Batch<U> out_;
  std::vector<std::shared_ptr<Chunk>> leaving_;
};

}  // namespace millrace::detail
