// What tests of early rows share: hits, the rows they come to, and how a test driver runs them.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "../hits.hpp"
#include "env/random.hpp"
#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"

namespace millrace::property {

using shared::Hit;
using Update = WindowUpdate<std::int32_t, std::int64_t>;

/// A row without its key.
struct Told {
  Time start = 0;
  Time end = 0;
  std::int64_t value = 0;
  Firing firing = Firing::early;
  bool retracted = false;
  friend bool operator==(const Told&, const Told&) = default;
};
inline std::string text_of(const Told& told) {
  return fmt::format("[{}, {}) {} {}{}", told.start, told.end, told.value,
                     static_cast<int>(told.firing), told.retracted ? " taken back" : "");
}
using ByKey = std::map<std::int32_t, std::vector<Told>>;

/// Both in words, where they differ.
inline std::string difference(const ByKey& wanted, const ByKey& got) {
  const auto text = [](const ByKey& rows) {
    std::string all;
    for (const auto& [key, list] : rows) {
      for (const Told& told : list) all += fmt::format("\n  {}: {}", key, text_of(told));
    }
    return all;
  };
  return wanted == got ? "" : fmt::format("wanted{}\ngot{}", text(wanted), text(got));
}

template <class Spec>
Spec in_mode(const Spec& spec, RefireMode mode) {
  if (mode == RefireMode::discarding) return spec.discarding();
  return mode == RefireMode::retracting ? spec.retracting() : spec.accumulating();
}
inline RefireMode draw_mode(detail::Random& random) {
  return static_cast<RefireMode>(random.below(3));
}

/// The sums of hits of one source by key in a kind of windows, run by a test driver.
template <class Spec>
class Driven {
 public:
  Driven(const Spec& spec, int tasks, Duration out_of_order, Timestamp start = {}) {
    shared::hits(topology_)
        .event_time(&Hit::when, {.out_of_order = out_of_order})
        .key_by(&Hit::key)
        .window(spec)
        .sum(&Hit::number)
        .to(each([](const Update&) {}))
        .named("sums");
    driver_.emplace(topology_, TestDriverOptions{.parallelism = tasks, .start = start});
    input_.emplace(driver_->input<Hit>("hits"));
    output_.emplace(driver_->output<Update>("sums"));
  }
  void pipe(const Hit& hit) { input_->pipe(hit); }
  void pass(Duration span) { driver_->advance_clock(span); }
  void end() { input_->end(); }
  Time now() { return driver_->now().micros; }
  std::vector<Update> read() { return output_->read_all(); }
  ByKey rows() {
    ByKey rows;
    for (const Update& row : read()) rows[row.key].push_back(told_of(row));
    return rows;
  }
  static Told told_of(const Update& row) {
    return {row.window_start, row.window_end, row.value, row.firing, row.retracted};
  }

 private:
  Topology topology_{"early"};
  std::optional<TestDriver> driver_;
  std::optional<TestInput<Hit>> input_;
  std::optional<TestOutput<Update>> output_;
};

/// Tells a row of `all`, of which `fresh` came since the rows that stand; these it replaces.
inline void tell(std::vector<Told>& rows, std::vector<Told>& standing, RefireMode mode, Told row,
                 std::int64_t all, std::int64_t fresh) {
  if (mode == RefireMode::retracting) {
    for (Told old : standing) {
      old.firing = row.firing;
      old.retracted = true;
      rows.push_back(old);
    }
  }
  row.value = mode == RefireMode::discarding ? fresh : all;
  rows.push_back(row);
  standing = {row};
}

/// A hit, and how late it is as its source says it.
struct TimedHit {
  Hit hit;
  std::optional<Time> behind;  ///< the watermark, where it is behind it
  Time watermark;              ///< after it
};

inline std::vector<TimedHit> events_of(const std::vector<Hit>& hits, Time out_of_order) {
  std::vector<TimedHit> events;
  Time newest = kTimeMin;
  for (const Hit& hit : hits) {
    const Time time = hit.when.micros;
    const bool late = newest != kTimeMin && time < newest - out_of_order;
    const std::optional<Time> behind = late ? std::optional(newest - out_of_order) : std::nullopt;
    newest = std::max(newest, time);
    events.push_back({hit, behind, newest - out_of_order});
  }
  return events;
}

struct SessionCase {
  Time gap;
  Time lateness;
  Time out_of_order;
  std::int64_t records;  ///< an early row after so many
  RefireMode mode;
};
/// Times that wander, often to a gap from another hit or to where one is just not too late.
inline std::vector<Hit> draw_hits(detail::Random& random, const SessionCase& with) {
  std::vector<Hit> hits;
  Time newest = 0;
  for (int n = 0; n < 60; ++n) {
    Time time = newest + random.between(-with.out_of_order - with.lateness - 3, with.gap + 10);
    auto key = static_cast<std::int32_t>(random.below(2));
    if (!hits.empty() && random.chance(0.35)) {
      const Hit& before =
          hits[hits.size() - 1 - random.below(std::min<std::size_t>(hits.size(), 6))];
      key = before.key;
      time = before.when.micros + (random.chance(0.5) ? 1 : -1) * with.gap + random.between(-1, 1);
    } else if (random.chance(0.2)) {
      time = newest - with.out_of_order - with.lateness + random.between(-1, 1);
    }
    newest = n == 0 ? time : std::max(newest, time);
    hits.push_back({key, random.between(-9, 9), {time}});
  }
  return hits;
}

}  // namespace millrace::property
