// What a random pattern matches in random streams, by trying everything: the model that patterns of
// records and of rows are held to.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "join_input.hpp"
#include "random_pattern.hpp"

namespace millrace::property {

struct MatchCase {
  Input input;
  DrawnPattern drawn;
};

/// What the conditions of a drawn pattern ask of an event.
inline Letter letter_of(const Event& event) {
  return {event.time, static_cast<int>(event.number & 3), static_cast<int>(event.number / 4 % 4)};
}

inline MatchCase draw_match_case(std::uint64_t seed) {
  Random random(seed ^ 0xcef);
  MatchCase drawn{draw_input(random), {}};
  do {
    drawn.drawn = PatternDraw(random).draw();
    drawn.drawn.shape.fail_on_miss = false;
  } while (!detail::MatchPlan::of(drawn.drawn.shape));
  // Few records a key: the model tries everything.
  std::map<std::int32_t, int> counts;
  for (auto& partition : drawn.input.partitions) {
    std::erase_if(partition, [&](Event& event) {
      event.key = static_cast<std::int32_t>(random.below(12));
      event.time /= 4;
      event.number = static_cast<std::int64_t>(random.below(1000));
      return ++counts[event.key] > 10;
    });
  }
  return drawn;
}

/// A match, or a partial one whose time is over.
struct ModelMatch {
  std::int32_t key = 0;
  Time time = 0;
  bool whole = false;
  std::vector<std::pair<std::string, ModelRecord>> records;  ///< behind their stages
};

struct ModelMatches {
  std::vector<ModelMatch> matches;  ///< of each key in their order
  std::vector<ModelRecord> late;
  std::uint64_t equal_stamps = 0;
};

inline ModelMatches model_matches(const MatchCase& drawn) {
  ModelMatches model;
  std::map<std::int32_t, std::vector<ModelRecord>> keys;
  for (const ModelRecord& record : model_records(drawn.input, 0)) {
    const bool late = record.watermark && record.time < *record.watermark;
    (late ? model.late : keys[record.key]).push_back(record);
  }
  for (auto& [key, records] : keys) {
    std::ranges::sort(records, [](const ModelRecord& a, const ModelRecord& b) {
      return a.time == b.time ? a.arrival < b.arrival : a.time < b.time;
    });
    std::vector<Letter> letters;
    for (const ModelRecord& record : records) {
      model.equal_stamps += !letters.empty() && letters.back().time == record.time;
      letters.push_back(letter_of(record.event()));
    }
    const auto holds = [&](std::uint32_t condition, const Taken& before, int at) {
      return drawn.drawn.conditions[condition].holds(letters, before, at);
    };
    for (const ToldMatch& told : naive_matches(drawn.drawn.shape, letters, holds)) {
      const Time time = told.moment.first == kTimeMax ? kTimeMax - 1 : told.moment.first;
      ModelMatch& match = model.matches.emplace_back(key, time, told.kind != 0);
      for (const auto& [at, stage] : told.taken)
        match.records.emplace_back(stage, records[static_cast<std::size_t>(at)]);
    }
  }
  return model;
}

}  // namespace millrace::property
