// Whether what reaches a sink has idempotency keys that are the same in every run.
#pragma once

#include <string>

#include "topology/topology_graph.hpp"

namespace millrace::detail {

/// Why the records that reach `sink` have none; empty: they have. Makes sources and operators to
/// ask them and does not open them.
std::string why_no_stable_keys(const Graph& graph, NodeId sink);

}  // namespace millrace::detail
