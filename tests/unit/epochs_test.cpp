// Tests of epochs: when a task takes its image, what happens when an epoch fails, and the final
// one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "epoch_world.hpp"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A coordinator of some tasks over a store, driven by hand.
struct Coordinated {
  explicit Coordinated(std::size_t tasks, EpochOptions options = {}, std::uint64_t restored = 0)
      : epochs(store, options, "world", env.env(), Log{}, restored) {
    homes.resize(tasks);
    for (const Home& home : homes) epochs.add_task(home, true);
    (void)look(Duration(0));
  }
  bool look(Duration by) {
    env.clock.advance(std::chrono::nanoseconds(by));
    return epochs.look(env.clock.steady_ns());
  }
  CheckpointsReport told() const {
    Report report;
    epochs.fill(report);
    return *report.checkpoints;
  }

  SimEnv env{1};
  MemoryStore store;
  std::deque<Home> homes;
  EpochCoordinator epochs;
};

using std::chrono::seconds;

TEST(EpochCoordinator, AnEpochIsCompleteWhenTheImagesOfAllTasksAreKept) {
  Coordinated run(2);
  EXPECT_FALSE(run.look(seconds(9)));
  EXPECT_TRUE(run.look(seconds(1)));
  EXPECT_EQ(run.epochs.requested(), 1u);
  run.epochs.hand_in(0, {.epoch = 1});
  EXPECT_FALSE(run.look(Duration(1)));
  EXPECT_EQ(run.told().recent.front().state, "running");
  run.epochs.hand_in(1, {.epoch = 1, .stood_ns = 5'000'000});
  EXPECT_TRUE(run.look(seconds(2)));
  EXPECT_EQ(run.epochs.complete(), 1u);
  EXPECT_FALSE(run.epochs.over());
  run.epochs.committed(0, 1);
  run.env.clock.advance(std::chrono::milliseconds(3));
  run.epochs.committed(1, 1);
  const CheckpointsReport told = run.told();
  EXPECT_EQ(told.completed, 1u);
  EXPECT_EQ(told.age_ms, 3);
  EXPECT_EQ(told.recent.front().state, "complete");
  EXPECT_EQ(told.recent.front().align_us, 2'000'001);
  EXPECT_EQ(told.recent.front().image_us, 5000);
  EXPECT_EQ(told.recent.front().commit_us, 3000);
  EXPECT_EQ(told.recent.front().bytes, 7u);
}

TEST(EpochCoordinator, GoesOnCountingFromTheRestoredOneAndUsesNoNumberTwice) {
  Coordinated run(1, {}, 41);
  EXPECT_EQ(run.told().restored_from, 41u);
  run.look(seconds(10));
  EXPECT_EQ(run.epochs.requested(), 42u);
  run.store.fail_next(1);
  run.epochs.hand_in(0, {.epoch = 42});
  run.look(Duration(0));
  EXPECT_EQ(run.epochs.complete(), 41u);
  run.look(seconds(10));
  EXPECT_EQ(run.epochs.requested(), 43u);
}

TEST(EpochCoordinator, ARestoredRunMakesItsFirstOnesSoonAndThenAtTheInterval) {
  Coordinated run(1, {.interval = seconds(1)}, 41);
  std::vector<int> after_ms;
  for (std::uint64_t epoch = 42; epoch <= 47; ++epoch) {
    int ms = 0;
    for (; run.epochs.requested() < epoch && ms < 2000; ++ms)
      run.look(std::chrono::milliseconds(1));
    after_ms.push_back(ms);
    run.epochs.hand_in(0, {.epoch = epoch});
    run.look(Duration(0));
  }
  EXPECT_THAT(after_ms, ElementsAre(100, 200, 400, 800, 1000, 1000));
}

TEST(EpochCoordinator, ARestoredRunWhoseEpochsAreSlowOrFailMakesThemLessOften) {
  Coordinated run(1, {.interval = seconds(10)}, 41);
  run.look(std::chrono::milliseconds(100));
  EXPECT_EQ(run.epochs.requested(), 42u);
  run.epochs.hand_in(0, {.epoch = 42});
  run.look(std::chrono::milliseconds(300));  // it took so long
  run.look(std::chrono::milliseconds(2699));
  EXPECT_EQ(run.epochs.requested(), 42u);
  run.look(std::chrono::milliseconds(1));
  EXPECT_EQ(run.epochs.requested(), 43u);
  run.store.fail_next(1);
  run.epochs.hand_in(0, {.epoch = 43});
  run.look(Duration(0));
  run.look(seconds(9));
  EXPECT_EQ(run.epochs.requested(), 43u);
  run.look(seconds(1));
  EXPECT_EQ(run.epochs.requested(), 44u);
}

