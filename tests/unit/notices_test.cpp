// Tests of notices: when they go, what they tell of, and what cannot be.
#include "millrace/notices.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "millrace/millrace.hpp"
#include "simulated_run.hpp"

namespace millrace {
namespace {

struct Alarm {
  Timestamp time;
  std::string_view sensor;
  std::int64_t number = 0;
  std::string_view owner;
};
using Told = std::vector<std::string>;

Alarm alarm(int second, std::int64_t number, std::string_view sensor = "a") {
  return {Timestamp{second * 1'000'000LL}, sensor, number, sensor == "z" ? "zoe" : "ann"};
}

std::string text_of(const Notice<Alarm>& notice) {
  return fmt::format("{}{} +{} since {}", notice.record.sensor, notice.record.number, notice.held,
                     notice.since.micros / 1'000'000);
}

auto read_from(Topology& topology, std::vector<Alarm> alarms) {
  return topology.from(records<Alarm>({std::move(alarms)}))
      .event_time(&Alarm::time, {.out_of_order = 5s});
}

/// "a3 +2 since 1": of sensor a number 3, and two more since second 1.
Told notices(const NotifyOptions& options, std::vector<Alarm> alarms,
             std::uint32_t parallelism = 1) {
  Told seen;
  Topology topology("plant");
  notify(read_from(topology, std::move(alarms)).key_by(&Alarm::sensor), options)
      .to(each([&seen](const Notice<Alarm>& notice) { seen.push_back(text_of(notice)); }));
  EXPECT_EQ(run_simulated(topology, parallelism).to_string(), "ok");
  std::ranges::stable_sort(seen, {}, [](const std::string& line) { return line.front(); });
  return seen;
}

TEST(Notices, AStormIsOneAndThenOneACoolDown) {
  std::vector<Alarm> storm;
  for (int second = 0; second < 1000; ++second) storm.push_back(alarm(second, second));
  EXPECT_EQ(notices({.cool_down = 5min}, storm),
            (Told{"a0 +0 since 0", "a300 +299 since 1", "a600 +299 since 301",
                  "a900 +299 since 601", "a999 +98 since 901"}))
      << "what comes at the very end of a cool-down goes with what was held back";
}

TEST(Notices, ACoolDownEndsAtItsEnd) {
  EXPECT_EQ(notices({.cool_down = 10s}, {alarm(1, 1), alarm(11, 2), alarm(20, 3), alarm(40, 4)}),
            (Told{"a1 +0 since 1", "a2 +0 since 11", "a3 +0 since 20", "a4 +0 since 40"}))
      << "2 comes when it ends and goes with it, 3 is held back until 21, at 31 the group is quiet";
  EXPECT_EQ(notices({.cool_down = 10s, .group_wait = 5s},
                    {alarm(1, 1), alarm(16, 2), alarm(27, 3), alarm(29, 4)}),
            (Told{"a1 +0 since 1", "a2 +0 since 16", "a4 +1 since 27"}))
      << "2 does not wait, 3 does";
  EXPECT_EQ(notices({.cool_down = 10s}, {alarm(1, 1), alarm(1, 2), alarm(1, 3)}),
            (Told{"a1 +0 since 1", "a3 +1 since 1"}));
}

TEST(Notices, AWaitGathersTheGroup) {
  const NotifyOptions options{.cool_down = 1min, .group_wait = 10s};
  EXPECT_EQ(notices(options, {alarm(1, 1), alarm(5, 2), alarm(11, 3), alarm(12, 4), alarm(80, 5),
                              alarm(200, 6), alarm(211, 7)}),
            (Told{"a3 +2 since 1", "a4 +0 since 12", "a5 +0 since 80", "a6 +0 since 200",
                  "a7 +0 since 211"}))
      << "1, 2 and 3 go at 11, 4 at 71, 5 at 131, then the group is quiet";
}

TEST(Notices, ACapMakesThePauseLonger) {
  std::vector<Alarm> alarms;
  for (int second = 0; second < 300; second += 10) alarms.push_back(alarm(second, second));
  EXPECT_EQ(notices({.cool_down = 10s, .cap = {3, 2min}}, alarms),
            (Told{"a0 +0 since 0", "a10 +0 since 10", "a20 +0 since 20", "a120 +9 since 30",
                  "a130 +0 since 130", "a140 +0 since 140", "a240 +9 since 150",
                  "a250 +0 since 250", "a260 +0 since 260", "a290 +2 since 270"}))
      << "in no (time - 2 min, time] more than 3";
}

TEST(Notices, GroupsDoNotKnowEachOther) {
  EXPECT_EQ(notices({.cool_down = 1min},
                    {alarm(1, 1), alarm(2, 1, "b"), alarm(3, 2), alarm(4, 2, "b")}, 3),
            (Told{"a1 +0 since 1", "a2 +0 since 3", "b1 +0 since 2", "b2 +0 since 4"}));
}

TEST(Notices, OfNoticesAddUp) {
  Told seen;
  Topology topology("plant");
  std::vector<Alarm> alarms;
  for (int second = 0; second < 120; ++second) {
    for (const std::string_view sensor : {"a", "b", "z"}) {
      alarms.push_back(alarm(second, second, sensor));
    }
  }
  const auto of_sensors =
      notify(read_from(topology, alarms).key_by(&Alarm::sensor), {.cool_down = 30s});
  notify(of_sensors.key_by([](const Notice<Alarm>& notice) { return notice.record.owner; }),
         {.cap = {2, 1h}})
      .to(each([&seen](const Notice<Alarm>& notice) {
        seen.push_back(fmt::format("{} {}", notice.record.owner, text_of(notice)));
      }));
  EXPECT_EQ(run_simulated(topology, 2).to_string(), "ok");
  std::ranges::sort(seen);
  EXPECT_EQ(seen, (Told{"ann a0 +0 since 0", "ann b0 +0 since 0", "ann b119 +237 since 1",
                        "zoe z0 +0 since 0", "zoe z119 +88 since 31", "zoe z30 +29 since 1"}))
      << "240 alarms of ann's in three notices";
}

TEST(Notices, DoNotDependOnTheOrderOfArrival) {
  std::vector<Alarm> alarms;
  for (int second = 0; second < 200; ++second) {
    for (const std::string_view sensor : {"a", "b", "c"}) {
      if ((second * 7 + sensor[0]) % 11 < 4) alarms.push_back(alarm(second, second, sensor));
    }
  }
  const NotifyOptions options{.cool_down = 15s, .group_wait = 3s, .cap = {4, 90s}};
  const Told wanted = notices(options, alarms);
  EXPECT_GT(wanted.size(), 20u);
  for (std::size_t at = 0; at + 4 < alarms.size(); at += 4) {
    std::reverse(alarms.begin() + static_cast<std::ptrdiff_t>(at),
                 alarms.begin() + static_cast<std::ptrdiff_t>(at) + 4);
  }
  EXPECT_EQ(notices(options, alarms), wanted);
  EXPECT_EQ(notices(options, alarms, 3), wanted);
}

TEST(Notices, WhatCannotBeIsRefused) {
  for (const NotifyOptions& options :
       {NotifyOptions{.cool_down = 0s}, NotifyOptions{.cool_down = -1s},
        NotifyOptions{.group_wait = -1s}, NotifyOptions{.cap = {1, 0s}},
        NotifyOptions{.cap = {0, 1s}}, NotifyOptions{.cap = {1, -1s}}}) {
    EXPECT_EQ(detail::validate(options).code(), Code::parameter_invalid);
  }
  EXPECT_EQ(detail::to_string({.cool_down = 5min, .group_wait = 10s, .cap = {20, 1h}}),
            "cool-down 5min, group wait 10s, at most 20 per 1h");
}

}  // namespace
}  // namespace millrace
