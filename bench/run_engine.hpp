// run_engine: runs a topology to the end of its input, silently, with so many threads.
#pragma once

#include <string>

#include "env/env.hpp"
#include "millrace/topology.hpp"
#include "runtime/runtime.hpp"

namespace millrace::bench {

/// Returns what went wrong as a sentence, empty when the input was processed to its end.
inline std::string run_engine(Topology& topology, unsigned threads) {
  const auto& graph = topology.declaration().graph;
  if (const auto problems = graph.validate(); !problems.empty()) {
    return problems.front().to_string();
  }
  detail::PlanOptions plan;
  plan.parallelism = threads;
  detail::RunOptions options;
  options.executors = threads;
  detail::Engine engine(detail::make_plan(graph, plan), options, detail::real_env());
  if (const Status status = engine.start(); !status.ok()) return status.to_string();
  while (!engine.wait_for(std::chrono::seconds(10))) {
  }
  const Status status = engine.finish();
  return status.ok() ? std::string() : status.to_string();
}

}  // namespace millrace::bench
