// BroadcastProcess: a user's class that reads a stream and, in every task, all of a broadcast one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/broadcast_side.hpp"
#include "operator/held_batches.hpp"
#include "operator/keyed_process.hpp"
#include "state/timer_queue.hpp"

namespace millrace {

/// When a record of a broadcast stream holds.
enum class BroadcastOrder : std::uint8_t {
  as_it_comes,    ///< from when it reaches a task
  by_event_time,  ///< for records with times from its own on, the same whatever the schedule
};
inline constexpr BroadcastOrder as_it_comes = BroadcastOrder::as_it_comes;
inline constexpr BroadcastOrder by_event_time = BroadcastOrder::by_event_time;

namespace detail {

/// The side of the records where they have no key: process(const T&, Output<U>&).
template <class T, class U, class P>
class UnkeyedProcess final : public Operator {
 public:
  explicit UnkeyedProcess(P processor) : processor_(std::move(processor)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    emission_.open(*context.user, context.arenas);
  }
  void process(BatchBase& base, bool, Outputs& outputs) override {
    auto& in = static_cast<Batch<T>&>(base);
    emission_.begin();
    emission_.set_due(in.due_ns);
    std::size_t cursor = 0;
    const auto one = [&](std::size_t at) {
      emission_.mark();
      processor_.process(record_at(in, at), emission_.output());
      emission_.own_texts(context().arenas);
      emission_.give_time(in.times.empty() ? kTimeMin : in.times[at], behind_at(in, at, cursor));
      if (context().makes_arrivals) emission_.give_place(in.arrival_of(at));
      emission_.give_message(in.message_of(at));
    };
    const std::size_t failed =
        guarded_loop(0, in.values.size(), in, batch_type<T>(), *context().dead_letters, one,
                     [this](std::size_t) { emission_.undo(); });
    tally().processed += in.values.size() - failed;
    tally().dead_lettered += failed;
    emission_.pin(in);
    emission_.push(nullptr, outputs);
  }
  void catch_up(Time, Outputs&) {}
  void spill_to(const SpillPlace&) {}  ///< what all tasks have stays in memory
  /// What is held for it may go to any task.
  const KeyHash* key_hash() const { return nullptr; }
  P& processor() { return processor_; }

 private:
  P processor_;
  OwnedEmission<U> emission_;
};

/// `Main` handles the records, input 0: KeyedProcess or UnkeyedProcess of a class P. Input 1 is the
/// broadcast stream, of which each task gets all.
///
/// By event time both are held until the watermark lies beyond them and handled in the order of
/// their times (of late ones: of the watermark that they came behind); of equal times broadcast
/// records first, then by place in the inputs. Timers fire in between.
/// Cost by event time: one copy a record, and a radix heap of 16 bytes each.
template <class T, class Main, class P>
class BroadcastProcess final : public Operator, public Inspectable, public Spills {
 public:
  using R = typename BroadcastSide<P>::R;

  template <class... Args>
  explicit BroadcastProcess(BroadcastOrder order, const Args&... args)
      : main_(args...), by_time_(order == BroadcastOrder::by_event_time) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    main_.open(context);
    side_.open(main_.processor(), context);
    queue_ = std::make_unique<TimerQueue>(context.state);
  }
  void spill_to(const SpillPlace& place) override { main_.spill_to(place); }
  void close() override {
    records_.clear(context().state);
    rules_.clear(context().state);
  }

  void save_state(StateWriter& writer) override {
    main_.save_state(writer);
    side_.save(writer);
    save_records(writer, kRecordsPart, records_.all(*queue_, 0), main_.key_hash());
    save_records(writer, kRulesPart, rules_.all(*queue_, kRule));
  }
  void restore_state(StateReader& reader) override {
    main_.restore_state(reader);
    const std::uint32_t from = side_.restore(reader);
    hold(records_, restored_records<T>(reader, kRecordsPart), true, 0);
    hold(rules_, restored_from<R>(reader, kRulesPart, from), true, kRule);
  }
  void process(BatchBase& batch, bool exclusive, Outputs& outputs) override {
    process_input(0, batch, exclusive, outputs);
  }
  void process_input(std::uint32_t input, BatchBase& base, bool exclusive,
                     Outputs& outputs) override {
    if (input == 0) {
      if (by_time_) return hold(records_, static_cast<Batch<T>&&>(base), exclusive, 0);
      main_.process(base, exclusive, outputs);
    } else {
      auto& in = static_cast<Batch<R>&>(base);
      if (by_time_) return hold(rules_, std::move(in), exclusive, kRule);
      side_.process(in, 0, in.values.size(), outputs);
    }
  }

