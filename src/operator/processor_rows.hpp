// ProcessorRows: the states and timers of the keys of one task, and what a call of user code did to
// them.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "operator/keyed.hpp"
#include "operator/processor.hpp"
#include "operator/processor_image.hpp"
#include "operator/spilled_rows.hpp"
#include "state/state.hpp"
#include "state/table_sweep.hpp"

namespace millrace::detail {

inline constexpr std::size_t kTimersAhead = 16;  ///< timers between prefetch and look-up

/// Of equal times, timers fire by key ascending: numbers by value, texts by their bytes.
template <class Owned>
bool key_precedes(const Owned& a, const Owned& b) {
  if constexpr (std::is_floating_point_v<Owned>) {
    return std::strong_order(a, b) < 0;  // NaN is a key as any other
  } else {
    return a < b;
  }
}

/// One look-up finds all states of a key and its timers. A key without either is not in the tables.
template <class K, class P>
class ProcessorRows {
 public:
  using Row = StateRow<P>;
  using Kind = KeyTimers::Kind;
  struct Due {
    typename KeyTraits<K>::Owned key;
    std::uint64_t hash;
  };

  /// `meter` counts them and outlives this. `logging`: calls may throw.
  ProcessorRows(P& processor, bool logging, MemoryMeter* meter, bool on_timer, bool on_clock)
      : meter_(meter),
        states_(processor, logging),
        rows_(meter),
        spilled_(states_, rows_, meter),
        timers_(meter, on_timer, on_clock) {}
  ~ProcessorRows() { count_heap(0); }
  ProcessorRows(const ProcessorRows&) = delete;
  ProcessorRows& operator=(const ProcessorRows&) = delete;

  KeyedTables<K, Row>& tables() { return rows_; }
  SpilledRows<K, P>& spilled() { return spilled_; }
  KeyTimers& timers() { return timers_; }
  const KeyTimers& timers() const { return timers_; }
  StateCall& call() { return states_.call(); }
  /// Answers for the key that is asked for, if it is of this task, at that event time.
  void inspect(StateQuery& query, Time event_now) {
    for (const StateInfo& info : states_.infos())
      query.known.push_back(info.kind + " \"" + info.name + "\"");
    const std::optional<K> key = asked_key<K>(query);
    query.key_fits |= key.has_value();
    const std::uint64_t hash = key ? KeyTraits<K>::hash(*key) : 0;
    if (key && spilled_.active()) spilled_.bring({&hash, 1});
    Row* const row = key ? rows_.find(*key, hash) : nullptr;
    states_.answer(query, row, event_now);
    if (row == nullptr) return;
    if (TimerSet* const times = row->timers.event()) query.event_timers = times->all();
    if (TimerSet* const times = row->timers.clock()) query.clock_timers = times->all();
  }

  void save(StateWriter& writer) { image().save(writer); }
  /// At that event time.
  void restore(StateReader& reader, Time event_now, Time clock_now) {
    states_.call().event_now = event_now;
    states_.call().clock_now = clock_now;
    image().restore(reader);
    make_room();
  }

  /// The calls on states and timers that follow are for this row; null: a key that has none.
  void begin(std::uint64_t hash, Row* row) {
    Row& at = row ? *row : fresh_;
    states_.begin(at);
    timers_.point(at.timers, hash, states_.call().event_now);
  }
  /// The call went well. True when it removed timers.
  bool keep(const K& key, std::uint64_t hash, Row* row) {
    states_.keep();
    const bool removed = timers_.keep();
    if (row != nullptr) {
      if (states_.is_empty(*row)) erase(key, hash);
    } else if (!states_.is_empty(fresh_)) {
      rows_.add(key, hash, std::move(fresh_));
      fresh_ = Row{};
    }
    return removed;
  }
  void undo() {
    states_.undo();
    timers_.undo();
  }
  bool is_empty(Row& row) { return states_.is_empty(row); }
  void erase(const K& key, std::uint64_t hash) {
    rows_.erase(key, hash);
    spilled_.forgotten(hash);
  }

  /// Between two timers or records, when nothing points into the tables: brings the rows of these
  /// hashes, a batch of them at most. Nothing to do as long as all rows are in memory.
  void bring(std::span<const std::uint64_t> hashes) {
    make_room();
    spilled_.bring(hashes);
  }
  /// Between batches: rows that memory has no room for go to disk, and the meter is told of the
  /// rest.
  void make_room() {
    spilled_.shed(states_.call().heap_bytes - static_cast<std::int64_t>(counted_heap_));
    count_heap(static_cast<std::size_t>(std::max<std::int64_t>(0, states_.call().heap_bytes)));
  }

