// Calling an operator, and settling what each call came to.
#include "runtime/operator_stage.hpp"

namespace millrace::detail {

Status OperatorStage::open_part(const StageOpening& opening) {
  context_ = opening.operator_context;
  context_.tally = &tally_;
  context_.dead_letters = this;
  context_.component = plan_.node;
  context_.makes_arrivals = plan_.makes_arrivals;
  context_.timed = plan_.timed;
  context_.user = user_context();
  context_.state = &state_;
  context_.arenas = &shared_.memory->arenas;
  if (tick_ns_ > 0) next_tick_ns_ = shared_.env->clock->steady_ns() + tick_ns_;
  operator_->open(context_);
  waiting_ = operator_->waiting();
  return {};
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
  operator_->process_input(from.input, batch, exclusive, *this);
  settle();
}

/// Moves the tallies of a call into the counters; what is held stays in flight.
void OperatorStage::settle() {
  counters_.processed.add(tally_.processed);
  counters_.filtered.add(tally_.filtered);
  counters_.late.add(tally_.late);
  counters_.dead_lettered.add(tally_.dead_lettered);
  counters_.rows_refused.add(tally_.rows_refused);
  tally_ = {};
  waiting_ = operator_->waiting();
  counters_.in_flight.set(waiting_.records);
  const Standing standing = operator_->standing();
  closes_at_.store(standing.closes_at.value_or(kTimeMin), std::memory_order_relaxed);
  if (standing.newest_time == kTimeMin) return;
  counters_.newest_time.store(standing.newest_time, std::memory_order_relaxed);
  partition_marks_.store(standing.partitions);
}

void OperatorStage::advance(Time watermark) {
  const std::uint64_t busy_before = counters_.busy_ticks.value();
  const std::uint64_t emitted_before = counters_.emitted.value();
  called([&] { operator_->advance(watermark, *this); });
  // A watermark that fires nothing is no step: it would hide those that are.
  if (counters_.emitted.value() != emitted_before) count_step(busy_before);
  if (!operator_->originates_time()) forward_watermark(watermark);
}

void OperatorStage::advance_watermark(Time watermark) {
  if (watermark > counters_.watermark.load(std::memory_order_relaxed)) forward_watermark(watermark);
}

bool OperatorStage::run_due(std::int64_t now_ns, bool drain) {
  if (finished()) return false;
  const std::size_t held_before = waiting_.records;
  const bool due = waiting_.due_ns <= now_ns;
  if (due || (drain && held_before > 0 && waiting_.due_ns != kNeverDue)) {
    called([&] { operator_->release(now_ns, drain, *this); });
  }
  return tick(now_ns) || due || waiting_.records < held_before;
}

/// Records that wait for a watermark, which comes no more: the run was stopped.
void OperatorStage::drain() {
  if (waiting_.records == 0) return;
  const std::int64_t now_ns = shared_.env->clock->steady_ns();
  called([&] { operator_->release(now_ns, true, *this); });
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
  operator_->set_partitions(partitions);
  partition_marks_.add(shown_names);
}

void OperatorStage::partition_ended(std::uint32_t partition) {
  called([&] { operator_->partition_ended(partition, *this); });
}

void OperatorStage::tell(ComponentReport& sum, RunningSums::Component&) const {
  sum.state_bytes += state_.bytes();
  const Time closes_at = closes_at_.load(std::memory_order_relaxed);
  if (closes_at != kTimeMin) sum.closes_at = std::min(sum.closes_at.value_or(kTimeMax), closes_at);
  for (std::size_t at = 0; at < partition_marks_.size(); ++at) {
    sum.partitions.push_back(
        {partition_marks_.name(at), shown_watermark(partition_marks_.watermark(at))});
  }
}

}  // namespace millrace::detail
