// The slow and obvious model of what a topology must give: sorted nothing, maps only, no engine.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "random_input.hpp"

namespace millrace::property {

/// A record as it reaches the windows: its own text, its time, the watermark that its own partition
/// had reached before it, and its place in the inputs.
struct ModelRecord {
  std::int64_t time;
  std::int32_t key;
  std::string name;
  std::int64_t number;
  double amount;
  std::optional<Time> watermark;
  detail::Arrival arrival;

  Event event() const { return {time, key, name, number, amount}; }
};

/// How often the draws hit what is easily got wrong.
struct Hits {
  std::uint64_t late = 0;         ///< dropped from every window
  std::uint64_t partly_late = 0;  ///< dropped from some windows only
  std::uint64_t behind = 0;       ///< behind the watermark, yet in time for all windows
  std::uint64_t equal_stamps = 0;
  std::uint64_t on_edge = 0;      ///< exactly the start of a window
  std::uint64_t before_edge = 0;  ///< the last microsecond of a window
  std::uint64_t negative = 0;     ///< before 1970
  std::uint64_t empty_partition = 0;
  std::uint64_t two_inputs = 0;
  std::uint64_t cumulating = 0;  ///< in windows that grow step by step
  std::uint64_t offset = 0;      ///< in windows that were moved
};

/// All records of an input with the watermark of their own partition before each: the greatest time
/// so far minus the bound.
inline std::vector<ModelRecord> model_records(const Input& input, std::uint32_t source = 0) {
  std::vector<ModelRecord> records;
  for (std::uint32_t at = 0; at < input.partitions.size(); ++at) {
    std::optional<Time> watermark;
    std::uint64_t number = 0;
    for (const Event& event : input.partitions[at]) {
      records.push_back({event.time, event.key, std::string(event.name), event.number, event.amount,
                         watermark, detail::Arrival::at(source, at, number++)});
      const Time reached = event.time - input.out_of_order;
      watermark = watermark ? std::max(*watermark, reached) : reached;
    }
  }
  return records;
}

inline std::vector<ModelRecord> model_step(const std::vector<ModelRecord>& records, Step step) {
  std::vector<ModelRecord> out;
  for (const ModelRecord& record : records) {
    const Event event = record.event();
    ModelRecord next = record;
    const auto map = [&] {
      const Event changed = mapped(event, step.parameter);
      next.number = changed.number;
      next.key = changed.key;
    };
    switch (step.op) {
      case Op::bolt_direct:  // odd ones pass two bolts, even ones too
        next.arrival = next.arrival.child(0);
        [[fallthrough]];
      case Op::bolt_shuffle:
      case Op::bolt_one:
      case Op::bolt_partial_key:
      case Op::bolt_local:
      case Op::bolt_none:
      case Op::bolt_custom:
        next.arrival = next.arrival.child(0);
        [[fallthrough]];
      case Op::verb_grouped:
      case Op::map:
      case Op::parallel_map:
      case Op::shuffle_map:
        map();
        out.push_back(next);
        break;
      case Op::filter:
        if (kept(event, step.parameter)) out.push_back(next);
        break;
      case Op::branch_merge:
        if (kept(event, step.parameter)) map();
        out.push_back(next);
        break;
      case Op::peek:
        if (!refused(event, step.parameter)) out.push_back(next);
        break;
      case Op::sample:
        if (detail::is_sampled(detail::sample_threshold(sample_fraction(step.parameter)),
                               static_cast<std::uint64_t>(step.parameter), record.arrival,
                               record.time)) {
          out.push_back(next);
        }
        break;
      case Op::split_kind:  // kind 1 is mapped, the others are not read
        if (kind_of(event) == 2) break;
        if (kind_of(event) == 1) map();
        out.push_back(next);
        break;
      case Op::split_cases:  // "kept" is not read
        if (kept(event, step.parameter)) break;
        map();
        out.push_back(next);
        break;
      case Op::flat_map:
      case Op::process:
      case Op::bolt_fields:
        next.name = renamed(event, step.parameter);
        for (std::size_t copy = 0; copy < copies(event, step.parameter); ++copy) {
          next.arrival = record.arrival.child(copy);
          out.push_back(next);
        }
        break;
    }
  }
  return out;
}

inline std::vector<ModelRecord> model_records(const Case& drawn) {
  std::vector<ModelRecord> records;
  for (std::uint32_t at = 0; at < drawn.inputs.size(); ++at) {
    // Each input is declared as a source and its event_time.
    const auto more = model_records(drawn.inputs[at], 2 * at);
    records.insert(records.end(), more.begin(), more.end());
  }
  for (const Step step : drawn.steps) records = model_step(records, step);
  return records;
}

using Bounds = std::pair<Time, Time>;

/// The windows that a record belongs to and is not too late for, found by trying every start around
/// it.
inline std::vector<Bounds> model_windows(const ModelRecord& record, Windows windows) {
  if (windows.is_global()) return {{kTimeMin, kTimeMax}};
  std::vector<Bounds> found;
  const std::int64_t size = windows.size_us();
  const bool cumulating = windows.kind() == Windows::Kind::cumulating;
  const std::int64_t every = cumulating ? size : windows.slide_us();
  for (Time start = record.time - size; start <= record.time; ++start) {
    if ((start - windows.offset_us()) % every != 0) continue;
    for (std::int64_t length = cumulating ? windows.slide_us() : size; length <= size;
         length += windows.slide_us()) {
      const Time end = start + length;
      const bool holds = start <= record.time && record.time < end;
      const bool too_late = record.watermark && end <= *record.watermark;
      if (holds && !too_late) found.emplace_back(start, end);
    }
  }
  return found;
}

inline void count_hits(const Case& drawn, const std::vector<ModelRecord>& records, Hits& hits) {
  hits.two_inputs += drawn.inputs.size() > 1;
  for (const Input& input : drawn.inputs) {
    for (const auto& partition : input.partitions) hits.empty_partition += partition.empty();
  }
  std::set<Time> seen;
  for (const ModelRecord& record : records) {
    hits.negative += record.time < 0;
    hits.equal_stamps += !seen.insert(record.time).second;
    if (drawn.windows.is_global()) continue;
    ModelRecord in_time = record;
    in_time.watermark.reset();
    const std::size_t all = model_windows(in_time, drawn.windows).size();
    const std::size_t left = model_windows(record, drawn.windows).size();
    hits.late += left == 0;
    hits.partly_late += left > 0 && left < all;
    hits.behind += left == all && record.watermark && record.time < *record.watermark;
    const Time moved = record.time - drawn.windows.offset_us();
    hits.on_edge += moved % drawn.windows.slide_us() == 0;
    hits.before_edge += (moved + 1) % drawn.windows.slide_us() == 0;
    hits.cumulating += drawn.windows.kind() == Windows::Kind::cumulating;
    hits.offset += drawn.windows.offset_us() != 0;
  }
}

/// Records by window and key: what every aggregate is computed from.
template <class GetKey>
auto model_groups(const std::vector<ModelRecord>& records, Windows windows, GetKey get_key) {
  using Key = std::decay_t<decltype(get_key(records.front()))>;
  std::map<Bounds, std::map<Key, std::vector<const ModelRecord*>>> groups;
  for (const ModelRecord& record : records) {
    for (const Bounds& bounds : model_windows(record, windows)) {
      groups[bounds][get_key(record)].push_back(&record);
    }
  }
  return groups;
}

}  // namespace millrace::property
