// Tests that calls to the outside give each record its result once, in order and before its
// watermark, whatever the schedule, the delays, the failures and the kills.
#include <gtest/gtest.h>

#include "call_world.hpp"

namespace millrace::detail {
namespace {

TEST(Calls, KilledRunsShowEachResultOnceAndMissNoWindow) {
  CallWorld whole;
  Random one(1);
  ASSERT_TRUE(live(whole, one, true));
  ASSERT_EQ(whole.results.seen().size(), 180u);
  std::int64_t in_windows = 0;
  for (const Shown& row : whole.windows.seen()) in_windows += row.second;
  ASSERT_EQ(in_windows, 180);
  std::size_t epochs = 0;
  property::for_each_seed([&](std::uint64_t seed) {
    Random random(seed);
    CallWorld world;
    world.looks_up = random.chance(0.4);
    const std::uint64_t kills = 1 + random.below(6);
    for (std::uint64_t kill = 0; kill <= kills; ++kill) {
      if (!live(world, random, kill == kills)) return false;
      const auto newest = world.store.newest();
      if (newest && *newest && (*newest)->finished) break;
    }
    epochs += static_cast<std::size_t>(world.store.writes());
    EXPECT_EQ(world.results.seen(), whole.results.seen()) << "MILLRACE_SEED=" << seed;
    EXPECT_EQ(world.windows.seen(), whole.windows.seen()) << "MILLRACE_SEED=" << seed;
    return !testing::Test::HasFailure();
  });
  EXPECT_GT(epochs, 50u);
}

/// One run, some of them stopped in order; at least once or with no guarantee.
TEST(Calls, EachRecordHasOneResultOrLetterAndOrderIsKept) {
  std::uint64_t letters = 0;
  std::uint64_t retried = 0;
  property::for_each_seed([&](std::uint64_t seed) {
    Random random(seed);
    const bool acked = random.chance(0.3);
    CallOptions options = drawn_options(random);
    Store outside{.random = Random(random()), .failing = acked ? 0.0 : 0.2};
    if (acked) options.time_out = Duration(10'000), options.deadline = Duration(0);
    std::vector<Numbered> seen;
    Topology topology("calls");
    if (acked) topology.guarantee(at_least_once);
    CallWorld world;
    const auto read = world.numbers(topology, static_cast<std::uint32_t>(1 + random.below(3)));
    const auto ask = [&outside](const Numbered& of) { return outside.ask(of); };
    const bool by_key = random.chance(0.4);
    (by_key ? read.key_by(quarter).call(ask, options) : read.call(ask, options))
        .named("call")
        .to(each([&seen](const Numbered& of) { seen.push_back(of); }));
    RunOptions run;
    run.batch_records_max = 1 + random.below(8);
    run.ring_batches_max = 1 + random.below(4);
    SimulationOptions simulated{.seed = seed};
    if (random.chance(0.2)) simulated.stop_at_step = random.below(200);
    const Graph& graph = topology.declaration().graph;
    SimEnv env(seed);
    Simulation simulation(graph, make_plan(graph, {}), run, env, simulated);
    const auto ran = simulation.run();
    EXPECT_TRUE(ran) << "MILLRACE_SEED=" << seed << ": " << ran.error().to_string();
    const Report report = simulation.report();
    for (const ComponentReport& part : report.components) {
      if (part.name != "call") continue;
      EXPECT_EQ(part.received, part.processed + part.dead_lettered) << "MILLRACE_SEED=" << seed;
      EXPECT_EQ(part.processed, seen.size());
      if (!simulated.stop_at_step) EXPECT_EQ(part.received, 180u);
      EXPECT_EQ(part.state_bytes, 0u) << "MILLRACE_SEED=" << seed;
      letters += part.dead_lettered;
    }
    std::map<std::int64_t, std::int64_t> last;
    std::set<Shown> distinct;
    for (const Numbered& of : seen) {
      EXPECT_TRUE(distinct.insert({of.key, of.number}).second) << "MILLRACE_SEED=" << seed;
      std::int64_t& before = last[by_key ? quarter(of) : of.key];
      if (options.ordered || by_key) EXPECT_GT(of.number, before) << "MILLRACE_SEED=" << seed;
      before = of.number;
    }
    retried += outside.calls - seen.size();
    return !testing::Test::HasFailure();
  });
  EXPECT_GT(letters, 0u);
  EXPECT_GT(retried, 0u);
}

}  // namespace
}  // namespace millrace::detail
