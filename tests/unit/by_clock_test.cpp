// Windows of the wall clock: what they hold, and the moment at which they fire, against a naive
// model.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "../hits.hpp"
#include "env/random.hpp"
#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"

namespace millrace {
namespace {

using shared::Hit;
using shared::hits;
using Sum = Aggregate<std::int32_t, std::int64_t>;
using Row = std::tuple<std::int32_t, Time, Time, std::int64_t>;

Row row_of(const Sum& sum) { return {sum.key, sum.window_start, sum.window_end, sum.value}; }

constexpr Time kStart = 1'700'000'000'300'000;  // 0.3 s behind a full second

/// A topology with its driver, its clock and what came of it so far.
class Driven {
 public:
  template <class Spec>
  explicit Driven(const Spec& spec, int parallelism = 1) {
    hits(topology_)
        .key_by(&Hit::key)
        .window(spec)
        .sum(&Hit::number)
        .to(each([](const Sum&) {}))
        .named("sums");
    driver_.emplace(topology_, TestDriverOptions{.parallelism = parallelism, .start = {kStart}});
    input_.emplace(driver_->input<Hit>("hits"));
    output_.emplace(driver_->output<Sum>("sums"));
  }
  Time now() const { return now_; }
  void pipe(Hit hit) { input_->pipe(hit); }
  void pass(std::int64_t span) {
    driver_->advance_clock(Duration(span));
    now_ += span;
  }
  void end() { input_->end(); }
  void stop() { driver_->stop(); }
  std::vector<Row> rows() {
    std::vector<Row> rows;
    for (const Sum& sum : output_->read_all()) rows.push_back(row_of(sum));
    std::sort(rows.begin(), rows.end());
    return rows;
  }

