// From the declared graph to stages, fused chains and edges.
#include "topology/plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "record/batch_type.hpp"
#include "record/line_block.hpp"
#include "topology/block_order.hpp"
#include "topology/chain_fusion.hpp"
#include "topology/path_guarantees.hpp"
#include "topology/topology_info.hpp"

namespace millrace::detail {
namespace {

std::uint32_t tasks_of(const Node& node, const std::vector<std::uint32_t>& tasks,
                       const PlanOptions& options) {
  if (node.tasks != 0) return node.tasks;
  if (node.make_source) return 1;
  std::uint32_t widest = 0;
  for (const NodeInput& input : node.inputs) {
    if (input.grouping.kind == GroupingKind::global) return 1;
    if (input.grouping.kind == GroupingKind::all) continue;  // goes wherever the others go
    if (input.grouping.kind != GroupingKind::forward) return options.parallelism;
    widest = std::max(widest, tasks[input.from]);
  }
  if (widest == 0 && !node.inputs.empty()) return options.parallelism;
  return std::max(widest, 1u);
}

std::uint32_t bounded_tasks_of(const Node& node, const std::vector<std::uint32_t>& tasks,
                               const PlanOptions& options) {
  const std::uint32_t wanted = tasks_of(node, tasks, options);
  return node.tasks_max == 0 ? wanted : std::min(wanted, node.tasks_max);
}

/// By node; `spread`: see find_spread().
std::vector<std::uint32_t> count_tasks(const Graph& graph, const PlanOptions& options,
                                       const std::vector<bool>& spread) {
  std::vector<std::uint32_t> tasks(graph.nodes().size(), 1);
  for (const Node& node : graph.nodes()) {
    const bool in_blocks = node.blocks && spread[node.id];
    tasks[node.id] = in_blocks ? options.parallelism : bounded_tasks_of(node, tasks, options);
  }
  return tasks;
}

/// True when the records of all inputs have event times.
bool is_timed(const Graph& graph, const Node& node) {
  return !node.inputs.empty() &&
         std::all_of(node.inputs.begin(), node.inputs.end(), [&](const NodeInput& input) {
           return input.port != kErrorsPort && graph.has_time(input.from);
         });
}

/// By node: true for everything before a component that breaks ties, which has to say where its
/// records arrived.
std::vector<bool> before_tie_breakers(const Graph& graph) {
  std::vector<bool> before(graph.nodes().size());
  for (std::size_t at = before.size(); at-- > 0;) {
    const Node& node = graph.nodes()[at];
    if (!node.breaks_ties && !before[at]) continue;
    for (const NodeInput& input : node.inputs) before[input.from] = true;
  }
  return before;
}

/// Builds the plan step by step; each method is one phase.
class Planner {
 public:
  Planner(const Graph& graph, const PlanOptions& options) : graph_(graph), options_(options) {
    plan_.topology = graph.name();
    plan_.settings = graph.settings();
  }

  Plan run() {
    makes_arrivals_ = before_tie_breakers(graph_);
    if (options_.places) makes_arrivals_.assign(makes_arrivals_.size(), true);
    spread_ = find_spread(graph_, options_, makes_arrivals_);
    node_tasks_ = count_tasks(graph_, options_, spread_);
    for (const Node& node : graph_.nodes()) add_node(node);
    fuse_chains(graph_, options_, plan_);
    plan_.info = describe(graph_, plan_);
    return std::move(plan_);
  }

 private:
  StageId add_stage(const Node& node, std::uint32_t tasks) {
    PlanStage stage;
    stage.id = static_cast<StageId>(plan_.stages.size());
    stage.node = node.id;
    stage.name = stage.stored_as = node.name;
    stage.tasks = tasks;
    stage.make_source = node.make_source;
    stage.make_operator = node.make_operator;
    stage.make_sink = node.make_sink;
    stage.outputs = node.outputs;
    if (stage.outputs.empty() && node.output) stage.outputs = {node.output};
    stage.makes_arrivals = makes_arrivals_[node.id];
    stage.timed = is_timed(graph_, node);
    stage.pending_max =
        node.pending_max != 0 ? node.pending_max : graph_.settings().acks.pending_max;
    plan_.stages.push_back(std::move(stage));
    return plan_.stages.back().id;
  }

  void add_edge(StageId from, StageId to, const NodeInput& input, const BatchType* type) {
    Grouping grouping = input.grouping;
    const bool both_single = plan_.stages[from].tasks == 1 && plan_.stages[to].tasks == 1;
    const bool same_tasks = plan_.stages[from].tasks == plan_.stages[to].tasks;
    // A direct or custom grouping has the last word even where there is but one task.
    const bool asks_sender =
        grouping.kind == GroupingKind::direct || grouping.kind == GroupingKind::custom;
    if (both_single && !asks_sender) grouping.kind = GroupingKind::forward;
    // What was spread by blocks is spread already.
    if (grouping.kind == GroupingKind::shuffle && same_tasks && spread_[plan_.stages[from].node]) {
      grouping.kind = GroupingKind::forward;
    }
    // A forward edge between different numbers of tasks has to spread its records.
    if (grouping.kind == GroupingKind::forward && !same_tasks) {
      grouping.kind = plan_.stages[to].tasks == 1 ? GroupingKind::global : GroupingKind::shuffle;
    }
    plan_.edges.push_back({from, to, input.port, input.input, std::move(grouping), type, false});
  }

