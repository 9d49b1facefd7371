// Stage: one component as it runs in one task; sources, operators and sinks are the three kinds.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "metrics/report.hpp"
#include "operator/dead_letter.hpp"
#include "operator/operator.hpp"
#include "operator/source.hpp"
#include "operator/task_context.hpp"
#include "runtime/call_workers.hpp"
#include "runtime/memory_budget.hpp"
#include "runtime/outlets.hpp"
#include "runtime/running_sums.hpp"
#include "runtime/set_aside.hpp"
#include "runtime/spill_settings.hpp"
#include "runtime/stage_figures.hpp"
#include "runtime/stage_hooks.hpp"
#include "runtime/stored_stages.hpp"
#include "runtime/tracking.hpp"
#include "state/handed_tables.hpp"
#include "topology/plan.hpp"

namespace millrace::detail {

/// What the stages of a task share.
struct TaskShared {
  Env* env = nullptr;
  DeadLetterLog* dead_letters = nullptr;
  BusyMeter busy;
  std::int64_t due_ns = 0;                    ///< due time of what is being handled now
  const std::atomic<bool>* active = nullptr;  ///< false: sources are not polled
  MemoryBudget* memory = nullptr;
  Tracking* tracking = nullptr;  ///< null: messages are not tracked
  const Home* home = nullptr;    ///< where the task is stepped
  bool epochs = false;           ///< the run makes epochs
  const SpillSettings* spill = nullptr;
  CallMaking calls;
  Status failure;  ///< the first one; ends the task

  void fail(Status status) {
    if (!status.ok() && failure.ok()) failure = std::move(status);
  }
};

/// What opening a stage needs beside its contexts.
struct StageOpening {
  OperatorContext operator_context;
  EndContext end_context;
  TaskContext::Place place;
  const std::vector<std::shared_ptr<TaskHook>>* hooks = nullptr;
  bool restores = false;  ///< restore() follows, of all stages but sinks that keep no epochs
};

/// What the three kinds have in common: a place, counters, hooks, readers and dead letters. One
/// task's thread, except where it says otherwise.
///
/// What a source or operator emits and what moves with it goes through outlets(); what a reading
/// stage takes comes in through ReadingStage.
class Stage : public DeadLetters {
 public:
  Stage(const PlanStage& plan, TaskShared& shared) : plan_(plan), shared_(shared) {}
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  /// Wiring, before anything runs.
  Outlets& outlets() { return outlets_; }

  Status open(const StageOpening& opening);
  /// Closes what open() has opened, once.
  void close();
  /// Hands on what need not be kept, and begins to write to `image` what it is at the barrier of
  /// `epoch`. Between steps of the data: all stages of a task at once, in the order of the data.
  /// `in_pieces`: parts may come in several, of which whoever calls takes what is there between
  /// calls. Errors: the epoch cannot complete.
  virtual Status save(std::uint64_t epoch, StageImage& image, bool in_pieces) = 0;
  /// Writes on, about what so many `slots` of tables hold. True: `image` is whole. Between steps of
  /// the data, until it is.
  virtual bool save_on(std::size_t /*slots*/, StageImage& /*image*/) { return true; }
  /// What it keeps by key can be given to a run that goes on at once, as it stands now.
  virtual bool hands_over() const { return false; }
  /// Behind its last call, where hands_over() is true: it has nothing of it any more.
  virtual std::unique_ptr<HandedState> hand_over() { return nullptr; }
  /// Before restore(): what it owns of that, from the tasks of the run before.
  virtual void give(std::vector<std::unique_ptr<HandedState>> /*handed*/) {}
  /// Goes on from what was stored for it; null: nothing was. Once, when all tasks are open, sinks
  /// behind the others; not called where the run neither makes epochs nor goes on from one. Errors:
  /// 3003, 4001, 4002.
  virtual Status restore(const StoredStage* stored) = 0;
  /// All its inputs ended, and it has told its readers so.
  bool finished() const { return finished_; }

  // Any thread.
  const PlanStage& plan() const { return plan_; }
  const StageCounters& counters() const { return counters_; }
  const TaskContext* user() const { return user_.get(); }
  /// Adds what only its kind can tell.
  virtual void tell(ComponentReport& /*sum*/, RunningSums::Component& /*running*/) const {}
  /// Records that a source has read and a paced replay behind it has not let go.
  virtual std::uint64_t held_back() const { return 0; }

  // DeadLetters
  void add(std::string_view reason, std::string_view where, std::string_view record) override;
  void fail(std::string_view reason, const BatchBase& batch, std::size_t index,
            const BatchType& type) override;

 protected:
  virtual Status open_part(const StageOpening& opening) = 0;
  virtual void close_part() = 0;

  /// Does `work` on this stage's time, its readers' left out. What throws leaves the meter as it
  /// is: so the task knows whose code it was.
  template <class Work>
  void charged(Work&& work) {
    Counter* caller = shared_.busy.switch_to(&counters_.busy_ticks);
    work();
    shared_.busy.switch_to(caller);
  }
  /// Notes a call's own time: what the meter gained since `busy_before`.
  void count_step(std::uint64_t busy_before) {
    counters_.steps.add(counters_.busy_ticks.value() - busy_before);
  }
  /// Counts and hands on what the component emits.
  void emit(std::uint32_t port, BatchBase& batch);
  /// Hands the dead letters of a call on. After the call, never within it: the readers may be
  /// stages of this task.
  void hand_on_errors();
  /// Shows the watermark and tells the readers.
  void forward_watermark(Time watermark);
  /// Nothing more comes out of this stage.
  void end();
  TaskContext* user_context() { return user_.get(); }
  /// Records that failed since the last call, and whose messages are played again.
  std::uint64_t take_failed() { return std::exchange(failed_, 0); }
  /// Dead letters so far.
  std::uint64_t letters() const { return letters_; }

  const PlanStage& plan_;
  TaskShared& shared_;
  StageCounters counters_;
  StageHooks hooks_;
  Outlets outlets_;

 private:
  void set_aside(SetAside letter);

  std::unique_ptr<TaskContext> user_;
  Batch<DeadLetter> errors_;  ///< of the call that runs, when somebody reads them
  std::uint64_t letters_ = 0;
  std::uint64_t failed_ = 0;
  bool opened_ = false;
  bool finished_ = false;
};

}  // namespace millrace::detail
