// SessionAggregate: aggregates of the sessions of each key, which grow and merge as records come.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "operator/stateless.hpp"
#include "operator/table_updater.hpp"
#include "operator/window_rows.hpp"
#include "state/key_alarms.hpp"
#include "window/open_sessions.hpp"
#include "window/session.hpp"

namespace millrace::detail {

/// Emits a session when the watermark has passed the last instant at which a record still belonged
/// to it; that instant is the row's event time. A record behind the watermark of its own partition
/// is late: then no session that was emitted can have held it, whatever the schedule.
///
/// Cost: a look-up a record, and O(log keys) a session and gap. Memory: a table entry a key, and
/// what it holds of further open sessions.
template <class T, class Key, class Kernel, class Gap>
class SessionAggregate final : public Operator {
 public:
  using Adder = RecordAdder<T, Key, Kernel>;
  using K = typename Key::View;
  using Acc = typename Kernel::Acc;
  using Open = OpenSessions<Acc>;
  using Session = OpenSession<Acc>;

  SessionAggregate(Sessions<Gap> sessions, typename Adder::KeyPtr key, Kernel kernel)
      : sessions_(std::move(sessions)), adder_(std::move(key), std::move(kernel)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    keys_.emplace(context.state);
    alarms_.count_with(context.state);
  }

  void process(BatchBase& base, bool, Outputs&) override {
    auto& in = static_cast<Batch<T>&>(base);
    const std::size_t count = in.values.size();
    const std::uint64_t* hashes = adder_.carried(in);
    std::size_t late = 0;
    std::size_t cursor = 0;
    const auto add = [&](std::size_t at) {
      if (in.times[at] < behind_at(in, at, cursor)) {
        ++late;
        return;
      }
      adder_.with_key(in.values[at], [&](const K& key) {
        add_record(in, at, key, hashes ? hashes[at] : KeyTraits<K>::hash(key));
      });
    };
    const std::size_t failed = guarded_loop(0, count, in, batch_type<T>(), *context().dead_letters,
                                            add, [](std::size_t) {});
    tally().processed += count - failed - late;
    tally().dead_lettered += failed;
    tally().late += late;
  }

  void advance(Time watermark, Outputs& outputs) override {
    alarms_.ring(watermark, [&](Time when, std::uint64_t hash) {
      keys_->erase_of_hash(hash, [&](const K& key, Open& open) {
        if (when != open.alarm) return false;  // an earlier one has taken its place
        const bool none_left =
            open.close(watermark, [&](const Session& session) { emit(key, session, outputs); });
        if (!none_left) wake(open, open.first_over(), hash);
        return none_left;
      });
    });
    rows_.flush(outputs);
  }
  Standing standing() const override { return {kTimeMin, {}, alarms_.first()}; }

 private:
  void add_record(const Batch<T>& in, std::size_t at, const K& key, std::uint64_t hash) {
    const T& record = in.values[at];
    const Time time = in.times[at];
    const Time last = saturating_add(time, sessions_.gap_of(record).count());
    adder_.stage(in, at, [&](auto&& add) {
      Open* open = keys_->find(key, hash);
      if (open == nullptr) {
        Acc acc = adder_.kernel().init();
        add(acc);
        open = &keys_->upsert(
            key, hash, [&] { return Open(Session{time, last, std::move(acc)}, context().state); });
        wake(*open, last, hash);
        return;
      }
      const auto init = [&]() -> Acc { return adder_.kernel().init(); };
      const auto merge = [&](Acc& a, const Acc& b) { adder_.kernel().merge(a, b); };
      const Time over = open->add(time, last, init, add, merge);
      if (over < open->alarm) wake(*open, over, hash);
    });
  }

  void wake(Open& open, Time when, std::uint64_t hash) {
    alarms_.add(when, hash);
    open.alarm = when;
  }

  void emit(const K& key, const Session& session, Outputs& outputs) {
    const Time time = std::min(session.last, kTimeMax - 1);
    rows_.add(key, session.acc, {session.first, time, time}, adder_.kernel(), context(), outputs);
  }

  Sessions<Gap> sessions_;
  Adder adder_;
  std::optional<KeyedTables<K, Open>> keys_;  ///< from open() on
  KeyAlarms alarms_;
  WindowRows<K, Kernel> rows_;
};

}  // namespace millrace::detail
