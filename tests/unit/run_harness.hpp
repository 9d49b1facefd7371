// What tests of whole small runs share: a run by threads or in a simulation, and its report.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "millrace/topology.hpp"
#include "runtime/runtime.hpp"
#include "runtime/simulation.hpp"

namespace millrace::detail {

struct Ended {
  Status status;
  Report report;
  const ComponentReport& component(const std::string& name) const {
    for (const auto& part : report.components) {
      if (part.name == name) return part;
    }
    ADD_FAILURE() << "no component " << name;
    return report.components.front();
  }
};

inline const Graph& valid_graph(const Topology& topology) {
  const Graph& graph = topology.declaration().graph;
  for (const Status& problem : graph.validate()) ADD_FAILURE() << problem.to_string();
  return graph;
}

/// Runs by threads to the end.
inline Ended run(Topology& topology, PlanOptions plan = {}, RunOptions options = {}) {
  const Graph& graph = valid_graph(topology);
  Engine engine(make_plan(graph, plan), options, real_env());
  Ended done;
  done.status = engine.start();
  if (done.status.ok()) done.status = engine.finish();
  engine.graph().fill(graph, done.report);
  return done;
}

/// Runs in one thread over a simulated clock, in an order drawn from `seed`.
inline Ended simulate(Topology& topology, std::uint64_t seed, PlanOptions plan = {},
                      RunOptions options = {}) {
  const Graph& graph = valid_graph(topology);
  SimEnv env(seed);
  Simulation simulation(graph, make_plan(graph, plan), options, env, {.seed = seed});
  Ended done;
  done.status = simulation.run().error();
  done.report = simulation.report();
  return done;
}

}  // namespace millrace::detail
