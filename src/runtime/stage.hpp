// Stage: one operator, source or sink as it runs in a task: its input channels, watermark, counters
// and readers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "metrics/counter.hpp"
#include "metrics/histogram.hpp"
#include "operator/operator.hpp"
#include "operator/source.hpp"
#include "runtime/router.hpp"
#include "topology/plan.hpp"

namespace millrace::detail {

/// Exact counts of one stage in one task: written by its thread, read by any.
struct StageCounters {
  Counter received;
  Counter processed;
  Counter filtered;
  Counter late;
  Counter dead_lettered;
  Counter in_flight;
  Counter emitted;
  Counter busy_ticks;
  std::atomic<Time> watermark{kTimeMin};
  std::atomic<Time> newest_time{kTimeMin};  ///< of stages that originate time
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
/// One task's thread.
class BusyMeter {
 public:
  /// Charges the time so far to the current owner and switches to `next`; returns the owner before.
  Counter* switch_to(Counter* next) {
    const std::int64_t now = busy_ticks_now();
    if (owner_) owner_->add(static_cast<std::uint64_t>(now - since_));
    since_ = now;
    return std::exchange(owner_, next);
  }
  /// Whose time runs: after an exception came out of a stage, still that stage's.
  const Counter* owner() const { return owner_; }

 private:
  Counter* owner_ = nullptr;
  std::int64_t since_ = 0;
};

/// What the stages of a task share.
struct TaskShared {
  Env* env = nullptr;
  BusyMeter busy;
  std::int64_t due_ns = 0;  ///< due time of what is being handled now
  Status failure;           ///< the first one; ends the task
};

class Stage final : public Outputs, public DeadLetters {
 public:
  struct Reader {
    Stage* stage = nullptr;  ///< fused reader, with its channel number
    std::uint32_t channel = 0;
    Router* router = nullptr;  ///< or the sending end of rings
    Counter* fused_sent = nullptr;
    Counter* fused_received = nullptr;
  };

  Stage(const PlanStage& plan, TaskShared& shared, DeadLetterLog& dead_letters);

  // Wiring, before anything runs.
  std::uint32_t add_channel();
  void add_reader(std::uint32_t port, Reader reader);
  Status open(const OperatorContext& context, const EndContext& end_context);

  // Running.
  /// `count_edge` is the received counter of the edge the batch came over.
  void receive(BatchBase& batch, bool exclusive, Counter& edge_received);
  void advance_channel(std::uint32_t channel, Time watermark);
  void end_channel(std::uint32_t channel);
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

  bool is_source() const { return source_ != nullptr; }
  bool is_sink() const { return sink_ != nullptr; }
  bool holds() const { return operator_ && operator_->held() > 0; }
  const PlanStage& plan() const { return plan_; }
  StageCounters& counters() { return counters_; }
  const StageCounters& counters() const { return counters_; }
  const Histogram& latency() const { return latency_; }
  const std::vector<std::vector<Reader>>& readers() const { return readers_; }
  bool originates_time() const { return operator_ && operator_->originates_time(); }
  /// Source stage: stages with event time behind it; while one holds records the source is not
  /// polled.
  std::vector<Stage*> pacing;
  std::uint64_t limit = 0;  ///< source stage: most records to read; 0: no limit

  // Outputs
  void push(std::uint32_t port, BatchBase& batch) override;
  void advance_watermark(Time watermark) override;
  // DeadLetters
  void add(std::string_view reason, std::string_view where, std::string_view record) override;

 private:
  void settle();
  void write(BatchBase& batch);
  void forward_watermark(Time watermark);
  void end_readers();
  void partition_ended(std::uint32_t partition);
  void after_poll(Poll outcome);
  void apply_limit();

  const PlanStage& plan_;
  TaskShared& shared_;
  DeadLetterLog& dead_letter_log_;
  std::unique_ptr<Source> source_;
  std::unique_ptr<Operator> operator_;
  std::unique_ptr<Sink> sink_;
  OperatorContext context_;
  EndContext end_context_;
  Tally tally_;
  StageCounters counters_;
  Histogram latency_;
  std::vector<std::vector<Reader>> readers_;  ///< by port

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
};

}  // namespace millrace::detail