  /// The keys whose timer at `time` is pending, among those of `hashes`, in the order of firing;
  /// one may be there twice.
  void find_due(Kind kind, Time time, const std::vector<std::uint64_t>& hashes,
                std::vector<Due>& due) {
    due.clear();
    if (rows_.is_wide()) {
      if (const auto* const ahead = timers_.queue(kind).ahead(kTimersAhead))
        rows_.prefetch(ahead->hash);
      if (hashes.size() > 1) {
        for (const std::uint64_t hash : hashes) rows_.prefetch(hash);
      }
    }
    const auto add = [&](const K& key, Row& row) {
      if (is_pending(row, kind, time))
        due.push_back({KeyTraits<K>::own(key), KeyTraits<K>::hash(key)});
    };
    if (spilled_.active()) {
      spilled_.look(hashes, add);
    } else {
      for (const std::uint64_t hash : hashes) rows_.for_each_of(hash, add);
    }
    if (due.size() < 2) return;
    std::sort(due.begin(), due.end(),
              [](const Due& a, const Due& b) { return key_precedes(a.key, b.key); });
  }
  /// A timer that comes is pending no more. Null: it was not.
  Row* take_timer(Kind kind, Time time, const K& key, std::uint64_t hash) {
    Row* const row = rows_.find(key, hash);
    if (row == nullptr || !forget_timer(*row, kind, time)) return nullptr;
    timers_.count_fired(kind);
    return row;
  }

  /// Between batches: forgets some of what is over, and makes room.
  void upkeep(Time watermark) {
    states_.call().watermark = watermark;
    for (const Kind kind : {Kind::event, Kind::clock}) forget_stale(kind);
    if (states_.has_ttl() && watermark != kTimeMax) {
      states_.call().event_now = watermark;
      sweep_.step(rows_, kSweep, [this](const K& key, Row& row) {
        states_.drop_expired(row);
        const bool empty = states_.is_empty(row);
        if (empty && spilled_.active()) spilled_.forgotten(KeyTraits<K>::hash(key));
        return empty;
      });
    }
    make_room();
    spilled_.tell(watermark, states_.call().clock_now);
  }

 private:
  static constexpr std::size_t kSweep = 1024;  ///< slots looked at a batch, for expired states
  static constexpr std::size_t kStaleMin = 4096;

  ProcessorImage<K, P> image() {
    return ProcessorImage<K, P>(states_, rows_, timers_, spilled_, [this] { make_room(); });
  }
  static bool is_pending(Row& row, Kind kind, Time time) {
    const TimerSet* const times = KeyTimers::set_of(row.timers, kind);
    return times && times->contains(time);
  }
  static bool forget_timer(Row& row, Kind kind, Time time) {
    TimerSet* const times = KeyTimers::set_of(row.timers, kind);
    return times && times->erase(time);
  }

  /// Timers that were removed leave pairs in the queue: no more of them than of the pending ones.
  void forget_stale(Kind kind) {
    TimerQueue& queue = timers_.queue(kind);
    std::size_t& least = stale_least_[static_cast<std::size_t>(kind)];
    if (queue.size() <= std::max(2 * timers_.pending(kind) + kStaleMin, least)) return;
    queue.retain([this, kind](const TimerQueue::Entry& entry) {
      bool pending = spilled_.may_hold(entry.hash);
      rows_.for_each_of(entry.hash,
                        [&](const K&, Row& row) { pending |= is_pending(row, kind, entry.time); });
      return pending;
    });
    least = spilled_.active() ? 2 * queue.size() : 0;  // of rows on disk nobody knows
  }
  /// What lists, maps and texts hold beside the tables.
  void count_heap(std::size_t bytes) {
    if (meter_ && bytes > counted_heap_) meter_->grow(bytes - counted_heap_);
    if (meter_ && bytes < counted_heap_) meter_->shrink(counted_heap_ - bytes);
    counted_heap_ = bytes;
  }

  MemoryMeter* meter_;
  ProcessorStates<P> states_;
  KeyedTables<K, Row> rows_;
  SpilledRows<K, P> spilled_;
  TableSweep<K, Row> sweep_;
  KeyTimers timers_;
  Row fresh_;  ///< of a key that has none yet
  std::size_t counted_heap_ = 0;
  std::array<std::size_t, 2> stale_least_{};  ///< by kind: the queue is not looked through below
};

}  // namespace millrace::detail
