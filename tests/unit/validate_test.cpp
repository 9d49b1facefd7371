// Tests of the errors that a declaration is refused with: their codes, and what their sentences
// name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/topology.hpp"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

struct Item {
  std::int64_t time = 0;
  std::string_view name;
};
struct Pass : Bolt<Item, Item> {
  void process(const Item& item, Output<Item>& out) override { out.emit(item); }
};

Stream<Item> items(Topology& topology) {
  return topology.from(records(std::vector<std::vector<Item>>(1)));
}
auto nothing() {
  return each([](const auto&) {});
}

/// The one problem of a topology; its code, and its sentence has each of `parts`.
void expect_problem(const Topology& topology, Code code, const std::vector<std::string>& parts) {
  const std::vector<Status> problems = topology.declaration().graph.validate();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems.front().code(), code) << problems.front().to_string();
  for (const std::string& part : parts) EXPECT_THAT(problems.front().message(), HasSubstr(part));
}

TEST(Validate, AValidTopologyHasNoProblems) {
  Topology topology("x");
  items(topology).key_by(&Item::name).window(global()).count().top(3).to(nothing());
  EXPECT_TRUE(topology.declaration().graph.validate().empty());
}

TEST(Validate, EmptyTopology) {
  expect_problem(Topology("bare"), Code::topology_empty, {"\"bare\" is empty", "add a source"});
}

TEST(Validate, NameTaken) {
  Topology topology("x");
  items(topology)
      .named("twin")
      .map([](const Item& item) { return item; })
      .named("twin")
      .to(nothing());
  expect_problem(topology, Code::name_invalid,
                 {"map \"twin\"", "taken by a source", "its own name"});
}

TEST(Validate, NameMalformed) {
  for (const std::string& name : {std::string(65, 'x'), std::string("a\"b"), std::string("a\nb")}) {
    Topology topology("x");
    items(topology).named(name).to(nothing());
    expect_problem(topology, Code::name_invalid, {"a name has 1 to 64 characters"});
  }
}

TEST(Validate, InputMissing) {
  Topology topology("x");
  items(topology).to(nothing());
  Node node;
  node.kind = "bolt";
  node.name = "lonely";
  node.make_sink = [] { return nullptr; };
  topology.declaration().graph.add(std::move(node));
  expect_problem(topology, Code::input_missing, {"bolt \"lonely\" reads no stream"});
}

TEST(Validate, OutputUnread) {
  Topology topology("x");
  items(topology).named("in").map([](const Item& item) { return item; }).named("loose");
  expect_problem(topology, Code::output_unread, {"map \"loose\": nothing reads", ".to(...)"});
}

TEST(Validate, WindowInvalid) {
  const auto problem = [](Windows windows, const std::string& part) {
    Topology topology("x");
    items(topology)
        .event_time(&Item::time)
        .key_by(&Item::name)
        .window(windows)
        .count()
        .named("counts")
        .to(nothing());
    expect_problem(topology, Code::window_invalid, {"count \"counts\"", part});
  };
  problem(tumbling(0s), "positive durations");
  problem(tumbling(-1s), "positive durations");
  problem(sliding(1s, 0s), "positive durations");
  problem(sliding(1s, 2s), "make slide <= size");
}

TEST(Validate, EventTimeMissing) {
  Topology topology("x");
  items(topology).key_by(&Item::name).window(tumbling(1s)).count().named("counts").to(nothing());
  expect_problem(topology, Code::event_time_missing,
                 {"count \"counts\"", "its input has none", ".event_time(", "global()"});
}

TEST(Validate, EventTimeMissingOnOneOfTwoWays) {
  Topology topology("x");
  const auto timed = items(topology).event_time(&Item::time);
  timed.merge(items(topology)).key_by(&Item::name).window(tumbling(1s)).count().to(nothing());
  expect_problem(topology, Code::event_time_missing, {"its input has none"});
}

TEST(Validate, EventTimeBehindAShuffleOrAMerge) {
  Topology shuffled("x");
  shuffled.bolt("wide", Pass{}, shuffle(items(shuffled)))
      .event_time(&Item::time)
      .named("time")
      .to(nothing());
  expect_problem(shuffled, Code::event_time_misplaced,
                 {"event_time \"time\"", "\"wide\"", "before the shuffle or merge"});
  Topology merged("x");
  const auto first = items(merged);
  first.merge(items(merged)).event_time(&Item::time).to(nothing());
  expect_problem(merged, Code::event_time_misplaced, {"before the shuffle or merge"});
}

TEST(Validate, EventTimeTwice) {
  Topology topology("x");
  items(topology).event_time(&Item::time).event_time(&Item::time).to(nothing());
  expect_problem(topology, Code::event_time_misplaced, {"follows event_time", "keep one"});
}

