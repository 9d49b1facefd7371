// The weakest link on the ways to each component.
#include "topology/path_guarantees.hpp"

#include <fmt/format.h>

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

std::string explain_exactly_once(const Plan& plan) {
  std::string text = "guarantee: exactly once\n";
  for (const PathGuarantee& path : path_guarantees(plan)) {
    if (path.why.empty()) continue;
    text += fmt::format("  {}: at {} once: {}\n", path.component,
                        path.guarantee == Guarantee::at_most_once ? "most" : "least", path.why);
  }
  return text;
}

}  // namespace millrace::detail
