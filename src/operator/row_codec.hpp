// RowCodec: the states and timers of a key as bytes: how rows that are not in memory are kept.
#pragma once

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "env/disk_table.hpp"
#include "operator/processor.hpp"
#include "operator/spilled_rows.hpp"
#include "record/stored_value.hpp"

namespace millrace::detail {

/// Of one program's run: nothing of the bytes is read by another, so they say no shape. One thread.
template <class P>
class RowCodec {
 public:
  using Row = StateRow<P>;

  /// `states` outlive it.
  explicit RowCodec(ProcessorStates<P>& states) : states_(&states) {}

  static Row fresh() { return Row{}; }

  /// Appends the bytes of `row`.
  void store(std::string& out, Row& row) {
    states_->each_named([&](auto& state, const std::string&, auto at) {
      const auto& cell = std::get<decltype(at)::value>(row.cells);
      if (state.has_ttl()) put_number(out, cell.touched);
      store_value(out, cell.content);
    });
    for (TimerSet* const times : {row.timers.event(), row.timers.clock()}) {
      if (times) store_value(out, times->all());
    }
  }
  /// False when they are no such bytes.
  bool load(BytesCursor& in, Row& row) {
    bool fits = true;
    states_->each_named([&](auto& state, const std::string&, auto at) {
      auto& cell = std::get<decltype(at)::value>(row.cells);
      if (state.has_ttl()) cell.touched = in.number<Time>();
      fits = fits && load_value(in, cell.content);
    });
    for (TimerSet* const times : {row.timers.event(), row.timers.clock()}) {
      std::vector<Time> all;
      fits = fits && (!times || load_value(in, all));
      for (const Time time : all) times->insert(time);
    }
    return fits && in.ok();
  }
  /// When the time of all its states is over.
  OverAt over_at(Row& row) {
    OverAt over{kTimeMin, kTimeMin};
    if (!row.timers.empty()) over = {};
    states_->each_named([&](auto& state, const std::string&, auto at) {
      using S = std::decay_t<decltype(state)>;
      const auto& cell = std::get<decltype(at)::value>(row.cells);
      if (S::is_empty(cell.content)) return;
      if (!state.has_ttl()) {
        over = {};
        return;
      }
      Time& end = state.options().ttl_in == TimeKind::event ? over.event : over.clock;
      end = std::max(end, saturating_add(cell.touched, state.options().ttl.count()));
    });
    return over;
  }
  /// What it holds on the heap, as the states count it.
  std::int64_t heap_of(Row& row) {
    std::int64_t bytes = 0;
    states_->each_named([&](auto&, const std::string&, auto at) {
      bytes += static_cast<std::int64_t>(
          heap_bytes_of(std::get<decltype(at)::value>(row.cells).content));
    });
    return bytes;
  }

 private:
  ProcessorStates<P>* states_;
};

/// The states and timers of a task's keys that are on disk.
template <class K, class P>
using SpilledStates = SpilledRows<K, RowCodec<P>>;

}  // namespace millrace::detail
