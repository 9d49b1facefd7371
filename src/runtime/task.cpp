// Stepping a task.
#include "runtime/task.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace millrace::detail {
namespace {

/// A busy task hands open batches over at the latest after this many steps, so that a rare receiver
/// does not starve.
constexpr std::uint32_t kStepsBetweenFlushes = 8;

/// The exception being handled, as the failure of a component.
Status thrown_by(const std::string& component, const std::string& when) {
  return {Code::user_code_failed, "\"" + component + "\" threw " + when +
                                      ", so the topology stops: " + current_exception_text() +
                                      "; catch it in the component, or mend what it meets"};
}

std::string mebibytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1u << 20));
}

/// The state of a component would not fit the run's memory budget.
Status beyond_budget(const Stage& stage, const MemoryBudget& memory, const MemoryRefused& refused) {
  ComponentReport told;
  RunningSums::Component unused;
  stage.tell(told, unused);
  return {
      Code::memory_exceeded,
      fmt::format("\"{}\" holds {} of state and asks for {} more, but all state together may "
                  "take {}, which is three quarters of the memory budget; give --memory more "
                  "than {}, fewer keys, or shorter windows; "
                  "keyed state may go to disk with --spill-dir",
                  stage.plan().name, mebibytes(told.state_bytes), mebibytes(refused.wanted_bytes()),
                  mebibytes(memory.state_max_bytes()), mebibytes(memory.bytes()))};
}

}  // namespace

Task::Task(std::uint32_t chain, std::uint32_t index, const Surroundings& around)
    : chain_(chain), index_(index), coordinator_(around.epochs) {
  shared_.env = around.env;
  shared_.memory = around.memory;
  shared_.dead_letters = around.dead_letters;
  shared_.tracking = around.tracking;
  shared_.home = &home_;
  shared_.active = around.active;
  shared_.epochs = around.epochs != nullptr;
  shared_.spill = around.spill;
  shared_.calls = around.calls;
}

template <class Kind>
Kind& Task::add(std::vector<Kind*>& of_kind, const PlanStage& plan) {
  auto stage = std::make_unique<Kind>(plan, shared_);
  of_kind.push_back(stage.get());
  stages_.push_back(std::move(stage));
  return *of_kind.back();
}

SourceStage& Task::add_source(const PlanStage& plan) { return add(sources_, plan); }

ReadingStage& Task::add_reading(const PlanStage& plan) {
  if (plan.make_sink) return add(sinks_, plan);
  OperatorStage& added = add(operators_, plan);
  if (added.calls_out()) calling_.push_back(&added);
  return added;
}

Router& Task::add_router(std::unique_ptr<Router> router) {
  routers_.push_back(std::move(router));
  return *routers_.back();
}

void Task::add_input(Channel& channel, ReadingStage& stage, const Incoming& incoming,
                     Counter& edge_received) {
  inputs_.push_back({&channel, &stage, stage.add_channel(), incoming, &edge_received, false});
}

void Task::find_time_origins() {
  for (SourceStage* source : sources_) {
    std::vector<Stage*> open = {source};
    while (!open.empty()) {
      Stage* at = open.back();
      open.pop_back();
      at->outlets().for_each([&](const Reader& reader) {
        if (!reader.stage) return;
        if (OperatorStage* origin = reader.stage->time_origin()) {
          source->add_time_origin(*origin);
        } else {
          open.push_back(reader.stage);
        }
      });
    }
  }
}

Status Task::open(const StageOpening& opening) {
  StageOpening own = opening;
  own.place.index = own.operator_context.task = own.end_context.task = index_;
  for (auto& stage : stages_) {
    const std::uint32_t tasks = stage->plan().tasks;
    own.place.tasks = own.operator_context.tasks = own.end_context.tasks = tasks;
    own.place.component = stage->plan().node;
    try {
      if (Status status = stage->open(own); !status.ok()) return status;
    } catch (...) {
      return thrown_by(stage->plan().name, "while it opened");
    }
  }
  return {};
}

Step Task::step(std::size_t budget, bool stop) {
  const Step step = do_step(budget, stop);
  if (step == Step::done) close();
  if (step != last_step_.load(std::memory_order_relaxed)) note(step);
  return step;
}

/// A wait for a full ring begins and ends with a step; the clock is read only there.
void Task::note(Step step) {
  const std::int64_t since = blocked_since_.load(std::memory_order_relaxed);
  if (step == Step::blocked) {
    blocked_since_.store(busy_ticks_now(), std::memory_order_relaxed);
  } else if (since != 0) {
    blocked_ticks_.add(static_cast<std::uint64_t>(busy_ticks_now() - since));
    blocked_since_.store(0, std::memory_order_relaxed);
  }
  last_step_.store(step, std::memory_order_relaxed);
}

