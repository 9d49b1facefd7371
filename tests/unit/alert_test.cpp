// Tests of alerts with hysteresis: the trigger by itself, and the verb on keyed streams.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "millrace/millrace.hpp"
#include "simulated_run.hpp"

namespace millrace {
namespace {

/// 'r' where a value raised the alert, 'c' where it cleared it, '.' elsewhere.
std::string changes(const std::vector<double>& values, AlertLimits limits) {
  Hysteresis state;
  std::string text;
  for (const double value : values) {
    const auto change = state.update(value, limits);
    text += change == Hysteresis::Change::none     ? '.'
            : change == Hysteresis::Change::raised ? 'r'
                                                   : 'c';
  }
  return text;
}

TEST(Hysteresis, RaisesAboveHighAndClearsBelowLow) {
  EXPECT_EQ(changes({1, 91, 95, 80, 71, 69, 50, 92}, {.high = 90, .low = 70}), ".r...c.r");
}

TEST(Hysteresis, AValueEqualToALimitPassesNeither) {
  EXPECT_EQ(changes({90, 90.1, 70, 69.9, 69.9}, {.high = 90, .low = 70}), ".r.c.");
}

TEST(Hysteresis, WaitsForSamplesInARow) {
  EXPECT_EQ(changes({91, 91, 89, 91, 91, 91, 91}, {.high = 90, .low = 70, .samples = 3}),
            ".....r.");
  EXPECT_EQ(changes({91, 91, 60, 91, 91, 91}, {.high = 90, .low = 70, .samples = 2}), ".rc.r.");
}

TEST(Hysteresis, ASwingAroundOneLimitIsOneAlert) {
  EXPECT_EQ(changes({91, 89, 91, 89, 91, 71, 91, 69, 71, 69}, {.high = 90, .low = 70}),
            "r......c..");
}

TEST(Hysteresis, EqualLimitsAreAPlainThreshold) {
  EXPECT_EQ(changes({5, 6, 5, 4, 6}, {.high = 5, .low = 5}), ".r.cr");
}

TEST(Hysteresis, WhatIsNoNumberChangesNothing) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(changes({91, nan, 91, nan, -infinity, infinity, infinity},
                    {.high = 90, .low = 70, .samples = 2}),
            "..r.c.r");
}

struct Sample {
  Timestamp time;
  std::string_view place;
  double heat = 0;
};

std::vector<Sample> samples() {
  return {{Timestamp{1}, "attic", 95},  {Timestamp{2}, "cellar", 95}, {Timestamp{3}, "attic", 96},
          {Timestamp{4}, "cellar", 50}, {Timestamp{5}, "attic", 60},  {Timestamp{6}, "cellar", 45}};
}

TEST(AlertVerb, KeepsAStateForEachKeyAndTellsTimeAndLimit) {
  for (const std::uint32_t parallelism : {1, 3}) {
    Topology topology("heat");
    std::vector<std::string> seen;
    topology.from(records<Sample>({samples()}))
        .event_time(&Sample::time)
        .key_by(&Sample::place)
        .alert(&Sample::heat, {.high = 90, .low = 70, .samples = 2})
        .to(each([&seen](const Alert<std::string_view>& alert) {
          seen.push_back(std::string(alert.key) + (alert.raised ? " raised " : " cleared ") +
                         std::to_string(alert.time.micros) + " " +
                         std::to_string(int(alert.value)) + " " + std::to_string(int(alert.limit)));
        }));
    ASSERT_TRUE(run_simulated(topology, parallelism).ok());
    EXPECT_EQ(seen, (std::vector<std::string>{"attic raised 3 96 90", "attic cleared 5 60 70"}));
  }
}

TEST(AlertVerb, TakesLimitsFromTheRecord) {
  Topology topology("heat");
  std::vector<std::string> seen;
  topology.from(records<Sample>({samples()}))
      .key_by(&Sample::place)
      .alert(&Sample::heat,
             [](const Sample& sample) {
               return sample.place == "attic" ? AlertLimits{.high = 1000, .low = 1000}
                                              : AlertLimits{.high = 90, .low = 48};
             })
      .to(each([&seen](const Alert<std::string_view>& alert) {
        seen.push_back(std::string(alert.key) + (alert.raised ? " raised" : " cleared"));
        EXPECT_EQ(alert.time.micros, kTimeMin) << "there is no event time";
      }));
  ASSERT_TRUE(run_simulated(topology).ok());
  EXPECT_EQ(seen, (std::vector<std::string>{"cellar raised", "cellar cleared"}));
}

TEST(AlertVerb, LimitsThatCannotBeAreRefused) {
  for (const AlertLimits limits :
       {AlertLimits{.high = 1, .low = 2}, AlertLimits{.high = 2, .low = 1, .samples = 0},
        AlertLimits{.high = std::nan(""), .low = 1}}) {
    Topology topology("heat");
    topology.from(records<Sample>({samples()}))
        .key_by(&Sample::place)
        .alert(&Sample::heat, limits)
        .to(each([](const auto&) {}));
    const auto problems = topology.declaration().graph.validate();
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_EQ(problems.front().code(), Code::parameter_invalid);
  }
}

}  // namespace
}  // namespace millrace
