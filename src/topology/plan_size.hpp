// check_size: how large a plan may be that one process runs.
#pragma once

#include <cstddef>

#include "topology/plan.hpp"

namespace millrace::detail {

/// Each takes about 8 KB with its queues and is looked at in every round of its executor.
inline constexpr std::size_t kPlanTasksMax = 16'384;
/// Queues between tasks.
inline constexpr std::size_t kPlanQueuesMax = 262'144;

/// 2008, with the figure, for a plan of more tasks or queues. Before anything is made of it.
Status check_size(const Plan& plan);

}  // namespace millrace::detail
