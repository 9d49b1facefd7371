// RecordAggregate: aggregates of windows by records: the records of each key, in their order, one
// after the other.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "operator/held_aggregates.hpp"
#include "operator/record_images.hpp"
#include "operator/stateless.hpp"
#include "operator/table_updater.hpp"
#include "operator/window_rows.hpp"
#include "window/record_windows.hpp"

namespace millrace::detail {

/// With event time the order of records is that of their times, of equal times that of their places
/// in the input, whatever the schedule: a record waits until the watermark has passed it, and one
/// behind the watermark of its own partition is late. Without event time it is that in which they
/// reach the task, and nothing waits.
///
/// Cost: a look-up a record, O(log n) for n that wait, O(log keys) with event time, and O(1)
/// merges. Memory: an accumulator for each record that waits, and what Held<Spec> holds of each
/// key; of a key that lies on disk the 16 bytes of its alarm, with event time.
template <class T, class Key, class Kernel, class Spec>
class RecordAggregate final : public Operator, public HoldsAggregates, public Spills {
 public:
  using Adder = RecordAdder<T, Key, Kernel>;
  using K = typename Key::View;
  using Acc = typename Kernel::Acc;
  using State = KeyRecords<Spec, Acc>;
  using Waiting = typename State::Waiting;

  RecordAggregate(Spec spec, typename Adder::KeyPtr key, Kernel kernel)
      : spec_(std::move(spec)), adder_(std::move(key), std::move(kernel)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    keys_.emplace(RecordsCodec<Spec, Kernel>(adder_.kernel(), context.state), context.state);
  }
  void spill_to(const SpillPlace& place) override {
    if constexpr (kStores<Kernel>) keys_->spill_to(place);
  }

  void process(BatchBase& base, bool, Outputs& outputs) override {
    auto& in = static_cast<Batch<T>&>(base);
    const std::size_t count = in.values.size();
    const std::uint64_t* hashes = keys_->begin_batch(*adder_.key(), in);
    std::size_t late = 0;
    std::size_t cursor = 0;
    const auto add = [&](std::size_t at) {
      if (!in.times.empty() && in.times[at] < behind_at(in, at, cursor)) {
        ++late;
        return;
      }
      adder_.with_key(in.values[at], [&](const K& key) {
        const std::uint64_t hash = hashes ? hashes[at] : KeyTraits<K>::hash(key);
        adder_.stage(in, at, [&](auto&& put) {
          Acc one = adder_.kernel().init();
          put(one);
          take(in, at, key, hash, std::move(one), outputs);
        });
      });
    };
    const std::size_t failed = guarded_loop(0, count, in, batch_type<T>(), *context().dead_letters,
                                            add, [](std::size_t) {});
    tally().processed += count - failed - late;
    tally().dead_lettered += failed;
    tally().late += late;
    rows_.flush(outputs);
    keys_->end_batch();
  }

  void advance(Time watermark, Outputs& outputs) override {
    watermark_ = watermark;
    keys_->ring(watermark, [&](Time when, std::uint64_t hash, const K& key, State& state) {
      if (when != state.alarm) return false;  // an earlier one has taken its place
      release_key(key, state, watermark, outputs);
      return sleep(state, watermark, hash);
    });
    rows_.flush(outputs);
    keys_->end_batch();
  }
  /// A record waits until the watermark lies beyond it.
  Standing standing() const override {
    Standing standing{.closes_at = keys_->alarms().first()};
    if (standing.closes_at) standing.holds_from = watermark_;
    return standing;
  }
  void save_state(StateWriter& writer) override {
    save_time(writer, "watermark", watermark_);
    save_records<K>(writer, *keys_, spec_, adder_.kernel());
  }
  void restore_state(StateReader& reader) override {
    watermark_ = restore_least_time(reader, "watermark", kTimeMin);
    restore_records<K>(reader, *keys_, spec_, adder_.kernel(), context().state);
  }
  void add_held(std::unique_ptr<HeldAggregates>& held) override {
    auto& into = HeldOf<Kernel>::in(held, adder_.kernel());
    if (into.weighs()) {
      const auto weigh = [&into](const Acc& acc) { into.weigh(acc); };
      return keys_->tables().for_each([&](const K&, const State& state) { state.for_each(weigh); });
    }
    const auto merge = [&](Acc& a, const Acc& b) { adder_.kernel().merge(a, b); };
    keys_->for_each([&](const K& key, const State& state) {
      if (const std::optional<Acc> acc = state.held.open(spec_, merge))
        into.add(key, kTimeMin, kTimeMax, *acc);
    });
  }
  std::int64_t take_moved_heap() override { return keys_->take_moved_heap(); }

 private:
  void take(const Batch<T>& in, std::size_t at, const K& key, std::uint64_t hash, Acc one,
            Outputs& outputs) {
    State& state = keys_->tables().upsert(key, hash, [&] { return State(context().state); });
    if (in.times.empty()) {
      add(key, state, {{kTimeMin, in.arrival_of(at)}, std::move(one)}, outputs);
      return;
    }
    const Time time = in.times[at];
    state.waiting.push_back({{time, in.arrival_of(at)}, std::move(one)});
    std::push_heap(state.waiting.begin(), state.waiting.end(), std::greater<>());
    if (time < state.alarm || state.waiting.size() == 1) wake(state, time, hash);
  }

  /// Takes the waiting records before `watermark` in their order.
  void release_key(const K& key, State& state, Time watermark, Outputs& outputs) {
    auto& waiting = state.waiting;
    while (!waiting.empty() && (waiting.front().stamp.time < watermark || watermark == kTimeMax)) {
      std::pop_heap(waiting.begin(), waiting.end(), std::greater<>());
      Waiting next = std::move(waiting.back());
      waiting.pop_back();
      add(key, state, std::move(next), outputs);
    }
  }

  /// Sets the next alarm. True: the key need not be held any more.
  bool sleep(State& state, Time watermark, std::uint64_t hash) {
    const Time over_at = state.held.over_at(spec_);
    if (state.waiting.empty() && over_at < watermark) return true;
    const Time next = state.waiting.empty() ? over_at : state.waiting.front().stamp.time;
    state.alarm = kTimeMax;
    if (next != kTimeMax || !state.waiting.empty()) wake(state, next, hash);
    return false;
  }

  void wake(State& state, Time when, std::uint64_t hash) {
    keys_->alarms().add(when, hash);
    state.alarm = when;
  }

  void add(const K& key, State& state, Waiting record, Outputs& outputs) {
    const auto merge = [&](Acc& a, const Acc& b) { adder_.kernel().merge(a, b); };
    const Time time = record.stamp.time;
    const bool timed = context().timed;
    state.held.add(spec_, time, std::move(record.acc), merge, [&](Time start, const Acc& acc) {
      // The least time of all is taken for none where rows are marked.
      RowPlace place{start, saturating_add(time, 1), std::max(time, kTimeMin + 1),
                     &record.stamp.arrival};
      if (!timed) place = {kTimeMin, kTimeMax, kTimeMin, &record.stamp.arrival};
      rows_.add(key, acc, place, adder_.kernel(), context(), outputs);
    });
  }

  Spec spec_;
  Adder adder_;
  std::optional<RecordRowsByKey<K, Spec, Kernel>> keys_;  ///< from open() on
  WindowRows<K, Kernel> rows_;
  Time watermark_ = kTimeMin;
};

}  // namespace millrace::detail
