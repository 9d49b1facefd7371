// OrderRestore: hands records on in the order of their event times.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "operator/held_batches.hpp"
#include "operator/operator.hpp"
#include "operator/stored_records.hpp"
#include "state/timer_queue.hpp"

namespace millrace::detail {

/// Holds each record until the watermark lies beyond its time, then hands it on by (time, place in
/// the inputs) on port 0. Records behind the watermark of their own source partition are late: they
/// go to port 1 as they come.
///
/// Cost: O(1) amortised a record (a queue of 16 bytes a record), one copy of its texts when it
/// goes. Memory: the batches of the bound, counted as state.
template <class T>
class OrderRestore final : public Operator {
 public:
  /// `key`: of the tasks by which the records come; null: all come to one.
  explicit OrderRestore(std::shared_ptr<const KeyHash> key) : key_(std::move(key)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    queue_ = std::make_unique<TimerQueue>(context.state);
  }
  void close() override { chunks_.clear(context().state); }

  void save_state(StateWriter& writer) override {
    save_records(writer, kHeldPart, chunks_.all(*queue_, 0), key_.get());
  }
  void restore_state(StateReader& reader) override {
    Batch<T> held = restored_records<T>(reader, kHeldPart);
    held_ = held.values.size();
    if (held_ > 0) keep(held, true);
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
  Standing standing() const override { return holding(held_ > 0, queue_->next()); }
  void release(std::int64_t, bool drain, Outputs& outputs) override {
    if (drain) hand_on(kTimeMax, outputs);
  }

 private:
  static constexpr std::string_view kHeldPart = "held";
  static constexpr std::size_t kTogether = 256;

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
    const std::uint32_t number = chunks_.keep(in, exclusive, context().state);
    Batch<T>& batch = chunks_.batch(std::uint64_t{number} << 32);
    chunks_.set_left(number, batch.values.size() - batch.behind.size());
    std::size_t late = 0;
    for (std::uint32_t at = 0; at < batch.values.size(); ++at) {
      if (late < batch.behind.size() && batch.behind[late].index == at) {
        ++late;
      } else {
        queue_->push(batch.times[at], std::uint64_t{number} << 32 | at);
      }
    }
  }

  void hand_on(Time until, Outputs& outputs) {
    const auto precedes = [this](const TimedHash& a, const TimedHash& b) {
      const Arrival left = chunks_.place_of(a.hash);
      const Arrival right = chunks_.place_of(b.hash);
      return left == right ? a.hash < b.hash : left < right;
    };
    start_batch();
    for (queue_->take(until, kTogether, due_); !due_.empty();
         queue_->take(until, kTogether, due_)) {
      each_tie(due_, [&](auto from, auto to) { std::sort(from, to, precedes); });
      for (const TimedHash& pair : due_) {
        if (out_.values.size() >= context().batch_records_max && pair.time != out_.times.back()) {
          flush(outputs);
          start_batch();
        }
        hand_on_one(pair.hash);
      }
    }
    flush(outputs);
  }
  void hand_on_one(std::uint64_t slot) {
    const auto at = static_cast<std::uint32_t>(slot);
    Batch<T>& from = chunks_.batch(slot);
    out_.times.push_back(from.times[at]);
    if (!from.arrivals.empty()) out_.arrivals.push_back(from.arrivals[at]);
    if (!from.messages.empty()) out_.messages.put(out_.values.size(), from.message_of(at));
    out_.values.push_back(std::move(from.values[at]));
    own_texts(from);
    ++going_;
    chunks_.gone(slot, context().state);
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

  std::shared_ptr<const KeyHash> key_;
  std::unique_ptr<TimerQueue> queue_;  ///< of the slots of chunks_
  HeldBatches<T> chunks_;
  std::size_t held_ = 0;
  std::size_t going_ = 0;  ///< of them, those in out_
  std::vector<TimedHash> due_;
  std::vector<std::uint32_t> picks_;
  Batch<T> out_;
  ArenaPool pool_{64u << 10};
  ArenaRef texts_;
};

}  // namespace millrace::detail
