// From a plan to what tasks may know of their topology.
#include "topology/topology_info.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace millrace::detail {
namespace {

/// Makes room for the ports up to `port`, in their order.
void add_ports(const Node& node, std::uint32_t port, std::vector<OutputInfo>& outputs) {
  while (outputs.size() <= port) {
    outputs.push_back({stream_name(node, static_cast<std::uint32_t>(outputs.size())), {}});
  }
}

}  // namespace

std::string stream_name(const Node& node, std::uint32_t port) {
  if (port == kErrorsPort) return "errors";
  if (port < node.streams.size()) return node.streams[port];
  return port == 0 ? "default" : fmt::format("branch-{}", port + 1);
}

std::shared_ptr<const TopologyInfo> describe(const Graph& graph, const Plan& plan) {
  auto info = std::make_shared<TopologyInfo>();
  info->name = graph.name();
  info->config = graph.settings().config;
  for (const Node& node : graph.nodes()) {
    ComponentInfo& component = info->components.emplace_back();
    component.name = node.name;
    component.kind = node.kind;
    component.begins_places = begin_here(node.row_places);
    component.config = node.config.over(graph.settings().config);
    if (node.output) {
      add_ports(node,
                std::max<std::uint32_t>(1, static_cast<std::uint32_t>(node.streams.size())) - 1,
                component.outputs);
    }
  }
  // Of a component in two phases the second stands for it: it comes first in the plan.
  for (auto stage = plan.stages.rbegin(); stage != plan.stages.rend(); ++stage) {
    info->components[stage->node].tasks = static_cast<int>(stage->tasks);
  }
  for (const PlanEdge& edge : plan.edges) {
    const Node& from = graph.node(plan.stages[edge.from].node);
    const Node& to = graph.node(plan.stages[edge.to].node);
    if (from.id == to.id) continue;
    const std::string grouping(name_of(edge.grouping.kind));
    info->components[to.id].inputs.push_back(
        {from.name, stream_name(from, edge.port), grouping, static_cast<int>(edge.input)});
    if (edge.port == kErrorsPort) continue;  // not what the component itself emits
    auto& outputs = info->components[from.id].outputs;
    add_ports(from, edge.port, outputs);
    outputs[edge.port].targets.push_back(
        {to.name, grouping, static_cast<int>(plan.stages[edge.to].tasks)});
  }
  return info;
}

}  // namespace millrace::detail
