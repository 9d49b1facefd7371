// SessionAggregate: aggregates of the sessions of each key, which grow and merge as records come.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "operator/alarmed_rows.hpp"
#include "operator/held_aggregates.hpp"
#include "operator/session_images.hpp"
#include "operator/stateless.hpp"
#include "operator/table_updater.hpp"
#include "operator/too_late.hpp"
#include "operator/window_rows.hpp"
#include "window/open_sessions.hpp"
#include "window/refiring_sessions.hpp"

namespace millrace::detail {

/// Emits a session when the watermark has passed the last instant at which a record still belonged
/// to it (of FinalSessions: by the lateness); that instant is the row's event time. A record behind
/// the watermark of its own partition (by more than the lateness) is late: then no session that was
/// emitted can have held it, whatever the schedule.
///
/// Cost: a look-up a record, and O(log keys) a session and gap. Memory: a table entry a key, and
/// what it holds of further open sessions; of a key that lies on disk the 16 bytes of its alarm.
template <class T, class Key, class Kernel, class Gap>
class SessionAggregate final : public Operator, public HoldsAggregates, public Spills {
 public:
  using Adder = RecordAdder<T, Key, Kernel>;
  using K = typename Key::View;
  using Acc = typename Kernel::Acc;
  using Open = OpenSessions<Acc>;
  using Session = OpenSession<Acc>;

  SessionAggregate(Sessions<Gap> sessions, typename Adder::KeyPtr key, Kernel kernel)
      : sessions_(std::move(sessions)), adder_(std::move(key), std::move(kernel)) {}
  /// With what came too late on port 1.
  SessionAggregate(const FinalSessions<Gap>& finals, typename Adder::KeyPtr key, Kernel kernel)
      : sessions_(finals.sessions()),
        lateness_(finals.refiring().rules().lateness_us()),
        hands_late_on_(true),
        adder_(std::move(key), std::move(kernel)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    keys_.emplace(Codec(adder_.kernel(), context.state), context.state);
  }
  void spill_to(const SpillPlace& place) override {
    if constexpr (kStores<Kernel>) keys_->spill_to(place);
  }

  void process(BatchBase& base, bool, Outputs& outputs) override {
    auto& in = static_cast<Batch<T>&>(base);
    const std::size_t count = in.values.size();
    const std::uint64_t* hashes = keys_->begin_batch(*adder_.key(), in);
    too_late_.clear();
    std::size_t cursor = 0;
    const auto add = [&](std::size_t at) {
      if (saturating_add(in.times[at], lateness_) < behind_at(in, at, cursor))
        return too_late_.note(at);
      adder_.with_key(in.values[at], [&](const K& key) {
        add_record(in, at, key, hashes ? hashes[at] : KeyTraits<K>::hash(key));
      });
    };
    const std::size_t failed = guarded_loop(0, count, in, batch_type<T>(), *context().dead_letters,
                                            add, [](std::size_t) {});
    tally().processed += count - failed - too_late_.size();
    tally().dead_lettered += failed;
    tally().late += too_late_.size();
    keys_->end_batch();
    if (hands_late_on_) too_late_.hand_on(in, outputs);
  }

  void advance(Time watermark, Outputs& outputs) override {
    keys_->ring(watermark, [&](Time when, std::uint64_t hash, const K& key, Open& open) {
      if (when != open.alarm) return false;  // an earlier one has taken its place
      const bool none_left = open.close(
          forwarded(watermark), [&](const Session& session) { emit(key, session, outputs); });
      if (!none_left) wake(open, open.first_over(), hash);
      return none_left;
    });
    rows_.flush(outputs);
    keys_->end_batch();
  }
  /// Rows of sessions that wait for late records have times before the watermark.
  Time forwarded(Time watermark) const override {
    return watermark == kTimeMax ? watermark : saturating_add(watermark, -lateness_);
  }
  Standing standing() const override { return {kTimeMin, {}, keys_->alarms().first()}; }
  void save_state(StateWriter& writer) override {
    if constexpr (!kStores<Kernel>) return writer.refuse(unstorable("sessions"));
    const Kernel& kernel = adder_.kernel();
    const Codec codec(kernel, context().state);
    keys_->save(writer, "sessions", shape_of_kind("sessions", shape_of(kernel)),
                [codec](std::string& out, const Open& open) { codec.store(out, open); });
  }
  void restore_state(StateReader& reader) override {
    const auto take = [&](const StatePart& part, const auto& accumulators) {
      BytesCursor in(part.bytes);
      read_entries<K>(reader, part, in, [&](const K& key, std::uint64_t hash) {
        auto open = load_sessions<Acc>(in, context().state, [&accumulators](BytesCursor& from) {
          return accumulators.next(from);
        });
        if (!open) return false;
        keys_->alarms().add(open->alarm, hash);
        keys_->restore(key, hash, std::move(*open));
        return true;
      });
    };
    each_part_of_kind<K>(reader, "sessions", "sessions", adder_.kernel(), take);
    keys_->end_batch();
  }
  void add_held(std::unique_ptr<HeldAggregates>& held) override {
    auto& into = HeldOf<Kernel>::in(held, adder_.kernel());
    const auto add = [&](const K& key, const Open& open) {
      open.from_newest([&](const Session& session) {
        into.add(key, session.first, session.last, session.acc);
        return true;
      });
    };
    if (into.weighs()) return keys_->tables().for_each(add);
    keys_->for_each(add);
  }
  std::int64_t take_moved_heap() override { return keys_->take_moved_heap(); }

 private:
  using Codec = SessionsCodec<Kernel>;

  void add_record(const Batch<T>& in, std::size_t at, const K& key, std::uint64_t hash) {
    const T& record = in.values[at];
    const Time time = in.times[at];
    const Time last = saturating_add(time, sessions_.gap_of(record).count());
    adder_.stage(in, at, [&](auto&& add) {
      Open* open = keys_->tables().find(key, hash);
      if (open == nullptr) {
        Acc acc = adder_.kernel().init();
        add(acc);
        open = &keys_->tables().upsert(
            key, hash, [&] { return Open(Session{time, last, std::move(acc)}, context().state); });
        wake(*open, last, hash);
        return;
      }
      const auto init = [&]() -> Acc { return adder_.kernel().init(); };
      const auto merge = [&](Acc& a, const Acc& b) { adder_.kernel().merge(a, b); };
      const Time over = open->add(time, last, init, add, merge).last;
      if (saturating_add(over, lateness_) < open->alarm) wake(*open, over, hash);
    });
  }

  /// `over`: the last instant of a session.
  void wake(Open& open, Time over, std::uint64_t hash) {
    open.alarm = saturating_add(over, lateness_);
    keys_->alarms().add(open.alarm, hash);
  }

  void emit(const K& key, const Session& session, Outputs& outputs) {
    const Time time = std::min(session.last, kTimeMax - 1);
    rows_.add(key, session.acc, {session.first, time, time}, adder_.kernel(), context(), outputs);
  }

  Sessions<Gap> sessions_;
  std::int64_t lateness_ = 0;  ///< microseconds
  bool hands_late_on_ = false;
  Adder adder_;
  std::optional<AlarmedRows<K, Codec>> keys_;  ///< from open() on
  WindowRows<K, Kernel> rows_;
  TooLate<T> too_late_;
};

}  // namespace millrace::detail
