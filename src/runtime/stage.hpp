// Stage: one operator, source or sink as it runs in a task: its input channels, watermark, counters
// and readers.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "metrics/counter.hpp"
#include "metrics/histogram.hpp"
#include "operator/dead_letter.hpp"
#include "operator/operator.hpp"
#include "operator/source.hpp"
#include "operator/task_context.hpp"
#include "runtime/memory_budget.hpp"
#include "runtime/router.hpp"
#include "runtime/stage_hooks.hpp"
#include "topology/plan.hpp"

namespace millrace::detail {

/// Exact counts of one stage in one task: written by its thread, read by any.
struct StageCounters {
  Counter received;
  Counter processed;
  Counter filtered;
  Counter late;
  Counter dead_lettered;
  Counter rows_refused;
  Counter in_flight;
  Counter emitted;
  Counter busy_ticks;
  std::atomic<Time> watermark{kTimeMin};
  std::atomic<Time> newest_time{kTimeMin};  ///< of stages that originate time
  std::atomic<Time> closes_at{kTimeMin};    ///< see Standing; kTimeMin: no window is open
  StepHistogram steps;                      ///< own time of each call with records, in ticks
};

/// The watermarks of a source's partitions as the stage that makes them saw them last; any thread
/// may read them.
class PartitionMarks {
 public:
  /// Those beyond are not shown.
  static constexpr std::size_t kMax = 64;

  /// Before anything runs.
  void add(std::vector<std::string> names);
  void store(std::span<const Time> marks) {
    const std::size_t count = std::min(marks.size(), marks_.size());
    for (std::size_t at = 0; at < count; ++at)
      marks_[at].store(marks[at], std::memory_order_relaxed);
  }
  std::size_t size() const { return marks_.size(); }
  const std::string& name(std::size_t at) const { return names_[at]; }
  Time watermark(std::size_t at) const { return marks_[at].load(std::memory_order_relaxed); }

 private:
  std::vector<std::string> names_;
  std::deque<std::atomic<Time>> marks_;
};

/// Sees dead letters of all tasks; any thread.
class DeadLetterLog {
 public:
  virtual ~DeadLetterLog() = default;
  virtual void add(const std::string& component, std::string_view reason, std::string_view where,
                   std::string_view record) = 0;
};

/// A processor tick count for busy shares: rdtsc where there is one, else the steady clock.
std::int64_t busy_ticks_now();

/// Whose time it is now, so that each stage is charged for its own work and not for its readers'.
/// Switched by one task's thread.
class BusyMeter {
 public:
  /// Charges the time so far to the current owner and switches to `next`; returns the owner before.
  Counter* switch_to(Counter* next) {
    const std::int64_t now = busy_ticks_now();
    Counter* before = owner_.load(std::memory_order_relaxed);
    if (before) before->add(static_cast<std::uint64_t>(now - since()));
    since_.store(now, std::memory_order_relaxed);
    owner_.store(next, std::memory_order_relaxed);
    return before;
  }
  /// Whose time runs: after an exception came out of a stage, still that stage's. Any thread.
  const Counter* owner() const { return owner_.load(std::memory_order_relaxed); }
  /// Since when it runs, in ticks. Any thread; owner and moment may be of two neighbouring calls.
  std::int64_t since() const { return since_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Counter*> owner_{nullptr};
  std::atomic<std::int64_t> since_{0};
};

/// What the stages of a task share.
struct TaskShared {
  Env* env = nullptr;
  BusyMeter busy;
  std::int64_t due_ns = 0;                    ///< due time of what is being handled now
  const std::atomic<bool>* active = nullptr;  ///< false: sources are not polled
  MemoryBudget* memory = nullptr;
  Status failure;  ///< the first one; ends the task
};

/// Which of its inputs a batch of a stage came over.
struct Incoming {
  std::uint32_t input = 0;          ///< as declared
  const InputInfo* info = nullptr;  ///< null between the two phases of one component
};

/// What opening a stage needs beside its contexts.
struct StageOpening {
  OperatorContext operator_context;
  EndContext end_context;
  TaskContext::Place place;
  const std::vector<std::shared_ptr<TaskHook>>* hooks = nullptr;
};

class Stage final : public Outputs, public DeadLetters {
 public:
  struct Reader {
    Stage* stage = nullptr;  ///< fused reader, with its channel number
    std::uint32_t channel = 0;
    Incoming incoming;
    Router* router = nullptr;  ///< or the sending end of rings
    Counter* fused_sent = nullptr;
    Counter* fused_received = nullptr;
  };

  Stage(const PlanStage& plan, TaskShared& shared, DeadLetterLog& dead_letters);

  // Wiring, before anything runs.
  std::uint32_t add_channel();
  void add_reader(std::uint32_t port, Reader reader);
  Status open(const StageOpening& opening);

