// find_spread: which sources may be decoded by several tasks, because nobody needs their order.
#pragma once

#include <vector>

#include "topology/plan.hpp"

namespace millrace::detail {

/// By node: true for a source with Node::blocks that is read in blocks, and for the record-wise
/// verbs behind it, whose records the tasks share then.
///
/// A source is, if the parallelism is more than one and every way from it leads, over such verbs
/// alone, to where the order of its records is given up anyway: a shuffle among several tasks, an
/// aggregate in two phases. Not before event time, which is judged by partition in order, nor where
/// places of arrival are kept (`makes_arrivals`, by node), nor where the user has said how many
/// tasks there are to be, or asked for a thread of its own. Dead letters have no order.
std::vector<bool> find_spread(const Graph& graph, const PlanOptions& options,
                              const std::vector<bool>& makes_arrivals);

}  // namespace millrace::detail
