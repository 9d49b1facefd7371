// Plan: what runs: stages (operators with their number of tasks), chains of fused stages, and the
// edges between.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "topology/topology_graph.hpp"

namespace millrace::detail {

struct PlanOptions {
  std::uint32_t parallelism = 1;
  /// Fuse neighbours without a shuffle between them. Off only in tests of the rings; a source and
  /// its event_time are one chain all the same.
  bool fuse = true;
  /// Decode blocks of lines in several tasks where the order of an input is not needed. Off where a
  /// source reads a limited number of records.
  bool blocks = true;
  /// Combine before shuffles where the aggregate merges.
  bool two_phase = true;
  /// Every record says which one of a source's it was made of, as before components that break
  /// ties: a dead letter names it. Costs 16 bytes a record, and files are read in order.
  bool places = false;
};

using StageId = std::uint32_t;

/// One operator, source or sink of the plan; it runs as `tasks` instances.
struct PlanStage {
  StageId id = 0;
  NodeId node = 0;  ///< the component it belongs to
  std::string name;
  std::string stored_as;  ///< its name in images: unique, and the same however many tasks there are
  std::uint32_t tasks = 1;
  std::uint32_t chain = 0;
  std::function<std::unique_ptr<Source>()> make_source;
  std::function<std::unique_ptr<Operator>()> make_operator;
  std::function<std::unique_ptr<Sink>()> make_sink;
  std::vector<const BatchType*> outputs;  ///< types of what it emits, by port; none: a sink
  bool makes_arrivals = false;            ///< a reader behind it breaks ties by arrival
  Duration tick{0};                       ///< how often it ticks; 0: never
  int pending_max = 0;                    ///< of a source: see AckOptions
  bool timed = false;                     ///< the records of all its inputs have event times
};

struct PlanEdge {
  StageId from = 0;
  StageId to = 0;
  std::uint32_t port = 0;
  std::uint32_t input = 0;  ///< which of the reader's declared inputs
  Grouping grouping;
  const BatchType* type = nullptr;
  bool fused = false;
};

/// Stages that run in one task each index; chain c has chains[c].tasks tasks.
struct PlanChain {
  std::vector<StageId> stages;
  std::uint32_t tasks = 1;
  bool blocking = false;  ///< has a component that is marked blocking
};

struct Plan {
  std::string topology;
  std::shared_ptr<const TopologyInfo> info;  ///< what tasks may know; components by node id
  GraphSettings settings;
  std::vector<PlanStage> stages;  ///< in topological order
  std::vector<PlanEdge> edges;
  std::vector<PlanChain> chains;
};

/// Lays a valid graph out. Deterministic.
Plan make_plan(const Graph& graph, const PlanOptions& options);

/// The plan as text: a line a component, its tasks, groupings and chain.
std::string explain(const Graph& graph, const Plan& plan);

}  // namespace millrace::detail
