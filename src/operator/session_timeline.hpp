// SessionTimeline: puts what happens to sessions that emit more than once in the order of
// watermarks.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "operator/alarmed_rows.hpp"
#include "operator/late_records.hpp"
#include "operator/session_cells.hpp"

namespace millrace::detail {

template <class K, class Kernel, bool kRemembers>
class SessionTimelineImage;

/// The sessions of one task. A record behind its watermark W waits until the task's has passed W,
/// and counts then: it joins sessions that are open, and those that were emitted come anew. So what
/// is emitted, and what it replaces, is the same whatever the schedule. For early rows by event
/// time all records wait until their time has come. Sessions may lie on disk; records that wait do
/// not. One thread.
///
/// Times here are the last instant before something happens: it does when the watermark is greater.
template <class K, class Kernel, bool kRemembers>
class SessionTimeline {
 public:
  using Acc = typename Kernel::Acc;
  using Cells = SessionCells<K, Kernel, kRemembers>;
  using Cell = typename Cells::Cell;
  using Codec = RefiringCodec<Kernel, kRemembers>;
  using Entry = typename Codec::Row;
  using Rows = AlarmedRows<K, Codec>;
  using Waiting = LateRecord<K, Reaching<Acc>>;
  using Call = TimelineCall<Kernel>;

  explicit SessionTimeline(const RefireRules& rules) : rules_(rules), cells_(rules) {}

  /// Before the first record. `kernel` outlives it, as does `meter`; null: nobody counts.
  void open(const Kernel& kernel, MemoryMeter* meter) {
    meter_ = meter;
    keys_.emplace(Codec(kernel, meter), meter);
    waiting_.count_with(meter);
  }

  const RefireRules& rules() const { return rules_; }
  Rows& keys() { return *keys_; }
  bool is_too_late(Time time, Time behind) const {
    return saturating_add(time, rules_.lateness_us()) < behind;
  }
  /// True where a record that was behind `behind` (kTimeMin: none) goes to add_later.
  bool waits(Time behind) const { return behind != kTimeMin || span() > 0; }
  /// Keeps a record until its turn: `record.behind` is the later of its time and its watermark.
  void add_later(Waiting record) { waiting_.add(std::move(record)); }
  const LateRecords<K, Reaching<Acc>>& waiting() const { return waiting_; }
  /// Adds a record in time, together with all of [time, last], of a key whose row is in memory.
  /// add(Acc&) may throw: no change then.
  template <class Add>
  void add_now(const K& key, std::uint64_t hash, Time time, Time last, Add&& add, const Call& to) {
    put(key, hash, {time, last, time}, add, to);
  }

  /// The early rows of all that has changed.
  void fire_early(const Call& call) {
    for (const std::uint64_t hash : changed_) {
      keys_->bring(hash);
      keys_->tables().for_each_of(hash, [&](const K& key, Entry& entry) {
        cells_.fire_changed(key, entry.sessions, reached_, call);
      });
    }
    changed_.clear();
    flush(call.outputs);
  }
  void flush(Outputs& outputs) { cells_.flush(outputs); }
  /// The watermark at which something happens next, about.
  std::optional<Time> next() const {
    const auto record = waiting_.first();
    const auto alarm = keys_->alarms().first();
    return record && alarm ? std::min(*record, *alarm) : record ? record : alarm;
  }
  /// Does what happens up to `watermark`.
  void advance(Time watermark, const Call& call) {
    while (const auto when = next()) {
      if (*when >= watermark && watermark != kTimeMax) break;
      if (waiting_.first() == when) {
        take_record(call);
      } else {
        ring(*when, call);
      }
    }
    reached_ = watermark;
    flush(call.outputs);
    keys_->end_batch();
  }

 private:
  friend class SessionTimelineImage<K, Kernel, kRemembers>;
  std::int64_t span() const { return rules_.early().least(EarlyTrigger::Kind::event_time); }

  void take_record(const Call& call) {
    const Waiting record = waiting_.take();
    const Reach reach{record.stamp.time, record.acc.last, record.behind};
    const auto add = [&](Acc& acc) { call.kernel.merge(acc, record.acc.acc); };
    keys_->bring(record.hash);
    put(K(record.key), record.hash, reach, add, call);
  }

  template <class Add>
  void put(const K& key, std::uint64_t hash, const Reach& reach, Add&& add, const Call& call) {
    const auto init = [&]() -> Cell { return Cell{call.kernel.init()}; };
    const auto count = [&](Cell& cell) {
      add(cell.acc);
      if (cell.fresh++ == 0 && rules_.early().least(EarlyTrigger::Kind::clock) > 0)
        changed_.push_back(hash);
    };
    const auto merge = [&](Cell& a, const Cell& b) { Cells::merge(a, b, call.kernel); };
    if (Entry* const entry = keys_->tables().find(key, hash)) {
      settle(key, hash, *entry, entry->sessions.add(reach.time, reach.last, init, count, merge),
             reach.turn, call);
      return;
    }
    Cell cell = init();
    count(cell);
    Entry& entry = keys_->tables().upsert(key, hash, [&] {
      return Entry{OpenSessions<Cell>({reach.time, reach.last, std::move(cell)}, meter_)};
    });
    settle(key, hash, entry, entry.sessions.newest(), reach.turn, call);
  }

  /// After a record that counted at `turn`: its session comes anew when it had ended by then.
  void settle(const K& key, std::uint64_t hash, Entry& entry, OpenSession<Cell>& session, Time turn,
              const Call& call) {
    Cell& cell = session.acc;
    cell.over = session.last < turn;
    if (cell.over) {
      cells_.fire(key, session, Firing::late, turn, call);
      wake(entry, rules_.closes(session.last), hash);
      return;
    }
    const std::int64_t records = rules_.early().least(EarlyTrigger::Kind::records);
    if (records > 0 && cell.fresh >= records)
      cells_.fire(key, session, Firing::early, reached_, call);
    if (span() > 0) entry.expect_early(turn, session.last, span());
    wake(entry, std::min(session.last, entry.early), hash);
  }

  void wake(Entry& entry, Time when, std::uint64_t hash) {
    if (when >= entry.sessions.alarm) return;
    keys_->alarms().add(when, hash);
    entry.sessions.alarm = when;
  }

  void ring(Time when, const Call& call) {
    const auto look = [&](Time at, std::uint64_t hash, const K& key, Entry& entry) {
      if (at != entry.sessions.alarm) return false;  // an earlier one has taken its place
      entry.sessions.alarm = kTimeMax;
      cells_.fire_ended(key, entry.sessions, at, call);
      if (at == entry.early) {
        entry.early = kTimeMax;
        cells_.fire_changed(key, entry.sessions, at, call);
      }
      if (entry.forget(at, rules_)) return true;
      wake(entry, entry.next_look(at, rules_), hash);
      return false;
    };
    keys_->ring(saturating_add(when, 1), look);
  }

  RefireRules rules_;
  Cells cells_;
  MemoryMeter* meter_ = nullptr;
  std::optional<Rows> keys_;  ///< from open() on
  LateRecords<K, Reaching<Acc>> waiting_;
  std::vector<std::uint64_t> changed_;  ///< hashes of keys since the last early rows by clock
  Time reached_ = kTimeMin;
};

}  // namespace millrace::detail
