// Executor: tasks that one thread at a time steps in turn; they come and go by its mailbox.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/idle_gap.hpp"
#include "runtime/mailbox.hpp"
#include "runtime/task.hpp"

namespace millrace::detail {

/// What all executors of an engine look at.
struct RunState {
  std::atomic<bool> stop{false};  ///< sources are to end; what is in flight is drained
  std::atomic<bool> over{false};  ///< every task is done, or one failed
};

/// Is told of each task that is done, by the thread that stepped it.
class TaskEnds {
 public:
  virtual ~TaskEnds() = default;
  virtual void task_done(Task& task) = 0;
};

/// Steps its tasks, spins about as long as a wake-up costs, and then parks.
///
/// One thread at a time runs it. A thread whose step does not return is cut off: take_away() leaves
/// it that task alone, and another thread goes on with the executor. No lock is taken on the way of
/// batches: a round looks at one flag, a step ends with one compare-and-swap.
class Executor {
 public:
  enum class Left {
    over,     ///< the run is
    removed,  ///< it gave all its tasks away, as it was asked
    cut_off,  ///< another thread runs it; the caller still has the task it stepped
  };
  struct Outcome {
    Left left;
    Task* task = nullptr;  ///< of cut_off: the caller's now
    bool done = false;     ///< that task is
  };
  /// The step that its thread is in.
  struct StepSeen {
    bool inside = false;
    std::uint64_t turn = 0;
    std::int64_t began_ticks = 0;
    const Task* task = nullptr;
  };

  Executor(std::uint32_t number, bool own, RunState& state, TaskEnds& ends, Env& env)
      : number_(number), own_(own), state_(state), ends_(ends), env_(env) {}
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Runs until one of the above.
  Outcome run();

  // Any thread.
  /// Hands a task over for good; the caller owns it and does not touch it any more.
  void give(Task& task);
  /// Asks to hand `task` to `to`, if it is still here then.
  void ask_for(Task& task, Executor& to);
  /// Asks to hand everything to `to` and to leave run().
  void ask_to_end(Executor& to);
  /// Asks its tasks to free what only a busier time needs.
  void ask_for_memory();
  void wake() { waker_.wake(); }
  const Waker& waker() const { return waker_; }
  std::uint32_t number() const { return number_; }
  /// For one task with a blocking component.
  bool own() const { return own_; }
  StepSeen step_seen() const {
    const std::uint64_t turn = turn_.load(std::memory_order_acquire);
    return {(turn & 1) != 0, turn, began_ticks_.load(std::memory_order_relaxed),
            stepped_.load(std::memory_order_relaxed)};
  }

  /// Cuts the running thread off if it still is in the step `turn`; returns its task, which stays
  /// with that thread. Afterwards the caller must see to it that another thread calls run().
  Task* take_away(std::uint64_t turn);

 private:
  /// A task that arrives, one that is to leave `to` another executor, without task everything that
  /// is to leave, and without both a wish for memory.
  struct Letter {
    Task* task = nullptr;
    Executor* to = nullptr;
  };
  /// What a round over the tasks came to.
  struct Round {
    enum { worked, idle, cut_off } kind = idle;
    Task* task = nullptr;  ///< of cut_off, as in Outcome
    bool done = false;
    std::optional<std::int64_t> next_due_ns;
    bool polls = false;
  };

  Round round();
  /// `mine` becomes false when the thread was cut off: then nothing here but the task is its own.
  Step step(Task& task, bool& mine);
  /// Looks once more and then sleeps, see Waker. What it saw; kind idle: it slept.
  Round sleep();
  std::int64_t sleep_ns(const Round& seen) const;
  void learn_gap();
  void read_mail();

  const std::uint32_t number_;
  const bool own_;
  RunState& state_;
  TaskEnds& ends_;
  Env& env_;
  Waker waker_;

  // The thread that runs it.
  std::vector<Task*> tasks_;
  IdleGap gap_;
  bool removed_ = false;

  std::atomic<std::uint64_t> turn_{0};  ///< odd: in a step; the two below are written before it
  std::atomic<Task*> stepped_{nullptr};
  std::atomic<std::int64_t> began_ticks_{0};

  BasicMailbox<Letter> mailbox_;
};

}  // namespace millrace::detail