 private:
  Topology topology_{"by-clock"};
  std::optional<TestDriver> driver_;
  std::optional<TestInput<Hit>> input_;
  std::optional<TestOutput<Sum>> output_;
  Time now_ = kStart;
};

TEST(ByClock, AWindowFiresWhenTheClockReachesItsEndAndNotBefore) {
  Driven driven(tumbling(1s).by_clock());
  driven.pass(50'000);
  driven.pipe({1, 5});
  driven.pass(649'999);
  EXPECT_TRUE(driven.rows().empty());
  driven.pass(1);
  const Time second = kStart - 300'000;
  EXPECT_EQ(driven.rows(), (std::vector<Row>{{1, second, second + 1'000'000, 5}}));
  driven.pipe({1, 7});  // exactly at the end: of the next one
  driven.pass(3'000'000);
  EXPECT_EQ(driven.rows(), (std::vector<Row>{{1, second + 1'000'000, second + 2'000'000, 7}}));
}

TEST(ByClock, TheEndOfInputFiresWhatIsLeftAndAStopDoesNot) {
  Driven ended(tumbling(1s).by_clock());
  ended.pipe({1, 5});
  ended.end();
  EXPECT_EQ(ended.rows().size(), 1u);
  Driven stopped(tumbling(1s).by_clock());
  stopped.pipe({1, 5});
  stopped.stop();
  EXPECT_TRUE(stopped.rows().empty());
}

TEST(ByClock, EventTimesHaveNoSayAndNothingIsLate) {
  Topology topology("timed");
  hits(topology)
      .event_time(&Hit::when)
      .key_by(&Hit::key)
      .window(tumbling(1s).by_clock())
      .count()
      .named("counts")
      .top(1)
      .to(each([](const auto&) {}))
      .named("best");
  TestDriver driver(topology, {.parallelism = 3, .start = {kStart}});
  auto input = driver.input<Hit>("hits");
  auto output = driver.output<Ranked<std::int32_t, std::int64_t>>("best");
  input.pipe({{1, 0, {9'000'000}}, {2, 0, {5}}, {1, 0, {4}}, {1, 0, {-7}}});
  driver.advance_clock(700ms);
  const auto best = output.read_all();  // what ranks behind them fires by the same clock
  ASSERT_EQ(best.size(), 1u);
  EXPECT_EQ(best[0].key, 1);
  EXPECT_EQ(best[0].value, 3);
  EXPECT_EQ(best[0].window_end, kStart + 700'000);
  EXPECT_EQ(driver.late("counts"), 0u);
}

template <class Spec>
void expect_refused(const Spec& spec, const std::string& part) {
  Topology topology("refused");
  hits(topology).key_by(&Hit::key).window(spec).count().to(each([](const auto&) {}));
  const auto problems = topology.declaration().graph.validate();
  ASSERT_FALSE(problems.empty()) << spec.to_string();
  EXPECT_EQ(problems.front().code(), Code::window_invalid);
  EXPECT_NE(problems.front().message().find(part), std::string::npos) << problems.front().message();
}

TEST(ByClock, WhatTheClockCannotCutIsRefused) {
  expect_refused(global().by_clock(), "fires at the end of input");
  expect_refused(global().early(every(1s)).by_clock(), "fires at the end of input");
  expect_refused(tumbling(1s).allowed_lateness(1s).by_clock(), "nothing is late");
  expect_refused(session(1s).allowed_lateness(1s).by_clock(), "nothing is late");
  expect_refused(tumbling(1s).early(every(2s)).by_clock(), "shorter than a window");
}

TEST(ByClock, OverTheLastSpanOfIt) {
  Topology topology("over");
  hits(topology)
      .key_by(&Hit::key)
      .over(last(1s).by_clock())
      .sum(&Hit::number)
      .to(each([](const Sum&) {}))
      .named("sums");
  TestDriver driver(topology, {.parallelism = 2, .start = {kStart}});
  auto input = driver.input<Hit>("hits");
  auto output = driver.output<Sum>("sums");
  std::vector<std::int64_t> sums;
  const auto pass = [&](Duration span) {
    driver.advance_clock(span);
    for (const Sum& sum : output.read_all()) sums.push_back(sum.value);
  };
  input.pipe({1, 1});
  pass(100ms);
  EXPECT_EQ(sums, (std::vector<std::int64_t>{1}));
  pass(500ms);
  input.pipe({1, 2});
  pass(400ms);
  input.pipe({1, 4});  // the first came exactly a second ago: it is out
  pass(100ms);
  EXPECT_EQ(sums, (std::vector<std::int64_t>{1, 3, 6}));
}

/// What windows hold records of `times`, by trying all that begin or end on a tenth of a second.
using Groups = std::map<std::tuple<std::int32_t, Time, Time>, std::int64_t>;
struct Seen {
  Time time;
  Hit hit;
};

Groups aligned(const std::vector<Seen>& seen, Time size, Time slide) {
  Groups groups;
  for (const Seen& one : seen) {
    for (Time start = one.time / slide * slide; start > one.time - size; start -= slide)
      groups[{one.hit.key, start, start + size}] += one.hit.number;
  }
  return groups;
}
Groups sessions(const std::vector<Seen>& seen, Time gap) {
  Groups groups;
  std::set<std::int32_t> keys;
  for (const Seen& one : seen) keys.insert(one.hit.key);
  for (const std::int32_t key : keys) {
    Time first = 0;
    Time last = -gap;
    std::int64_t sum = 0;
    for (const Seen& one : seen) {
      if (one.hit.key != key) continue;
      if (one.time > last + gap) {
        if (first != 0) groups[{key, first, last + gap}] = sum;
        first = one.time;
        sum = 0;
      }
      last = one.time;
      sum += one.hit.number;
    }
    groups[{key, first, last + gap}] = sum;
  }
  return groups;
}

/// Random arrivals on a grid of tenths, so that many come exactly at ends and gaps. Each row must
/// come at `delay` behind its end at most, and none before it.
template <class Spec, class Model>
void compare(const Spec& spec, Time early, Time delay, Model&& model) {
  int at_an_end = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    detail::Random random(seed);
    Driven driven(spec, static_cast<int>(1 + random.below(4)));
    std::vector<Seen> seen;
    std::map<Row, Time> came;
    const auto look = [&] {
      for (const Row& row : driven.rows()) EXPECT_TRUE(came.emplace(row, driven.now()).second);
    };
    for (int step = 0; step < 40; ++step) {
      for (std::int64_t span = random.below(3) * random.below(9); span > 0; --span) {
        driven.pass(100'000);
        look();
      }
      const Hit hit{static_cast<std::int32_t>(random.below(3)), random.between(-5, 5)};
      driven.pipe(hit);
      seen.push_back({driven.now(), hit});
      at_an_end += driven.now() % 1'000'000 == 0;
    }
    for (int tenths = 0; tenths < 60; ++tenths) {
      driven.pass(100'000);
      look();
    }
    std::map<Row, Time> wanted;
    for (const auto& [of, sum] : model(seen)) {
      const auto& [key, start, end] = of;
      wanted[{key, start, end, sum}] = end;
    }
    ASSERT_EQ(came.size(), wanted.size()) << seed;
    for (const auto& [row, end] : wanted) {
      ASSERT_TRUE(came.contains(row)) << seed << ": " << fmt::format("{}", std::get<3>(row));
      EXPECT_GE(came[row], end + early) << seed;
      EXPECT_LE(came[row], end + delay) << seed;
    }
  }
  EXPECT_GT(at_an_end, 100);
}

TEST(ByClock, WindowsHoldWhatCameMeanwhileAndFireAtTheMoment) {
  compare(tumbling(1s).by_clock(), 0, 0,
          [](const auto& seen) { return aligned(seen, 1'000'000, 1'000'000); });
  compare(sliding(3s, 1s).by_clock(), 0, 0,
          [](const auto& seen) { return aligned(seen, 3'000'000, 1'000'000); });
  compare(session(1s).by_clock(), 1, 100'000,
          [](const auto& seen) { return sessions(seen, 1'000'000); });
}

}  // namespace
}  // namespace millrace