std::uint64_t Task::blocked_ticks() const {
  const std::int64_t since = blocked_since_.load(std::memory_order_relaxed);
  const std::uint64_t before = blocked_ticks_.value();
  return since == 0 ? before : before + static_cast<std::uint64_t>(busy_ticks_now() - since);
}

Step Task::do_step(std::size_t budget, bool stop) {
  try {
    next_due_ns_.reset();
    const std::int64_t began_ns = image_ ? shared_.env->clock->steady_ns() : 0;
    bool worked = epochs_ && commit();
    if (!shared_.failure.ok()) return Step::done;
    bool blocked = false;
    for (auto& router : routers_) blocked |= !router->flush_waiting();
    if (blocked) {
      for (SourceStage* source : sources_) source->not_read();
      return write_image() ? Step::ready : Step::blocked;
    }
    worked |= take_inputs(budget);
    worked |= run_due(stop);
    if (!routers_blocked()) worked |= poll_sources(stop);
    if (epochs_) worked |= take_due_image() || write_image_as_long(began_ns);
    if (!shared_.failure.ok()) return Step::done;
    if (worked && ++busy_steps_ < kStepsBetweenFlushes) return Step::ready;
    busy_steps_ = 0;
    for (SinkStage* sink : sinks_) sink->flush();
    const bool flushed = flush_routers();
    if (!shared_.failure.ok()) return Step::done;
    if (worked) return Step::ready;
    if (!flushed) return Step::blocked;
    std::int64_t due = least_due_ns();
    for (const SourceStage* source : sources_) due = std::min(due, source->due_ns());
    if (due != kNeverDue) next_due_ns_ = due;
    if (!all_finished()) return Step::idle;
    return epochs_ ? end_of_epochs() : Step::done;
  } catch (const MemoryRefused& refused) {
    shared_.failure = beyond_budget(stage_in_step(), *shared_.memory, refused);
    return Step::done;
  } catch (const DiskFailed& failed) {
    shared_.failure = {failed.code(), "\"" + component_in_step() + "\": " + failed.what()};
    return Step::done;
  } catch (...) {
    // What user code throws at a record of a verb or bolt was caught there; this is a source, a
    // sink, the firing of a window or the machine itself.
    shared_.failure = thrown_by(component_in_step(), "where no single record can be set aside");
    return Step::done;
  }
}

const Stage& Task::stage_in_step() const {
  const Counter* owner = shared_.busy.owner();
  for (const auto& stage : stages_) {
    if (owner == &stage->counters().busy_ticks) return *stage;
  }
  return *stages_.front();
}

const std::string& Task::component_in_step() const { return stage_in_step().plan().name; }

/// The stages of a chain follow the data; the last one that is not a sink says most about it.
std::string Task::name() const {
  const Stage* told = stages_.front().get();
  for (const auto& stage : stages_) {
    if (!stage->plan().make_sink) told = stage.get();
  }
  std::string text = "\"" + told->plan().name + "\"";
  if (told->plan().tasks > 1) text += " task " + std::to_string(index_);
  return text;
}

bool Task::take_inputs(std::size_t budget) {
  bool any = false;
  std::size_t empty_in_a_row = 0;
  while (budget > 0 && empty_in_a_row < inputs_.size() && shared_.failure.ok() &&
         !routers_blocked() && !is_full()) {
    Input& input = inputs_[next_input_];
    next_input_ = next_input_ + 1 == inputs_.size() ? 0 : next_input_ + 1;
    const bool held = epochs_ && epochs_->holds(static_cast<std::size_t>(&input - inputs_.data()));
    BatchPtr batch;
    if (input.ended || held || !input.channel->pop(batch)) {
      ++empty_in_a_row;
      continue;
    }
    empty_in_a_row = 0;
    --budget;
    any = true;
    deliver(input, std::move(batch));
    if (epochs_) (void)take_due_image();
  }
  return any;
}

