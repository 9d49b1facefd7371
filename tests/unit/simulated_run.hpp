// Runs a topology to its end in one thread over simulated clock and files.
#pragma once

#include "env/sim_env.hpp"
#include "millrace/topology.hpp"
#include "runtime/simulation.hpp"

namespace millrace {

/// The failure of the run, or of its declaration; the order of steps follows from the seed.
inline Status run_simulated(Topology& topology, std::uint32_t parallelism = 1,
                            std::uint64_t seed = 1) {
  const detail::Graph& graph = topology.declaration().graph;
  if (const auto problems = graph.validate(); !problems.empty()) return problems.front();
  detail::SimEnv env(seed);
  detail::Simulation simulation(graph, detail::make_plan(graph, {.parallelism = parallelism}), {},
                                env, {.seed = seed});
  const auto fingerprint = simulation.run();
  return fingerprint ? Status() : fingerprint.error();
}

}  // namespace millrace
