// OperatorStage: an operator as it runs in a task: calls it with batches, watermarks and when it is
// due.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/held_heap.hpp"
#include "runtime/image_spool.hpp"
#include "runtime/reading_stage.hpp"
#include "runtime/stage_acks.hpp"

namespace millrace::detail {

/// One task's thread, except where it says otherwise.
class OperatorStage final : public ReadingStage, public Outputs {
 public:
  OperatorStage(const PlanStage& plan, TaskShared& shared)
      : ReadingStage(plan, shared),
        operator_(plan.make_operator()),
        origin_(operator_->time_origin()),
        calls_(dynamic_cast<CallsOut*>(operator_.get())),
        hands_over_(dynamic_cast<HandsOver*>(operator_.get())),
        tick_ns_(std::chrono::nanoseconds(plan.tick).count()),
        state_(&shared.memory->state) {}

  /// When it wants run_due(), steady nanoseconds; kNeverDue: not by the clock.
  std::int64_t due_ns() const {
    if (finished()) return kNeverDue;
    if (calls_ && calls_->has_answers()) return 0;
    return std::min(waiting_.due_ns, next_tick_ns_);
  }
  /// Calls to the outside stand behind it, of which so many wait that its task is to read nothing.
  bool is_full() const { return calls_ && !finished() && calls_->is_full(); }
  bool calls_out() const { return calls_ != nullptr; }
  /// Lets go of what is due at `now_ns`, all that is held when `drain`, and ticks. True when
  /// anything was.
  bool run_due(std::int64_t now_ns, bool drain);
  Status save(std::uint64_t epoch, StageImage& image, bool in_pieces) override;
  bool save_on(std::size_t slots, StageImage& image) override;
  bool hands_over() const override { return hands_over_ != nullptr && hands_over_->hands_over(); }
  std::unique_ptr<HandedState> hand_over() override { return hands_over_->hand_over(); }
  void give(std::vector<std::unique_ptr<HandedState>> handed) override {
    handed_ = std::move(handed);
  }
  Status restore(const StoredStage* stored) override;
  /// It holds records that are not due.
  bool holds() const { return waiting_.records > 0; }
  /// The same of a partition, where it makes watermarks.
  bool holds_of(std::uint32_t partition) const { return origin_->holds(partition); }

  // Where it makes watermarks.
  OperatorStage* time_origin() override { return origin_ ? this : nullptr; }
  const TimeOrigin& origin() const { return *origin_; }
  /// Before anything runs: another one whose time meets its own somewhere behind.
  void add_sibling(const OperatorStage& other) { siblings_.push_back(&other); }
  /// Once, before the first batch: the partitions of the source before it.
  void set_partitions(std::uint32_t partitions, const std::vector<std::string>& shown_names);
  void partition_ended(std::uint32_t partition);
  void partition_reached(std::uint32_t partition, Time watermark);
  /// The source has looked at the partitions [first, last), where the gate let it.
  void looked(std::uint32_t first, std::uint32_t last, std::int64_t now_ns,
              const PartitionGate& gate);
  void not_read(std::int64_t now_ns);
  void not_read_one(std::uint32_t partition);
  /// While it is idle it goes on with its siblings. True when time went on.
  bool follow_siblings();
  /// It is ahead of a sibling by more than it may be.
  bool is_ahead() const;
  /// Before anything runs: its source can wait with single partitions.
  void align_partitions() { aligns_partitions_ = true; }
  bool aligns() const { return origin_->align_within() > Duration(0); }
  /// Records before `from` and not before `until` are passed over.
  void set_range(Time from, Time until) { origin_->set_range(from, until); }
  /// The partition has ended, and that was told.
  bool has_ended(std::uint32_t partition) const {
    return operator_->standing().states[partition] == PartitionWatermarks::State::ended;
  }
  /// The source has been asked for all it may be asked for now.
  void all_read() {
    if (origin_->all_read()) waiting_ = operator_->waiting();
  }
  /// Shuts the partitions that are ahead of a sibling, or of one another, by more than they may be.
  /// False: all that have not ended are.
  bool shut_ahead(PartitionGate& gate);

  /// Any thread: keyed state held now.
  std::uint64_t state_bytes() const { return state_.bytes(); }
  void tell(ComponentReport& sum, RunningSums::Component& running) const override;

  // Outputs
  void push(std::uint32_t port, BatchBase& batch) override {
    if (acks_.on()) acks_.anchor(batch);
    emitted_ += batch.size();
    emit(port, batch);
  }
  bool has_readers(std::uint32_t port) const override { return outlets_.any(port); }
  void advance_watermark(Time watermark) override;

 protected:
  Status open_part(const StageOpening& opening) override;
  /// An image that is not whole yet reads what the operator holds.
  void close_part() override {
    writer_.reset();
    operator_->close();
  }
  void take(BatchBase& batch, bool exclusive, const Incoming& from) override;
  void advance(Time watermark) override;
  bool may_end() const override { return !calls_ || calls_->may_end(keeps_held()); }
  void drain() override;

 private:
  Time most_behind() const;
  /// What it holds is in its image. A pace is not: it holds what its source has read already.
  bool keeps_held() const { return shared_.epochs && origin_ == nullptr; }
  Status take_handed();
  template <class Call>
  void called(Call&& call);
  void settle();
  void spill();
  CallPlace call_place() const;
  bool tick(std::int64_t now_ns);

  std::unique_ptr<Operator> operator_;
  TimeOrigin* origin_ = nullptr;     ///< the operator, if it makes watermarks
  CallsOut* calls_ = nullptr;        ///< the operator, if it calls the outside
  HandsOver* hands_over_ = nullptr;  ///< the operator, if what it keeps by key can change hands
  std::vector<std::unique_ptr<HandedState>> handed_;  ///< until restore()
  std::vector<const OperatorStage*> siblings_;
  OperatorContext context_;
  Tally tally_;
  StageAcks acks_;
  Waiting waiting_;  ///< after its last call
  std::int64_t tick_ns_;
  std::int64_t next_tick_ns_ = kNeverDue;
  MemoryMeter state_;
  SpillFigures spilled_;
  std::string spill_folder_;         ///< of its rows; empty: they stay in memory
  std::optional<ImageSpool> spool_;  ///< of an image that is not taken in pieces
  HeldHeap heap_;
  std::size_t emitted_ = 0;  ///< since heap_ was told
  PartitionMarks partition_marks_;
  bool aligns_partitions_ = false;
  std::atomic<Time> closes_at_{kTimeMin};  ///< see Standing; kTimeMin: no window is open
};

}  // namespace millrace::detail
