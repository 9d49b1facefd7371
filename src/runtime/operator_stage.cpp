// Calling an operator, and settling what each call came to.
#include "runtime/operator_stage.hpp"

#include <iterator>
#include <span>
#include <utility>

namespace millrace::detail {

namespace {

/// A partition that gives records: it has begun, and is neither idle nor ended.
bool is_read(const Standing& standing, std::size_t partition) {
  return standing.newests[partition] != kTimeMin &&
         standing.states[partition] == PartitionWatermarks::State::active;
}

/// The newest time of the partition furthest behind; kTimeMin: none gives records.
Time slowest_of(const Standing& standing) {
  Time least = kTimeMax;
  for (std::size_t at = 0; at < standing.newests.size(); ++at) {
    if (is_read(standing, at)) least = std::min(least, standing.newests[at]);
  }
  return least == kTimeMax ? kTimeMin : least;
}

}  // namespace

Status OperatorStage::open_part(const StageOpening& opening) {
  context_ = opening.operator_context;
  context_.tally = &tally_;
  context_.dead_letters = this;
  context_.component = plan_.node;
  context_.makes_arrivals = plan_.makes_arrivals;
  context_.timed = plan_.timed;
  if (shared_.tracking) context_.ack_timeout = shared_.tracking->acks().timeout;
  context_.user = user_context();
  context_.state = &state_;
  context_.arenas = &shared_.memory->arenas;
  if (tick_ns_ > 0) next_tick_ns_ = shared_.env->clock->steady_ns() + tick_ns_;
  if (shared_.tracking && operator_->anchoring() == Anchoring::by_call) acks_.turn_on();
  if (calls_) calls_->call_from(call_place());
  operator_->open(context_);
  spill();
  waiting_ = operator_->waiting();
  heap_.watch(*operator_);
  return {};
}

CallPlace OperatorStage::call_place() const {
  CallPlace place;
  place.wake = [home = shared_.home] { home->wake(); };
  place.make_workers = [making = shared_.calls, clock = shared_.env->clock,
                        salt = std::uint64_t{plan_.id} << 32 |
                               context_.task](std::size_t workers) -> std::unique_ptr<CallWorkers> {
    if (making.on_threads) return std::make_unique<CallThreads>(workers);
    return std::make_unique<CallSteps>(making, salt, *clock);
  };
  return place;
}

void OperatorStage::spill() {
  auto* const spills = dynamic_cast<Spills*>(operator_.get());
  if (spills == nullptr || shared_.spill == nullptr || shared_.spill->tables == nullptr) return;
  const std::string name = std::to_string(plan_.id) + "-" + std::to_string(context_.task);
  const SpillPlace place = shared_.spill->place(*shared_.memory, name, spilled_);
  spill_folder_ = place.folder;
  spills->spill_to(place);
}

/// A call that comes from outside of receive(), on the operator's own time.
template <class Call>
void OperatorStage::called(Call&& call) {
  charged([&] {
    call();
    settle();
    hand_on_errors();
  });
}

void OperatorStage::take(BatchBase& batch, bool exclusive, const Incoming& from) {
  if (acks_.on()) acks_.begin(batch, *operator_);
  const std::size_t records = batch.size();
  operator_->process_input(from.input, batch, exclusive, *this);
  settle();
  heap_.passed(records + std::exchange(emitted_, 0), state_);
}

/// Moves the tallies of a call into the counters; what is held stays in flight.
void OperatorStage::settle() {
  counters_.processed.add(tally_.processed);
  counters_.filtered.add(tally_.filtered);
  counters_.late.add(tally_.late);
  const std::uint64_t again = take_failed();
  counters_.failed.add(again);
  counters_.dead_lettered.add(tally_.dead_lettered - again);
  counters_.rows_refused.add(tally_.rows_refused);
  tally_ = {};
  waiting_ = operator_->waiting();
  counters_.in_flight.set(waiting_.records);
  const Standing standing = operator_->standing();
  if (acks_.on()) acks_.end(standing.holds_from);
  closes_at_.store(standing.closes_at.value_or(kTimeMin), std::memory_order_relaxed);
  if (!origin_) return;
  counters_.newest_time.store(standing.newest_time, std::memory_order_relaxed);
  counters_.slowest_time.store(aligns_partitions_ ? slowest_of(standing) : standing.newest_time,
                               std::memory_order_relaxed);
  counters_.idle.store(standing.idle, std::memory_order_relaxed);
  partition_marks_.store(standing);
}

void OperatorStage::advance(Time watermark) {
  const std::uint64_t busy_before = counters_.busy_ticks.value();
  const std::uint64_t emitted_before = counters_.emitted.value();
  called([&] {
    operator_->advance(watermark, *this);
    if (watermark == kTimeMax) heap_.look(state_);
    heap_.passed(std::exchange(emitted_, 0), state_);
  });
  // A watermark that fires nothing is no step: it would hide those that are.
  if (counters_.emitted.value() != emitted_before) count_step(busy_before);
  if (!origin_) forward_watermark(operator_->forwarded(watermark));
}

void OperatorStage::advance_watermark(Time watermark) {
  if (watermark > counters_.watermark.load(std::memory_order_relaxed)) forward_watermark(watermark);
}

bool OperatorStage::run_due(std::int64_t now_ns, bool drain) {
  if (finished()) return false;
  // After a stop nothing is let go that the image holds, and nothing fires. Calls go on: what comes
  // behind may wait for their room.
  if (drain && keeps_held() && !calls_) return tick(now_ns);
  const std::size_t held_before = waiting_.records;
  const bool due = waiting_.due_ns <= now_ns || (calls_ && calls_->has_answers());
  if (due || (drain && held_before > 0 && waiting_.due_ns != kNeverDue)) {
    called([&] { operator_->release(now_ns, drain, *this); });
  }
  const bool worked = tick(now_ns) || due || waiting_.records < held_before;
  return end_if_due() || worked;
}

/// Records that wait for a watermark, which comes no more: the run was stopped. Of a run with
/// epochs the next one may read records that belong before them.
void OperatorStage::drain() {
  if (waiting_.records > 0 && !keeps_held()) {
    const std::int64_t now_ns = shared_.env->clock->steady_ns();
    called([&] { operator_->release(now_ns, true, *this); });
  }
  // No barrier comes behind the end.
  if (shared_.epochs) called([&] { operator_->before_barrier(*this); });
  operator_->ended();
  acks_.abandon();
}

/// What has ended has handed on what need not be kept. A last image whose rows are in memory has
/// room there, too.
Status OperatorStage::save(std::uint64_t, StageImage& image, bool in_pieces) {
  if (!finished()) called([&] { operator_->before_barrier(*this); });
  writer_.emplace(context_.task, context_.tasks);
  spool_.reset();
  if (!in_pieces && spilled_.keys.load(std::memory_order_relaxed) > 0)
    spool_.emplace(spill_folder_ + "-image");
  if (in_pieces || spool_) writer_->allow_pieces();
  writer_->chain(image.chain);
  charged([&] { operator_->save_state(*writer_); });
  Status status = writer_->status();
  if (!status.ok()) writer_.reset();
  return status;
}

bool OperatorStage::save_on(std::size_t slots, StageImage& image) {
  const bool whole = ReadingStage::save_on(slots, image);
  if (spool_) spool_->take(image.parts);
  return whole;
}

/// What it holds again has been received by an earlier run.
Status OperatorStage::restore(const StoredStage* stored) {
  StateWriter trial(context_.task, context_.tasks);
  operator_->save_state(trial);  // what it can never write is said before anything runs
  if (!trial.status().ok()) return trial.status();
  const bool was_handed = !handed_.empty();
  if (Status status = take_handed(); !status.ok()) return status;
  if (!was_handed && (!stored || stored->parts.empty())) return {};
  StateReader reader(
      stored ? std::span<const StatePart>(stored->parts) : std::span<const StatePart>(),
      context_.task, context_.tasks);
  operator_->restore_state(reader);
  if (!reader.status().ok()) return reader.status();
  counters_.received.add(operator_->waiting().records);
  settle();
  return {};
}

Status OperatorStage::take_handed() {
  for (const auto& handed : std::exchange(handed_, {})) {
    if (hands_over_ != nullptr && hands_over_->take_over(*handed)) continue;
    return {Code::state_unreadable,
            "its tasks before kept their state in another form; it is read from the state folder"};
  }
  return {};
}

/// A tick that came too late is made up once, not as often as the interval went by.
bool OperatorStage::tick(std::int64_t now_ns) {
  if (now_ns < next_tick_ns_) return false;
  shared_.due_ns = next_tick_ns_;
  next_tick_ns_ += tick_ns_;
  if (next_tick_ns_ <= now_ns) next_tick_ns_ = now_ns + tick_ns_;
  called([&] { operator_->tick(*this); });
  return true;
}

void OperatorStage::set_partitions(std::uint32_t partitions,
                                   const std::vector<std::string>& shown_names) {
  origin_->set_partitions(partitions);
  partition_marks_.add(shown_names);
}

void OperatorStage::partition_ended(std::uint32_t partition) {
  called([&] { origin_->partition_ended(partition, *this); });
}

void OperatorStage::partition_reached(std::uint32_t partition, Time watermark) {
  called([&] { origin_->partition_reached(partition, watermark, *this); });
}

/// While it holds records that are not due, time stands for the partitions that may be quiet.
void OperatorStage::looked(std::uint32_t first, std::uint32_t last, std::int64_t now_ns,
                           const PartitionGate& gate) {
  if (holds()) return not_read(now_ns);
  called([&] {
    for (std::uint32_t at = first; at < last; ++at) {
      if (!gate.is_shut(at)) origin_->looked(at, now_ns, *this);
    }
  });
}

void OperatorStage::not_read(std::int64_t now_ns) {
  called([&] { origin_->not_read(now_ns); });
}

void OperatorStage::not_read_one(std::uint32_t partition) {
  called([&] { origin_->not_read_one(partition); });
}

bool OperatorStage::follow_siblings() {
  if (!counters_.idle.load(std::memory_order_relaxed)) return false;
  Time least = kTimeMax;
  Time greatest_idle = kTimeMin;
  for (const OperatorStage* sibling : siblings_) {
    const Time its = sibling->counters_.watermark.load(std::memory_order_relaxed);
    if (its == kTimeMax) continue;  // it has ended, and says nothing of the others
    if (sibling->counters_.idle.load(std::memory_order_relaxed)) {
      greatest_idle = std::max(greatest_idle, its);
    } else {
      least = std::min(least, its);
    }
  }
  const Time to = least != kTimeMax ? least : greatest_idle;
  if (to <= counters_.watermark.load(std::memory_order_relaxed)) return false;
  called([&] { origin_->follow(to, *this); });
  return true;
}

/// Where the sibling stands that is furthest behind; kTimeMax: there is none to wait for.
Time OperatorStage::most_behind() const {
  Time least = kTimeMax;
  for (const OperatorStage* sibling : siblings_) {
    const StageCounters& its = sibling->counters_;
    const Time at = its.slowest_time.load(std::memory_order_relaxed);
    if (at == kTimeMin || its.idle.load(std::memory_order_relaxed)) continue;
    if (its.watermark.load(std::memory_order_relaxed) == kTimeMax) continue;
    least = std::min(least, at);
  }
  return least;
}

bool OperatorStage::is_ahead() const {
  const std::int64_t span = origin_->align_within().count();
  if (span == 0) return false;
  const Time newest = counters_.newest_time.load(std::memory_order_relaxed);
  return newest > saturating_add(most_behind(), span);
}

bool OperatorStage::shut_ahead(PartitionGate& gate) {
  const std::int64_t span = origin_->align_within().count();
  if (span == 0) return true;
  const Standing standing = operator_->standing();
  Time behind = most_behind();
  if (const Time own = slowest_of(standing); own != kTimeMin) behind = std::min(behind, own);
  const Time most = saturating_add(behind, span);
  bool any_shut = false;
  bool any_open = false;
  for (std::uint32_t at = 0; at < standing.newests.size(); ++at) {
    const bool shut = is_read(standing, at) && standing.newests[at] > most;
    if (shut) gate.shut(at);
    any_shut |= shut;
    any_open |= !shut && standing.states[at] != PartitionWatermarks::State::ended;
  }
  return any_open || !any_shut;
}

void OperatorStage::tell(ComponentReport& sum, RunningSums::Component&) const {
  sum.state_bytes += state_.bytes();
  sum.spilled.keys += spilled_.keys.load(std::memory_order_relaxed);
  sum.spilled.bytes += spilled_.bytes.load(std::memory_order_relaxed);
  sum.spilled.hits += spilled_.hits.load(std::memory_order_relaxed);
  sum.spilled.misses += spilled_.misses.load(std::memory_order_relaxed);
  const Time closes_at = closes_at_.load(std::memory_order_relaxed);
  if (closes_at != kTimeMin) sum.closes_at = std::min(sum.closes_at.value_or(kTimeMax), closes_at);
  for (std::size_t at = 0; at < partition_marks_.size(); ++at) {
    sum.partitions.push_back({partition_marks_.name(at),
                              shown_watermark(partition_marks_.watermark(at)),
                              partition_marks_.idle(at)});
  }
}

}  // namespace millrace::detail
