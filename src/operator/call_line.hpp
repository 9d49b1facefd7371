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
#include "operator/call_results.hpp"
#include "operator/key_hashes.hpp"
#include "operator/key_turns.hpp"
#include "operator/operator.hpp"
#include "operator/stored_records.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {

/// A record has a place, a number, while it is here. What is made of it is a U, which may borrow
/// what the record borrows. By key, records take turns, and their order is that of each key. One
/// thread; the batch of records() may be read by any.
template <class T, class U>
class CallLine {
 public:
  /// The part of an image that the records are.
  static constexpr std::string_view kPart = "called";

  CallLine(bool ordered, const TurnsBy& by)
      : keys_(by.key), order_(ordered && !by.key), turns_(ordered, by) {}

  void open(const OperatorContext& context, Tally& tally) {
    meter_ = context.state;
    results_.open(context, tally);
  }
  /// Takes the records of a batch, with copies of their texts, and calls added(place) for each
  /// whose turn it is. One whose key throws is a dead letter. Throws MemoryRefused.
  template <class Added>
  void add(Batch<T>& in, bool exclusive, std::int64_t now_ns, Added&& added) {
    if (in.values.empty()) return;
    keys_.take(in);
    auto records = std::make_shared<Batch<T>>();
    if (exclusive) {
      batch_type<T>().swap(*records, in);
    } else {
      batch_type<T>().append_all(*records, in);
      carry_marks(in, *records);
    }
    keep(std::move(records), now_ns, added);
  }
  void watermark(Time watermark) { order_.watermark(watermark); }

  const std::shared_ptr<const Batch<T>>& records(std::uint32_t place) const {
    return held_[place].chunk->records;
  }
  std::uint32_t index(std::uint32_t place) const { return held_[place].index; }

  void settle(std::uint32_t place, CallOutcome<U> outcome) {
    held_[place].outcome = std::move(outcome);
    if (!keys_.key()) return order_.done(place);
    turns_.done(place, [this](std::uint32_t first) { order_.done(first); });
  }
  /// A record whose turn has come since it was added; nullopt: there is none.
  std::optional<KeyTurns::Turn> next_turn() { return turns_.next(); }
  /// By key: some wait for room.
  bool is_full() const { return turns_.is_full(); }

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
          results_.flush(outputs);
          passed_ = watermark;
          outputs.advance_watermark(watermark);
        });
    results_.flush(outputs);
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
    save_records(writer, kPart, records, keys_.key());
  }
  template <class Added>
  void restore(StateReader& reader, std::int64_t now_ns, Added&& added) {
    auto records = std::make_shared<Batch<T>>(restored_records<T>(reader, kPart));
    if (records->values.empty()) return;
    keys_.take(*records);
    keep(std::move(records), now_ns, added);
  }
  /// The run ends without them: the messages they came with are neither acked nor failed.
  void abandon() {
    for (auto& held : held_) {
      if (held.chunk) held.chunk->abandon_messages();
    }
  }

 private:
  template <class Added>
  void keep(std::shared_ptr<Batch<T>> records, std::int64_t now_ns, Added& added) {
    const auto chunk = std::make_shared<CallChunk<T>>(std::move(records), meter_);
    const auto count = static_cast<std::uint32_t>(chunk->records->values.size());
    for (std::uint32_t index = 0; index < count; ++index) {
      if (const std::string* const why = keys_.failure(index)) {
        results_.fail(*chunk, index, *why);
        continue;
      }
      const std::uint32_t place = free_place();
      held_[place] = {chunk, index, ++numbered_, {}};
      order_.add(place);
      ++size_;
      if (!keys_.key() || turns_.add(place, keys_[index], now_ns)) added(place);
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
    CalledRecord<T, U> held = std::exchange(held_[place], {});
    free_.push_back(place);
    --size_;
    if (keys_.key()) turns_.left();
    results_.leave(held, outputs);
  }

  MemoryMeter* meter_ = nullptr;
  KeyHashes<T> keys_;
  CallOrder order_;
  KeyTurns turns_;
  std::vector<CalledRecord<T, U>> held_;  ///< by place
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
  std::uint64_t numbered_ = 0;
  Time passed_ = kTimeMin;
  CallResults<T, U> results_;
};

}  // namespace millrace::detail
