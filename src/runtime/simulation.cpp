// Drawing an order of steps, the clock of idle tasks, and the fingerprint of a run.
#include "runtime/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.hpp"

namespace millrace::detail {
namespace {

/// A source that has nothing now is asked again after this time, as the executors do.
constexpr std::int64_t kPollNs = 500'000;
/// How often the counts are checked on the way: often enough to find the step, seldom enough to be
/// cheap.
constexpr std::uint64_t kStepsBetweenChecks = 512;

std::string_view name_of(Step step) {
  switch (step) {
    case Step::ready:
      return "ready";
    case Step::idle:
      return "idle";
    case Step::blocked:
      return "blocked";
    case Step::done:
      return "done";
  }
  return "?";
}

/// Calls to the outside answer after times that the seed draws.
RunOptions in_steps(RunOptions run, const SimulationOptions& options) {
  run.calls = {false, options.call_delay_max_ns, options.seed};
  return run;
}

/// Every message that was handed on is accounted for; at rest none is on its way.
Status check_acks(const ComponentReport& part, bool at_rest) {
  const AckReport& acks = *part.acks;
  const std::uint64_t sum = acks.acked + acks.failed + acks.given_up + acks.pending + acks.in_hand +
                            acks.held + acks.abandoned;
  if (acks.tried == sum && !(at_rest && acks.pending + acks.in_hand + acks.held != 0)) return {};
  return {Code::internal,
          fmt::format("{} \"{}\" lost messages: tried {} but acked {} + failed {} + given up {} + "
                      "pending {} + in hand {} + held {} + abandoned {}{}: a bug of the engine",
                      part.kind, part.name, acks.tried, acks.acked, acks.failed, acks.given_up,
                      acks.pending, acks.in_hand, acks.held, acks.abandoned,
                      at_rest ? ", at rest" : "")};
}

}  // namespace

Status check_counts(const Report& report, bool at_rest) {
  for (const ComponentReport& part : report.components) {
    if (part.acks) {
      if (Status status = check_acks(part, at_rest); !status.ok()) return status;
    }
    const std::uint64_t sum = part.processed + part.filtered + part.late + part.dead_lettered +
                              part.failed + part.in_flight;
    if (part.received == sum && !(at_rest && part.in_flight != 0)) continue;
    return {
        Code::internal,
        fmt::format("{} \"{}\" lost count: received {} but processed {} + filtered {} + late "
                    "{} + dead-lettered {} + failed {} + in flight {}{}: a bug of the engine",
                    part.kind, part.name, part.received, part.processed, part.filtered, part.late,
                    part.dead_lettered, part.failed, part.in_flight, at_rest ? ", at rest" : "")};
  }
  for (const EdgeReport& edge : report.edges) {
    if (edge.sent == edge.received + edge.queued && !(at_rest && edge.queued != 0)) continue;
    return {Code::internal, fmt::format("the edge \"{}\" -> \"{}\" lost count: sent {} but "
                                        "received {} + queued {}{}: a bug of the engine",
                                        edge.from, edge.to, edge.sent, edge.received, edge.queued,
                                        at_rest ? ", at rest" : "")};
  }
  return {};
}

Simulation::Simulation(const Graph& graph, Plan plan, const RunOptions& run, SimEnv& env,
                       SimulationOptions options)
    : graph_(graph),
      env_(env),
      options_(options),
      tasks_(std::move(plan), in_steps(run, options), env.env()),
      random_(options.seed),
      last_(tasks_.tasks().size(), Step::ready) {
  for (std::size_t at = 0; at < tasks_.tasks().size(); ++at) live_.push_back(at);
}

Result<std::uint64_t> Simulation::run() {
  if (Status status = tasks_.open(); !status.ok()) return status;
  if (Status status = step_all(); !status.ok()) return status;
  if (was_cut()) return fingerprint_;
  if (Status status = tasks_.close(); !status.ok()) return status;
  for (const auto& task : tasks_.tasks()) {
    if (!task->failure().ok()) return task->failure();
  }
  // What is held at a stop is in the last epoch, and stays in flight.
  const bool at_rest = !options_.stop_at_step || tasks_.epochs() == nullptr;
  if (Status status = check(at_rest); !status.ok()) return status;
  return fingerprint_;
}

Status Simulation::step_all() {
  std::size_t quiet = 0;
  while (!live_.empty() && !was_cut()) {
    if (steps_ >= options_.steps_max) return stuck("did not end in time");
    const Step outcome = step_one(draw_task());
    if (!failure_.ok()) return failure_;
    quiet = outcome == Step::ready || outcome == Step::done ? 0 : quiet + 1;
    if (steps_ % kStepsBetweenChecks == 0) {
      if (Status status = check(false); !status.ok()) return status;
    }
    // Draws may miss a task for long; only sweeps over all show that nothing can go on. Two, for a
    // blocked or idle task may have handed a batch to one that had its turn before.
    if (quiet <= 2 * live_.size()) continue;
    quiet = 0;
    const bool rests = !sweep() && !sweep() && !live_.empty();
    if (rests && !was_cut() && !advance_clock()) return stuck("is deadlocked");
    if (!failure_.ok()) return failure_;
  }
  return {};
}

Step Simulation::step_one(std::size_t position) {
  const std::size_t id = live_[position];
  Task& task = *tasks_.tasks()[id];
  const bool stop = options_.stop_at_step && steps_ >= *options_.stop_at_step;
  const Step outcome = task.step(1 + random_.below(options_.budget_max), stop);
  ++steps_;
  last_[id] = outcome;
  mix(id);
  mix(static_cast<std::uint64_t>(outcome));
  mix_counters(task);
  if (outcome == Step::done) {
    live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(position));
    favourite_left_ = 0;
    if (failure_.ok()) failure_ = task.failure();
  }
  if (tasks_.epochs()) make_epochs();
  return outcome;
}

