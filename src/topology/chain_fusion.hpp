// Fusion: neighbours without a shuffle between them become one chain.
#pragma once

#include "topology/plan.hpp"

namespace millrace::detail {

/// Marks the edges of `plan` that are fused and collects its stages into chains. An edge stays a
/// queue where a chain would reach itself: two of its tasks could wait for each other.
void fuse_chains(const Graph& graph, const PlanOptions& options, Plan& plan);

}  // namespace millrace::detail
