// Tests of sessions and of one window over everything that emit early, late or finally: their rows
// one by one, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Click {
  std::string user;
  std::int64_t pages = 0;
  Timestamp at;
};
Click click(std::int64_t pages, std::int64_t second) {
  return {"a", pages, Timestamp{second * 1'000'000}};
}
using Sums = WindowUpdate<std::string_view, std::int64_t>;

std::vector<std::string> texts(TestOutput<Sums>& output) {
  std::vector<std::string> texts;
  for (const Sums& row : output.read_all()) {
    std::string text;
    if (row.window_end != kTimeMax)
      text = std::to_string(row.window_start / 1'000'000) + "-" +
             std::to_string(row.window_end / 1'000'000) + " ";
    text += std::to_string(row.value) + " " + std::string(detail::enum_name(row.firing));
    texts.push_back(text + (row.retracted ? " taken back" : ""));
  }
  return texts;
}

/// One topology of each kind of windows, whose rows are named "sums".
template <class Spec>
Topology sums(Spec windows) {
  Topology topology("shop");
  topology.from(records(std::vector<std::vector<Click>>(1)))
      .named("clicks")
      .event_time(&Click::at)
      .key_by(&Click::user)
      .window(windows)
      .sum(&Click::pages)
      .named("sums")
      .to(print());
  return topology;
}

/// What comes of one record after the other.
class Clicks {
 public:
  template <class Spec>
  explicit Clicks(Spec windows)
      : topology_(sums(windows)),
        driver_(topology_),
        input_(driver_.input<Click>("clicks")),
        updates_(driver_.output<Sums>("sums")) {}

  std::vector<std::string> after(std::int64_t pages, std::int64_t second) {
    input_.pipe(click(pages, second));
    return texts(updates_);
  }
  std::vector<std::string> at_end() {
    input_.end();
    return texts(updates_);
  }
  TestDriver& driver() { return driver_; }
  std::vector<std::string> rows() { return texts(updates_); }

 private:
  Topology topology_;
  TestDriver driver_;
  TestInput<Click> input_;
  TestOutput<Sums> updates_;
};

/// The picture in docs/semantics.md.
TEST(LateSessions, AnEmittedSessionThatALateRecordJoinsIsTakenBack) {
  Clicks clicks(session(10s).allowed_lateness(30s).retracting());
  EXPECT_THAT(clicks.after(1, 5), IsEmpty());
  EXPECT_THAT(clicks.after(2, 22), ElementsAre("5-15 1 on_time"));
  EXPECT_THAT(clicks.after(4, 40), ElementsAre("22-32 2 on_time"));
  EXPECT_THAT(clicks.after(8, 13), IsEmpty()) << "others behind the same watermark may come";
  EXPECT_THAT(clicks.after(16, 44),
              ElementsAre("5-15 1 late taken back", "22-32 2 late taken back", "5-32 11 late"));
  EXPECT_THAT(clicks.after(32, 31), IsEmpty());
  EXPECT_THAT(clicks.after(64, 56), ElementsAre("5-32 11 on_time taken back", "5-54 63 on_time"))
      << "the late one joined an emitted session to an open one";
  EXPECT_THAT(clicks.after(128, 25), IsEmpty());  // 25 + 30 < 56
  EXPECT_EQ(clicks.driver().late("sums"), 1u);
  EXPECT_THAT(clicks.at_end(), ElementsAre("56-66 64 on_time"));
}

TEST(LateSessions, EarlyRowsByEventTimeAreTakenBackToo) {
  Clicks clicks(session(10s).early(every(6s)).retracting());
  EXPECT_THAT(clicks.after(1, 1), IsEmpty());
  EXPECT_THAT(clicks.after(2, 6), ElementsAre("1-11 1 early")) << "not what is of 6 s exactly";
  EXPECT_THAT(clicks.after(4, 15), ElementsAre("1-11 1 early taken back", "1-16 3 early"));
  EXPECT_THAT(clicks.at_end(), ElementsAre("1-16 3 early taken back", "1-25 7 early",
                                           "1-25 7 on_time taken back", "1-25 7 on_time"));
}

TEST(LateSessions, EarlyRowsByRecordsAndByTheClockHoldWhatHasArrived) {
  Clicks clicks(session(10s).early(every(2)).early(every(1s).by_clock()).discarding());
  EXPECT_THAT(clicks.after(1, 1), IsEmpty());
  EXPECT_THAT(clicks.after(2, 4), ElementsAre("1-14 3 early"));
  EXPECT_THAT(clicks.after(4, 5), IsEmpty());
  clicks.driver().advance_clock(1s);
  EXPECT_THAT(clicks.rows(), ElementsAre("1-15 4 early"));
  clicks.driver().advance_clock(1min);
  EXPECT_THAT(clicks.rows(), IsEmpty());
  EXPECT_THAT(clicks.at_end(), IsEmpty()) << "all has been sent";
}

