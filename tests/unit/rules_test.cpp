// Tests of rules: when they begin and end, in any order of arrival; what cannot be is refused.
#include "millrace/rules.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "millrace/millrace.hpp"
#include "simulated_run.hpp"

namespace millrace {
namespace {

struct Reading {
  Timestamp time;
  std::string_view sensor;
  std::optional<double> celsius;
};

Reading at(int second, double celsius, std::string_view sensor = "a") {
  return {Timestamp{second * 1'000'000LL}, sensor, celsius};
}

/// Key by key. "a +3 91 (1)": began at second 3 with 91, met since second 1; "-" where it ended.
std::vector<std::string> events(const Rule& rule, std::vector<Reading> readings,
                                std::uint32_t parallelism = 1) {
  std::vector<std::string> seen;
  Topology topology("sensors");
  watch(topology.from(records<Reading>({std::move(readings)}))
            .event_time(&Reading::time, {.out_of_order = 5s})
            .key_by(&Reading::sensor),
        &Reading::celsius, rule)
      .to(each([&seen](const RuleEvent<std::string_view>& event) {
        seen.push_back(fmt::format("{} {}{} {} ({})", event.key, event.began ? '+' : '-',
                                   event.time.micros / 1'000'000, event.value,
                                   event.since.micros / 1'000'000));
      }));
  EXPECT_EQ(run_simulated(topology, parallelism).to_string(), "ok");
  // Each key has an order of its own.
  std::ranges::stable_sort(seen, {}, [](const std::string& line) { return line.front(); });
  return seen;
}
using Lines = std::vector<std::string>;

TEST(Rules, AThresholdIsPassedNotReached) {
  EXPECT_EQ(events(above(90), {at(1, 90), at(2, 91), at(3, 95), at(4, 90), at(5, 99)}),
            (Lines{"a +2 91 (2)", "a -4 90 (2)", "a +5 99 (5)"}));
  EXPECT_EQ(events(below(10), {at(1, 10), at(2, 9), at(3, 10)}),
            (Lines{"a +2 9 (2)", "a -3 10 (2)"}));
}

TEST(Rules, HysteresisEndsBeyondItsOwnLimit) {
  EXPECT_EQ(events(above(90).until_below(80),
                   {at(1, 91), at(2, 85), at(3, 91), at(4, 80), at(5, 79), at(6, 85), at(7, 91)}),
            (Lines{"a +1 91 (1)", "a -5 79 (1)", "a +7 91 (7)"}));
  EXPECT_EQ(events(below(10).until_above(12), {at(1, 9), at(2, 12), at(3, 12.5)}),
            (Lines{"a +1 9 (1)", "a -3 12.5 (1)"}));
}

TEST(Rules, LastingWaitsAndForgetsWhatDoesNot) {
  const Rule rule = above(90).lasting(10s);
  EXPECT_EQ(events(rule, {at(1, 91), at(5, 95), at(11, 92), at(12, 93), at(20, 1)}),
            (Lines{"a +11 92 (1)", "a -20 1 (1)"}));
  EXPECT_EQ(events(rule, {at(1, 91), at(10, 90), at(12, 91), at(30, 1)}),
            (Lines{"a +22 91 (12)", "a -30 1 (12)"}));
  EXPECT_EQ(events(rule, {at(1, 91), at(11, 90), at(40, 1)}), Lines{})
      << "a value at the very end of the span counts";
}

TEST(Rules, ChangesLookBackOverTheirSpan) {
  EXPECT_EQ(events(rises_by(10, 3s),
                   {at(1, 0), at(2, 4), at(4, 10), at(5, 13), at(6, 14), at(20, 50), at(21, 60)}),
            (Lines{"a +4 10 (4)", "a -5 13 (4)", "a +21 60 (21)"}))
      << "at 4 the value of 1 is there, at 5 it is not; at 20 there is none";
  EXPECT_EQ(events(falls_by(1, 3s), {at(1, 5), at(2, 4), at(3, 3.5), at(6, 3.5)}),
            (Lines{"a +2 4 (2)", "a -6 3.5 (2)"}));
}

TEST(Rules, SilenceBeginsWithoutARecord) {
  EXPECT_EQ(events(silent_for(10s), {at(1, 1), at(2, 2, "b"), at(8, 3), at(12, 4, "b"), at(25, 5)}),
            (Lines{"a +18 3 (8)", "a -25 5 (8)", "a +35 5 (25)", "b +22 4 (12)"}))
      << "b spoke after exactly 10 s, a after 17";
}

TEST(Rules, ABaselineOfTheKeysOwn) {
  std::vector<Reading> readings;
  for (int second = 0; second < 40; ++second) {
    readings.push_back(at(second, second % 2 == 0 ? 9 : 11));
    readings.push_back(at(second, second % 2 == 0 ? 90 : 110, "b"));
  }
  readings.push_back(at(40, 14));
  readings.push_back(at(40, 114, "b"));
  readings.push_back(at(41, 10));
  EXPECT_EQ(events(deviates_by(3).over_last(20), readings),
            (Lines{"a +40 14 (40)", "a -41 10 (40)"}));
  EXPECT_EQ(events(deviates_by(3).over_last(20).and_at_least(5), readings), Lines{});
  EXPECT_EQ(events(deviates_by(3).over_last(41), readings), Lines{}) << "too few to know";
}

TEST(Rules, ABaselineOfTheTimeOfDay) {
  std::vector<Reading> readings;
  const auto hour = [](int day, int of_day) { return (day * 24 + of_day) * 3600; };
  for (int day = 0; day < 10; ++day) {
    readings.push_back(at(hour(day, 3), 5 + day % 2));
    readings.push_back(at(hour(day, 15), 50 + day % 2));
  }
  readings.push_back(at(hour(10, 3), 50));  // as by day, in the night
  readings.push_back(at(hour(10, 15), 50));
  const std::string night = std::to_string(hour(10, 3));
  EXPECT_EQ(events(deviates_by(4).over_last(8).by_time_of_day(1h), readings),
            (Lines{"a +" + night + " 50 (" + night + ")",
                   "a -" + std::to_string(hour(10, 15)) + " 50 (" + night + ")"}));
  EXPECT_EQ(events(deviates_by(4).over_last(8), readings), Lines{});
}

TEST(Rules, WhatIsNoNumberIsPassedOver) {
  EXPECT_EQ(events(above(90), {at(1, 91),
                               at(2, std::numeric_limits<double>::quiet_NaN()),
                               {Timestamp{3'000'000}, "a", std::nullopt},
                               at(4, 1)}),
            (Lines{"a +1 91 (1)", "a -4 1 (1)"}));
}

TEST(Rules, DoNotDependOnTheOrderOfArrival) {
  std::vector<Reading> readings;
  for (int second = 0; second < 60; ++second) {
    for (const std::string_view sensor : {"a", "b", "c"}) {
      if ((second + sensor[0]) % 17 < 5) continue;
      readings.push_back(at(second, (second * 7 + sensor[0] * 3) % 100, sensor));
    }
  }
  const auto sorted = [](Lines lines) {
    std::ranges::sort(lines);
    return lines;
  };
  for (const Rule& rule : {above(60).until_below(20), above(30).lasting(2s), rises_by(20, 4s),
                           silent_for(3s), deviates_by(1).over_last(10)}) {
    const Lines wanted = sorted(events(rule, readings));
    EXPECT_GT(wanted.size(), 5u) << rule.to_string();
    std::vector<Reading> arrived = readings;
    for (std::size_t at = 0; at + 6 < arrived.size(); at += 6) {
      std::reverse(arrived.begin() + static_cast<std::ptrdiff_t>(at),
                   arrived.begin() + static_cast<std::ptrdiff_t>(at) + 6);
    }
    for (const std::uint32_t parallelism : {1, 3}) {
      EXPECT_EQ(sorted(events(rule, arrived, parallelism)), wanted) << rule.to_string();
    }
  }
}

TEST(Rules, WhatCannotBeIsRefused) {
  for (const Rule& rule :
       {above(std::numeric_limits<double>::infinity()), above(1).until_below(2),
        below(2).until_above(1), above(1).until_above(0), silent_for(0s),
        silent_for(1s).lasting(1s), rises_by(0, 1s), falls_by(1, 0s), deviates_by(-1),
        deviates_by(1).over_last(1), deviates_by(1).by_time_of_day(25h), above(1).over_last(9),
        deviates_by(1).and_at_least(-1), above(1).lasting(0s)}) {
    EXPECT_EQ(rule.validate().code(), Code::parameter_invalid) << rule.to_string();
  }
  EXPECT_EQ(above(90).until_below(80).lasting(30s).to_string(),
            "above(90).until_below(80).lasting(30s)");
  EXPECT_EQ(deviates_by(3).over_last(20).by_time_of_day(1h).to_string(),
            "deviates_by(3).over_last(20).by_time_of_day(1h)");
}

}  // namespace
}  // namespace millrace
