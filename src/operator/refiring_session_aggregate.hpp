// RefiringSessionAggregate: aggregates of sessions that emit early, on time and late.
#pragma once

#include <algorithm>
#include <utility>

#include "operator/early_clock.hpp"
#include "operator/held_aggregates.hpp"
#include "operator/session_timeline.hpp"
#include "operator/session_timeline_images.hpp"
#include "operator/stateless.hpp"
#include "operator/table_updater.hpp"
#include "operator/too_late.hpp"
#include "window/refiring_sessions.hpp"

namespace millrace::detail {

/// Rows on port 0, records that came too late on port 1.
template <class T, class Key, class Kernel, class Gap, bool kRemembers>
class RefiringSessionAggregate final : public Operator, public HoldsAggregates, public Spills {
 public:
  using Adder = RecordAdder<T, Key, Kernel>;
  using K = typename Key::View;
  using Acc = typename Kernel::Acc;
  using Timeline = SessionTimeline<K, Kernel, kRemembers>;

  RefiringSessionAggregate(RefiringSessions<Gap> spec, typename Adder::KeyPtr key, Kernel kernel)
      : sessions_(spec.sessions()),
        timeline_(spec.rules()),
        early_clock_(spec.rules()),
        adder_(std::move(key), std::move(kernel)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    timeline_.open(adder_.kernel(), context.state);
  }
  void spill_to(const SpillPlace& place) override {
    if constexpr (Timeline::Codec::storable()) timeline_.keys().spill_to(place);
  }

  void process(BatchBase& base, bool, Outputs& outputs) override {
    auto& in = static_cast<Batch<T>&>(base);
    // Where all wait, no key is looked up yet.
    const std::uint64_t* const hashes = timeline_.waits(kTimeMin)
                                            ? adder_.carried(in)
                                            : timeline_.keys().begin_batch(*adder_.key(), in);
    too_late_.clear();
    std::size_t cursor = 0;
    const auto add = [&](std::size_t at) {
      const Time behind = behind_at(in, at, cursor);
      if (timeline_.is_too_late(in.times[at], behind)) return too_late_.note(at);
      const Duration gap = sessions_.gap_of(in.values[at]);
      const Time last = saturating_add(in.times[at], gap.count());
      add_record(in, at, hashes, behind, std::min(last, kTimeMax - 1), outputs);  // all end once
    };
    const std::size_t count = in.values.size();
    const std::size_t failed = guarded_loop(0, count, in, batch_type<T>(), *context().dead_letters,
                                            add, [](std::size_t) {});
    const std::size_t taken = count - failed - too_late_.size();
    tally().processed += taken;
    tally().dead_lettered += failed;
    tally().late += too_late_.size();
    timeline_.flush(outputs);
    timeline_.keys().end_batch();
    if (taken > 0 && early_clock_.used()) early_clock_.changed(context().env->clock->steady_ns());
    too_late_.hand_on(in, outputs);
  }

  void advance(Time watermark, Outputs& outputs) override {
    timeline_.advance(watermark, call(outputs));
    if (watermark == kTimeMax) early_clock_.stop();
  }
  Standing standing() const override { return {kTimeMin, {}, timeline_.next()}; }
  void save_state(StateWriter& writer) override {
    SessionTimelineImage<K, Kernel, kRemembers>(timeline_, adder_.kernel()).save(writer);
  }
  void restore_state(StateReader& reader) override {
    SessionTimelineImage<K, Kernel, kRemembers>(timeline_, adder_.kernel()).restore(reader);
    if (early_clock_.used()) early_clock_.changed(context().env->clock->steady_ns());
  }
  void add_held(std::unique_ptr<HeldAggregates>& held) override {
    auto& into = HeldOf<Kernel>::in(held, adder_.kernel());
    if (into.weighs()) {
      timeline_.waiting().for_each([&](const auto& record) { into.weigh(record.acc.acc); });
    }
    const auto add = [&](const K& key, const typename Timeline::Entry& entry) {
      entry.sessions.from_newest([&](const auto& session) {
        into.add(key, session.first, session.last, session.acc.acc);
        return true;
      });
    };
    if (into.weighs()) return timeline_.keys().tables().for_each(add);
    timeline_.keys().for_each(add);
  }
  std::int64_t take_moved_heap() override { return timeline_.keys().take_moved_heap(); }

  Waiting waiting() const override { return {0, early_clock_.due_ns()}; }
  void release(std::int64_t, bool drain, Outputs& outputs) override {
    early_clock_.stop();
    if (!drain) timeline_.fire_early(call(outputs));
  }

 private:
  TimelineCall<Kernel> call(Outputs& outputs) const {
    return {adder_.kernel(), context(), outputs};
  }

  void add_record(const Batch<T>& in, std::size_t at, const std::uint64_t* hashes, Time behind,
                  Time last, Outputs& outputs) {
    const Time time = in.times[at];
    if (timeline_.waits(behind)) {
      adder_.with_accumulator(in, at, [&](const K& key, std::uint64_t hash, Acc one) {
        timeline_.add_later({std::max(time, behind),
                             {time, in.arrival_of(at)},
                             hash,
                             KeyTraits<K>::own(key),
                             {std::move(one), last}});
      });
      return;
    }
    adder_.with_key(in.values[at], [&](const K& key) {
      adder_.stage(in, at, [&](auto&& put) {
        timeline_.add_now(key, hashes ? hashes[at] : KeyTraits<K>::hash(key), time, last, put,
                          call(outputs));
      });
    });
  }

  Sessions<Gap> sessions_;
  Timeline timeline_;
  EarlyClock early_clock_;
  Adder adder_;
  TooLate<T> too_late_;
};

}  // namespace millrace::detail
