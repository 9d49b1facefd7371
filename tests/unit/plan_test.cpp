// Tests of the plan: what is fused, that chains make no circle, two phases, numbers of tasks.
#include "topology/plan.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "millrace/topology.hpp"

namespace millrace::detail {
namespace {

struct Item {
  std::int64_t time = 0;
  std::string_view name;
};

Stream<Item> items(Topology& topology) {
  return topology.from(records(std::vector<std::vector<Item>>(2)));
}
auto nothing() {
  return each([](const auto&) {});
}
struct Pass : Bolt<Item, Item> {
  void process(const Item& item, Output<Item>& out) override { out.emit(item); }
};

Plan plan_of(const Topology& topology, const PlanOptions& options) {
  const Graph& graph = topology.declaration().graph;
  EXPECT_TRUE(graph.validate().empty()) << graph.validate().front().to_string();
  return make_plan(graph, options);
}
std::vector<const PlanStage*> stages_named(const Plan& plan, const std::string& name) {
  std::vector<const PlanStage*> found;
  for (const PlanStage& stage : plan.stages) {
    if (stage.name == name) found.push_back(&stage);
  }
  return found;
}

/// A chain that could reach itself over rings could wait for itself.
bool has_circle(const Plan& plan) {
  std::map<std::uint32_t, std::set<std::uint32_t>> reach;
  for (const PlanEdge& edge : plan.edges) {
    if (!edge.fused) reach[plan.stages[edge.from].chain].insert(plan.stages[edge.to].chain);
  }
  for (std::size_t round = 0; round < plan.chains.size(); ++round) {
    for (auto& [from, to] : reach) {
      const std::set<std::uint32_t> before = to;
      for (const std::uint32_t via : before) to.insert(reach[via].begin(), reach[via].end());
    }
  }
  for (const auto& [from, to] : reach) {
    if (to.count(from) != 0) return true;
  }
  return false;
}

TEST(Plan, OneTaskOfEachFusesIntoOneChain) {
  Topology topology("x");
  items(topology)
      .event_time(&Item::time)
      .key_by(&Item::name)
      .window(tumbling(1s))
      .count()
      .to(nothing());
  const Plan plan = plan_of(topology, {});
  EXPECT_EQ(plan.chains.size(), 1u);
  for (const PlanEdge& edge : plan.edges) EXPECT_TRUE(edge.fused);
}

TEST(Plan, EventTimeStaysInItsSourcesChainEvenWhenNothingElseIsFused) {
  Topology topology("x");
  items(topology)
      .named("in")
      .map([](const Item& item) { return item; })
      .event_time(&Item::time)
      .named("time")
      .map([](const Item& item) { return item; })
      .named("behind")
      .to(nothing());
  topology.declaration().graph.node(0).alone = true;
  for (const bool fuse : {true, false}) {
    const Plan plan = plan_of(topology, {.parallelism = 3, .fuse = fuse});
    const PlanStage& source = *stages_named(plan, "in").front();
    EXPECT_EQ(source.chain, stages_named(plan, "time").front()->chain) << fuse;
    EXPECT_EQ(source.chain == stages_named(plan, "behind").front()->chain, fuse);
  }
}

TEST(Plan, TwoPhasesWhereTheAggregateMergesAndThereIsAShuffle) {
  const auto stages_of_count = [](const PlanOptions& options) {
    Topology topology("x");
    items(topology)
        .event_time(&Item::time)
        .key_by(&Item::name)
        .window(tumbling(1s))
        .count()
        .named("counts")
        .to(nothing());
    const Plan plan = plan_of(topology, options);
    std::size_t fields = 0;
    for (const PlanEdge& edge : plan.edges) fields += edge.grouping.kind == GroupingKind::fields;
    EXPECT_EQ(fields, options.parallelism > 1 ? 1u : 0u);
    return stages_named(plan, "counts").size();
  };
  EXPECT_EQ(stages_of_count({.parallelism = 1}), 1u);
  EXPECT_EQ(stages_of_count({.parallelism = 4}), 2u);
  EXPECT_EQ(stages_of_count({.parallelism = 4, .two_phase = false}), 1u);
}

TEST(Plan, AFoldWithoutMergeHasOnePhase) {
  Topology topology("x");
  items(topology)
      .event_time(&Item::time)
      .key_by(&Item::name)
      .window(sliding(2s, 1s))
      .fold(std::int64_t{0}, [](std::int64_t& sum, const Item&) { ++sum; })
      .named("fold")
      .to(nothing());
  EXPECT_EQ(stages_named(plan_of(topology, {.parallelism = 4}), "fold").size(), 1u);
}

TEST(Plan, TasksFollowTheParallelismAndTheUsersWish) {
  Topology topology("x");
  const auto in = items(topology);
  const auto wide = topology.bolt("wide", Pass{}, shuffle(in));
  const auto three = topology.bolt("three", Pass{}, fields(wide, &Item::name), {.tasks = 3});
  topology.bolt("one", Pass{}, global(three)).named("only").to(nothing());
  const Plan plan = plan_of(topology, {.parallelism = 5});
  EXPECT_EQ(stages_named(plan, "wide").front()->tasks, 5u);
  EXPECT_EQ(stages_named(plan, "three").front()->tasks, 3u);
  EXPECT_EQ(stages_named(plan, "only").front()->tasks, 1u);
}

TEST(Plan, NoChainWaitsForItself) {
  // A stream that is read directly and through a shuffle, and both ways meet again.
  for (std::uint32_t parallelism = 1; parallelism <= 4; ++parallelism) {
    Topology topology("x");
    const auto in = items(topology).map([](const Item& item) { return item; });
    const auto wide = topology.bolt("wide", Pass{}, shuffle(in), {.tasks = 2});
    const auto back = topology.bolt("back", Pass{}, global(wide), {.tasks = 1});
    const auto direct = in.filter([](const Item&) { return true; });
    direct.merge(back).map([](const Item& item) { return item; }).to(nothing());
    const Plan plan = plan_of(topology, {.parallelism = parallelism});
    EXPECT_FALSE(has_circle(plan)) << explain(topology.declaration().graph, plan);
    EXPECT_GT(plan.chains.size(), 1u);
  }
}

TEST(Plan, ExplainNamesEveryComponentWithItsTasksAndGrouping) {
  Topology topology("shown");
  items(topology).event_time(&Item::time).key_by(&Item::name).count().named("counts").to(nothing());
  const Plan plan = plan_of(topology, {.parallelism = 2});
  const std::string text = explain(topology.declaration().graph, plan);
  EXPECT_NE(text.find("topology shown"), std::string::npos) << text;
  EXPECT_NE(text.find("counts [count]  <- event_time (fields)"), std::string::npos) << text;
  EXPECT_NE(text.find("(2 tasks)"), std::string::npos) << text;
}

}  // namespace
}  // namespace millrace::detail
