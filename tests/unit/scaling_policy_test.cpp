// Tests of ScalingPolicy over made-up loads: when executors come and go, what moves, to the sample.
#include "runtime/scaling_policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using Kind = Decision::Kind;
using Why = Decision::Why;

constexpr std::int64_t kSample = 20'000'000;

/// Executors whose tasks want so much of a processor's time; a full one shares it out.
class Machine {
 public:
  explicit Machine(std::vector<double> wanted)
      : demands(std::move(wanted)), place(demands.size()) {}

  /// One sample; carries the decision out.
  Decision step() {
    now += kSample;
    Loads loads;
    loads.now_ns = now;
    loads.executors = executors;
    loads.free_cores = free_cores;
    loads.links = links;
    for (std::size_t task = 0; task < demands.size(); ++task) {
      double sum = 0;
      for (std::size_t other = 0; other < demands.size(); ++other) {
        sum += place[other] == place[task] ? demands[other] : 0;
      }
      loads.tasks.push_back({task, place[task], demands[task] / std::max(1.0, sum), task != stuck});
    }
    const Decision decision = policy.look(loads);
    carry_out(decision);
    return decision;
  }
  /// Steps until something is decided, at most so long. The time it took is in `took`.
  Decision until_decision(std::int64_t at_most_ns) {
    const std::int64_t start = now;
    Decision decision;
    while (decision.kind == Kind::none && now - start < at_most_ns) decision = step();
    took = now - start;
    return decision;
  }

  std::vector<double> demands;
  std::vector<TaskLink> links;
  ScalingPolicy policy;
  std::vector<std::size_t> place;
  std::size_t executors = 1;
  double free_cores = 2;
  std::size_t stuck = SIZE_MAX;
  std::int64_t now = 1'000'000'000;
  std::int64_t took = 0;

 private:
  void carry_out(const Decision& decision) {
    if (decision.kind == Kind::none) return;
    for (const std::size_t task : decision.tasks) {
      EXPECT_EQ(place[task], decision.from);
      place[task] = decision.to;
    }
    if (decision.kind == Kind::add) {
      EXPECT_EQ(decision.to, executors);
      ++executors;
    }
    if (decision.kind != Kind::remove) return;
    --executors;
    for (std::size_t& at : place) at -= at > decision.from ? 1 : 0;
  }
};

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(ScalingPolicy, LittleLoadStaysInOneExecutor) {
  Machine machine({0.2, 0.2, 0.29});
  EXPECT_EQ(machine.until_decision(60 * kSecond).kind, Kind::none);
}

TEST(ScalingPolicy, AnExecutorThatIsBusyForATenthOfASecondGetsHelp) {
  Machine machine({0.02, 0.02});
  for (int at = 0; at < 100; ++at) EXPECT_EQ(machine.step().kind, Kind::none);
  machine.demands = {0.6, 0.6};
  const Decision decision = machine.until_decision(kSecond);
  EXPECT_EQ(decision.kind, Kind::add);
  EXPECT_EQ(decision.why, Why::busy);
  EXPECT_EQ(decision.from, 0u);
  EXPECT_THAT(decision.tasks, ElementsAre(1u));
  EXPECT_EQ(machine.took, 100'000'000);
  EXPECT_EQ(decision.for_ns, 100'000'000);
  EXPECT_NEAR(decision.busy, 1.0, 0.01);
}

TEST(ScalingPolicy, ABurstShorterThanThatDoesNothing) {
  Machine machine({0.02, 0.02});
  for (int burst = 0; burst < 50; ++burst) {
    machine.demands = {0.6, 0.6};
    for (int at = 0; at < 4; ++at) EXPECT_EQ(machine.step().kind, Kind::none);
    machine.demands = {0.02, 0.02};
    for (int at = 0; at < 10; ++at) EXPECT_EQ(machine.step().kind, Kind::none);
  }
}

TEST(ScalingPolicy, NothingIsAddedWhereNothingCanMoveOrTheMoveDoesNotPay) {
  EXPECT_EQ(Machine({1.0}).until_decision(10 * kSecond).kind, Kind::none);
  EXPECT_EQ(Machine({0.97, 0.02}).until_decision(10 * kSecond).kind, Kind::none);
  Machine stuck({0.6, 0.6});
  stuck.stuck = 1;
  EXPECT_EQ(stuck.until_decision(10 * kSecond).kind, Kind::none);
}

TEST(ScalingPolicy, NothingIsAddedWhereNoProcessorIsFree) {
  Machine machine({0.6, 0.6});
  machine.free_cores = 1.3;
  EXPECT_EQ(machine.until_decision(10 * kSecond).kind, Kind::none);
  machine.free_cores = 1.9;
  EXPECT_EQ(machine.until_decision(10 * kSecond).kind, Kind::add);
}

TEST(ScalingPolicy, GrowsToTheProcessorsAndNoFurther) {
  Machine machine({0.9, 0.9, 0.9, 0.9, 0.9, 0.9});
  machine.free_cores = 4;
  for (int at = 0; at < 1000; ++at) machine.step();
  EXPECT_EQ(machine.executors, 4u);
  std::vector<int> tasks(4);
  for (const std::size_t at : machine.place) ++tasks[at];
  EXPECT_LE(*std::max_element(tasks.begin(), tasks.end()), 2);
}

