// The weakest link on the ways to each component.
#include "topology/path_guarantees.hpp"

#include <fmt/format.h>

#include "topology/stable_keys.hpp"

namespace millrace::detail {
namespace {

int strength(Guarantee guarantee) {
  switch (guarantee) {
    case Guarantee::at_most_once:
      return 0;
    case Guarantee::at_least_once:
      return 1;
    case Guarantee::exactly_once:
      break;
  }
  return 2;
}

PathGuarantee of_stage(const PlanStage& stage) {
  PathGuarantee own{stage.name, Guarantee::exactly_once, {}};
  if (stage.make_source && !stage.make_source()->replayable()) {
    own.guarantee = Guarantee::at_most_once;
    own.why = fmt::format(
        "\"{}\" cannot give again what it has given, so what follows the last epoch is lost in a "
        "crash",
        stage.name);
  }
  if (stage.make_sink && !stage.make_sink()->transactional()) {
    own.guarantee = Guarantee::at_least_once;
    own.why = "it shows rows before their epoch is complete, so they come again after a crash";
  }
  return own;
}

/// What a receiver of records that may come again can do about it.
std::string told_of_keys(const Graph& graph, const Node& node) {
  if (node.breaks_ties)
    return ". A receiver that keeps their idempotency keys makes it exactly once";
  const std::string why = why_no_stable_keys(graph, node.id);
  if (!why.empty()) return ". They can have no idempotency keys: " + why;
  return ". With idempotency keys a receiver could make it exactly once";
}

/// A sink that hands records on to somebody; a view or a table shows what is.
bool has_receiver(const Node& node) {
  return node.make_sink && node.kind != "view" && node.kind != "serve_table" &&
         !node.make_sink()->transactional();
}

/// True when it became weaker.
bool weaken(PathGuarantee& to, const PathGuarantee& from) {
  if (strength(from.guarantee) >= strength(to.guarantee)) return false;
  to.guarantee = from.guarantee;
  to.why = from.why;
  return true;
}

}  // namespace

std::vector<PathGuarantee> path_guarantees(const Plan& plan) {
  std::vector<PathGuarantee> stages;
  for (const PlanStage& stage : plan.stages) stages.push_back(of_stage(stage));
  // As many passes as the longest way is long: the stages may stand in another order.
  for (bool changed = true; changed;) {
    changed = false;
    for (const PlanEdge& edge : plan.edges) changed |= weaken(stages[edge.to], stages[edge.from]);
  }
  std::vector<PathGuarantee> components;
  for (std::size_t node = 0; node < plan.info->components.size(); ++node) {
    PathGuarantee& sum = components.emplace_back();
    sum.component = plan.info->components[node].name;
    for (const PlanStage& stage : plan.stages) {
      if (stage.node == node) weaken(sum, stages[stage.id]);
    }
  }
  return components;
}

std::string explain_exactly_once(const Graph& graph, const Plan& plan) {
  std::string text = "guarantee: exactly once\n";
  const std::vector<PathGuarantee> paths = path_guarantees(plan);
  for (std::size_t at = 0; at < paths.size(); ++at) {
    const PathGuarantee& path = paths[at];
    if (path.why.empty()) continue;
    const bool least = path.guarantee == Guarantee::at_least_once;
    const Node& node = graph.nodes()[at];
    text += fmt::format("  {}: at {} once: {}{}\n", path.component, least ? "least" : "most",
                        path.why, least && has_receiver(node) ? told_of_keys(graph, node) : "");
  }
  return text;
}

}  // namespace millrace::detail
