// Walking from sources to where order is given up.
#include "topology/block_order.hpp"

#include <algorithm>

namespace millrace::detail {
namespace {

/// True when this input gives the order of its records up.
bool gives_order_up(const Node& node, const NodeInput& input, const PlanOptions& options) {
  if (input.port == kErrorsPort) return true;
  if (input.grouping.kind == GroupingKind::shuffle) return node.tasks != 1 && node.tasks_max != 1;
  return options.two_phase && node.two_phase && !node.breaks_ties;
}

bool is_record_wise(const Node& node, const NodeInput& input) {
  return node.by_record && node.tasks == 0 && node.inputs.size() == 1 && !node.blocking &&
         node.tick == Duration(0) && input.grouping.kind == GroupingKind::forward;
}

/// Collects `from` and the verbs behind it; false when somebody needs the order.
bool spread_from(const Graph& graph, const PlanOptions& options, NodeId from,
                 std::vector<NodeId>& found) {
  found.push_back(from);
  bool read = false;
  for (const Node& node : graph.nodes()) {
    for (const NodeInput& input : node.inputs) {
      if (input.from != from) continue;
      read = true;
      if (gives_order_up(node, input, options)) continue;
      if (!is_record_wise(node, input)) return false;
      if (!spread_from(graph, options, node.id, found)) return false;
    }
  }
  return read;
}

}  // namespace

std::vector<bool> find_spread(const Graph& graph, const PlanOptions& options,
                              const std::vector<bool>& makes_arrivals) {
  std::vector<bool> spread(graph.nodes().size());
  if (options.parallelism < 2 || !options.blocks) return spread;
  // A block has more messages than a bound may allow.
  const GraphSettings& settings = graph.settings();
  const bool bounded = settings.acks.pending_max > 0;
  if (settings.guarantee == Guarantee::at_least_once && bounded) return spread;
  for (const Node& source : graph.nodes()) {
    const bool may = source.blocks && source.tasks == 1 && !source.blocking && !source.alone &&
                     !makes_arrivals[source.id];
    std::vector<NodeId> found;
    if (!may || !spread_from(graph, options, source.id, found)) continue;
    for (const NodeId id : found) spread[id] = true;
  }
  return spread;
}

}  // namespace millrace::detail