TEST(Validate, TasksOutOfRange) {
  for (const int tasks : {-1, 129, 10'000}) {
    Topology topology("x");
    topology.bolt("wide", Pass{}, shuffle(items(topology)), {.tasks = tasks}).to(nothing());
    expect_problem(topology, Code::tasks_invalid, {"bolt \"wide\"", "1 to 128"});
  }
}

TEST(Validate, ParametersThatCannotBeUsed) {
  Topology top("x");
  items(top).key_by(&Item::name).window(global()).count().top(0).to(nothing());
  expect_problem(top, Code::parameter_invalid, {"top \"top\"", "at least 1"});
  Topology negative("x");
  items(negative).event_time(&Item::time, {.out_of_order = -1s}).to(nothing());
  expect_problem(negative, Code::parameter_invalid, {"out_of_order is negative"});
}

TEST(Validate, TooManyTasksAreNamedWithTheirFigure) {
  Topology topology("x");
  topology.bolt("wide", Pass{}, shuffle(items(topology)), {.tasks = 10'000}).to(nothing());
  expect_problem(topology, Code::tasks_invalid, {"10000 tasks asked for"});
}

struct Idle : Bolt<Item, Item> {
  void process(const Item&, Output<Item>&) override {}
};
struct Ticker : Idle {
  void tick(Output<Item>&) override {}
};

TEST(Validate, OptionsOfABoltThatCannotBeUsed) {
  Topology bound("x");
  bound.bolt("b", Idle{}, shuffle(items(bound)), {.tasks_max = -1}).to(nothing());
  expect_problem(bound, Code::tasks_invalid, {"bolt \"b\"", "tasks_max is negative"});
  Topology negative("x");
  negative.bolt("b", Ticker{}, shuffle(items(negative)), {.tick = -1s}).to(nothing());
  expect_problem(negative, Code::parameter_invalid, {"bolt \"b\"", "tick is negative"});
  Topology deaf("x");
  deaf.bolt("b", Idle{}, shuffle(items(deaf)), {.tick = 1s}).to(nothing());
  expect_problem(deaf, Code::parameter_invalid, {"bolt \"b\"", "has no tick("});
  Topology fine("x");
  fine.bolt("b", Ticker{}, shuffle(items(fine)), {.tick = 1s}).to(nothing());
  EXPECT_TRUE(fine.declaration().graph.validate().empty());
}

TEST(Validate, ABoltWithoutInput) {
  Topology topology("x");
  topology.bolt("deaf", Idle{}, {}).to(nothing());
  expect_problem(topology, Code::input_missing, {"bolt \"deaf\" reads no stream"});
}

TEST(Validate, NamesThatClashAcrossSpoutsAndBolts) {
  Topology topology("x");
  const auto in = items(topology).named("same");
  topology.bolt("same", Idle{}, shuffle(in)).to(nothing());
  expect_problem(topology, Code::name_invalid, {"bolt \"same\"", "taken by a source"});
}

/// Streams in C++ lead forward only; a graph built otherwise may lead back.
TEST(Validate, ACycleIsNamed) {
  Topology topology("x");
  const auto in = items(topology).named("in");
  topology.bolt("first", Idle{}, shuffle(in));
  topology.bolt("second", Idle{}, shuffle(in)).to(nothing());
  Graph& graph = topology.declaration().graph;
  graph.node(1).inputs.push_back({2, 0, {}, 1});
  graph.node(2).inputs.push_back({1, 0, {}, 1});
  expect_problem(topology, Code::cycle, {"\"first\"", "\"second\"", "reads what it emits"});
}

TEST(Validate, ReportsEveryProblemInOnePass) {
  Topology topology("x");
  items(topology).key_by(&Item::name).window(sliding(1s, 2s)).count().top(0);
  EXPECT_EQ(topology.declaration().graph.validate().size(), 4u);
}

TEST(Validate, OutputsDoNotShareAPlaceAndDoNotWriteWhatIsRead) {
  Topology twice("x");
  items(twice).to(log("out.jsonl"));
  items(twice).to(csv("out.jsonl"));
  expect_problem(twice, Code::parameter_invalid,
                 {"csv \"csv\" writes \"out.jsonl\"", "log \"log\" writes too"});
  Topology same("x");
  same.from(json_lines<Item>("f.jsonl")).to(log("f.jsonl"));
  expect_problem(same, Code::parameter_invalid, {"writes \"f.jsonl\"", "reads"});
  Topology fine("x");
  items(fine).to(print());
  items(fine).to(print());
  items(fine).to(log("/dev/null"));
  items(fine).to(log("/dev/null"));
  items(fine).to(log(exec("logger")));
  items(fine).to(log(exec("logger")));
  EXPECT_TRUE(fine.declaration().graph.validate().empty());
}

}  // namespace
}  // namespace millrace::detail