TEST(EpochCoordinator, APauseIsKeptBehindTheEndOfAnEpoch) {
  Coordinated run(1, {.interval = seconds(10), .min_pause = seconds(4)});
  run.look(seconds(10));
  run.epochs.hand_in(0, {.epoch = 1});
  run.look(seconds(9));
  EXPECT_EQ(run.epochs.complete(), 1u);
  EXPECT_FALSE(run.look(seconds(3)));
  EXPECT_TRUE(run.look(seconds(1)));
}

TEST(EpochCoordinator, AnEpochThatTakesTooLongIsGivenUpAndAnImageOfItComesTooLate) {
  Coordinated run(2, {.timeout = seconds(3)});
  run.look(seconds(10));
  run.epochs.hand_in(0, {.epoch = 1});
  EXPECT_TRUE(run.look(seconds(3)));
  EXPECT_THAT(run.told().recent.front().why, HasSubstr("1 of 2 tasks"));
  run.epochs.hand_in(1, {.epoch = 1});
  EXPECT_EQ(run.store.writes(), 0);
  run.look(seconds(10));
  EXPECT_EQ(run.epochs.requested(), 2u);
  run.epochs.hand_in(1, {.epoch = 1});
  run.epochs.hand_in(0, {.epoch = 2});
  EXPECT_FALSE(run.look(seconds(1)));
  run.epochs.hand_in(1, {.epoch = 2});
  EXPECT_TRUE(run.look(seconds(1)));
  EXPECT_EQ(run.epochs.complete(), 2u);
}

TEST(EpochCoordinator, TooManyFailuresInARowFailTheRun) {
  Coordinated run(1, {.failures_max = 1});
  run.store.fail_next(3);
  for (std::uint64_t epoch = 1; epoch <= 2; ++epoch) {
    EXPECT_TRUE(run.epochs.failure().ok());
    run.look(seconds(10));
    run.epochs.hand_in(0, {.epoch = epoch});
    run.look(Duration(0));
  }
  EXPECT_EQ(run.epochs.failure().code(), Code::sink_failed);
  EXPECT_THAT(run.epochs.failure().message(), HasSubstr("the disk is full"));
}

TEST(EpochCoordinator, WhyTheLastOneFailedIsToldForAsLongAsItRuns) {
  Coordinated run(1);
  run.store.fail_next(2);
  for (std::uint64_t epoch = 1; epoch <= 50; ++epoch) {
    run.look(seconds(10));
    run.epochs.hand_in(0, {.epoch = epoch});
    run.look(Duration(0));
  }
  const CheckpointsReport told = run.told();
  ASSERT_EQ(told.recent.size(), 20u);
  EXPECT_EQ(told.recent[18].id, 32u);
  EXPECT_EQ(told.recent[19].id, 2u);
  EXPECT_EQ(told.recent[19].why, "the disk is full");
}

TEST(EpochCoordinator, ATaskThatEndedCountsWithItsLastImageAndTheFinalOneHoldsThemAll) {
  Coordinated run(2);
  run.epochs.hand_in(0, {.epoch = 1, .stages = {{.stage = "a", .component = "a"}}, .last = true});
  run.look(seconds(10));
  run.epochs.hand_in(1, {.epoch = 1, .stages = {{.stage = "b", .component = "b"}}});
  run.look(Duration(0));
  auto image = *run.store.newest();
  ASSERT_EQ(image->stages.size(), 2u);
  EXPECT_FALSE(image->finished);
  EXPECT_FALSE(run.epochs.over());
  for (std::size_t task = 0; task < 2; ++task) run.epochs.committed(task, 1);
  run.epochs.hand_in(1, {.epoch = 2, .stages = {{.stage = "b", .component = "b"}}, .last = true});
  run.look(Duration(0));
  EXPECT_TRUE(run.epochs.over());
  image = *run.store.newest();
  EXPECT_EQ(image->epoch, 2u);
  EXPECT_TRUE(image->finished);
  EXPECT_EQ(image->stages.size(), 2u);
}

