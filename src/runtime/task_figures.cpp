// Reading chains and tasks, the graph as it runs, into a Report.
#include "runtime/task_graph.hpp"

namespace millrace::detail {
namespace {

std::string_view state_of(Step step) {
  switch (step) {
    case Step::ready:
      return "running";
    case Step::idle:
      return "idle";
    case Step::blocked:
      return "blocked";
    case Step::done:
      break;
  }
  return "done";
}

}  // namespace

void TaskGraph::fill_chains(Report& report) const {
  for (const PlanChain& chain : plan_.chains) {
    ChainReport& line = report.chains.emplace_back();
    line.tasks = chain.tasks;
    for (const StageId id : chain.stages) {
      const std::string& name = plan_.stages[id].name;
      if (line.components.empty() || line.components.back() != name)
        line.components.push_back(name);
    }
  }
}

void TaskGraph::fill_tasks(Report& report, RunningSums& sums) const {
  std::map<std::string_view, std::size_t> place_of;
  for (std::size_t at = 0; at < report.components.size(); ++at)
    place_of.emplace(report.components[at].name, at);
  report.tasks.reserve(tasks_.size());
  sums.tasks.reserve(tasks_.size());
  for (const auto& task : tasks_) {
    TaskReport& line = report.tasks.emplace_back();
    RunningSums::OneTask& sum = sums.tasks.emplace_back();
    line.chain = task->chain();
    line.index = task->index();
    line.executor = task->executor();
    line.state = state_of(task->last_step());
    line.received = task->records_in();
    line.emitted = task->records_out();
    const Task::Queue queue = task->queue();
    line.queued = queue.records;
    line.queued_batches = queue.batches;
    line.queue_fill = queue.fill;
    const auto [stage, since] = task->running();
    if (stage) line.running = stage->plan().name;
    if (stage) sum.running_since = since;
    sum.blocked_ticks = task->blocked_ticks();
    for (const auto& each : task->stages()) sum.busy_ticks += each->counters().busy_ticks.value();
    // A component that is in this task twice, as both phases, waits once.
    std::size_t counted = report.components.size();
    for (const auto& each : task->stages()) {
      const std::size_t place = place_of.at(each->plan().name);
      if (place != counted) sums.components[place].blocked_ticks += sum.blocked_ticks;
      counted = place;
    }
  }
}

}  // namespace millrace::detail
