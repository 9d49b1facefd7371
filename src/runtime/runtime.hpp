// The face of `runtime`: Engine runs a plan on a fixed number of executor threads; the only threads
// of the engine.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/task_graph.hpp"

namespace millrace::detail {

/// Runs a topology. start(), wait() and the destructor by one thread; request_stop() and fill() by
/// any.
class Engine {
 public:
  Engine(Plan plan, const RunOptions& options, Env& env);
  ~Engine();

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
  /// Waits until every task is done, at most `timeout`. True when done.
  bool wait_for(Duration timeout);
  /// Joins the executors and closes sources and sinks. The first failure, ok for a normal end; an
  /// output whose reader went away (4005) is returned as such.
  Status finish();

  bool stopping() const { return stop_.load(std::memory_order_relaxed); }
  TaskGraph& graph() { return graph_; }
  const TaskGraph& graph() const { return graph_; }

 private:
  struct Executor {
    Waker waker;
    std::vector<Task*> tasks;
    std::thread thread;

    // What its sources' pace is, to choose between spinning and parking.
    void learn_gap(std::int64_t now_ns);
    std::int64_t gap_ns = 0;
    std::int64_t learned_at_ns = 0;
    std::uint64_t polled_before = 0;
  };

  void set_active(bool active);
  void run(Executor& executor);
  /// Steps each task once. Returns whether any did something; drops those that are done.
  bool round(Executor& executor, std::optional<std::int64_t>& next_due, bool& polls);
  static std::int64_t spin_ns(const Executor& executor, bool polls);
  /// False: there was something to do after all.
  bool sleep(Executor& executor);
  void task_done(Task& task);

  RunOptions options_;
  Env& env_;
  TaskGraph graph_;
  std::vector<std::unique_ptr<Executor>> executors_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> failed_{false};  ///< a task failed: its neighbours would wait for it for ever
  std::mutex mutex_;
  std::condition_variable all_done_;
  std::size_t tasks_left_ = 0;
  Status failure_;
};

}  // namespace millrace::detail
