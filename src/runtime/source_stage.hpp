// SourceStage: a source as it runs in a task: polls it, keeps its limit and its pace, tells ends.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/operator_stage.hpp"

namespace millrace::detail {

/// One task's thread, except where it says otherwise.
class SourceStage final : public Stage {
 public:
  SourceStage(const PlanStage& plan, TaskShared& shared);

  // Wiring, before anything runs.
  /// Most records to read; 0: no limit.
  void set_limit(std::uint64_t records) { limit_ = records; }
  /// `stage` makes the watermarks of what is read here, and while it holds records of a partition
  /// that is not read; a source that cannot pass over one is not polled then.
  void add_time_origin(OperatorStage& stage) { time_origins_.push_back(&stage); }

  /// What it has read ahead is lost when it is closed. Any thread, from open() on.
  bool forgets() const { return forgets_; }
  /// Tells the source that it is polled from now on, or is not. Returns `active`.
  bool set_active(bool active);
  /// Where messages are tracked: acks and fails what is done. True when anything was. `stop`: the
  /// sources are asked to end, so nothing is played again.
  bool settle(bool stop);
  /// When messages are to be played again, steady nanoseconds; kNeverDue: none are, or not while it
  /// rests or is held back.
  std::int64_t due_ns() const {
    return ledger_ && active_ && !is_held_back() ? ledger_->again_due_ns() : kNeverDue;
  }
  /// Frees what only a busier time needs.
  void give_memory_back() {
    if (ledger_) ledger_->give_memory_back();
  }
  /// Nothing is left of any message.
  bool settled() const { return !ledger_ || ledger_->settled(); }
  /// Reads one batch, or plays messages again; partitions that have nothing are passed over. False:
  /// nothing there.
  bool poll();
  /// Origins of time learn of partitions that have ended.
  void tell_ends_of_partitions();
  /// It is not polled in this step, which must not count as quiet time.
  void not_read();
  /// Idle origins of time go on with others. True when time went on.
  bool follow_others();
  /// No more input. `fire`: it is complete, so windows fire.
  void finish(bool fire);
  Status save(std::uint64_t epoch, StageImage& image, bool in_pieces) override;
  Status restore(const StoredStage* stored) override;
  /// It has read all there is, so windows fired at its end.
  bool input_ended() const { return input_ended_; }
  /// A replay behind it holds records that are not due, of each partition that it could read, so it
  /// is not polled.
  bool is_held_back() const;

  // Any thread.
  void tell(ComponentReport& sum, RunningSums::Component& running) const override;
  std::uint64_t held_back() const override;

 protected:
  Status open_part(const StageOpening& opening) override;
  void close_part() override;

 private:
  Status restore_from(const StoredStage& stored);
  Status tell_range();
  bool is_held(std::uint32_t partition) const;
  bool may_give(std::uint32_t partition) const;
  void note_all_read();
  void shut_held();
  void tell_shut();
  BatchBase& polled() { return *batches_[port_]; }
  /// Once it is known how many there are: a source that goes on from an image may find more.
  void tell_partitions();
  std::vector<std::string> shown_partitions() const;
  std::string shown_partition(std::uint32_t partition) const;
  /// Partitions are numbered over all tasks: task t of n owns those with index % n == t.
  std::uint32_t partition_over_tasks(std::uint32_t partition) const {
    return partition * plan_.tasks + context_.task;
  }
  Result<Poll> read();
  void hand_on();
  bool poll_once();
  void ack_at_once(std::size_t records);
  bool play_again();
  bool end_of_input();
  void stop_replays();
  bool tell_mark();
  void note_ends(Poll outcome);
  void looked(Poll outcome);
  void cut_to_limit();
  void number_arrivals(BatchBase& batch);
  bool at_limit() const {
    return limit_ != 0 && read_before_ + counters_.processed.value() >= limit_;
  }
  bool may_read();
  bool is_ahead();
  bool has_room();
  void track();
  void tell_acks(ComponentReport& sum, RunningSums::Component& running) const;
  void tell_progress(bool active);

  std::unique_ptr<Source> source_;
  EndContext context_;
  std::vector<OperatorStage*> time_origins_;
  SourceProgress& progress_;
  MessageLedger* ledger_ = nullptr;  ///< null: messages are not tracked
  std::vector<BatchPtr> batches_;    ///< by the port they go to
  std::uint32_t port_ = 0;           ///< of what was polled last
  bool active_ = false;
  bool forgets_ = false;  ///< set when it opens
  bool exhausted_ = false;
  bool input_ended_ = false;
  bool counts_quiet_time_ = false;  ///< of an origin of time behind it, partitions may fall idle
  bool is_read_ = true;             ///< it was polled in its last step
  Poll last_ = Poll::idle;
  std::atomic<bool> is_ahead_{false};  ///< of others in event time, so it waits
  PartitionGate gate_;
  bool aligns_partitions_ = false;                      ///< by the gate
  bool paces_partitions_ = false;                       ///< the same, by what is held of them
  std::optional<std::uint32_t> read_while_shut_;        ///< it is held, and the source has no other
  std::optional<std::pair<std::uint32_t, Time>> mark_;  ///< promised, and not told yet
  std::vector<std::uint32_t> ended_partitions_;         ///< not told yet
  std::uint64_t limit_ = 0;
  std::uint64_t beyond_limit_ = 0;
  std::uint64_t read_before_ = 0;        ///< records within the limit that earlier runs have read
  std::size_t batch_max_ = 0;            ///< records that a poll may give
  std::uint64_t letters_given_up_ = 0;   ///< dead letters of messages, not of what was read
  std::vector<std::uint64_t> numbered_;  ///< records of each partition that have a place
};

}  // namespace millrace::detail
