// What a stage does with batches, watermarks and ends.
#include "runtime/stage.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "base/check.hpp"

namespace millrace::detail {

std::int64_t busy_ticks_now() {
#if defined(__x86_64__)
  return static_cast<std::int64_t>(__rdtsc());
#else
  return std::chrono::steady_clock::now().time_since_epoch().count();
#endif
}

void PartitionMarks::add(std::vector<std::string> names) {
  for (std::string& name : names) {
    if (marks_.size() == kMax) return;
    marks_.emplace_back(kTimeMin);
    names_.push_back(std::move(name));
  }
}

Stage::Stage(const PlanStage& plan, TaskShared& shared, DeadLetterLog& dead_letters)
    : plan_(plan), shared_(shared), dead_letter_log_(dead_letters), state_(&shared.memory->state) {
  if (plan.make_source) {
    progress_ = &shared.memory->add_source();
    source_ = plan.make_source();
    poll_batch_ = plan.output->make();
  } else if (plan.make_operator) {
    operator_ = plan.make_operator();
  } else {
    sink_ = plan.make_sink();
    latency_ = std::make_unique<Histogram>();
  }
}

std::uint32_t Stage::add_channel() {
  channel_watermarks_.push_back(kTimeMin);
  return static_cast<std::uint32_t>(channel_watermarks_.size() - 1);
}

void Stage::add_reader(std::uint32_t port, Reader reader) {
  if (port == kErrorsPort) return error_readers_.push_back(reader);
  if (readers_.size() <= port) readers_.resize(port + 1);
  readers_[port].push_back(reader);
}

Status Stage::open(const StageOpening& opening) {
  user_ = std::make_unique<TaskContext>(opening.place);
  context_ = opening.operator_context;
  context_.tally = &tally_;
  context_.dead_letters = this;
  context_.component = plan_.node;
  context_.makes_arrivals = plan_.makes_arrivals;
  context_.timed = plan_.timed;
  context_.user = user_.get();
  context_.state = &state_;
  context_.arenas = &shared_.memory->arenas;
  end_context_ = opening.end_context;
  end_context_.dead_letters = this;
  end_context_.user = user_.get();
  end_context_.arenas = &shared_.memory->arenas;
  next_tick_ns_ = shared_.env->clock->steady_ns() + tick_ns();
  hooks_.open(*opening.hooks, *user_);
  Status status = open_part();
  hooks_.opened();
  opened_ = status.ok();
  for (const auto& readers : readers_) {
    for (const Reader& reader : readers) {
      if (reader.router) reader.router->open(*user_);
    }
  }
  return status;
}

Status Stage::open_part() {
  if (operator_) {
    operator_->open(context_);
    return {};
  }
  if (sink_) return sink_->open(end_context_);
  if (Status status = source_->open(end_context_); !status.ok()) return status;
  std::vector<std::string> names;
  for (std::uint32_t at = 0; at < source_->partitions() && at < PartitionMarks::kMax; ++at) {
    names.push_back(source_->partition_name(at));
    if (names.back().empty()) {
      names.back() = "partition " + std::to_string(at) +
                     (plan_.tasks > 1 ? " of task " + std::to_string(end_context_.task) : "");
    }
  }
  for (Stage* stage : pacing) {
    stage->operator_->set_partitions(source_->partitions());
    stage->partition_marks_.add(names);
  }
  return {};
}

void Stage::receive(BatchBase& batch, bool exclusive, const Incoming& from,
                    Counter& edge_received) {
  const std::size_t count = batch.size();
  const std::uint64_t busy_before = counters_.busy_ticks.value();
  const std::int64_t began = hooks_.any() ? shared_.env->clock->steady_ns() : 0;
  Counter* caller = shared_.busy.switch_to(&counters_.busy_ticks);
  edge_received.add(count);
  counters_.received.add(count);
  counters_.in_flight.set(counters_.in_flight.value() + count);
  if (sink_) {
    write(batch);
  } else {
    operator_->process_input(from.input, batch, exclusive, *this);
  }
  settle();
  if (hooks_.any()) {
    hooks_.executed(from.info, count,
                    std::chrono::nanoseconds(shared_.env->clock->steady_ns() - began));
  }
  hand_on_errors();
  shared_.busy.switch_to(caller);
  count_step(busy_before);
}

/// The stage's own time in a call: what its meter gained, its readers' time left out.
void Stage::count_step(std::uint64_t busy_before) {
  counters_.steps.add(counters_.busy_ticks.value() - busy_before);
}

/// Moves the tallies of a call into the counters; what is held stays in flight.
void Stage::settle() {
  counters_.processed.add(tally_.processed);
  counters_.filtered.add(tally_.filtered);
  counters_.late.add(tally_.late);
  counters_.dead_lettered.add(tally_.dead_lettered);
  counters_.rows_refused.add(tally_.rows_refused);
  tally_ = {};
  counters_.in_flight.set(operator_ ? operator_->held() : 0);
  if (!operator_) return;
  const Standing standing = operator_->standing();
  counters_.closes_at.store(standing.closes_at.value_or(kTimeMin), std::memory_order_relaxed);
  if (standing.newest_time == kTimeMin) return;
  counters_.newest_time.store(standing.newest_time, std::memory_order_relaxed);
  partition_marks_.store(standing.partitions);
}

void Stage::write(BatchBase& batch) {
  if (batch.size() == 0) return;
  const std::uint64_t dead_before = end_dead_;
  Status status = sink_->write(batch);
  sink_dirty_ = true;
  if (!status.ok()) {
    if (shared_.failure.ok()) shared_.failure = std::move(status);
    return;
  }
  tally_.dead_lettered += end_dead_ - dead_before;
  tally_.processed += batch.size() - (end_dead_ - dead_before);
  const std::int64_t due = batch.due_ns != 0 ? batch.due_ns : shared_.due_ns;
  if (due == 0) return;
  const std::int64_t latency = shared_.env->clock->steady_ns() - due;
  latency_->add(latency > 0 ? static_cast<std::uint64_t>(latency) : 0);
}

void Stage::flush_sink() {
  if (!sink_ || !sink_dirty_) return;
  sink_dirty_ = false;
  Status status = sink_->flush();
  if (!status.ok() && shared_.failure.ok()) shared_.failure = std::move(status);
}

void Stage::close() {
  if (!opened_) return;
  opened_ = false;
  Counter* caller = shared_.busy.switch_to(&counters_.busy_ticks);
  close_part();
  hooks_.close();
  shared_.busy.switch_to(caller);
}

void Stage::close_part() {
  if (operator_) operator_->close();
  if (source_) {
    (void)set_active(false);
    source_->close();
  }
  if (sink_) {
    Status status = sink_->close();
    if (!status.ok() && shared_.failure.ok()) shared_.failure = std::move(status);
  }
}

void Stage::push(std::uint32_t port, BatchBase& batch) {
  const std::size_t count = batch.size();
  counters_.emitted.add(count);
  if (hooks_.any()) hooks_.emitted(port, count);
  if (port >= readers_.size()) return;
  if (batch.due_ns == 0) {
    batch.due_ns = shared_.due_ns;
  } else {
    shared_.due_ns = batch.due_ns;  // what windows fire because of this batch was due with it
  }
  hand_to(readers_[port], batch);
}

void Stage::hand_to(const std::vector<Reader>& readers, BatchBase& batch) {
  const std::size_t count = batch.size();
  const bool exclusive = readers.size() == 1;
  for (const Reader& reader : readers) {
    if (reader.router) {
      reader.router->push(batch, exclusive);
    } else {
      reader.fused_sent->add(count);
      reader.stage->receive(batch, exclusive, reader.incoming, *reader.fused_received);
    }
  }
}

/// After a call, never within it: the readers may be stages of this task.
void Stage::hand_on_errors() {
  if (errors_.values.empty()) return;
  errors_.due_ns = shared_.due_ns;
  hand_to(error_readers_, errors_);
  errors_.clear();
}

template <class Visit>
void Stage::for_each_reader(Visit&& visit) {
  for (const auto& readers : readers_) {
    for (const Reader& reader : readers) visit(reader);
  }
  for (const Reader& reader : error_readers_) visit(reader);
}

void Stage::advance_channel(std::uint32_t channel, Time watermark) {
  if (watermark <= channel_watermarks_[channel]) return;
  channel_watermarks_[channel] = watermark;
  const Time least = *std::min_element(channel_watermarks_.begin(), channel_watermarks_.end());
  if (least <= watermark_) return;
  watermark_ = least;
  if (operator_) {
    const std::uint64_t busy_before = counters_.busy_ticks.value();
    const std::uint64_t emitted_before = counters_.emitted.value();
    Counter* caller = shared_.busy.switch_to(&counters_.busy_ticks);
    operator_->advance(least, *this);
    settle();
    hand_on_errors();
    shared_.busy.switch_to(caller);
    // A watermark that fires nothing is no step: it would hide those that are.
    if (counters_.emitted.value() != emitted_before) count_step(busy_before);
    if (operator_->originates_time()) return;
  }
  counters_.watermark.store(least, std::memory_order_relaxed);
  forward_watermark(least);
}

void Stage::advance_watermark(Time watermark) {
  if (watermark == kTimeMin || watermark <= counters_.watermark.load(std::memory_order_relaxed))
    return;
  counters_.watermark.store(watermark, std::memory_order_relaxed);
  forward_watermark(watermark);
}

void Stage::forward_watermark(Time watermark) {
  for_each_reader([&](const Reader& reader) {
    if (reader.router) {
      reader.router->advance(watermark, shared_.due_ns);
    } else {
      reader.stage->advance_channel(reader.channel, watermark);
    }
  });
}

void Stage::end_channel(std::uint32_t) {
  ++channels_ended_;
  MR_CHECK(channels_ended_ <= channel_watermarks_.size(), "a channel ended twice");
  if (channels_ended_ < channel_watermarks_.size()) return;
  finished_ = true;
  end_readers();
}

void Stage::end_readers() {
  for_each_reader([](const Reader& reader) {
    if (reader.router) {
      reader.router->end();
    } else {
      reader.stage->end_channel(reader.channel);
    }
  });
}

/// A tick that came too late is made up once, not as often as the interval went by.
bool Stage::tick(std::optional<std::int64_t>& next_due) {
  if (finished_) return false;
  const std::int64_t now = shared_.env->clock->steady_ns();
  const bool due = now >= next_tick_ns_;
  if (due) {
    shared_.due_ns = next_tick_ns_;
    next_tick_ns_ += tick_ns();
    if (next_tick_ns_ <= now) next_tick_ns_ = now + tick_ns();
    Counter* caller = shared_.busy.switch_to(&counters_.busy_ticks);
    operator_->tick(*this);
    settle();
    hand_on_errors();
    shared_.busy.switch_to(caller);
  }
  next_due = next_due ? std::min(*next_due, next_tick_ns_) : next_tick_ns_;
  return due;
}

bool Stage::set_active(bool active) {
  if (active == active_) return active;
  active_ = active;
  Counter* caller = shared_.busy.switch_to(&counters_.busy_ticks);
  if (active) {
    source_->activate();
  } else {
    source_->deactivate();
  }
  shared_.busy.switch_to(caller);
  return active;
}

bool Stage::is_held_back() const {
  return std::any_of(pacing.begin(), pacing.end(),
                     [](const Stage* stage) { return stage->holds(); });
}

bool Stage::poll() {
  if (partition_to_end_) {
    partition_ended(*partition_to_end_);
    partition_to_end_.reset();
  }
  if (source_exhausted_) {
    finish(true);
    return true;
  }
  if (!may_read()) return false;
  const std::uint64_t busy_before = counters_.busy_ticks.value();
  Counter* caller = shared_.busy.switch_to(&counters_.busy_ticks);
  poll_batch_->clear();
  Result<Poll> outcome = source_->poll(*poll_batch_);
  if (limit != 0) apply_limit();
  counters_.received.set(source_->records_read() - beyond_limit_);
  counters_.processed.add(poll_batch_->size());
  counters_.dead_lettered.set(end_dead_);
  const bool any = poll_batch_->size() > 0;
  if (!outcome) {
    if (shared_.failure.ok()) shared_.failure = outcome.error();
  } else {
    if (any) {
      if (poll_batch_->due_ns == 0) poll_batch_->due_ns = shared_.env->clock->steady_ns();
      shared_.due_ns = poll_batch_->due_ns;
      const std::uint32_t partition = poll_batch_->partition;
      if (plan_.makes_arrivals) number_arrivals(*poll_batch_);
      push(0, *poll_batch_);
      poll_batch_->partition = partition;
    }
    after_poll(*outcome);
  }
  hand_on_errors();
  tell_progress(outcome && *outcome != Poll::idle);
  shared_.busy.switch_to(caller);
  if (any) count_step(busy_before);
  return any || (outcome && *outcome != Poll::idle);
}

/// Whether the memory budget lets this source read on.
bool Stage::may_read() {
  const bool may = shared_.memory->may_poll(*progress_);
  if (may == progress_->held.load(std::memory_order_relaxed)) {
    progress_->held.store(!may, std::memory_order_relaxed);
  }
  return may;
}

void Stage::tell_progress(bool active) {
  progress_->active.store(active, std::memory_order_relaxed);
  for (const Stage* stage : pacing) {
    const Time newest = stage->counters_.newest_time.load(std::memory_order_relaxed);
    if (newest > progress_->newest.load(std::memory_order_relaxed)) {
      progress_->newest.store(newest, std::memory_order_relaxed);
    }
  }
}

/// Ends are delivered by the next poll: not before the records read last have been let go by a
/// paced replay.
void Stage::after_poll(Poll outcome) {
  if (outcome == Poll::partition_ended) partition_to_end_ = poll_batch_->partition;
  if (outcome == Poll::ended) source_exhausted_ = true;
  if (limit != 0 && counters_.processed.value() >= limit) source_exhausted_ = true;
}

/// Cuts what was read beyond the limit off the batch; it counts as never read.
void Stage::apply_limit() {
  const std::uint64_t left = limit - std::min(limit, counters_.processed.value());
  const std::size_t count = poll_batch_->size();
  if (count <= left) return;
  std::vector<std::uint32_t> kept(left);
  std::iota(kept.begin(), kept.end(), 0u);
  BatchPtr cut = plan_.output->make();
  carry_marks(*poll_batch_, *cut);
  plan_.output->append(*cut, *poll_batch_, kept);
  beyond_limit_ += count - left;
  poll_batch_ = std::move(cut);
}

/// Partitions are numbered over all tasks: task t of n owns those with index % n == t.
void Stage::number_arrivals(BatchBase& batch) {
  if (numbered_.size() <= batch.partition) numbered_.resize(batch.partition + 1);
  std::uint64_t& number = numbered_[batch.partition];
  const std::uint32_t partition = batch.partition * plan_.tasks + end_context_.task;
  batch.arrivals.clear();
  batch.arrivals.reserve(batch.size());
  for (std::size_t at = 0; at < batch.size(); ++at) {
    batch.arrivals.push_back(Arrival::at(plan_.node, partition, number++));
  }
}

void Stage::partition_ended(std::uint32_t partition) {
  for (Stage* stage : pacing) {
    stage->operator_->partition_ended(partition, *stage);
    stage->settle();
    stage->hand_on_errors();
  }
}

void Stage::finish(bool fire) {
  if (finished_) return;
  finished_ = true;
  tell_progress(false);
  if (fire) {
    counters_.watermark.store(kTimeMax, std::memory_order_relaxed);
    forward_watermark(kTimeMax);
  }
  end_readers();
}

bool Stage::release_held(bool drain, std::optional<std::int64_t>& next_due) {
  if (!holds()) return false;
  const std::size_t before = operator_->held();
  Counter* caller = shared_.busy.switch_to(&counters_.busy_ticks);
  const auto due = operator_->release(drain, *this);
  settle();
  hand_on_errors();
  shared_.busy.switch_to(caller);
  if (due) next_due = next_due ? std::min(*next_due, *due) : *due;
  return operator_->held() < before;
}

void Stage::add(std::string_view reason, std::string_view where, std::string_view record) {
  if (!operator_) ++end_dead_;
  dead_letter_log_.add(plan_.name, reason, where, record);
  if (error_readers_.empty()) return;
  errors_.values.push_back(
      {plan_.name, std::string(reason), std::string(where), std::string(record)});
}

}  // namespace millrace::detail