  void advance(Time watermark, Outputs& outputs) override {
    if (held_ > 0) handle_held(watermark == kTimeMax ? watermark : watermark - 1, true, outputs);
    side_.set_watermark(watermark);
    main_.advance(watermark, outputs);
  }
  Waiting waiting() const override {
    Waiting waiting = main_.waiting();
    waiting.records += held_;
    return waiting;
  }
  void release(std::int64_t now_ns, bool drain, Outputs& outputs) override {
    if (drain && held_ > 0) handle_held(kTimeMax, false, outputs);
    main_.release(now_ns, drain, outputs);
  }
  /// Late records are held by the watermark that they came behind.
  Time newest_of(const BatchBase& batch) const override {
    Time newest = Operator::newest_of(batch);
    for (const Behind& behind : batch.behind) newest = std::max(newest, behind.watermark);
    return newest;
  }
  Standing standing() const override {
    Standing standing = main_.standing();
    if (held_ > 0)
      standing.holds_from = std::min(standing.holds_from.value_or(kTimeMax), queue_->next());
    return standing;
  }
  void inspect(StateQuery& query) override {
    if constexpr (std::is_base_of_v<Inspectable, Main>) main_.inspect(query);
    side_.inspect(query);
  }

 private:
  static constexpr std::string_view kRecordsPart = ":records";
  static constexpr std::string_view kRulesPart = ":rules";
  static constexpr std::uint64_t kRule = std::uint64_t{1} << 63;  ///< of slots

  template <class Record>
  void hold(HeldBatches<Record>& held, Batch<Record>&& in, bool exclusive, std::uint64_t side) {
    if (in.values.empty()) return;
    held_ += in.values.size();
    const std::uint64_t first = std::uint64_t{held.keep(in, exclusive, context().state)} << 32;
    const Batch<Record>& batch = held.batch(first);
    held.set_left(static_cast<std::uint32_t>(first >> 32), batch.values.size());
    std::size_t cursor = 0;
    for (std::size_t at = 0; at < batch.values.size(); ++at) {
      queue_->push(std::max(batch.times[at], behind_at(batch, at, cursor)), side | first | at);
    }
  }

  /// With `fire`, timers come between the records, each behind those of its own time.
  void handle_held(Time until, bool fire, Outputs& outputs) {
    while (const auto time = queue_->pop(until, due_)) {
      std::sort(due_.begin(), due_.end(),
                [this](std::uint64_t a, std::uint64_t b) { return precedes(a, b); });
      if ((due_.front() & kRule) != 0) {
        flush(outputs);
        if (fire && *time > kTimeMin) main_.catch_up(*time, outputs);
      }
      for (const std::uint64_t slot : due_) {
        if ((slot & kRule) != 0) {
          const auto at = static_cast<std::uint32_t>(slot);
          side_.process(rules_.batch(slot & ~kRule), at, at + 1, outputs, *time);
          rules_.gone(slot & ~kRule, context().state);
          --held_;
        } else {
          add(slot);
        }
      }
      if (batch_.values.size() >= context().batch_records_max) flush(outputs);
    }
    flush(outputs);
  }
  bool precedes(std::uint64_t a, std::uint64_t b) const {
    if ((a & kRule) != (b & kRule)) return (a & kRule) != 0;
    const bool rules = (a & kRule) != 0;
    const Arrival left = rules ? rules_.place_of(a & ~kRule) : records_.place_of(a);
    const Arrival right = rules ? rules_.place_of(b & ~kRule) : records_.place_of(b);
    return left == right ? a < b : left < right;
  }
  void add(std::uint64_t slot) {
    const auto at = static_cast<std::uint32_t>(slot);
    batch_type<T>().append(batch_, records_.batch(slot), {&at, 1});
    going_.push_back(slot);
  }
  void flush(Outputs& outputs) {
    if (going_.empty()) return;
    held_ -= going_.size();
    main_.process(batch_, true, outputs);
    for (const std::uint64_t slot : going_) records_.gone(slot, context().state);
    going_.clear();
    batch_.clear();
  }

  Main main_;
  BroadcastSide<P> side_;
  bool by_time_;
  std::unique_ptr<TimerQueue> queue_;  ///< of slots, by event time
  HeldBatches<T> records_;
  HeldBatches<R> rules_;
  std::size_t held_ = 0;
  std::vector<std::uint64_t> due_;
  Batch<T> batch_;                    ///< the next ones, in order
  std::vector<std::uint64_t> going_;  ///< their slots
};

}  // namespace detail
}  // namespace millrace
