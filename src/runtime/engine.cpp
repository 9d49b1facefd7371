// Executors: threads that step their tasks, spin about as long as a wake-up costs, and then park.
#include <algorithm>

#include "runtime/runtime.hpp"

namespace millrace::detail {
namespace {

/// Batches a task may take before its neighbours get their turn.
constexpr std::size_t kStepBudget = 16;
/// About the cost of a futex wake-up (6 to 12 microseconds): spinning longer than that does not
/// pay.
constexpr std::int64_t kSpinNs = 12'000;
/// A spout whose records come closer together than this is worth spinning for: parking would make
/// each of them wait for a timer.
constexpr std::int64_t kSpinNsMax = 50'000;
/// A source that has nothing now is asked again after a part of its usual gap between records,
/// within these: the latency of a spout that was idle.
constexpr std::int64_t kPollNsMin = 50'000;
constexpr std::int64_t kPollNs = 500'000;

}  // namespace

Engine::Engine(Plan plan, const RunOptions& options, Env& env)
    : options_(options), env_(env), graph_(std::move(plan), options, env) {
  const std::size_t count = std::clamp<std::size_t>(
      options.executors, 1, std::max<std::size_t>(1, graph_.tasks().size()));
  for (std::size_t at = 0; at < count; ++at) executors_.push_back(std::make_unique<Executor>());
  std::vector<Waker*> wakers;
  for (std::size_t at = 0; at < graph_.tasks().size(); ++at) {
    Executor& executor = *executors_[at % count];
    executor.tasks.push_back(graph_.tasks()[at].get());
    graph_.tasks()[at]->set_executor(static_cast<int>(at % count));
    wakers.push_back(&executor.waker);
  }
  graph_.set_wakers(wakers);
  tasks_left_ = graph_.tasks().size();
}

Engine::~Engine() {
  request_stop();
  for (auto& executor : executors_) {
    if (executor->thread.joinable()) executor->thread.join();
  }
  (void)graph_.close();
}

Status Engine::start() {
  if (Status status = graph_.open(); !status.ok()) {
    (void)graph_.close();
    return status;
  }
  for (auto& executor : executors_) {
    executor->thread = std::thread([this, &executor = *executor] { run(executor); });
  }
  return {};
}

void Engine::request_stop() {
  stop_.store(true, std::memory_order_seq_cst);
  for (auto& executor : executors_) executor->waker.wake();
}

void Engine::set_active(bool active) {
  graph_.set_active(active);
  for (auto& executor : executors_) executor->waker.wake();
}

bool Engine::wait_for(Duration timeout) {
  std::unique_lock lock(mutex_);
  return all_done_.wait_for(lock, timeout, [this] { return tasks_left_ == 0 || !failure_.ok(); });
}

Status Engine::finish() {
  for (auto& executor : executors_) {
    if (executor->thread.joinable()) executor->thread.join();
  }
  const Status closed = graph_.close();
  for (const auto& task : graph_.tasks()) {
    if (failure_.ok() && !task->failure().ok()) failure_ = task->failure();
  }
  if (failure_.ok()) failure_ = closed;
  return failure_;
}

void Engine::run(Executor& executor) {
  std::int64_t idle_since = 0;  // 0: the last round found work
  while (!executor.tasks.empty() && !failed_.load(std::memory_order_relaxed)) {
    std::optional<std::int64_t> next_due;
    bool polls = false;
    if (round(executor, next_due, polls)) {
      if (idle_since != 0) executor.learn_gap(env_.clock->steady_ns());
      idle_since = 0;
      continue;
    }
    const std::int64_t now = env_.clock->steady_ns();
    if (idle_since == 0) idle_since = now;
    // Once it has spun in vain it parks again after each look, until there is work: idle is cheap.
    if (now - idle_since < spin_ns(executor, polls)) continue;
    if (sleep(executor)) continue;
    executor.learn_gap(env_.clock->steady_ns());
    idle_since = 0;
  }
  for (Task* task : executor.tasks) task->close();  // another one failed
}

/// How far apart the records of its sources came since it last went from idle to work.
void Engine::Executor::learn_gap(std::int64_t now_ns) {
  constexpr std::int64_t kShare = 8;
  std::uint64_t polled = 0;
  for (const Task* task : tasks) polled += task->records_polled();
  const std::uint64_t fresh = polled > polled_before ? polled - polled_before : 1;
  const std::int64_t gap = (now_ns - learned_at_ns) / static_cast<std::int64_t>(fresh);
  if (learned_at_ns != 0) gap_ns += (gap - gap_ns) / kShare;
  learned_at_ns = now_ns;
  polled_before = polled;
}

/// Twice the usual gap between records when that is short, else about what a wake-up costs.
std::int64_t Engine::spin_ns(const Executor& executor, bool polls) {
  const std::int64_t wanted = 2 * executor.gap_ns;
  return polls && wanted <= kSpinNsMax ? std::max(wanted, kSpinNs) : kSpinNs;
}

bool Engine::round(Executor& executor, std::optional<std::int64_t>& next_due, bool& polls) {
  const bool stop = stop_.load(std::memory_order_relaxed);
  bool worked = false;
  bool any_done = false;
  for (Task*& task : executor.tasks) {
    const Step step = task->step(kStepBudget, stop);
    if (step == Step::done) {
      task_done(*task);
      task = nullptr;
      any_done = true;
      continue;
    }
    worked |= step == Step::ready;
    if (const auto due = task->next_due_ns())
      next_due = next_due ? std::min(*next_due, *due) : *due;
    polls |= task->polls();
  }
  if (any_done) std::erase(executor.tasks, nullptr);
  return worked || any_done;
}

/// Announces sleep, looks once more, and only then sleeps: see Waker.
bool Engine::sleep(Executor& executor) {
  executor.waker.prepare();
  std::optional<std::int64_t> next_due;
  bool polls = false;
  if (round(executor, next_due, polls) || executor.tasks.empty() || (stop_.load() && polls) ||
      failed_.load()) {
    executor.waker.cancel();
    return false;
  }
  const std::int64_t poll_ns = std::clamp(executor.gap_ns / 4, kPollNsMin, kPollNs);
  std::int64_t nanoseconds = polls ? poll_ns : -1;
  if (next_due) {
    const std::int64_t until = std::max<std::int64_t>(*next_due - env_.clock->steady_ns(), 0);
    nanoseconds = polls ? std::min(poll_ns, until) : until;
  }
  executor.waker.park(nanoseconds);
  return true;
}

void Engine::task_done(Task& task) {
  std::lock_guard lock(mutex_);
  --tasks_left_;
  if (!task.failure().ok() && failure_.ok()) {
    failure_ = task.failure();
    stop_.store(true, std::memory_order_seq_cst);
    failed_.store(true, std::memory_order_seq_cst);
    for (auto& executor : executors_) executor->waker.wake();
  }
  if (tasks_left_ == 0 || !failure_.ok()) all_done_.notify_all();
}

}  // namespace millrace::detail