TEST(EpochCoordinator, AFinalEpochThatFailsIsTriedAgain) {
  Coordinated run(1);
  run.store.fail_next(1);
  run.epochs.hand_in(0, {.epoch = 1, .last = true, .input_ended = false});
  run.look(Duration(0));
  EXPECT_FALSE(run.epochs.over());
  run.look(seconds(1));
  EXPECT_TRUE(run.epochs.over());
  EXPECT_FALSE((*run.store.newest())->finished) << "it was stopped";
}

TEST(EpochCoordinator, ARunHasFinishedWhenItsSinksHaveCommitted) {
  Coordinated run(1);
  run.epochs.hand_in(0, {.epoch = 1,
                         .stages = {{.stage = "a", .component = "a", .prepared = {"token"}}},
                         .last = true});
  run.look(Duration(0));
  EXPECT_EQ(run.epochs.complete(), 1u);
  EXPECT_FALSE(run.epochs.over());
  EXPECT_FALSE((*run.store.newest())->finished) << "a run that is killed now must commit the token";
  EXPECT_FALSE(run.look(seconds(60)));
  run.epochs.committed(0, 1);
  run.look(Duration(0));
  EXPECT_TRUE(run.epochs.over());
  EXPECT_TRUE((*run.store.newest())->finished);
  EXPECT_TRUE((*run.store.newest())->stages.front().prepared.empty());
}

/// One task with an operator that reads two channels, and what it sends on.
struct TwoInputs {
  TwoInputs() {
    plan.name = plan.stored_as = "sums";
    plan.make_operator = [] { return std::make_unique<EachSum>(); };
    plan.outputs = {&batch_type<Numbered>()};
    ReadingStage& stage = task.add_reading(plan);
    for (Channel* channel : {&left, &right}) task.add_input(*channel, stage, {}, received);
    Reader reader;
    reader.router = &task.add_router(std::make_unique<Router>(
        batch_type<Numbered>(), Grouping{}, std::vector<Channel*>{&out}, 100, 1u << 20, sent));
    stage.outlets().add(0, reader);
    task.order_stages();
    StageOpening opening;
    opening.hooks = &hooks;
    opening.place.env = opening.operator_context.env = &run.env.env();
    EXPECT_TRUE(task.open(opening).ok());
  }
  static void send(Channel& to, std::vector<std::int64_t> numbers, std::uint64_t barrier = 0,
                   bool end = false) {
    auto batch = std::make_unique<Batch<Numbered>>();
    for (const std::int64_t number : numbers) batch->values.push_back({1, number});
    batch->barrier = barrier;
    batch->end = end;
    BatchPtr sent = std::move(batch);
    EXPECT_TRUE(to.push(sent));
  }
  /// What came out since the last call: sums, and the number of each barrier as a negative one.
  std::vector<std::int64_t> step() {
    (void)task.step(16, false);
    (void)task.step(16, false);
    std::vector<std::int64_t> seen;
    for (BatchPtr batch; out.pop(batch);) {
      for (const Numbered& row : static_cast<Batch<Numbered>&>(*batch).values) {
        seen.push_back(row.number);
      }
      if (batch->barrier != 0) seen.push_back(-static_cast<std::int64_t>(batch->barrier));
    }
    return seen;
  }

  Coordinated run{0};
  MemoryBudget memory{0};
  DeadLetterStore letters{run.env.env(), Log{}};
  std::atomic<bool> active{true};
  std::vector<std::shared_ptr<TaskHook>> hooks;
  PlanStage plan;
  Counter received;
  Counter sent;
  Channel left{batch_type<Numbered>(), 16};
  Channel right{batch_type<Numbered>(), 16};
  Channel out{batch_type<Numbered>(), 16};
  Task task{
      0,
      0,
      {&run.env.env(), &memory, &letters, &active, nullptr, &run.epochs},
  };
};

TEST(Barriers, WhatFollowsABarrierWaitsForThoseOfTheOtherInputs) {
  TwoInputs bench;
  bench.send(bench.left, {1}, 1);
  bench.send(bench.left, {100});
  bench.send(bench.right, {2});
  EXPECT_THAT(bench.step(), ElementsAre(1, 3));
  bench.send(bench.right, {4}, 1);
  EXPECT_THAT(bench.step(), ElementsAre(7, -1, 107)) << "100 comes behind the barrier";
}

TEST(Barriers, AnInputThatEndsCountsAsDelivered) {
  TwoInputs bench;
  bench.send(bench.left, {1}, 1);
  bench.send(bench.left, {100});
  EXPECT_THAT(bench.step(), ElementsAre(1));
  bench.send(bench.right, {2}, 0, true);
  EXPECT_THAT(bench.step(), ElementsAre(3, -1, 103));
  bench.send(bench.left, {}, 2);
  EXPECT_THAT(bench.step(), ElementsAre(-2)) << "nobody waits for the other one again";
}

