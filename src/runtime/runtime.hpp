// The face of `runtime`: Engine runs a plan on executor threads, as many as asked for or as the
// load needs.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/epoch_thread.hpp"
#include "runtime/governor.hpp"

namespace millrace::detail {

/// Runs a topology. start(), wait() and the destructor by one thread; request_stop() and fill() by
/// any.
///
/// With RunOptions::executors 0 one executor starts and others come and go with the load
/// (ScalingPolicy). A task with a component that is marked blocking has an executor of its own
/// beside them.
class Engine final : private TaskEnds {
 public:
  Engine(Plan plan, const RunOptions& options, Env& env);
  ~Engine() override;

  /// Opens sources and sinks and starts the executors. Errors: those of opening; then nothing runs.
  Status start();
  /// Asks the sources to end; what is in flight is drained, no window fires.
  void request_stop();
  /// Activates the spouts and sources again, or lets them rest: next() and poll() are not called,
  /// what is in flight is processed, bolts go on ticking. Before start(): it begins at rest. Any
  /// thread; takes effect at once, not yet when it returns.
  void activate() { set_active(true); }
  void deactivate() { set_active(false); }
  bool active() const { return graph_.active(); }
  /// Waits until every task is done and the final epoch is complete, at most `timeout`. True when
  /// done.
  bool wait_for(Duration timeout);
  /// Waits for the end, joins the executors and closes sources and sinks. The first failure, ok for
  /// a normal end; an output whose reader went away (4005) is returned as such.
  Status finish();

  bool stopping() const { return state_.stop.load(std::memory_order_relaxed); }
  /// Everything that is known of the run now; `graph` is the one that was planned.
  void fill(const Graph& graph, Report& report, RunningSums& sums) const;
  TaskGraph& graph() { return graph_; }
  const TaskGraph& graph() const { return graph_; }

 private:
  void set_active(bool active);
  void task_done(Task& task) override;
  void part_done(const Status& failure);
  std::vector<Executor*> place_tasks();
  void end_threads();

  RunOptions options_;
  Env& env_;
  TaskGraph graph_;
  RunState state_;
  Crew crew_;
  Governor governor_;
  EpochThread epochs_;
  mutable std::mutex mutex_;
  std::condition_variable all_done_;
  std::size_t parts_left_ = 0;  ///< tasks, and the making of epochs
  bool started_ = false;
  Status failure_;
};

}  // namespace millrace::detail
