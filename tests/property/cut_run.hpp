// One run of several of a topology, from the newest epoch of the one before, which a kill cuts off.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "../unit/epoch_world.hpp"
#include "millrace/millrace.hpp"
#include "schedule_run.hpp"

namespace millrace::detail {

/// Goes on from what `store` has, with batches, rings, tasks and epochs as they are drawn; cut off
/// within so many steps, or not at 0; or `stopped` there in order. `prepare` puts its files. False:
/// the run could not be.
inline bool run_until_cut(Topology& topology, MemoryStore& store, Random& random,
                          std::uint64_t cut_within, bool stopped = false,
                          const std::function<void(SimEnv&)>& prepare = {}) {
  RunOptions options;
  options.epochs = &store;
  options.restore = store.to_restore();
  options.batch_records_max = 1 + random.below(8);
  options.ring_batches_max = 1 + random.below(4);
  SimulationOptions simulated;
  simulated.seed = random();
  simulated.steps_between_epochs = 20 + random.below(80);
  if (cut_within > 0) simulated.cut_at_step = 100 + random.below(cut_within);
  if (stopped) simulated.stop_at_step = std::exchange(simulated.cut_at_step, {});
  PlanOptions plan;
  plan.parallelism = static_cast<std::uint32_t>(1 + random.below(4));
  plan.two_phase = random.chance(0.6);
  const Graph& graph = topology.declaration().graph;
  SimEnv env(simulated.seed);
  if (prepare) prepare(env);
  Simulation simulation(graph, make_plan(graph, plan), options, env, simulated);
  const Result<std::uint64_t> ran = simulation.run();
  EXPECT_TRUE(ran) << ran.error().to_string();
  return static_cast<bool>(ran);
}

}  // namespace millrace::detail