void Task::deliver(Input& input, BatchPtr batch) {
  const Time watermark = batch->watermark;
  const bool end = batch->end;
  const std::uint64_t barrier = std::exchange(batch->barrier, 0);  // it may be handed on as it is
  if (batch->due_ns != 0) shared_.due_ns = batch->due_ns;
  if (!batch->messages.empty()) batch->messages.seen_at(input.stage->plan().id + 1);
  if (batch->size() > 0) {
    input.stage->receive(*batch, true, input.incoming, *input.edge_received);
  }
  if (watermark != kTimeMin) input.stage->advance_channel(input.number, watermark);
  if (barrier != 0) epochs_->barrier(static_cast<std::size_t>(&input - inputs_.data()), barrier);
  if (end) {
    input.ended = true;
    if (epochs_) epochs_->ended();
    input.stage->end_channel(input.number);
  }
  input.channel->recycle(std::move(batch));
}

std::int64_t Task::least_due_ns() const {
  std::int64_t least = kNeverDue;
  for (const OperatorStage* stage : operators_) least = std::min(least, stage->due_ns());
  return least;
}

/// Reads the clock only while something waits for it.
bool Task::run_due(bool stop) {
  const std::int64_t due = least_due_ns();
  if (due == kNeverDue) return false;
  const std::int64_t now = shared_.env->clock->steady_ns();
  if (due > now && !stop) return false;
  bool any = false;
  for (OperatorStage* stage : operators_) any |= stage->run_due(now, stop);
  return any;
}

bool Task::poll_sources(bool stop) {
  bool any = false;
  for (SourceStage* source : sources_) {
    any |= source->settle(stop);
    if (source->finished()) continue;
    const bool active = stop || source->set_active(shared_.active->load(std::memory_order_seq_cst));
    if (source->is_held_back() || !active || (is_full() && !stop)) {
      if (!stop) source->tell_ends_of_partitions();
      source->not_read();
    } else if (stop) {
      source->finish(false);
      any = true;
    } else {
      any |= source->poll();
    }
    any |= source->follow_others();
  }
  return any;
}

bool Task::routers_blocked() const {
  return std::any_of(routers_.begin(), routers_.end(),
                     [](const auto& router) { return router->blocked(); });
}

bool Task::is_full() const {
  return std::ranges::any_of(calling_, [](const OperatorStage* stage) { return stage->is_full(); });
}

bool Task::flush_routers() {
  bool flushed = true;
  for (auto& router : routers_) {
    router->flush_open();
    flushed &= router->flush_waiting();
  }
  return flushed;
}

bool Task::all_finished() const {
  return std::all_of(stages_.begin(), stages_.end(),
                     [](const auto& stage) { return stage->finished(); }) &&
         std::all_of(sources_.begin(), sources_.end(),
                     [](const SourceStage* source) { return source->settled(); });
}

bool Task::polls() const {
  return shared_.active->load(std::memory_order_seq_cst) && !is_full() &&
         std::any_of(sources_.begin(), sources_.end(), [](const SourceStage* source) {
           return !source->finished() && !source->is_held_back();
         });
}

std::uint64_t Task::records_in() const {
  std::uint64_t records = records_polled();
  for (const Input& input : inputs_) records += input.edge_received->value();
  return records;
}

std::uint64_t Task::records_out() const {
  std::uint64_t records = 0;
  for (const auto& router : routers_) records += router->sent();
  for (const SinkStage* sink : sinks_) records += sink->counters().processed.value();
  return records;
}

Task::Queue Task::queue() const {
  Queue queue;
  for (const Input& input : inputs_) {
    const std::size_t batches = input.channel->batches();
    queue.records += input.channel->queued();
    queue.batches += batches;
    const auto capacity = static_cast<double>(input.channel->capacity());
    queue.fill = std::max(queue.fill, static_cast<double>(batches) / capacity);
  }
  return queue;
}

std::pair<const Stage*, std::int64_t> Task::running() const {
  const Counter* owner = shared_.busy.owner();
  if (!owner) return {nullptr, 0};
  for (const auto& stage : stages_) {
    if (owner == &stage->counters().busy_ticks) return {stage.get(), shared_.busy.since()};
  }
  return {nullptr, 0};
}

std::uint64_t Task::records_polled() const {
  std::uint64_t records = 0;
  for (const SourceStage* source : sources_) records += source->counters().processed.value();
  return records;
}

void Task::give_up() const {
  for (SinkStage* sink : sinks_) sink->give_up();
}

void Task::give_memory_back() {
  for (auto& router : routers_) router->give_memory_back();
  for (SourceStage* source : sources_) source->give_memory_back();
}

void Task::close() {
  if (closed_) return;
  closed_ = true;
  for (auto& stage : stages_) {
    try {
      stage->close();
    } catch (...) {
      if (shared_.failure.ok()) {
        shared_.failure = thrown_by(stage->plan().name, "while it closed");
      }
    }
  }
}

}  // namespace millrace::detail
