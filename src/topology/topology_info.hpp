// describe(): the running topology as tasks may see it.
#pragma once

#include <memory>

#include "topology/plan.hpp"

namespace millrace::detail {

/// Components in the order of their node ids, with the groupings and numbers of tasks as planned.
std::shared_ptr<const TopologyInfo> describe(const Graph& graph, const Plan& plan);

/// The name of output `port` of `node`: "default" for the only one, "errors" for its dead letters.
std::string stream_name(const Node& node, std::uint32_t port);

}  // namespace millrace::detail
