// Counting tasks and queues.
#include "topology/plan_size.hpp"

#include <fmt/format.h>

namespace millrace::detail {

Status check_size(const Plan& plan) {
  std::size_t tasks = 0;
  for (const PlanChain& chain : plan.chains) tasks += chain.tasks;
  if (tasks > kPlanTasksMax) {
    return {Code::tasks_invalid,
            fmt::format("the topology \"{}\" would run as {} tasks, but one process runs at most "
                        "{}: give a smaller --parallelism, or its components fewer tasks",
                        plan.topology, tasks, kPlanTasksMax)};
  }
  std::size_t queues = 0;
  for (const PlanEdge& edge : plan.edges) {
    if (edge.fused) continue;
    const std::size_t senders = plan.stages[edge.from].tasks;
    const bool to_one = edge.grouping.kind == GroupingKind::forward;
    queues += to_one ? senders : senders * plan.stages[edge.to].tasks;
  }
  if (queues <= kPlanQueuesMax) return {};
  return {Code::tasks_invalid,
          fmt::format("the topology \"{}\" would need {} queues between its tasks, but one process "
                      "has at most {}: give a smaller --parallelism, or the components on both "
                      "sides of a shuffle fewer tasks",
                      plan.topology, queues, kPlanQueuesMax)};
}

}  // namespace millrace::detail