TEST(ScalingPolicy, TasksThatTalkMuchStayTogether) {
  Machine machine({0.3, 0.3, 0.3, 0.3});
  machine.links = {{0, 2, 1e6}, {1, 3, 1e6}, {0, 3, 1e3}, {2, 1, 1e3}};
  const Decision decision = machine.until_decision(kSecond);
  EXPECT_EQ(decision.kind, Kind::add);
  EXPECT_THAT(decision.tasks, ElementsAre(1u, 3u));
}

TEST(ScalingPolicy, ManyTasksAreDealtOutBySize) {
  std::vector<double> demands(100, 0.02);
  demands[7] = 0.5;
  Machine machine(demands);
  const Decision decision = machine.until_decision(kSecond);
  ASSERT_EQ(decision.kind, Kind::add);
  double moved = 0;
  for (const std::size_t task : decision.tasks) moved += demands[task];
  EXPECT_NEAR(moved, 1.24, 0.05);
}

TEST(ScalingPolicy, GoesBackToOneAfterFiveCalmSeconds) {
  Machine machine({0.6, 0.6});
  ASSERT_EQ(machine.until_decision(kSecond).kind, Kind::add);
  for (int at = 0; at < 500; ++at) EXPECT_EQ(machine.step().kind, Kind::none);
  machine.demands = {0.02, 0.02};
  const Decision decision = machine.until_decision(60 * kSecond);
  EXPECT_EQ(decision.kind, Kind::remove);
  EXPECT_EQ(decision.why, Why::calm);
  EXPECT_EQ(decision.to, 0u);
  EXPECT_GE(machine.took, 5 * kSecond);
  EXPECT_LE(machine.took, 6 * kSecond);  // the share is smoothed
  EXPECT_EQ(machine.executors, 1u);
  EXPECT_EQ(machine.until_decision(60 * kSecond).kind, Kind::none);
}

TEST(ScalingPolicy, CalmBesideBusyIsNotMerged) {
  Machine machine({0.6, 0.6});
  ASSERT_EQ(machine.until_decision(kSecond).kind, Kind::add);
  machine.demands = {0.65, 0.25};
  EXPECT_EQ(machine.until_decision(60 * kSecond).kind, Kind::none);
}

TEST(ScalingPolicy, ALoadAroundTheBoundDoesNotMakeItComeAndGo) {
  Machine machine({0.36, 0.36});
  int decisions = 0;
  for (int at = 0; at < 50 * 60 * 5; ++at) {
    machine.demands = {at % 7 < 5 ? 0.40 : 0.30, 0.36};
    decisions += machine.step().kind != Kind::none ? 1 : 0;
  }
  EXPECT_LE(decisions, 1);
}

TEST(ScalingPolicy, LeavesWhenOthersNeedTheProcessors) {
  Machine machine({0.6, 0.6});
  ASSERT_EQ(machine.until_decision(kSecond).kind, Kind::add);
  machine.free_cores = 0.66;
  const Decision decision = machine.until_decision(60 * kSecond);
  EXPECT_EQ(decision.kind, Kind::remove);
  EXPECT_EQ(decision.why, Why::crowded);
  EXPECT_GE(machine.took, 2 * kSecond);
  EXPECT_LE(machine.took, 4 * kSecond);
  EXPECT_EQ(machine.until_decision(60 * kSecond).kind, Kind::none)
      << "one stays whatever others do";
}

TEST(ScalingPolicy, MovesOneTaskFromABusyToACalmExecutor) {
  Machine machine({0.6, 0.6, 0.01});
  ASSERT_EQ(machine.until_decision(kSecond).kind, Kind::add);
  machine.demands = {0.05, 0.5, 0.45};
  machine.place = {0, 1, 1};
  const Decision decision = machine.until_decision(10 * kSecond);
  EXPECT_EQ(decision.kind, Kind::move);
  EXPECT_EQ(decision.from, 1u);
  EXPECT_EQ(decision.to, 0u);
  EXPECT_EQ(decision.tasks.size(), 1u);
  EXPECT_EQ(machine.until_decision(60 * kSecond).kind, Kind::none);
}

/// 1,000 a second, then as much as goes, then 1,000 a second: a source and two equal workers.
TEST(ScalingPolicy, LowThenMaximumThenLow) {
  Machine machine({0.01, 0.02, 0.02});
  std::vector<std::size_t> executors = {1};
  const auto run = [&](std::vector<double> demands, int samples) {
    machine.demands = std::move(demands);
    for (int at = 0; at < samples; ++at) {
      machine.step();
      if (machine.executors != executors.back()) executors.push_back(machine.executors);
    }
  };
  run({0.01, 0.02, 0.02}, 500);
  run({1.0, 0.5, 0.5}, 500);
  run({0.01, 0.02, 0.02}, 500);
  EXPECT_THAT(executors, ElementsAre(1u, 2u, 1u));
}

}  // namespace
}  // namespace millrace::detail