/// In between steps, as if the disk took no time.
void Simulation::make_epochs() {
  EpochCoordinator& epochs = *tasks_.epochs();
  const std::uint64_t apart = options_.steps_between_epochs;
  if (apart != 0 && random_.below(apart) == 0) epochs.begin_soon();
  (void)epochs.look(env_.clock.steady_ns());
  if (failure_.ok()) failure_ = epochs.failure();
}

bool Simulation::sweep() {
  bool worked = false;
  for (std::size_t position = 0; position < live_.size() && !was_cut();) {
    const Step outcome = step_one(position);
    worked |= outcome == Step::ready || outcome == Step::done;
    if (outcome != Step::done) ++position;
  }
  return worked;
}

bool Simulation::advance_clock() {
  std::optional<std::int64_t> next;
  bool polls = false;
  for (const std::size_t id : live_) {
    const Task& task = *tasks_.tasks()[id];
    const auto due = task.next_due_ns();
    if (due) next = next ? std::min(*next, *due) : *due;
    polls |= task.polls() && last_[id] == Step::idle;
  }
  if (tasks_.epochs() && tasks_.epochs()->busy()) {
    const std::int64_t due = tasks_.epochs()->due_ns();
    next = next ? std::min(*next, due) : due;
  }
  if (!next && !polls) return false;
  const std::int64_t now = env_.clock.steady_ns();
  std::int64_t by = next ? std::max<std::int64_t>(*next - now, 1) : kPollNs;
  if (polls) by = std::min(by, kPollNs);
  env_.clock.advance(std::chrono::nanoseconds(by));
  return true;
}

/// Mostly any task; for stretches of some length one is drawn again and again while another gets no
/// turn: what a descheduled or a hot executor does to its neighbours.
std::size_t Simulation::draw_task() {
  if (favourite_left_ == 0) {
    favourite_ = random_.below(live_.size());
    starved_ = random_.below(live_.size());
    favourite_left_ = random_.chance(0.5) ? 1 : 1 + random_.below(64);
  }
  --favourite_left_;
  if (favourite_ < live_.size() && random_.chance(0.5)) return favourite_;
  const std::size_t drawn = random_.below(live_.size());
  return drawn == starved_ && favourite_ < live_.size() ? favourite_ : drawn;
}

void Simulation::mix(std::uint64_t word) { fingerprint_ = hash_combine(fingerprint_, word); }

void Simulation::mix_counters(const Task& task) {
  for (const auto& stage : task.stages()) {
    const StageCounters& counts = stage->counters();
    mix(counts.received.value());
    mix(counts.processed.value());
    mix(counts.filtered.value());
    mix(counts.late.value());
    mix(counts.dead_lettered.value());
    mix(counts.failed.value());
    mix(counts.in_flight.value());
    mix(counts.emitted.value());
  }
}

Report Simulation::report() const {
  Report report;
  tasks_.fill(graph_, report);
  return report;
}

Status Simulation::check(bool at_rest) const { return check_counts(report(), at_rest); }

Status Simulation::stuck(const std::string& why) const {
  std::string names;
  for (const std::size_t id : live_) {
    const Task& task = *tasks_.tasks()[id];
    names += names.empty() ? "" : ", ";
    names += fmt::format("\"{}\" task {} ({})", task.stages().front()->plan().name, task.index(),
                         name_of(last_[id]));
  }
  return {Code::internal,
          fmt::format("the topology {} after {} steps of seed {}: not done are {}: run this seed "
                      "again and look at what they wait for",
                      why, steps_, options_.seed, names)};
}

}  // namespace millrace::detail
