// The life of a run: open, place the tasks, wait for them, close.
#include <algorithm>

#include "runtime/runtime.hpp"

namespace millrace::detail {

Engine::Engine(Plan plan, const RunOptions& options, Env& env)
    : options_(options),
      env_(env),
      graph_(std::move(plan), options, env),
      crew_(state_, *this, env),
      governor_(crew_, graph_, state_, options, env),
      parts_left_(graph_.tasks().size() + (graph_.epochs() ? 1 : 0)) {
  options_.restore.reset();
  options_.handed.reset();
}

Engine::~Engine() {
  request_stop();
  if (started_) wait_for(Duration::max());
  end_threads();
  (void)graph_.close();
}

Status Engine::start() {
  if (Status status = graph_.open(); !status.ok()) {
    (void)graph_.close();
    return status;
  }
  started_ = true;
  const std::vector<Executor*> shared = place_tasks();
  for (Executor* executor : crew_.executors()) crew_.man(*executor);
  governor_.start(shared);
  if (graph_.epochs()) {
    epochs_.start(*graph_.epochs(), env_, [this](const Status& failure) { part_done(failure); });
  }
  return {};
}

/// In turn on a fixed number of executors, else all on the first one. Returns those that share
/// tasks.
std::vector<Executor*> Engine::place_tasks() {
  const auto& tasks = graph_.tasks();
  const auto is_shared = [this](const auto& task) { return !graph_.blocking(*task); };
  const auto shared_tasks =
      static_cast<std::size_t>(std::count_if(tasks.begin(), tasks.end(), is_shared));
  const std::size_t count =
      std::clamp<std::size_t>(options_.executors, 1, std::max<std::size_t>(1, shared_tasks));
  std::vector<Executor*> shared;
  for (std::size_t at = 0; at < count; ++at) shared.push_back(&crew_.add(false));
  std::size_t next = 0;
  for (const auto& task : tasks) {
    Executor& executor = is_shared(task) ? *shared[next++ % count] : crew_.add(true);
    executor.give(*task);
  }
  return shared;
}

void Engine::request_stop() {
  state_.stop.store(true, std::memory_order_seq_cst);
  crew_.wake_all();
}

void Engine::set_active(bool active) {
  graph_.set_active(active);
  crew_.wake_all();
}

bool Engine::wait_for(Duration timeout) {
  std::unique_lock lock(mutex_);
  const auto ended = [this] { return parts_left_ == 0 || !failure_.ok(); };
  if (timeout != Duration::max()) return all_done_.wait_for(lock, timeout, ended);
  all_done_.wait(lock, ended);
  return true;
}

void Engine::end_threads() {
  state_.over.store(true, std::memory_order_seq_cst);
  governor_.stop();
  epochs_.stop();
  crew_.wake_all();
  crew_.join();
}

Status Engine::finish() {
  if (started_) wait_for(Duration::max());
  end_threads();
  const Status closed = graph_.close();
  for (const auto& task : graph_.tasks()) {
    if (failure_.ok() && !task->failure().ok()) failure_ = task->failure();
  }
  if (failure_.ok()) failure_ = closed;
  return failure_;
}

void Engine::fill(const Graph& graph, Report& report, RunningSums& sums) const {
  graph_.fill(graph, report, sums);
  governor_.fill(report);
}

void Engine::task_done(Task& task) { part_done(task.failure()); }

/// A failed task ends the run: its neighbours would wait for it for ever.
void Engine::part_done(const Status& failure) {
  const std::lock_guard lock(mutex_);
  --parts_left_;
  if (!failure.ok() && failure_.ok()) {
    failure_ = failure;
    state_.stop.store(true, std::memory_order_seq_cst);
    state_.over.store(true, std::memory_order_seq_cst);
    crew_.wake_all();
  }
  if (parts_left_ == 0 || !failure_.ok()) all_done_.notify_all();
}

}  // namespace millrace::detail
