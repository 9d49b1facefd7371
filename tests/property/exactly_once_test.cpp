// Tests that runs which are killed again and again show what one run without kills shows, whatever
// the schedule, the number of tasks and the epochs that fail.
#include <gtest/gtest.h>

#include <cstdlib>

#include "../unit/epoch_world.hpp"
#include "schedule_run.hpp"

namespace millrace::detail {
namespace {

using property::for_each_seed;

struct Life {
  EpochWorld::Tasks tasks;
  RunOptions options;
  SimulationOptions simulated;
};

/// One run of several of the same world; the last one is not cut.
Life draw_life(EpochWorld& world, Random& random, bool last) {
  Life life;
  life.tasks.sources = static_cast<std::uint32_t>(1 + random.below(3));
  life.tasks.sums = static_cast<std::uint32_t>(1 + random.below(4));
  life.tasks.sinks = static_cast<std::uint32_t>(1 + random.below(3));
  life.tasks.alone = random.chance(0.4);
  life.options = world.options();
  life.options.batch_records_max = 1 + random.below(8);
  life.options.ring_batches_max = 1 + random.below(4);
  life.simulated.seed = random();
  life.simulated.steps_between_epochs = 5 + random.below(60);
  if (!last) life.simulated.cut_at_step = random.below(1500);
  if (random.chance(0.3)) world.store.fail_next(static_cast<int>(random.below(4)));
  return life;
}

/// Some of the lives are stopped in order instead of cut: their final epoch is not the end.
bool live(EpochWorld& world, Life life, bool stopped, std::uint64_t seed) {
  if (stopped) life.simulated.stop_at_step = std::exchange(life.simulated.cut_at_step, {});
  const Graph graph = world.graph(life.tasks);
  SimEnv env(life.simulated.seed);
  Simulation simulation(graph, make_plan(graph, {}), life.options, env, life.simulated);
  const Result<std::uint64_t> ran = simulation.run();
  EXPECT_TRUE(ran) << "MILLRACE_SEED=" << seed << ": " << ran.error().to_string();
  return static_cast<bool>(ran);
}

bool is_part_of(const std::vector<Shown>& seen, const std::vector<Shown>& all) {
  return std::ranges::includes(all, seen);
}

TEST(ExactlyOnce, KilledRunsShowWhatOneRunShows) {
  for_each_seed([](std::uint64_t seed) {
    Random random(seed);
    EpochWorld world;
    world.partitions = static_cast<std::uint32_t>(1 + random.below(6));
    world.count = static_cast<std::int64_t>(20 + random.below(100));
    const std::uint64_t kills = 1 + random.below(6);
    for (std::uint64_t kill = 0; kill <= kills; ++kill) {
      const bool last = kill == kills;
      const bool stopped = !last && random.chance(0.25);
      if (!live(world, draw_life(world, random, last), stopped, seed)) return false;
      const auto newest = world.store.newest();
      if (newest && *newest && (*newest)->finished) break;  // nothing is left to do
      if (!is_part_of(world.running.seen(), world.all_running())) {
        ADD_FAILURE() << "MILLRACE_SEED=" << seed << ": rows were shown twice, or are wrong";
        return false;
      }
    }
    EXPECT_EQ(world.running.seen(), world.all_running()) << "MILLRACE_SEED=" << seed;
    EXPECT_EQ(world.totals.seen(), world.all_totals()) << "MILLRACE_SEED=" << seed;
    return world.running.seen() == world.all_running() && world.totals.seen() == world.all_totals();
  });
}

}  // namespace
}  // namespace millrace::detail