TEST(LateSessions, AccumulatingRowsHoldAllOfTheSessionSoFar) {
  Clicks clicks(session(10s).allowed_lateness(5s).early(every(2)));
  EXPECT_THAT(clicks.after(1, 1), IsEmpty());
  EXPECT_THAT(clicks.after(2, 4), ElementsAre("1-14 3 early"));
  EXPECT_THAT(clicks.after(4, 5), IsEmpty());
  EXPECT_THAT(clicks.after(8, 30), ElementsAre("1-15 7 on_time"));
}

TEST(EverythingSoFar, EarlyRowsOfGlobal) {
  Clicks clicks(global().early(every(10s)));
  EXPECT_THAT(clicks.after(1, -3), IsEmpty());
  EXPECT_THAT(clicks.after(2, 4), ElementsAre("1 early")) << "at multiples of the span since 1970";
  EXPECT_THAT(clicks.after(4, 10), ElementsAre("3 early"));
  EXPECT_THAT(clicks.after(8, 35), ElementsAre("7 early"));
  EXPECT_THAT(clicks.at_end(), ElementsAre("15 early", "15 on_time"));

  Clicks taken_back(global().early(every(2)).retracting());
  EXPECT_THAT(taken_back.after(1, 1), IsEmpty());
  EXPECT_THAT(taken_back.after(2, 0), ElementsAre("3 early")) << "nothing is late for it";
  EXPECT_THAT(taken_back.after(4, 2), IsEmpty());
  EXPECT_THAT(taken_back.at_end(), ElementsAre("3 on_time taken back", "7 on_time"));
}

TEST(EverythingSoFar, NeedsNoEventTimeWhereItEmitsByRecords) {
  const auto declare = [](RefiringWindows windows) {
    Topology topology("shop");
    topology.from(records(std::vector<std::vector<Click>>(1)))
        .named("clicks")
        .key_by(&Click::user)
        .window(windows)
        .sum(&Click::pages)
        .named("sums")
        .to(print());
    return topology;
  };
  Topology topology = declare(global().early(every(2)));
  TestDriver driver(topology);
  auto input = driver.input<Click>("clicks");
  auto updates = driver.output<Sums>("sums");
  input.pipe({click(1, 1), click(2, 2)});
  EXPECT_THAT(texts(updates), ElementsAre("3 early"));
  Topology timed = declare(global().early(every(2s)));
  const auto problems = timed.declaration().graph.validate();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].code(), Code::event_time_missing);
}

TEST(LateSessions, WhatCannotBeIsRefused) {
  const auto problem = [](const auto& windows) { return windows.validate().message(); };
  EXPECT_EQ(problem(session(10s).allowed_lateness(5s).early(every(3))), "");
  EXPECT_THAT(problem(session(0s).allowed_lateness(5s)), HasSubstr("longer than 0"));
  EXPECT_THAT(problem(session(10s).allowed_lateness(-5s)), HasSubstr("is negative"));
  EXPECT_THAT(problem(session(10s).early(every(0s))), HasSubstr("more than 0"));
  EXPECT_THAT(problem(session(10s).early(every(1)).final_only()), HasSubstr("one row a window"));
  EXPECT_THAT(problem(global().allowed_lateness(1s)), HasSubstr("no end to be late for"));
  EXPECT_EQ(session(10s).allowed_lateness(5s).early(every(3)).retracting().to_string(),
            "session(10s).allowed_lateness(5s).early(every(3)).retracting()");
}

/// Sessions at the ends of time end too.
TEST(LateSessions, StampsAtTheEndsOfTime) {
  for (const auto& windows : {session(10us).allowed_lateness(3us), session(10us).early(every(7us)),
                              session(10us).allowed_lateness(5us).early(every(2)).retracting()}) {
    Topology topology = sums(windows);
    TestDriver driver(topology);
    auto input = driver.input<Click>("clicks");
    auto updates = driver.output<Sums>("sums");
    for (const Time time : {kTimeMin + 1, Time{0}, kTimeMax - 1})
      input.pipe(Click{"a", 1, Timestamp{time}});
    input.end();
    std::int64_t on_time = 0;
    for (const Sums& row : updates.read_all())
      on_time += row.firing == Firing::on_time && !row.retracted ? row.value : 0;
    EXPECT_EQ(on_time, 3) << windows.to_string();
  }
}

}  // namespace
}  // namespace millrace
