// Tests of verbs in whole small runs: what they count, what they refuse, what their rows are named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

#include "millrace/topology.hpp"
#include "runtime/runtime.hpp"
#include "runtime/simulation.hpp"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Item {
  std::int64_t time = 0;
  std::string_view name;
  std::int64_t number = 0;
};

std::vector<std::vector<Item>> numbers(std::int64_t count) {
  std::vector<Item> items;
  for (std::int64_t at = 0; at < count; ++at) items.push_back({at, at % 2 ? "odd" : "even", at});
  return {items};
}
auto nothing() {
  return each([](const auto&) {});
}

Report run(Topology& topology, std::uint32_t parallelism = 1) {
  const Graph& graph = topology.declaration().graph;
  EXPECT_TRUE(graph.validate().empty()) << graph.validate().front().to_string();
  PlanOptions plan;
  plan.parallelism = parallelism;
  Engine engine(make_plan(graph, plan), {}, real_env());
  Status status = engine.start();
  if (status.ok()) status = engine.finish();
  EXPECT_TRUE(status.ok()) << status.to_string();
  Report report;
  engine.graph().fill(graph, report);
  EXPECT_EQ(check_counts(report, true).to_string(), "ok");
  return report;
}

ComponentReport component(const Report& report, const std::string& name) {
  for (const auto& part : report.components) {
    if (part.name == name) return part;
  }
  ADD_FAILURE() << "no component " << name;
  return {};
}

void expect_problem(const Topology& topology, Code code, const std::string& part) {
  const std::vector<Status> problems = topology.declaration().graph.validate();
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems.front().code(), code) << problems.front().to_string();
  EXPECT_THAT(problems.front().message(), HasSubstr(part));
}

TEST(Split, CountsWhatNothingReadsAsFiltered) {
  Topology topology("x");
  const auto of = topology.from(records(numbers(90))).split(&Item::name, "even", "odd", "neither");
  of["even"].to(nothing()).named("evens");
  const Report report = run(topology);
  const ComponentReport split = component(report, "split");
  EXPECT_EQ(split.received, 90u);
  EXPECT_EQ(split.processed, 45u);
  EXPECT_EQ(split.filtered, 45u);
  EXPECT_EQ(split.emitted, 45u);
  EXPECT_EQ(component(report, "evens").received, 45u);
}

TEST(Branch, CountsWhatNothingReadsAsFiltered) {
  Topology topology("x");
  const auto [small, large] =
      topology.from(records(numbers(90))).branch([](const Item& item) { return item.number < 30; });
  small.to(nothing());
  const ComponentReport branch = component(run(topology), "branch");
  EXPECT_EQ(branch.processed, 30u);
  EXPECT_EQ(branch.filtered, 60u);
  EXPECT_EQ(branch.emitted, 30u);
}

TEST(Parallel, FixesTheTasksOfItsComponent) {
  Topology topology("x");
  std::int64_t counted = 0;
  const auto items = topology.from(records(numbers(100)));
  items.map([](const Item& item) { return item.number; }).named("wide").parallel(3).to(nothing());
  items.key_by(&Item::name)
      .window(global())
      .count()
      .named("counts")
      .parallel(2)
      .to(each([&counted](const auto& row) { counted += row.value; }));
  items.shuffle().peek([](const Item&) {}).named("spread").to(nothing());
  const Report report = run(topology, 4);
  EXPECT_EQ(component(report, "wide").tasks, 3u);
  EXPECT_EQ(component(report, "counts").tasks, 2u);
  EXPECT_EQ(component(report, "spread").tasks, 4u);
  EXPECT_EQ(counted, 100);
}

TEST(Parallel, IsRefusedWhereTasksAreFixed) {
  Topology source("x");
  source.from(records(numbers(1))).parallel(2).to(nothing());
  expect_problem(source, Code::tasks_invalid, "parallel(2) is not possible");
  Topology none("x");
  none.from(records(numbers(1))).peek([](const Item&) {}).parallel(0).to(nothing());
  expect_problem(none, Code::tasks_invalid, "give 1 to 128 tasks");
  Topology top("x");
  top.from(records(numbers(1)))
      .key_by(&Item::name)
      .window(global())
      .count()
      .top(3)
      .parallel(2)
      .to(nothing());
  expect_problem(top, Code::tasks_invalid, "one task merges");
  Topology time("x");
  time.from(records(numbers(1)))
      .peek([](const Item&) {})
      .parallel(2)
      .event_time(&Item::time)
      .to(nothing());
  expect_problem(time, Code::event_time_misplaced, "\"peek\".parallel(2)");
}