TEST(Barriers, ALaterOneTakesThePlaceOfOneThatWasGivenUp) {
  TwoInputs bench;
  bench.send(bench.left, {1}, 1);
  bench.send(bench.left, {10}, 2);
  bench.send(bench.left, {100});
  EXPECT_THAT(bench.step(), ElementsAre(1));
  bench.send(bench.right, {2}, 2);
  EXPECT_THAT(bench.step(), ElementsAre(3, 13, -2, 113));
}

/// Runs a world to its end, in one thread.
Report simulate_world(EpochWorld& world, SimulationOptions simulated, RunOptions options) {
  const Graph graph = world.graph({2, 2, 2, true});
  SimEnv env(simulated.seed);
  Simulation simulation(graph, make_plan(graph, {}), options, env, simulated);
  const auto ran = simulation.run();
  EXPECT_TRUE(ran) << ran.error().to_string();
  return simulation.report();
}

TEST(Epochs, NothingIsSeenBeforeAnEpochIsComplete) {
  EpochWorld world;
  world.count = 400;
  world.store.fail_next(1'000'000);
  simulate_world(world, {.seed = 3, .cut_at_step = 1500, .steps_between_epochs = 20},
                 world.options());
  EXPECT_GT(world.store.writes(), 2);
  EXPECT_TRUE(world.running.seen().empty());
  EXPECT_GT(world.running.open(), 0u);
}

TEST(Epochs, WhatWasPreparedForAnEpochThatFailedComesWithTheNext) {
  EpochWorld world;
  world.store.fail_next(5);
  const Report report =
      simulate_world(world, {.seed = 3, .steps_between_epochs = 20}, world.options());
  EXPECT_EQ(world.running.seen(), world.all_running());
  EXPECT_EQ(world.totals.seen(), world.all_totals());
  ASSERT_TRUE(report.checkpoints);
  EXPECT_EQ(report.checkpoints->failed, 5u);
  EXPECT_TRUE((*world.store.newest())->finished);
}

TEST(Epochs, ASinkThatCannotPrepareFailsTheRunAndNothingIsLost) {
  EpochWorld world;
  world.running.fail_next_prepare();
  const Graph graph = world.graph({2, 2, 2, true});
  const SimulationOptions simulated{.seed = 3, .steps_between_epochs = 20};
  SimEnv env(simulated.seed);
  Simulation simulation(graph, make_plan(graph, {}), world.options(), env, simulated);
  EXPECT_EQ(simulation.run().error().message(), "the disk is full");
  EXPECT_LT(world.running.seen().size(), world.all_running().size());
  simulate_world(world, {.seed = 4, .steps_between_epochs = 20}, world.options());
  EXPECT_EQ(world.running.seen(), world.all_running());
  EXPECT_EQ(world.totals.seen(), world.all_totals());
}

TEST(Epochs, ACommitThatFailsIsMadeByTheNextRun) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    EpochWorld world;
    world.totals.fail_next_commit();
    const Graph graph = world.graph({1, 1, 1, true});
    const SimulationOptions simulated{.seed = seed, .steps_between_epochs = 20};
    SimEnv env(seed);
    Simulation simulation(graph, make_plan(graph, {}), world.options(), env, simulated);
    EXPECT_FALSE(simulation.run());
    EXPECT_FALSE((*world.store.newest())->finished) << seed;
    simulate_world(world, {.seed = seed, .steps_between_epochs = 20}, world.options());
    EXPECT_EQ(world.running.seen(), world.all_running()) << seed;
    EXPECT_EQ(world.totals.seen(), world.all_totals()) << seed;
  }
}

TEST(Epochs, AStopLeavesWindowsForTheNextRun) {
  EpochWorld world;
  simulate_world(world, {.seed = 3, .stop_at_step = 50}, world.options());
  EXPECT_FALSE((*world.store.newest())->finished);
  EXPECT_TRUE(world.totals.seen().empty());
  EXPECT_LT(world.running.seen().size(), world.all_running().size());
  const Report report = simulate_world(world, {.seed = 4}, world.options());
  EXPECT_TRUE(report.checkpoints->restored_from);
  EXPECT_EQ(world.running.seen(), world.all_running());
  EXPECT_EQ(world.totals.seen(), world.all_totals());
}

