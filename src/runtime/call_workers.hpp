// Workers that call the outside for a task: threads, or, where runs must be repeatable, its steps.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

#include "env/random.hpp"
#include "operator/call_place.hpp"

namespace millrace::detail {

/// How what blocks is called in a run.
struct CallMaking {
  bool on_threads = true;         ///< false: in the task's steps
  std::int64_t delay_max_ns = 0;  ///< in steps: calls are made up to so much later, as drawn
  std::uint64_t seed = 0;         ///< for that
};

/// Threads of its own, started as they are needed.
class CallThreads final : public CallWorkers {
 public:
  explicit CallThreads(std::size_t most) : most_(most) {}
  ~CallThreads() override;
  void run(Job job) override;

 private:
  void work(std::size_t number);

  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable to_do_;
  std::deque<Job> jobs_;
  std::size_t idle_ = 0;
  bool over_ = false;
  std::vector<std::thread> threads_;
};

/// Without threads: jobs run in the step that asks for them, or at a time that is drawn.
class CallSteps final : public CallWorkers {
 public:
  CallSteps(const CallMaking& making, std::uint64_t salt, Clock& clock)
      : delay_max_ns_(making.delay_max_ns), random_(making.seed ^ salt), clock_(clock) {}
  void run(Job job) override;
  std::int64_t due_ns() const override { return late_.empty() ? kNeverDue : late_.top().at_ns; }
  void run_due(std::int64_t now_ns) override;

 private:
  struct Late {
    std::int64_t at_ns;
    std::uint64_t number;
    Job job;
    friend bool operator<(const Late& a, const Late& b) {
      return a.at_ns != b.at_ns ? a.at_ns > b.at_ns : a.number > b.number;
    }
  };
  std::int64_t delay_max_ns_;
  Random random_;
  Clock& clock_;
  std::uint64_t numbered_ = 0;
  std::priority_queue<Late> late_;
};

}  // namespace millrace::detail