TEST(Verbs, RefuseWhatCannotBeMeant) {
  Topology unknown("x");
  unknown.from(records(numbers(1))).split(&Item::name, "a")["b"].to(nothing());
  expect_problem(unknown, Code::parameter_invalid, "no stream of \"b\"");
  Topology twice("x");
  twice.from(records(numbers(1))).split(&Item::name, "a", "a").others().to(nothing());
  expect_problem(twice, Code::parameter_invalid, "two streams of one kind");
  Topology sample("x");
  sample.from(records(numbers(1))).sample(0).to(nothing());
  expect_problem(sample, Code::parameter_invalid, "more than 0, at most 1");
  Topology merged("x");
  const auto a = merged.from(records(numbers(1)));
  const auto b = merged.from(records(numbers(1)));
  a.merge(b).named("both").to(nothing());
  expect_problem(merged, Code::name_invalid, "named() follows merge()");
  Topology timed("x");
  timed.from(records(numbers(1)))
      .event_time(&Item::time)
      .errors()
      .key_by(&DeadLetter::component)
      .window(tumbling(Duration(10)))
      .count()
      .to(nothing());
  expect_problem(timed, Code::event_time_missing, "window of event time");
}

struct Row {
  std::int64_t records = 0;
  std::int64_t sum = 0;
};

TEST(Aggregate, RefusesTwoResultsInOneMember) {
  Topology topology("x");
  topology.from(records(numbers(1)))
      .key_by(&Item::name)
      .aggregate(count().as(&Row::sum), sum(&Item::number).as(&Row::sum))
      .to(nothing());
  expect_problem(topology, Code::parameter_invalid, "two aggregates go into one member");
}

/// A sum beyond 64 bits: in windows its row is refused, without windows each of its records.
TEST(Aggregate, ARowThatCannotBeMadeIsADeadLetter) {
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::vector<Item>> items = {
      {{0, "a", most}, {1, "a", 1}, {2, "b", 5}, {3, "a", 1}}};
  for (const std::uint32_t parallelism : {1u, 3u}) {
    Topology topology("x");
    std::vector<std::string> rows;
    std::vector<std::string> letters;
    const auto keyed = topology.from(records(items)).event_time(&Item::time).key_by(&Item::name);
    const auto sums = keyed.window(tumbling(Duration(10)))
                          .aggregate(count().as(&Row::records), sum(&Item::number).as(&Row::sum))
                          .named("sums");
    sums.to(each([&rows](const auto& row) { rows.emplace_back(row.key); }));
    sums.errors().to(each([&letters](const DeadLetter& letter) {
      letters.push_back(letter.record + " " + letter.where);
    }));
    keyed.sum(&Item::number).named("running").to(nothing());
    const Report report = run(topology, parallelism);
    EXPECT_THAT(rows, ElementsAre("b"));
    EXPECT_THAT(letters, ElementsAre(testing::StartsWith("\"a\" window [1970-01-01T")));
    EXPECT_EQ(component(report, "sums").rows_refused, 1u);
    EXPECT_EQ(component(report, "sums").processed, 4u);
    EXPECT_EQ(component(report, "running").dead_lettered, 2u);
    EXPECT_EQ(report.dead_letters, 3u);
  }
}

TEST(Sample, IsTheSameForEveryParallelismAndSeed) {
  std::vector<std::vector<std::int64_t>> samples;
  for (const std::uint32_t parallelism : {1u, 4u}) {
    for (const std::uint64_t seed : {1u, 2u}) {
      Topology topology("x");
      std::vector<std::int64_t>& taken = samples.emplace_back();
      topology.from(records(numbers(10'000)))
          .shuffle()
          .sample(one_in(10), seed)
          .to(each([&taken](const Item& item) { taken.push_back(item.number); }));
      run(topology, parallelism);
      std::sort(taken.begin(), taken.end());
    }
  }
  EXPECT_EQ(samples[0], samples[2]);
  EXPECT_EQ(samples[1], samples[3]);
  EXPECT_NE(samples[0], samples[1]);
  // Four standard deviations of 10,000 draws with probability 0.1.
  EXPECT_NEAR(static_cast<double>(samples[0].size()), 1000, 120);
}

/// All records of a key pass one copy of the class, so that its members may know of its keys.
struct Numbering {
  std::map<std::string, std::int64_t, std::less<>> seen;
  void operator()(const Item& item, Output<std::int64_t>& out) {
    out.emit(++seen[std::string(item.name)]);
  }
};

TEST(Process, OfAKeyedStreamSeesAllOfAKey) {
  Topology topology("x");
  std::int64_t most = 0;
  topology.from(records(numbers(500)))
      .shuffle()
      .peek([](const Item&) {})
      .key_by(&Item::name)
      .process(Numbering{})
      .to(each([&most](std::int64_t number) { most = std::max(most, number); }));
  const Report report = run(topology, 4);
  EXPECT_EQ(component(report, "process").tasks, 4u);
  EXPECT_EQ(most, 250);
}

}  // namespace
}  // namespace millrace::detail
