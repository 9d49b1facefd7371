// Random inputs and random chains of operators, drawn from a seed, with what the draws have hit.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "env/random.hpp"
#include "millrace/topology.hpp"

namespace millrace::property {

using detail::Random;

/// The record of all random topologies. Its text lies in a static table, or in the arena of a
/// batch.
struct Event {
  std::int64_t time = 0;
  std::int32_t key = 0;
  std::string_view name;
  std::int64_t number = 0;
  double amount = 0;
};

using Partitions = std::vector<std::vector<Event>>;

/// Texts shorter and longer than what a table keeps in its slots, with equal beginnings.
inline constexpr std::array<std::string_view, 12> kNames = {
    "",
    "a",
    "b",
    "ab",
    "sixteen-bytes-ok",
    "seventeen-bytes-x",
    "a name that is longer than the slots of a table are wide",
    "a name that is longer than the slots of a table are high",
    "\xc3\xa9t\xc3\xa9",
    "z",
    "name-with-8",
    "A",
};

/// One input with its bound on disorder.
struct Input {
  Partitions partitions;
  std::int64_t out_of_order = 0;
  std::uint32_t tasks = 1;
};

/// What is done to every record, one after the other; the same for the engine and for the model.
enum class Op {
  map,
  filter,
  flat_map,
  branch_merge,
  bolt_shuffle,
  bolt_fields,
  bolt_one,
  process,
  peek,
  sample,
  split_kind,
  split_cases,
  shuffle_map,
  parallel_map,
  bolt_partial_key,
  bolt_local,
  bolt_none,
  bolt_custom,
  bolt_direct,   // sorts into a plain and a direct stream, and joins them again
  verb_grouped,  // a verb behind a grouping
};
inline constexpr std::uint64_t kOps = 20;
struct Step {
  Op op = Op::map;
  std::int64_t parameter = 0;
};

/// A random case: everything but the schedule.
struct Case {
  std::uint64_t seed = 0;
  std::vector<Input> inputs;
  std::vector<Step> steps;
  Windows windows = global();
  std::size_t top = 1;
  int shape = 0;
};

/// How stamps of one partition are drawn: they drift forward, stand still, jump back and onto the
/// edges of windows.
inline std::vector<Event> draw_partition(Random& random, std::size_t count, Windows windows,
                                         std::int64_t disorder) {
  std::vector<Event> events;
  std::int64_t cursor = random.between(-500, 500);
  for (std::size_t at = 0; at < count; ++at) {
    cursor += random.chance(0.3) ? 0 : random.between(0, 20);
    if (random.chance(0.01)) cursor += 5'000;  // a gap: windows without records
    std::int64_t time = cursor - random.between(0, disorder);
    if (random.chance(0.15)) {
      time = detail::floor_div(time, windows.slide_us()) * windows.slide_us() + windows.offset_us();
      if (random.chance(0.3)) --time;
    }
    if (!events.empty() && random.chance(0.2)) time = events.back().time;
    const auto skewed = random.below(1 + random.below(kNames.size()));
    events.push_back({time, static_cast<std::int32_t>(random.between(-3, 6)), kNames[skewed],
                      random.between(1, 1000), random.unit() * 1000 + 1e-3});
  }
  return events;
}

inline Windows draw_windows(Random& random) {
  const std::int64_t slide = random.between(1, 60);
  const Duration offset(random.chance(0.5) ? 0 : random.between(-100, 100));
  switch (random.below(6)) {
    case 0:
      return global();
    case 1:
    case 2:
      return tumbling(Duration(slide)).offset(offset);
    case 3:  // windows that share panes evenly
      return sliding(Duration(slide * random.between(2, 6)), Duration(slide)).offset(offset);
    case 4:
      return cumulating(Duration(slide * random.between(1, 6)), Duration(slide)).offset(offset);
    default:  // panes shorter than the slide
      return sliding(Duration(slide + random.between(0, 100)), Duration(slide)).offset(offset);
  }
}

inline Case draw_case(std::uint64_t seed) {
  Random random(seed);
  Case drawn;
  drawn.seed = seed;
  drawn.windows = draw_windows(random);
  drawn.top = 1 + random.below(4);
  drawn.shape = static_cast<int>(random.below(4));
  const std::size_t inputs = random.chance(0.3) ? 2 : 1;
  for (std::size_t input = 0; input < inputs; ++input) {
    Input& added = drawn.inputs.emplace_back();
    const std::int64_t disorder = random.chance(0.2) ? 0 : random.between(1, 200);
    added.out_of_order = random.chance(0.4) ? random.between(0, disorder) : random.between(0, 30);
    added.tasks = static_cast<std::uint32_t>(1 + random.below(3));
    const std::size_t partitions = 1 + random.below(4);
    for (std::size_t at = 0; at < partitions; ++at) {
      const std::size_t count = random.chance(0.1) ? 0 : random.below(90);
      added.partitions.push_back(draw_partition(random, count, drawn.windows, disorder));
    }
  }
  const std::size_t steps = random.below(5);
  for (std::size_t at = 0; at < steps; ++at) {
    drawn.steps.push_back({static_cast<Op>(random.below(kOps)), random.between(2, 5)});
  }
  return drawn;
}

// What the steps do, for engine and model alike.
inline Event mapped(Event event, std::int64_t parameter) {
  event.number += parameter;
  event.key += static_cast<std::int32_t>(event.number % 2);
  return event;
}
inline bool kept(const Event& event, std::int64_t parameter) {
  return event.number % parameter != 0;
}
inline std::size_t copies(const Event& event, std::int64_t parameter) {
  return static_cast<std::size_t>(event.number % parameter) % 3;
}
/// The kind that a record is split by: 0 and 1 have a stream of their own.
inline std::int32_t kind_of(const Event& event) {
  return static_cast<std::int32_t>(event.number % 3);
}
/// Peek throws at these, so they are dead letters there.
inline bool refused(const Event& event, std::int64_t parameter) {
  return event.number % (parameter * 7) == 0;
}
inline double sample_fraction(std::int64_t parameter) {
  return 1 - 1.0 / static_cast<double>(parameter * parameter);
}
inline std::string renamed(const Event& event, std::int64_t parameter) {
  return std::string(event.name) + std::string(static_cast<std::size_t>(parameter), '!');
}

}  // namespace millrace::property