  bool wants_two_phase(const Node& node) const {
    if (!node.two_phase || !options_.two_phase) return false;
    return std::any_of(node.inputs.begin(), node.inputs.end(), [&](const NodeInput& input) {
      return node_tasks_[input.from] > 1 || node_tasks_[node.id] > 1;
    });
  }

  void add_node(const Node& node) {
    const StageId id = add_stage(node, node_tasks_[node.id]);
    plan_.stages[id].tick = node.tick;
    stage_of_.push_back(id);
    if (node.blocks && spread_[node.id]) read_blocks(node, id);
    const bool two_phase = wants_two_phase(node);
    if (two_phase) plan_.stages[id].make_operator = node.two_phase->merge;
    for (const NodeInput& input : node.inputs) {
      if (input.port == kErrorsPort) {
        // Each phase of a component has dead letters of its own.
        for (StageId from = 0; from < id; ++from) {
          if (plan_.stages[from].node == input.from) add_input(node, id, from, input, two_phase);
        }
      } else {
        add_input(node, id, stage_of_[input.from], input, two_phase);
      }
    }
  }

  /// `decode` becomes what cuts the blocks apart that a stage of its own reads.
  void read_blocks(const Node& node, StageId decode) {
    const StageId read = add_stage(node, 1);
    plan_.stages[read].make_source = node.blocks->read;
    plan_.stages[read].outputs = {&line_block_type()};
    plan_.stages[decode].make_source = nullptr;
    plan_.stages[decode].make_operator = node.blocks->decode;
    plan_.stages[decode].stored_as = node.name + "/decode";  // the positions are the reader's
    add_edge(read, decode, {node.id, 0, {.kind = GroupingKind::blocks}}, &line_block_type());
  }

  void add_input(const Node& node, StageId id, StageId from, const NodeInput& input,
                 bool two_phase) {
    const BatchType* type = input.port == kErrorsPort
                                ? &batch_type<DeadLetter>()
                                : graph_.node(input.from).output_of(input.port);
    if (!two_phase) return add_edge(from, id, input, type);
    const StageId combine = add_stage(node, plan_.stages[from].tasks);
    plan_.stages[combine].make_operator = node.two_phase->combine;
    plan_.stages[combine].stored_as = fmt::format("{}/combine-{}", node.name, combine - id);
    plan_.stages[combine].outputs = {node.two_phase->between};
    add_edge(from, combine, {input.from, input.port, Grouping{}}, type);
    add_edge(combine, id, {node.id, 0, node.two_phase->grouping}, node.two_phase->between);
  }

  const Graph& graph_;
  const PlanOptions& options_;
  Plan plan_;
  std::vector<std::uint32_t> node_tasks_;
  std::vector<StageId> stage_of_;
  std::vector<bool> makes_arrivals_;  ///< by node
  std::vector<bool> spread_;          ///< by node, see find_spread()
};

}  // namespace

Plan make_plan(const Graph& graph, const PlanOptions& options) {
  return Planner(graph, options).run();
}

std::string explain(const Graph& graph, const Plan& plan) {
  std::string text = fmt::format("topology {}\n", plan.topology);
  for (std::size_t chain = 0; chain < plan.chains.size(); ++chain) {
    text += fmt::format("chain {} ({} {})\n", chain + 1, plan.chains[chain].tasks,
                        plan.chains[chain].tasks == 1 ? "task" : "tasks");
    for (const StageId id : plan.chains[chain].stages) {
      const PlanStage& stage = plan.stages[id];
      const Node& node = graph.node(stage.node);
      text += fmt::format("  {} [{}{}]", stage.name, node.kind,
                          node.note.empty() ? "" : ": " + node.note);
      for (const PlanEdge& edge : plan.edges) {
        if (edge.to != id) continue;
        text += fmt::format("  <- {}{} ({}{})", edge.port == kErrorsPort ? "errors of " : "",
                            plan.stages[edge.from].name, name_of(edge.grouping.kind),
                            edge.fused ? ", fused" : "");
      }
      text += "\n";
    }
  }
  switch (plan.settings.guarantee) {
    case Guarantee::at_most_once:
      return text + "guarantee: at most once\n";
    case Guarantee::at_least_once:
      return text + fmt::format("guarantee: at least once, {} tries a message\n",
                                plan.settings.acks.tries_max);
    case Guarantee::exactly_once:
      return text + explain_exactly_once(graph, plan);
  }
  return text;
}

}  // namespace millrace::detail
