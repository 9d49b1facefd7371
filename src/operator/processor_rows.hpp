// ProcessorRows: the states and timers of the keys of one task, and what a call of user code did to
// them.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "operator/due_timers.hpp"
#include "operator/keyed.hpp"
#include "operator/processor.hpp"
#include "operator/processor_image.hpp"
#include "operator/row_codec.hpp"
#include "state/handed_tables.hpp"
#include "state/state.hpp"
#include "state/table_sweep.hpp"

namespace millrace::detail {

/// One look-up finds all states of a key and its timers. A key without either is not in the tables.
template <class K, class P>
class ProcessorRows {
 public:
  using Row = StateRow<P>;
  using Kind = KeyTimers::Kind;

  /// `meter` counts them and outlives this. `logging`: calls may throw.
  ProcessorRows(P& processor, bool logging, MemoryMeter* meter, bool on_timer, bool on_clock)
      : meter_(meter),
        states_(processor, logging),
        rows_(meter),
        spilled_(RowCodec<P>(states_), rows_, states_.call().heap_bytes),
        timers_(meter, on_timer, on_clock),
        due_(rows_, timers_, spilled_) {}
  ~ProcessorRows() { count_heap(0); }
  ProcessorRows(const ProcessorRows&) = delete;
  ProcessorRows& operator=(const ProcessorRows&) = delete;

  KeyedTables<K, Row>& tables() { return rows_; }
  SpilledStates<K, P>& spilled() { return spilled_; }
  KeyTimers& timers() { return timers_; }
  DueTimers<K, P>& due() { return due_; }
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
    spilled_.tell();
  }
  /// As HandsOver says. Rows on disk go by their image.
  bool hands_over() const { return !spilled_.active(); }
  std::unique_ptr<HandedState> hand_over() {
    auto handed = std::make_unique<HandedTables<K, Row>>(rows_, image().parts());
    states_.call().heap_bytes = 0;
    count_heap(0);
    return handed;
  }
  bool take_over(HandedState& handed) {
    auto* const same = dynamic_cast<HandedTables<K, Row>*>(&handed);
    if (same == nullptr) return false;
    image().count_all(same->tables());
    rows_.take_groups(same->tables(), 0, kKeyGroups);
    make_room();
    spilled_.tell();
    return true;
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
    if (hashes.empty()) return;
    make_room();
    spilled_.bring(hashes);
  }
  /// Between batches: rows that memory has no room for go to disk, and the meter is told of the
  /// rest.
  void make_room() {
    spilled_.shed(states_.call().heap_bytes - static_cast<std::int64_t>(counted_heap_));
    count_heap(static_cast<std::size_t>(std::max<std::int64_t>(0, states_.call().heap_bytes)));
  }

  /// Between batches: forgets some of what is over, and makes room.
  void upkeep(Time watermark) {
    states_.call().watermark = watermark;
    due_.forget_stale();
    if (states_.has_ttl() && watermark != kTimeMax) {
      states_.call().event_now = watermark;
      sweep_.step(rows_, kSweep, [this](const K& key, Row& row) {
        const bool dropped = states_.drop_expired(row);
        if (!states_.is_empty(row)) return dropped ? Swept::changed : Swept::as_it_was;
        if (spilled_.active()) spilled_.forgotten(KeyTraits<K>::hash(key));
        return Swept::gone;
      });
    }
    make_room();
    spilled_.reach(watermark, states_.call().clock_now);
    spilled_.tell();
  }

 private:
  static constexpr std::size_t kSweep = 1024;  ///< slots looked at a batch, for expired states

  ProcessorImage<K, P> image() {
    return ProcessorImage<K, P>(states_, rows_, timers_, spilled_, [this] { make_room(); });
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
  SpilledStates<K, P> spilled_;
  TableSweep<K, Row> sweep_;
  KeyTimers timers_;
  DueTimers<K, P> due_;
  Row fresh_;  ///< of a key that has none yet
  std::size_t counted_heap_ = 0;
};

}  // namespace millrace::detail