  // Running.
  /// `edge_received` is the received counter of the edge the batch came over.
  void receive(BatchBase& batch, bool exclusive, const Incoming& from, Counter& edge_received);
  void advance_channel(std::uint32_t channel, Time watermark);
  void end_channel(std::uint32_t channel);
  /// Calls tick() when it is due; true when it was. `next_due` becomes the least due time.
  bool tick(std::optional<std::int64_t>& next_due);
  /// Source stage: tells the source that it is polled from now on, or is not. Returns `active`.
  bool set_active(bool active);
  /// One poll of a source stage. False: nothing there.
  bool poll();
  /// Source stage: no more input. `fire`: the input is complete, so windows fire.
  void finish(bool fire);
  bool finished() const { return finished_; }
  /// Lets go of held records that are due (all when `drain`); true when any went. `next_due`
  /// becomes the least due time.
  bool release_held(bool drain, std::optional<std::int64_t>& next_due);
  void flush_sink();
  void close();
  /// Any thread, while the run goes on: what waits for somebody else's room waits no longer.
  void give_up() {
    if (sink_) sink_->give_up();
  }

  bool is_source() const { return source_ != nullptr; }
  bool is_sink() const { return sink_ != nullptr; }
  bool holds() const { return operator_ && operator_->held() > 0; }
  const PlanStage& plan() const { return plan_; }
  StageCounters& counters() { return counters_; }
  const StageCounters& counters() const { return counters_; }
  /// Of a sink: due to written, nanoseconds; null for others.
  const Histogram* latency() const { return latency_.get(); }
  const PartitionMarks& partitions() const { return partition_marks_; }
  /// Any thread: keyed state held now.
  std::uint64_t state_bytes() const { return state_.bytes(); }
  /// Any thread, source stage: it waits for memory.
  bool held_by_memory() const {
    return progress_ && progress_->held.load(std::memory_order_relaxed);
  }
  const std::vector<std::vector<Reader>>& readers() const { return readers_; }
  const TaskContext* user() const { return user_.get(); }
  bool ticks() const { return plan_.tick > Duration(0); }
  /// Source stage: a replay behind it holds records that are not due, so it is not polled.
  bool is_held_back() const;
  bool originates_time() const { return operator_ && operator_->originates_time(); }
  /// Source stage: stages with event time behind it; while one holds records the source is not
  /// polled.
  std::vector<Stage*> pacing;
  std::uint64_t limit = 0;  ///< source stage: most records to read; 0: no limit

  // Outputs
  void push(std::uint32_t port, BatchBase& batch) override;
  bool has_readers(std::uint32_t port) const override {
    return port < readers_.size() && !readers_[port].empty();
  }
  void advance_watermark(Time watermark) override;
  // DeadLetters
  void add(std::string_view reason, std::string_view where, std::string_view record) override;

 private:
  Status open_part();
  void close_part();
  std::int64_t tick_ns() const { return std::chrono::nanoseconds(plan_.tick).count(); }
  void settle();
  void count_step(std::uint64_t busy_before);
  void write(BatchBase& batch);
  void forward_watermark(Time watermark);
  void end_readers();
  void partition_ended(std::uint32_t partition);
  void after_poll(Poll outcome);
  void apply_limit();
  void number_arrivals(BatchBase& batch);
  void hand_to(const std::vector<Reader>& readers, BatchBase& batch);
  void hand_on_errors();
  template <class Visit>
  void for_each_reader(Visit&& visit);
  bool may_read();
  void tell_progress(bool active);

  const PlanStage& plan_;
  TaskShared& shared_;
  DeadLetterLog& dead_letter_log_;
  std::unique_ptr<Source> source_;
  std::unique_ptr<Operator> operator_;
  std::unique_ptr<Sink> sink_;
  OperatorContext context_;
  EndContext end_context_;
  std::unique_ptr<TaskContext> user_;
  StageHooks hooks_;
  std::int64_t next_tick_ns_ = 0;
  bool opened_ = false;
  bool active_ = false;
  Tally tally_;
  MemoryMeter state_;                   ///< of its operator's keyed state
  SourceProgress* progress_ = nullptr;  ///< of a source
  StageCounters counters_;
  std::unique_ptr<Histogram> latency_;
  PartitionMarks partition_marks_;
  std::vector<std::vector<Reader>> readers_;  ///< by port
  std::vector<Reader> error_readers_;         ///< of kErrorsPort
  Batch<DeadLetter> errors_;                  ///< of the call that runs, when somebody reads them

  std::vector<Time> channel_watermarks_;
  std::size_t channels_ended_ = 0;
  Time watermark_ = kTimeMin;
  bool finished_ = false;
  bool sink_dirty_ = false;

  BatchPtr poll_batch_;
  std::optional<std::uint32_t> partition_to_end_;
  bool source_exhausted_ = false;
  std::uint64_t end_dead_ = 0;  ///< dead letters of a source or sink
  std::uint64_t beyond_limit_ = 0;
  std::vector<std::uint64_t> numbered_;  ///< records of each partition that have a place
};

}  // namespace millrace::detail
