// ProcessorImage: the states and timers of the keys of a task as parts of an image: each state by
// itself, so that a later program may add and drop them one by one.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/processor_parts.hpp"
#include "operator/row_codec.hpp"
#include "operator/spilled_parts.hpp"
#include "state/stored_content.hpp"

namespace millrace::detail {

/// Works on what it is given, for the length of a call. One thread.
template <class K, class P>
class ProcessorImage {
 public:
  using Row = StateRow<P>;
  using Kind = KeyTimers::Kind;

  /// `make_room` is called between entries that are put in.
  ProcessorImage(ProcessorStates<P>& states, KeyedTables<K, Row>& rows, KeyTimers& timers,
                 SpilledStates<K, P>& spilled, std::function<void()> make_room)
      : states_(&states),
        rows_(&rows),
        timers_(&timers),
        spilled_(&spilled),
        make_room_(std::move(make_room)) {}

  /// The states and timers of now, whatever becomes of them before the writer is done. What this
  /// works on outlives the writer.
  void save(StateWriter& writer) {
    std::set<std::string> names;
    states_->each_named([&](auto&, const std::string& name, auto) {
      if (names.insert(name).second) return;
      writer.refuse("two states of a class are named \"" + name +
                    "\": give them names of their own, {.name = \"...\"}");
    });
    using Parts = ProcessorParts<K, P>;
    save_with_disk_later<K>(writer, *spilled_, [this](const ImageChain& chain) {
      return std::make_unique<Parts>(*states_, *rows_, chain);
    });
  }
  /// The times of the call of the states stand where time goes on: a state that has a time to live
  /// only now begins it there.
  void restore(StateReader& reader) {
    states_->each_named([&](auto& state, const std::string& name, auto at) {
      reader.each_in_turn(name, [&](const StatePart& part) {
        restore_state<decltype(at)::value>(reader, part, state);
      });
    });
    reader.each_in_turn(kTimersPart, [&](const StatePart& part) { restore_timers(reader, part); });
  }

  /// Of all that it writes.
  std::vector<std::string> parts() {
    std::vector<std::string> names{std::string(kTimersPart)};
    states_->each_named([&](auto&, const std::string& name, auto) { names.push_back(name); });
    return names;
  }
  /// `tables` are about to come into those of this task: their states count here, and their timers
  /// are pending. O(slots).
  void count_all(KeyedTables<K, Row>& tables) {
    tables.for_each([this](const K& key, Row& row) {
      states_->each_named([&](auto& state, const std::string&, auto at) {
        using S = std::decay_t<decltype(state)>;
        const auto& content = std::get<decltype(at)::value>(row.cells).content;
        if (!S::is_empty(content)) state.count_restored(content, states_->call());
      });
      if (!row.timers.empty()) count_timers(key, row);
    });
  }

 private:
  static constexpr std::size_t kPutInMax = 1024;  ///< entries between two makings of room

  Row& row_of(const K& key, std::uint64_t hash) {
    if (++put_in_ % kPutInMax == 0) make_room_();
    if (spilled_->active()) spilled_->bring({&hash, 1});
    return rows_->upsert(key, hash, [] { return Row{}; });
  }

  template <std::size_t kAt, class S>
  void restore_state(StateReader& reader, const StatePart& part, S& state) {
    const std::string_view shape = inner_shape(kTouched, value_shape_of<K>(part.shape));
    if (shape.empty()) {
      const std::string kept =
          entry_shape<K>(shape_of_kind(kTouched, stored_shape<typename S::Content>()));
      return reader.refuse(part, other_shape(part.shape, kept).message());
    }
    const auto content = ContentReader<typename S::Content>::of(shape);
    if (!content) return reader.refuse(part, content.error().message());
    BytesCursor in(part.bytes);
    const auto by = in.number<TouchedBy>();
    StateCall& call = states_->call();
    const Time begun = state.options().ttl_in == TimeKind::event ? call.event_now : call.clock_now;
    const auto take = [&](const K& key, std::uint64_t hash) {
      typename S::Cell cell;
      if (by != TouchedBy::none) cell.touched = in.number<Time>();
      if (!content->read(in, cell.content) || S::is_empty(cell.content)) return false;
      if (by != touched_by_of(state)) cell.touched = state.has_ttl() ? begun : kTimeMin;
      state.count_restored(cell.content, call);
      std::get<kAt>(row_of(key, hash).cells) = std::move(cell);
      return true;
    };
    // Where rows go to disk, not all of them come into the tables.
    if (spilled_->active()) return read_entries<K>(reader, part, in, take);
    read_entries_into(*rows_, reader, part, in, take);
  }

  /// Those of a kind that the class has no method for any more are forgotten.
  void restore_timers(StateReader& reader, const StatePart& part) {
    const std::string kept = entry_shape<K>(kTimersShape);
    if (part.shape != kept) return reader.refuse(part, other_shape(part.shape, kept).message());
    BytesCursor in(part.bytes);
    read_entries<K>(reader, part, in, [&](const K& key, std::uint64_t hash) {
      for (const Kind kind : {Kind::event, Kind::clock}) {
        std::vector<Time> times;
        if (!load_value(in, times)) return false;
        add_timers(kind, key, hash, times);
      }
      return true;
    });
  }
  void count_timers(const K& key, Row& row) {
    const std::uint64_t hash = KeyTraits<K>::hash(key);
    for (const Kind kind : {Kind::event, Kind::clock}) {
      const TimerSet* const times = KeyTimers::set_of(row.timers, kind);
      if (times == nullptr) continue;
      for (const Time time : times->all()) timers_->restore(kind, time, hash);
    }
  }
  void add_timers(Kind kind, const K& key, std::uint64_t hash, const std::vector<Time>& all) {
    if (all.empty()) return;
    typename TimersOf<P>::Row none;
    if (KeyTimers::set_of(none, kind) == nullptr) return;
    TimerSet* const times = KeyTimers::set_of(row_of(key, hash).timers, kind);
    for (const Time time : all) {
      if (time != kTimeMax && times->insert(time)) timers_->restore(kind, time, hash);
    }
  }

  ProcessorStates<P>* states_;
  KeyedTables<K, Row>* rows_;
  KeyTimers* timers_;
  SpilledStates<K, P>* spilled_;
  std::function<void()> make_room_;
  std::size_t put_in_ = 0;
};

}  // namespace millrace::detail
