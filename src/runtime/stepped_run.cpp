// Stepping tasks in turn, and the clock from one due time to the next.
#include "runtime/stepped_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace millrace::detail {
namespace {

constexpr std::size_t kBatchesAStep = 16;
/// So many sweeps without rest are a source without end: each reads a batch of every source.
constexpr std::size_t kSweepsMax = 20'000;

/// What blocks is called in the step that asks for it.
RunOptions in_steps(RunOptions run) {
  run.calls.on_threads = false;
  return run;
}

}  // namespace

SteppedRun::SteppedRun(Graph graph, const PlanOptions& plan, const RunOptions& run, SimEnv& env)
    : graph_(std::move(graph)),
      env_(env),
      tasks_(make_plan(graph_, plan), in_steps(run), env_.env()) {
  for (const auto& task : tasks_.tasks()) live_.push_back(task.get());
}

Status SteppedRun::settle() {
  if (!failure_.ok()) return failure_;
  // Two quiet sweeps: a task that rests may have handed a batch to one that had its turn before.
  std::size_t quiet = 0;
  for (std::size_t sweeps = 0; quiet < 2 && !live_.empty(); ++sweeps) {
    quiet = sweep() ? 0 : quiet + 1;
    if (!failure_.ok()) return failure_;
    if (sweeps > kSweepsMax) return failure_ = {Code::parameter_invalid, never_rests()};
  }
  return {};
}

bool SteppedRun::sweep() {
  bool worked = false;
  if (EpochCoordinator* epochs = tasks_.epochs()) {
    worked |= epochs->look(env_.clock.steady_ns());
    if (failure_.ok()) failure_ = epochs->failure();
  }
  for (std::size_t at = 0; at < live_.size();) {
    const Step step = live_[at]->step(kBatchesAStep, stop_);
    worked |= step == Step::ready || step == Step::done;
    if (step != Step::done) {
      ++at;
      continue;
    }
    if (failure_.ok()) failure_ = live_[at]->failure();
    live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return worked;
}

Status SteppedRun::advance(Duration by) {
  const std::int64_t until = env_.clock.steady_ns() + std::chrono::nanoseconds(by).count();
  if (Status status = settle(); !status.ok()) return status;
  for (;;) {
    const std::int64_t now = env_.clock.steady_ns();
    const std::int64_t next = std::min(next_due_ns(now).value_or(until), until);
    env_.clock.advance(std::chrono::nanoseconds(next - now));
    if (Status status = settle(); !status.ok() || next == until) return status;
  }
}

/// The least due time after `now`; what was due before and was not done waits for something else.
std::optional<std::int64_t> SteppedRun::next_due_ns(std::int64_t now) const {
  std::optional<std::int64_t> least;
  for (const Task* task : live_) {
    const auto due = task->next_due_ns();
    if (due && *due > now) least = least ? std::min(*least, *due) : *due;
  }
  if (const EpochCoordinator* epochs = tasks_.epochs()) {
    const std::int64_t due = epochs->due_ns();
    if (due > now && due != kNeverDue) least = least ? std::min(*least, due) : due;
  }
  return least;
}

Status SteppedRun::stop() {
  stop_ = true;
  return settle();
}

Report SteppedRun::report() const {
  Report report;
  tasks_.fill(graph_, report);
  report.state = !failure_.ok() ? "failed" : ended() ? "finished" : "running";
  if (!failure_.ok()) report.error = failure_.to_string();
  report.active = tasks_.active();
  return report;
}

std::string SteppedRun::never_rests() const {
  std::string most;
  std::uint64_t records = 0;
  for (const ComponentReport& component : report().components) {
    const bool reads = std::ranges::any_of(graph_.nodes(), [&](const Node& node) {
      return node.name == component.name && node.make_source != nullptr;
    });
    if (!reads || component.processed < records) continue;
    records = component.processed;
    most = component.name;
  }
  return fmt::format(
      "the topology does not come to rest: \"{}\" has given {} records and always has more; stand "
      "in for it with input<Record>(\"{}\"), or give it an end",
      most, records, most);
}

}  // namespace millrace::detail
