// CallPlace: what the runtime gives to operators that call the outside, and asks of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "operator/operator.hpp"

namespace millrace::detail {

/// Runs what blocks. One task's; its calls by the task's thread. Its end waits for jobs that run
/// and drops the others.
class CallWorkers {
 public:
  /// Given the number of the worker that runs it; jobs of one worker never overlap. Throws nothing.
  using Job = std::function<void(std::size_t worker)>;

  virtual ~CallWorkers() = default;
  virtual void run(Job job) = 0;
  /// Of workers without threads: when the next job is to run, steady nanoseconds.
  virtual std::int64_t due_ns() const { return kNeverDue; }
  virtual void run_due(std::int64_t /*now_ns*/) {}
};

struct CallPlace {
  /// Any thread: lets the task be stepped.
  std::function<void()> wake;
  std::function<std::unique_ptr<CallWorkers>(std::size_t workers)> make_workers;
};

/// An operator that waits for answers from outside. All calls by its task's thread.
class CallsOut {
 public:
  virtual ~CallsOut() = default;
  /// Once, before open().
  virtual void call_from(CallPlace place) = 0;
  /// Records wait for room, so the task is to read nothing.
  virtual bool is_full() const = 0;
  /// Answers have come: release() is due.
  virtual bool has_answers() const = 0;
  /// Behind the last record: nothing is left to wait for. `in_image`: what is held after a stop is
  /// kept by the last image.
  virtual bool may_end(bool in_image) const = 0;
};

}  // namespace millrace::detail
