// SinkStage: a sink as it runs in a task: writes, flushes, and measures how long after their due
// time records were written.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operator/stateful_sink.hpp"
#include "runtime/reading_stage.hpp"

namespace millrace::detail {

/// One task's thread, except where it says otherwise.
class SinkStage final : public ReadingStage {
 public:
  SinkStage(const PlanStage& plan, TaskShared& shared)
      : ReadingStage(plan, shared),
        state_(&shared.memory->state),
        sink_(plan.make_sink()),
        stateful_(dynamic_cast<StatefulSink*>(sink_.get())) {}

  /// Makes what was written visible, if anything was.
  void flush();
  Status save(std::uint64_t epoch, StageImage& image, bool in_pieces) override;
  Status restore(const StoredStage* stored) override;
  /// `epoch` is complete: what was prepared for it and before is to be seen.
  void commit(std::uint64_t epoch);
  /// Any thread, while the run goes on: what waits for somebody else's room waits no longer.
  void give_up() { sink_->give_up(); }
  void tell(ComponentReport& sum, RunningSums::Component& running) const override;

 protected:
  Status open_part(const StageOpening& opening) override;
  /// An image that is not whole yet reads what the sink keeps.
  void close_part() override {
    writer_.reset();
    shared_.fail(sink_->close());
  }
  void take(BatchBase& batch, bool exclusive, const Incoming& from) override;
  void advance(Time watermark) override;

 private:
  struct Prepared {
    std::uint64_t epoch;
    std::string token;
  };

  bool write(const BatchBase& batch);
  void let_go();
  Status restore_state(const StoredStage* stored);

  MemoryMeter state_;  ///< of a sink that keeps rows
  std::unique_ptr<Sink> sink_;
  StatefulSink* stateful_;  ///< the sink, if it keeps rows
  EndContext context_;
  Histogram latency_;  ///< due to written, nanoseconds
  bool dirty_ = false;
  std::vector<Prepared> prepared_;  ///< and not committed, oldest first
  std::vector<Origin*> unflushed_;  ///< a moving share in each, until what was written is visible
};

}  // namespace millrace::detail