TEST(Epochs, AnEngineMakesThemInAThreadOfItsOwn) {
  EpochWorld world;
  world.count = 20'000;
  RunOptions options = world.options();
  options.executors = 3;
  options.batch_records_max = 16;
  options.epoch_options.interval = std::chrono::milliseconds(2);
  const Graph graph = world.graph({2, 2, 2, true});
  Engine engine(make_plan(graph, {}), options, real_env());
  ASSERT_TRUE(engine.start().ok());
  const Status status = engine.finish();
  EXPECT_TRUE(status.ok()) << status.to_string();
  EXPECT_EQ(world.running.seen(), world.all_running());
  EXPECT_EQ(world.totals.seen(), world.all_totals());
  EXPECT_TRUE((*world.store.newest())->finished);
}

TEST(Epochs, SourcesAtRestAreAskedAsWell) {
  EpochWorld world;
  world.open_end = true;
  RunOptions options = world.options();
  options.epoch_options.interval = std::chrono::milliseconds(5);
  const Graph graph = world.graph({2, 2, 2, true});
  Engine engine(make_plan(graph, {}), options, real_env());
  ASSERT_TRUE(engine.start().ok());
  while (world.running.seen().size() < world.all_running().size()) std::this_thread::yield();
  engine.deactivate();
  const int writes = world.store.writes();
  while (world.store.writes() < writes + 2) std::this_thread::yield();
  engine.request_stop();
  EXPECT_TRUE(engine.finish().ok());
  EXPECT_FALSE((*world.store.newest())->finished);
}

TEST(Epochs, ARunFailsWhenTheyCannotBeKept) {
  EpochWorld world;
  world.store.fail_next(1'000'000);
  RunOptions options = world.options();
  options.epoch_options = {.interval = std::chrono::milliseconds(1), .failures_max = 2};
  const Graph graph = world.graph({});
  Engine engine(make_plan(graph, {}), options, real_env());
  ASSERT_TRUE(engine.start().ok());
  EXPECT_THAT(engine.finish().message(), HasSubstr("3 epochs in a row failed"));
  EXPECT_TRUE(world.running.seen().empty());
}

TEST(Epochs, WhatIsStoredAndCannotBeReadIsRefused) {
  EpochWorld world;
  simulate_world(world, {.seed = 3, .stop_at_step = 50}, world.options());
  RunOptions options = world.options();
  for (StageImage& stage : options.restore->stages) {
    for (StatePart& part : stage.parts) part.bytes.resize(part.bytes.size() / 2 + 1);
  }
  const Graph graph = world.graph({});
  Engine engine(make_plan(graph, {}), options, real_env());
  const Status status = engine.start();
  EXPECT_EQ(status.code(), Code::state_unreadable);
  EXPECT_THAT(status.message(), HasSubstr("\"running\": state \"sums\" cannot be restored"));
}

/// Shows what it is given at once.
class OpenSink final : public Sink {
 public:
  Status open(const EndContext&) override { return {}; }
  Status write(const BatchBase&) override { return {}; }
};

TEST(PathGuarantees, TheWeakestEndOfAWayCounts) {
  EpochWorld world;
  Graph graph = world.graph({});
  graph.settings().guarantee = exactly_once;
  EXPECT_THAT(explain(graph, make_plan(graph, {})), testing::EndsWith("guarantee: exactly once\n"));
  for (const Node& node : graph.nodes()) {
    if (node.name == "rows") {
      graph.node(node.id).make_sink = [] { return std::make_unique<OpenSink>(); };
    }
  }
  EXPECT_THAT(explain(graph, make_plan(graph, {})),
              testing::EndsWith("guarantee: exactly once\n  rows: at least once: it shows rows "
                                "before their epoch is complete, so they come again after a "
                                "crash. They can have no idempotency keys: nothing numbers the "
                                "rows (running) of \"running\"\n"));
}

TEST(Epochs, AGuaranteeWithoutItsFolderIsRefused) {
  EpochWorld world;
  Graph graph = world.graph({});
  graph.settings().guarantee = exactly_once;
  Engine without(make_plan(graph, {}), {}, real_env());
  EXPECT_THAT(without.start().message(), HasSubstr("--state-dir"));
  graph.settings().guarantee = at_least_once;
  Engine both(make_plan(graph, {}), world.options(), real_env());
  EXPECT_EQ(both.start().code(), Code::option_invalid);
}

}  // namespace
}  // namespace millrace::detail
