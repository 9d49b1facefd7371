// RefiringAggregate: aggregates of windows that emit early, on time and late, or once when nothing
// more can come.
#pragma once

#include <utility>

#include "operator/aggregate.hpp"
#include "operator/early_clock.hpp"
#include "operator/timeline_images.hpp"
#include "operator/too_late.hpp"
#include "operator/window_timeline.hpp"

namespace millrace::detail {

/// Rows on port 0, records that came too late for all their windows on port 1.
template <class T, class Key, class Kernel, Refires kRefires>
class RefiringAggregate final : public Operator, public HoldsAggregates, public Spills {
 public:
  using K = typename Key::View;
  using Acc = typename Kernel::Acc;
  using Timeline = WindowTimeline<K, Kernel, kRefires>;
  using KeyPtr = typename PaneFiller<T, Key, Kernel>::KeyPtr;

  RefiringAggregate(const RefiringWindows& spec, KeyPtr key, Kernel kernel)
      : timeline_(spec), early_clock_(spec.rules()), filler_(std::move(key), std::move(kernel)) {}

  RefiringAggregate(const FinalWindows& finals, KeyPtr key, Kernel kernel)
      : RefiringAggregate(finals.refiring(), std::move(key), std::move(kernel)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    timeline_.count_with(context.state);
  }
  void spill_to(const SpillPlace& place) override {
    timeline_.held().spill_to(filler_.kernel(), place);
  }

  void process(BatchBase& base, bool, Outputs& outputs) override {
    auto& in = static_cast<Batch<T>&>(base);
    too_late_.clear();
    if (timeline_.spec().rules().by_arrival()) {
      add_by_arrival(in, outputs);
    } else {
      filler_.add(in, timeline_.held().panes(), context(),
                  [&](std::size_t at, Time behind) { return keep_late(in, at, behind); });
    }
    timeline_.held().make_room(filler_.kernel());
    too_late_.hand_on(in, outputs);
  }

  void advance(Time watermark, Outputs& outputs) override {
    timeline_.advance(watermark, call(outputs));
    if (watermark == kTimeMax) early_clock_.stop();
    filler_.forget_pane();
    timeline_.held().make_room(filler_.kernel());
  }
  /// Final rows have times before the watermark at which they are made.
  Time forwarded(Time watermark) const override {
    if (kRefires != Refires::finally || watermark == kTimeMax) return watermark;
    return saturating_add(watermark, -timeline_.spec().rules().lateness_us());
  }
  Standing standing() const override {
    return {.closes_at = timeline_.next(), .holds_from = timeline_.holds_from()};
  }
  void save_state(StateWriter& writer) override {
    TimelineImage<K, Kernel, kRefires>(timeline_, filler_.kernel()).save(writer);
  }
  void restore_state(StateReader& reader) override {
    const std::int64_t now_ns = early_clock_.used() ? context().env->clock->steady_ns() : 0;
    timeline_.set_clock(now_ns);
    TimelineImage<K, Kernel, kRefires>(timeline_, filler_.kernel()).restore(reader);
    early_clock_.changed(now_ns);
  }
  void add_held(std::unique_ptr<HeldAggregates>& held) override {
    auto& into = HeldOf<Kernel>::in(held, filler_.kernel());
    if (into.weighs()) {
      each_accumulator(timeline_, [&into](const Acc& acc) { into.weigh(acc); });
      return timeline_.held().weighed();
    }
    const auto add = [&](const K& key, Time start, Time end, const Acc& acc) {
      into.add(key, start, end, acc);
    };
    each_held(timeline_, filler_.kernel(), add);
  }
  std::int64_t take_moved_heap() override { return timeline_.held().take_moved_heap(); }

  Waiting waiting() const override { return {0, early_clock_.due_ns()}; }
  void release(std::int64_t now_ns, bool drain, Outputs& outputs) override {
    early_clock_.stop();
    if (drain) return;
    timeline_.set_clock(now_ns);
    if (timeline_.fire_early(call(outputs))) early_clock_.changed(now_ns);
  }

 private:
  TimelineCall<Kernel> call(Outputs& outputs) const {
    return {filler_.kernel(), context(), outputs};
  }

  /// A record behind a watermark that its pane does not outlast.
  Fate keep_late(const Batch<T>& in, std::size_t at, Time behind) {
    if (refuse_too_late(in, at, behind)) return Fate::late;
    const auto keep = [&](std::size_t index) {
      filler_.adder().with_accumulator(in, index, [&](const K& key, std::uint64_t hash, Acc one) {
        add_late(in, index, behind, key, hash, std::move(one));
      });
    };
    const std::size_t failed = guarded_loop(at, at + 1, in, batch_type<T>(),
                                            *context().dead_letters, keep, [](std::size_t) {});
    return failed > 0 ? Fate::failed : Fate::taken;
  }
  bool refuse_too_late(const Batch<T>& in, std::size_t at, Time behind) {
    const bool refused = timeline_.is_too_late(time_at(in, at), behind);
    if (refused) too_late_.note(at);
    return refused;
  }
  void add_late(const Batch<T>& in, std::size_t at, Time behind, const K& key, std::uint64_t hash,
                Acc one) {
    const Stamp stamp{in.times[at], in.arrival_of(at)};
    timeline_.add_late({behind, stamp, hash, KeyTraits<K>::own(key), std::move(one)});
  }
  /// Of global() the records may have none.
  static Time time_at(const Batch<T>& in, std::size_t at) {
    return in.times.empty() ? 0 : in.times[at];
  }

  void add_by_arrival(Batch<T>& in, Outputs& outputs) {
    const std::int64_t now_ns = early_clock_.used() ? context().env->clock->steady_ns() : 0;
    timeline_.set_clock(now_ns);
    std::size_t cursor = 0;
    const auto add = [&](std::size_t at) {
      const Time behind = behind_at(in, at, cursor);
      if (refuse_too_late(in, at, behind)) return;
      filler_.adder().with_accumulator(in, at, [&](const K& key, std::uint64_t hash, Acc one) {
        if (timeline_.add_now(time_at(in, at), behind, key, hash, one, call(outputs)))
          add_late(in, at, behind, key, hash, std::move(one));
      });
    };
    const std::size_t count = in.values.size();
    const std::size_t failed = guarded_loop(0, count, in, batch_type<T>(), *context().dead_letters,
                                            add, [](std::size_t) {});
    tally().processed += count - failed - too_late_.size();
    tally().dead_lettered += failed;
    tally().late += too_late_.size();
    timeline_.flush(outputs);
    if (count > failed + too_late_.size()) early_clock_.changed(now_ns);
  }

  Timeline timeline_;
  EarlyClock early_clock_;
  PaneFiller<T, Key, Kernel> filler_;
  TooLate<T> too_late_;
};

}  // namespace millrace::detail
