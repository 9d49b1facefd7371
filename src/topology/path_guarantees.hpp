// PathGuarantee: what exactly_once comes to for each component, from the sources to it.
#pragma once

#include <string>
#include <vector>

#include "topology/plan.hpp"

namespace millrace::detail {

struct PathGuarantee {
  std::string component;
  Guarantee guarantee = Guarantee::exactly_once;
  std::string why;  ///< why it is not more; empty: it is exactly_once
};

/// Of a plan that runs with the guarantee exactly_once, for each component in the order of
/// declarations. Makes sources and sinks to ask them and does not open them, so a source that finds
/// out when it opens counts as it says before.
std::vector<PathGuarantee> path_guarantees(const Plan& plan);
/// The same as text: the components for which it is less, a line each; of sinks that show at once
/// also what idempotency keys do for them. `plan` is of `graph`.
std::string explain_exactly_once(const Graph& graph, const Plan& plan);

}  // namespace millrace::detail
