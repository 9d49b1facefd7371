// SteppedRun: a plan run in the caller's thread over the simulated clock, as far as it is told.
// told.
#pragma once

#include <cstdint>
#include <vector>

#include "env/sim_env.hpp"
#include "runtime/task_graph.hpp"

namespace millrace::detail {

/// What the test driver runs topologies with: the tasks of production, stepped in turn until none
/// can do more. Nothing happens between two calls, and time passes only in advance(). One thread.
class SteppedRun {
 public:
  /// `env` outlives it.
  SteppedRun(Graph graph, const PlanOptions& plan, const RunOptions& run, SimEnv& env);
  ~SteppedRun() { (void)tasks_.close(); }
  SteppedRun(const SteppedRun&) = delete;
  SteppedRun& operator=(const SteppedRun&) = delete;

  Status open() { return tasks_.open(); }
  /// Steps all tasks until only input or time can help. Errors: a task's failure; 2010 when a
  /// source always has more.
  Status settle();
  /// Lets `by` pass: whatever is due meanwhile happens at its time. As settle().
  Status advance(Duration by);
  /// Asks the sources to end, as Ctrl-C does: what is in flight is drained, no window fires.
  Status stop();
  /// Every task has ended.
  bool ended() const { return live_.empty(); }
  /// Pauses the sources, or resumes them.
  void set_active(bool active) { tasks_.set_active(active); }
  Report report() const;
  const Graph& graph() const { return graph_; }

 private:
  bool sweep();
  std::optional<std::int64_t> next_due_ns(std::int64_t now) const;
  std::string never_rests() const;

  Graph graph_;
  SimEnv& env_;
  TaskGraph tasks_;
  std::vector<Task*> live_;
  bool stop_ = false;
  Status failure_;
};

}  // namespace millrace::detail
