// Polling a source.
#include "runtime/source_stage.hpp"

#include <algorithm>
#include <numeric>

namespace millrace::detail {

SourceStage::SourceStage(const PlanStage& plan, TaskShared& shared)
    : Stage(plan, shared), source_(plan.make_source()), progress_(shared.memory->add_source()) {
  for (const BatchType* type : plan.outputs) batches_.push_back(type->make());
}

/// A batch is at most a quarter of what may be on its way, so that there is a flow; a spout that
/// looks at the room that is left before each record may fill it up.
void SourceStage::track() {
  MessageLedger::Settings settings;
  settings.source = plan_.name;
  settings.task = context_.task;
  settings.tasks = plan_.tasks;
  settings.ports = plan_.outputs;
  settings.home = shared_.home;
  settings.pending_max = static_cast<std::size_t>(plan_.pending_max);
  if (plan_.pending_max > 0) {
    batch_max_ = std::min(batch_max_, std::max<std::size_t>(1, settings.pending_max / 4));
  }
  ledger_ = &shared_.tracking->add(std::move(settings));
}

Status SourceStage::open_part(const StageOpening& opening) {
  context_ = opening.end_context;
  context_.dead_letters = this;
  context_.user = user_context();
  context_.arenas = &shared_.memory->arenas;
  batch_max_ = context_.batch_records_max;
  if (shared_.tracking) track();
  context_.batch_records_max = batch_max_;
  context_.gate = &gate_;
  if (Status status = source_->open(context_); !status.ok()) return status;
  forgets_ = !source_->replayable();
  if (Status status = tell_range(); !status.ok()) return status;
  paces_partitions_ = opening.operator_context.speed > 0 && !ledger_;
  if (!opening.restores) tell_partitions();
  return {};
}

/// What the source cannot leave out itself, those pass over that know its records' times.
Status SourceStage::tell_range() {
  const ReplayRange& range = context_.range;
  if (!range.given() || source_->reads_range()) return {};
  if (range.from.needs_offsets() || range.until.needs_offsets()) {
    return {Code::option_invalid,
            "\"" + plan_.name +
                "\" has no offsets, so --from and --until are times such as 2015-09-12T06:00:00Z; "
                "offsets are those of a journal"};
  }
  if (range.from_time() == kTimeMin && range.until_time() == kTimeMax) return {};
  if (time_origins_.empty()) {
    return {Code::option_invalid,
            "the records of \"" + plan_.name +
                "\" have no event time to compare with --from and --until: give them one with "
                "event_time, or leave the flags away"};
  }
  for (OperatorStage* stage : time_origins_)
    stage->set_range(range.from_time(), range.until_time());
  return {};
}

void SourceStage::tell_partitions() {
  const std::vector<std::string> shown = shown_partitions();
  aligns_partitions_ = gate_.heeded() && source_->partitions() > 1 &&
                       std::any_of(time_origins_.begin(), time_origins_.end(),
                                   [](const OperatorStage* stage) { return stage->aligns(); });
  paces_partitions_ &= gate_.heeded() && source_->partitions() > 1;
  for (OperatorStage* stage : time_origins_) {
    stage->set_partitions(source_->partitions(), shown);
    if (aligns_partitions_) stage->align_partitions();
    counts_quiet_time_ |= stage->origin().counts_quiet_time();
  }
}

std::vector<std::string> SourceStage::shown_partitions() const {
  std::vector<std::string> names;
  for (std::uint32_t at = 0; at < source_->partitions() && at < PartitionMarks::kMax; ++at) {
    names.push_back(shown_partition(at));
  }
  return names;
}

/// Its name, or that of the source, with the number where there are several.
std::string SourceStage::shown_partition(std::uint32_t partition) const {
  if (std::string name = source_->partition_name(partition); !name.empty()) return name;
  if (plan_.tasks == 1 && source_->partitions() == 1) return plan_.name;
  return plan_.name + " partition " + std::to_string(partition_over_tasks(partition));
}

void SourceStage::close_part() {
  (void)set_active(false);
  source_->close();
}

bool SourceStage::set_active(bool active) {
  if (active == active_) return active;
  active_ = active;
  charged([&] { active ? source_->activate() : source_->deactivate(); });
  return active;
}

bool SourceStage::is_held_back() const {
  const bool any = std::any_of(time_origins_.begin(), time_origins_.end(),
                               [](const OperatorStage* stage) { return stage->holds(); });
  if (!any || !paces_partitions_ || exhausted_) return any;
  if (read_while_shut_ && is_held(*read_while_shut_)) return true;
  if (mark_ && is_held(mark_->first)) return true;
  for (std::uint32_t at = 0; at < source_->partitions(); ++at) {
    if (may_give(at)) return false;
  }
  return true;
}

bool SourceStage::is_held(std::uint32_t partition) const {
  return std::any_of(time_origins_.begin(), time_origins_.end(),
                     [&](const OperatorStage* stage) { return stage->holds_of(partition); });
}

/// It has not ended, and nothing of it is held.
bool SourceStage::may_give(std::uint32_t partition) const {
  const auto& ended = ended_partitions_;
  if (std::find(ended.begin(), ended.end(), partition) != ended.end()) return false;
  return std::none_of(time_origins_.begin(), time_origins_.end(), [&](const OperatorStage* stage) {
    return stage->holds_of(partition) || stage->has_ended(partition);
  });
}

/// It gives nothing more now: what is held need not wait for it.
void SourceStage::note_all_read() {
  for (OperatorStage* stage : time_origins_) stage->all_read();
}

void SourceStage::shut_held() {
  for (std::uint32_t at = 0; at < source_->partitions(); ++at) {
    if (is_held(at)) gate_.shut(at);
  }
}

bool SourceStage::poll() {
  bool any = poll_once();
  while (last_ == Poll::partition_idle) any |= poll_once();
  return any;
}

bool SourceStage::poll_once() {
  last_ = Poll::idle;
  tell_ends_of_partitions();
  const bool told = tell_mark();
  if (ledger_ && play_again()) return true;
  if (exhausted_) return end_of_input() || told;
  if (!may_read()) {
    not_read();
    return told;
  }
  is_read_ = true;
  const std::uint64_t busy_before = counters_.busy_ticks.value();
  bool any = false;
  bool idle = true;
  charged([&] {
    const Result<Poll> outcome = read();
    any = polled().size() > 0;
    idle = !outcome || *outcome == Poll::idle || *outcome == Poll::partition_idle;
    if (!outcome) {
      shared_.fail(outcome.error());
    } else {
      last_ = *outcome;
      note_ends(*outcome);
      if (any && gate_.is_shut(polled().partition)) read_while_shut_ = polled().partition;
      const std::uint32_t partition = polled().partition;
      if (any) hand_on();
      polled().partition = partition;
      if (counts_quiet_time_) looked(*outcome);
      if (*outcome == Poll::idle) note_all_read();
    }
    hand_on_errors();
    tell_progress(!idle);
  });
  if (any) count_step(busy_before);
  return any || told || !idle;
}

Result<Poll> SourceStage::read() {
  port_ = source_->port();
  polled().clear();
  Result<Poll> outcome = source_->poll(polled());
  if (limit_ != 0) cut_to_limit();
  counters_.received.set(source_->records_read() - beyond_limit_);
  counters_.processed.add(polled().size());
  counters_.dead_lettered.set(letters() - letters_given_up_);
  return outcome;
}

void SourceStage::hand_on() {
  BatchBase& batch = polled();
  if (batch.due_ns == 0) batch.due_ns = shared_.env->clock->steady_ns();
  shared_.due_ns = batch.due_ns;
  if (plan_.makes_arrivals) number_arrivals(batch);
  if (!ledger_) {
    const std::size_t records = batch.size();
    emit(port_, batch);
    return ack_at_once(records);
  }
  ledger_->open(batch, port_, *source_, batch.due_ns);
  emit(port_, batch);
  batch.messages.release();
}

/// Where nothing is tracked, what is handed on counts as handled, as in Storm without ackers.
void SourceStage::ack_at_once(std::size_t records) {
  if (!source_->names_messages()) return;
  for (const auto& name : source_->message_names().first(records)) {
    if (name) source_->acked(*name);
  }
}

bool SourceStage::settle(bool stop) {
  if (!ledger_) return false;
  if (stop) stop_replays();
  if (!ledger_->has_mail()) return false;
  charged([&] {
    const auto settled = ledger_->settle(*source_, *this, shared_.env->clock->steady_ns());
    counters_.rows_refused.add(settled.given_up);
    letters_given_up_ += settled.given_up;
    // A spout that plays failed messages again itself is asked once more.
    if (settled.failed > 0 && source_->names_messages()) exhausted_ = false;
    if (hooks_.any()) {
      hooks_.settled(settled.acked, settled.failed + settled.given_up,
                     std::chrono::nanoseconds(settled.longest_ns));
    }
    hand_on_errors();
  });
  return true;
}

/// A batch that a paced replay holds back is not due yet; then this waits too.
bool SourceStage::play_again() {
  if (ledger_->again_due_ns() == kNeverDue) return false;
  std::uint32_t port = 0;
  BatchPtr batch = ledger_->take_again(port, shared_.env->clock->steady_ns());
  if (!batch) return false;
  charged([&] {
    shared_.due_ns = batch->due_ns;
    emit(port, *batch);
    hand_on_errors();
  });
  ledger_->give_back(std::move(batch), port);
  return true;
}

/// Windows fire at the end, so it comes when nothing that may fail is on its way.
bool SourceStage::end_of_input() {
  if (ledger_ && !ledger_->quiet()) return false;
  if (ledger_) {
    stop_replays();
    ledger_->begin_last_tries();
  }
  finish(true);
  return true;
}

void SourceStage::stop_replays() {
  const std::uint64_t dropped = ledger_->stop_replays(*this);
  counters_.rows_refused.add(dropped);
  letters_given_up_ += dropped;
  if (dropped > 0) charged([this] { hand_on_errors(); });
}

/// Ends are told by the next poll: not before the records read last have been let go by a paced
/// replay.
void SourceStage::note_ends(Poll outcome) {
  BatchBase& batch = polled();
  if (outcome == Poll::partition_ended) ended_partitions_.push_back(batch.partition);
  if (batch.watermark != kTimeMin) mark_ = {batch.partition, batch.watermark};
  batch.watermark = kTimeMin;
  exhausted_ = outcome == Poll::ended || at_limit();
}

/// Not while a message of it may be played again.
void SourceStage::tell_ends_of_partitions() {
  std::erase_if(ended_partitions_, [this](std::uint32_t partition) {
    if (ledger_ && !ledger_->quiet(partition)) return false;
    if (is_held(partition)) return false;
    for (OperatorStage* stage : time_origins_) stage->partition_ended(partition);
    return true;
  });
}

/// As ends are.
bool SourceStage::tell_mark() {
  if (!mark_) return false;
  const auto [partition, watermark] = *std::exchange(mark_, std::nullopt);
  for (OperatorStage* stage : time_origins_) stage->partition_reached(partition, watermark);
  return !time_origins_.empty();
}

/// Which partitions the source has looked at, follows from what it says of its poll.
void SourceStage::looked(Poll outcome) {
  const bool at_all = outcome == Poll::idle;
  const std::uint32_t first = at_all ? 0 : polled().partition;
  const std::uint32_t last = at_all ? source_->partitions() : first + 1;
  const std::int64_t now = shared_.env->clock->steady_ns();
  for (OperatorStage* stage : time_origins_) {
    if (stage->origin().counts_quiet_time()) stage->looked(first, last, now, gate_);
  }
}

void SourceStage::not_read() {
  note_all_read();
  if (!counts_quiet_time_ || !is_read_) return;
  is_read_ = false;
  const std::int64_t now = shared_.env->clock->steady_ns();
  for (OperatorStage* stage : time_origins_) stage->not_read(now);
}

bool SourceStage::follow_others() {
  bool any = false;
  for (OperatorStage* stage : time_origins_) any |= stage->follow_siblings();
  return any;
}

/// Whether the memory budget, and the others behind it in event time, let this source read on.
bool SourceStage::may_read() {
  const bool may = shared_.memory->may_poll(progress_);
  if (may == progress_.held.load(std::memory_order_relaxed)) {
    progress_.held.store(!may, std::memory_order_relaxed);
  }
  if (aligns_partitions_ || paces_partitions_) gate_.open(source_->partitions());
  const bool ahead = is_ahead();
  const bool any_ahead = ahead || gate_.any();
  if (any_ahead != is_ahead_.load(std::memory_order_relaxed)) {
    is_ahead_.store(any_ahead, std::memory_order_relaxed);
  }
  tell_shut();
  if (paces_partitions_) shut_held();
  return may && !ahead && has_room();
}

/// Whether the source waits for others; where it can, single partitions do.
bool SourceStage::is_ahead() {
  if (!aligns_partitions_) {
    return std::any_of(time_origins_.begin(), time_origins_.end(),
                       [](const OperatorStage* stage) { return stage->is_ahead(); });
  }
  bool ahead = false;
  for (OperatorStage* stage : time_origins_) ahead |= !stage->shut_ahead(gate_);
  return ahead;
}

/// A partition that is not read is not quiet.
void SourceStage::tell_shut() {
  if (!counts_quiet_time_ || !gate_.any()) return;
  for (std::uint32_t at = 0; at < source_->partitions(); ++at) {
    if (!gate_.fell_shut(at)) continue;
    for (OperatorStage* stage : time_origins_) stage->not_read_one(at);
  }
}

/// Whether so many messages may be on their way as a poll may give. Where all that is left waits in
/// the hands of bolts, which may want more of them, a part of a batch is room enough.
bool SourceStage::has_room() {
  if (!ledger_) return true;
  const std::size_t room = ledger_->room(batch_max_);
  context_.batch_records_max = std::max<std::size_t>(room, 1);
  if (room >= batch_max_ || room == 0) return room > 0;
  return source_->fits_room() || ledger_->quiet();
}

void SourceStage::tell_progress(bool active) {
  progress_.active.store(active, std::memory_order_relaxed);
  for (const OperatorStage* stage : time_origins_) {
    const Time newest = stage->counters().newest_time.load(std::memory_order_relaxed);
    if (newest > progress_.newest.load(std::memory_order_relaxed)) {
      progress_.newest.store(newest, std::memory_order_relaxed);
    }
  }
}

/// Cuts what was read beyond the limit off the batch; it counts as never read.
void SourceStage::cut_to_limit() {
  const std::uint64_t left = limit_ - std::min(limit_, read_before_ + counters_.processed.value());
  const std::size_t count = polled().size();
  if (count <= left) return;
  std::vector<std::uint32_t> kept(left);
  std::iota(kept.begin(), kept.end(), 0u);
  const BatchType& type = *plan_.outputs[port_];
  BatchPtr cut = type.make();
  carry_marks(polled(), *cut);
  type.append(*cut, polled(), kept);
  beyond_limit_ += count - left;
  batches_[port_] = std::move(cut);
}

void SourceStage::number_arrivals(BatchBase& batch) {
  if (numbered_.size() <= batch.partition) numbered_.resize(batch.partition + 1);
  std::uint64_t& number = numbered_[batch.partition];
  const std::uint32_t partition = partition_over_tasks(batch.partition);
  batch.arrivals.clear();
  batch.arrivals.reserve(batch.size());
  for (std::size_t at = 0; at < batch.size(); ++at) {
    batch.arrivals.push_back(Arrival::at(plan_.node, partition, number++));
  }
}

void SourceStage::finish(bool fire) {
  if (finished()) return;
  tell_progress(false);
  input_ended_ = fire;
  if (fire) forward_watermark(kTimeMax);
  end();
}

void SourceStage::tell(ComponentReport& sum, RunningSums::Component& running) const {
  if (ledger_) tell_acks(sum, running);
  sum.held_by_memory |= progress_.held.load(std::memory_order_relaxed);
  sum.held_by_alignment |= is_ahead_.load(std::memory_order_relaxed);
}

void SourceStage::tell_acks(ComponentReport& sum, RunningSums::Component& running) const {
  if (!sum.acks) sum.acks.emplace();
  if (!running.ack_latency) running.ack_latency.emplace();
  ledger_->fill(*sum.acks, *running.ack_latency, shared_.env->clock->steady_ns());
}

std::uint64_t SourceStage::held_back() const {
  std::uint64_t most = 0;
  for (const OperatorStage* stage : time_origins_) {
    most = std::max(most, stage->counters().in_flight.value());
  }
  return most;
}

}  // namespace millrace::detail
