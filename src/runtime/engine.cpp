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
/// A source that has nothing now is asked again after this time: the latency of a spout that was
/// idle.
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
}

Status Engine::start() {
  if (Status status = graph_.open(); !status.ok()) {
    graph_.close();
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

bool Engine::wait_for(Duration timeout) {
  std::unique_lock lock(mutex_);
  return all_done_.wait_for(lock, timeout, [this] { return tasks_left_ == 0 || !failure_.ok(); });
}

Status Engine::finish() {
  for (auto& executor : executors_) {
    if (executor->thread.joinable()) executor->thread.join();
  }
  graph_.close();
  for (const auto& task : graph_.tasks()) {
    if (failure_.ok() && !task->failure().ok()) failure_ = task->failure();
  }
  return failure_;
}

void Engine::run(Executor& executor) {
  std::int64_t idle_since = 0;
  bool spins = false;  // only after work: a wake-up that found nothing goes back to sleep
  while (!executor.tasks.empty() && !abandon_.load(std::memory_order_relaxed)) {
    std::optional<std::int64_t> next_due;
    bool polls = false;
    if (round(executor, next_due, polls)) {
      idle_since = 0;
      spins = true;
      continue;
    }
    if (spins) {
      const std::int64_t now = env_.clock->steady_ns();
      if (idle_since == 0) idle_since = now;
      if (now - idle_since < kSpinNs) continue;
    }
    spins = !sleep(executor);
    idle_since = 0;
  }
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
    polls |= task->polls() && !task->next_due_ns();
  }
  if (any_done) std::erase(executor.tasks, nullptr);
  return worked || any_done;
}

/// Announces sleep, looks once more, and only then sleeps: see Waker.
bool Engine::sleep(Executor& executor) {
  executor.waker.prepare();
  std::optional<std::int64_t> next_due;
  bool polls = false;
  if (round(executor, next_due, polls) || executor.tasks.empty() || (stop_.load() && polls)) {
    executor.waker.cancel();
    return false;
  }
  std::int64_t nanoseconds = polls ? kPollNs : -1;
  if (next_due) {
    const std::int64_t until = std::max<std::int64_t>(*next_due - env_.clock->steady_ns(), 0);
    nanoseconds = polls ? std::min(kPollNs, until) : until;
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
    abandon_.store(true, std::memory_order_seq_cst);
    for (auto& executor : executors_) executor->waker.wake();
  }
  if (tasks_left_ == 0 || !failure_.ok()) all_done_.notify_all();
}

}  // namespace millrace::detail
