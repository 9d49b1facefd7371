// Governor: looks at the executors a hundred times a second: names steps that do not return, moves
// their neighbours, and carries out what the scaling policy decides.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/calm_after_peak.hpp"
#include "runtime/crew.hpp"
#include "runtime/scaling_policy.hpp"
#include "runtime/task_graph.hpp"

namespace millrace::detail {

/// Its thread, while it runs, is the only one that adds and removes executors.
class Governor {
 public:
  /// `shared` are the executors that tasks may move between, in the order of their numbers. All
  /// references outlive it.
  Governor(Crew& crew, TaskGraph& graph, const RunState& state, const RunOptions& options,
           Env& env);
  ~Governor() { stop(); }
  Governor(const Governor&) = delete;
  Governor& operator=(const Governor&) = delete;

  void start(std::vector<Executor*> shared);
  /// Returns when nothing changes any more.
  void stop();
  /// Executors, their changes, slow steps. Any thread.
  void fill(Report& report) const;

 private:
  /// A step that is being watched, or that was named.
  struct Watch {
    std::uint64_t turn = 0;
    std::int64_t thread = 0;
    std::int64_t waited_ns = 0;         ///< by that thread for a processor, at the last look
    std::int64_t waited_before_ns = 0;  ///< the same before the step began
  };
  struct SlowStep {
    SlowStepReport told;
    const Task* task = nullptr;
    std::int64_t began_ns = 0;
  };

  void work();
  /// How long until the next look.
  std::int64_t look();
  std::int64_t watch_steps();
  bool watch(Executor& executor);
  void end_waiting_sinks();
  void name_slow_step(const Executor& executor, const Task& task, const std::string& component,
                      std::int64_t age_ns);
  void see_returned_steps();
  void sample(std::int64_t now_ns);
  void give_memory_back(std::int64_t now_ns);
  void sample_processors(std::int64_t now_ns);
  Loads measure(std::int64_t now_ns);
  void measure_links(Loads& loads);
  void carry_out(const Decision& decision);
  std::string tell(const Decision& decision, const Executor& from, const Executor& to) const;
  void count_added();
  void note(std::string text);
  std::vector<double> task_shares();
  void smooth(const std::vector<double>& shares, std::int64_t passed_ns);
  std::optional<std::size_t> shared_at(const Task& task) const;
  std::size_t tasks_at(const Executor& executor) const;
  double ticks_per_ns(std::int64_t now_ns) const;

  Crew& crew_;
  TaskGraph& graph_;
  const RunState& state_;
  const bool auto_;
  Log log_;
  Env& env_;
  ScalingPolicy policy_;
  std::int64_t slow_step_ns_;
  std::vector<Executor*> shared_;

  // Samples.
  std::int64_t started_ns_ = 0;
  std::optional<std::int64_t> stop_seen_ns_;
  std::int64_t started_ticks_ = 0;
  std::int64_t sampled_ns_ = 0;
  std::int64_t sampled_ticks_ = 0;
  std::vector<std::uint64_t> busy_before_;     ///< by task
  std::vector<std::uint64_t> records_before_;  ///< by channel
  std::int64_t processors_ns_ = 0;
  CpuUse used_before_;
  double free_cores_ = 1;
  CalmAfterPeak calm_;
  std::map<const Executor*, Watch> watched_;

  mutable std::mutex mutex_;  // guards what fill() reads
  std::map<const Executor*, double> busy_lately_;
  std::deque<ExecutorChangeReport> changes_;
  std::size_t executors_most_ = 0;
  std::uint64_t executors_added_ = 0;
  std::uint64_t executors_removed_ = 0;
  std::deque<SlowStep> slow_;

  std::mutex stop_mutex_;
  std::condition_variable stop_changed_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace millrace::detail
