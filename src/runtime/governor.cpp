// Sampling, naming slow steps, and carrying decisions out.
#include "runtime/governor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace millrace::detail {
namespace {

constexpr std::int64_t kMs = 1'000'000;
/// Looks are this far apart; closer while a step seems to take long.
constexpr std::int64_t kLookNs = 10 * kMs;
constexpr std::int64_t kCloseLookNs = 2 * kMs;
constexpr std::int64_t kSampleNs = 20 * kMs;
constexpr std::int64_t kProcessorsNs = 200 * kMs;
/// Beyond, which tasks talk to which is not looked at.
constexpr std::size_t kLinksMax = 4096;
/// How long a sink may wait for its reader after the run was asked to end.
constexpr std::int64_t kDrainNs = 500 * kMs;
constexpr std::size_t kChangesMax = 50;
constexpr std::size_t kSlowStepsMax = 20;
/// A task that was slow this often gets a thread of its own.
constexpr std::uint64_t kApartAfter = 3;

}  // namespace

Governor::Governor(Crew& crew, TaskGraph& graph, const RunState& state, const RunOptions& options,
                   Env& env)
    : crew_(crew),
      graph_(graph),
      state_(state),
      auto_(options.executors == 0),
      log_(options.log),
      env_(env),
      policy_(options.scaling),
      slow_step_ns_(options.slow_step_ns),
      busy_before_(graph.tasks().size()),
      records_before_(graph.channels().size()) {}

void Governor::start(std::vector<Executor*> shared) {
  shared_ = std::move(shared);
  started_ns_ = sampled_ns_ = env_.clock->steady_ns();
  started_ticks_ = sampled_ticks_ = busy_ticks_now();
  if (env_.cpus) {
    used_before_ = env_.cpus->use();
    free_cores_ = used_before_.quota;
  }
  processors_ns_ = started_ns_;
  thread_ = std::thread([this] { work(); });
}

void Governor::stop() {
  {
    const std::lock_guard lock(stop_mutex_);
    stopped_ = true;
  }
  stop_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Governor::work() {
  std::int64_t wait_ns = kLookNs;
  for (;;) {
    {
      std::unique_lock lock(stop_mutex_);
      stop_changed_.wait_for(lock, std::chrono::nanoseconds(wait_ns), [this] { return stopped_; });
      if (stopped_) return;
    }
    wait_ns = look();
  }
}

std::int64_t Governor::look() {
  const std::int64_t wait_ns = watch_steps();
  const std::int64_t now = env_.clock->steady_ns();
  if (now - processors_ns_ >= kProcessorsNs) sample_processors(now);
  if (now - sampled_ns_ >= kSampleNs) sample(now);
  return wait_ns;
}

std::int64_t Governor::watch_steps() {
  see_returned_steps();
  end_waiting_sinks();
  bool close = false;
  for (Executor* executor : crew_.executors()) {
    if (!executor->own()) close |= watch(*executor);
  }
  return close ? kCloseLookNs : kLookNs;
}

/// True when its step may become slow before the next look. Time that the thread was ready to run
/// and did not is the machine's, not the component's.
bool Governor::watch(Executor& executor) {
  const Executor::StepSeen seen = executor.step_seen();
  Watch& watch = watched_[&executor];
  if (!seen.inside) return false;
  const double rate = ticks_per_ns(env_.clock->steady_ns());
  const std::int64_t age_ns =
      static_cast<std::int64_t>(static_cast<double>(busy_ticks_now() - seen.began_ticks) / rate);
  const std::int64_t thread = crew_.thread_of(executor);
  const std::int64_t waited = env_.cpus ? env_.cpus->kept_waiting_ns(thread) : 0;
  if (watch.thread != thread) watch = {0, thread, waited, waited};
  if (watch.turn != seen.turn) watch.waited_before_ns = watch.waited_ns;
  watch.turn = seen.turn;
  watch.waited_ns = waited;
  const std::int64_t own_ns = age_ns - (waited - watch.waited_before_ns);
  if (own_ns < slow_step_ns_) return own_ns > slow_step_ns_ / 4;
  // Read before the step is cut off: afterwards the task may already be elsewhere.
  const std::string component = seen.task->component_in_step();
  if (crew_.relieve(executor, seen.turn)) {
    name_slow_step(executor, *seen.task, component, age_ns);
  }
  return false;
}

void Governor::name_slow_step(const Executor& executor, const Task& task,
                              const std::string& component, std::int64_t age_ns) {
  bool apart = false;
  {
    const std::lock_guard lock(mutex_);
    auto found = std::find_if(slow_.begin(), slow_.end(), [&](const SlowStep& slow) {
      return slow.task == &task && slow.told.component == component;
    });
    SlowStep slow;
    if (found != slow_.end()) {
      slow = std::move(*found);
      slow_.erase(found);
    }
    slow.task = &task;
    slow.told.component = component;
    slow.told.task = task.index();
    ++slow.told.times;
    slow.told.running = true;
    slow.told.at = env_.clock->wall_us();
    slow.began_ns = env_.clock->steady_ns() - age_ns;
    apart = slow.told.times == kApartAfter && tasks_at(executor) > 1;
    if (slow.told.times == 1) {
      log_(LogLevel::info, "slow-step",
           fmt::format("component=\"{}\" task={} has not returned for {} ms; its neighbours run on "
                       "another thread meanwhile (a component that waits should be marked "
                       "blocking; further ones are counted, not logged)",
                       component, task.index(), age_ns / kMs));
    }
    slow_.push_front(std::move(slow));
    if (slow_.size() > kSlowStepsMax) slow_.pop_back();
  }
  if (!apart) return;
  crew_.keep_apart(task);
  count_added();
  note(fmt::format("{} gets an executor of its own: {} of its steps took longer than {} ms",
                   task.name(), kApartAfter, slow_step_ns_ / kMs));
}

void Governor::see_returned_steps() {
  const std::lock_guard lock(mutex_);
  for (SlowStep& slow : slow_) {
    if (!slow.told.running) continue;
    slow.told.running = crew_.is_away(*slow.task);
    slow.told.ms_last = (env_.clock->steady_ns() - slow.began_ns) / kMs;
    slow.told.ms_most = std::max(slow.told.ms_most, slow.told.ms_last);
  }
}

/// A run that was asked to end drains what is in flight. A sink whose reader takes nothing would
/// keep it from that for ever.
void Governor::end_waiting_sinks() {
  if (!state_.stop.load(std::memory_order_relaxed)) return;
  const std::int64_t now = env_.clock->steady_ns();
  if (!stop_seen_ns_) stop_seen_ns_ = now;
  if (now - *stop_seen_ns_ < kDrainNs) return;
  for (const SlowStep& slow : slow_) {
    if (slow.told.running && now - slow.began_ns >= kDrainNs) slow.task->give_up();
  }
  for (const Executor* executor : crew_.executors()) {
    const Executor::StepSeen seen = executor->step_seen();
    const double age = static_cast<double>(busy_ticks_now() - seen.began_ticks) / ticks_per_ns(now);
    if (executor->own() && seen.inside && age >= kDrainNs) seen.task->give_up();
  }
}

void Governor::sample_processors(std::int64_t now_ns) {
  const auto passed = static_cast<double>(now_ns - processors_ns_);
  processors_ns_ = now_ns;
  if (!env_.cpus || !auto_) return;
  const CpuUse use = env_.cpus->use();
  const std::int64_t busy = use.busy_ns - used_before_.busy_ns;
  const std::int64_t own = use.own_ns - used_before_.own_ns;
  used_before_ = use;
  const double others = std::max(0.0, static_cast<double>(busy - own) / passed);
  free_cores_ = std::min(use.quota, use.processors - others);
}

void Governor::sample(std::int64_t now_ns) {
  const std::int64_t before_ns = std::exchange(sampled_ns_, now_ns);
  const std::vector<double> shares = task_shares();
  smooth(shares, now_ns - before_ns);
  give_memory_back(now_ns);
  if (!auto_) return;
  Loads loads;
  loads.now_ns = now_ns;
  loads.executors = shared_.size();
  loads.free_cores = free_cores_;
  for (std::size_t task = 0; task < shares.size(); ++task) {
    const Task& at = *graph_.tasks()[task];
    if (const auto executor = shared_at(at)) {
      loads.tasks.push_back({task, *executor, shares[task], !crew_.is_away(at)});
    }
  }
  measure_links(loads);
  const Decision decision = policy_.look(loads);
  if (decision.kind != Decision::Kind::none) carry_out(decision);
}

/// What part of the time since the last sample each task was busy.
std::vector<double> Governor::task_shares() {
  const std::int64_t now = busy_ticks_now();
  const auto passed = static_cast<double>(std::max<std::int64_t>(1, now - sampled_ticks_));
  sampled_ticks_ = now;
  std::vector<double> shares;
  for (std::size_t task = 0; task < graph_.tasks().size(); ++task) {
    const std::uint64_t busy = graph_.tasks()[task]->busy_ticks().value();
    const auto fresh = static_cast<double>(busy - std::exchange(busy_before_[task], busy));
    shares.push_back(std::min(1.0, fresh / passed));
  }
  return shares;
}

void Governor::measure_links(Loads& loads) {
  const auto& channels = graph_.channels();
  if (channels.size() > kLinksMax) return;
  for (std::size_t at = 0; at < channels.size(); ++at) {
    const std::uint64_t passed = channels[at].channel->passed();
    const std::uint64_t fresh = passed - std::exchange(records_before_[at], passed);
    if (fresh == 0) continue;
    loads.links.push_back({channels[at].sender, channels[at].receiver, static_cast<double>(fresh)});
  }
}

/// For people: each executor's share, over about the last second.
void Governor::smooth(const std::vector<double>& shares, std::int64_t passed_ns) {
  std::map<const Waker*, double> now;
  for (std::size_t task = 0; task < shares.size(); ++task) {
    now[graph_.tasks()[task]->home().waker()] += shares[task];
  }
  const double weight = 1 - std::exp(-static_cast<double>(passed_ns) / 500e6);
  const std::lock_guard lock(mutex_);
  for (const Executor* executor : crew_.executors()) {
    double& lately = busy_lately_[executor];
    lately += (std::min(1.0, now[&executor->waker()]) - lately) * weight;
  }
}

/// At the first calm moment after a busy time: the tasks free what they keep for busy times, then
/// the allocator gives free pages back to the system.
void Governor::give_memory_back(std::int64_t now_ns) {
  double busy = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [executor, share] : busy_lately_) busy = std::max(busy, share);
  }
  switch (calm_.look(busy, now_ns)) {
    case CalmAfterPeak::Now::ask_tasks:
      for (Executor* executor : crew_.executors()) executor->ask_for_memory();
      break;
    case CalmAfterPeak::Now::trim:
#if defined(__GLIBC__)
      malloc_trim(0);
#endif
      break;
    default:
      break;
  }
}

void Governor::carry_out(const Decision& decision) {
  Executor& from = *shared_[decision.from];
  if (decision.kind == Decision::Kind::remove) {
    Executor& heir = *shared_[decision.to];
    note(tell(decision, from, heir));
    crew_.remove(from, heir);
    {
      const std::lock_guard lock(mutex_);
      ++executors_removed_;
    }
    shared_.erase(shared_.begin() + static_cast<std::ptrdiff_t>(decision.from));
    return;
  }
  if (decision.kind == Decision::Kind::add) {
    shared_.push_back(&crew_.add(false));
    crew_.man(*shared_.back());
    count_added();
  }
  Executor& to = *shared_[decision.to];
  note(tell(decision, from, to));
  for (const std::size_t task : decision.tasks) from.ask_for(*graph_.tasks()[task], to);
}

std::string Governor::tell(const Decision& decision, const Executor& from,
                           const Executor& to) const {
  constexpr std::size_t kNamed = 3;
  std::string tasks;
  for (std::size_t at = 0; at < std::min(kNamed, decision.tasks.size()); ++at) {
    tasks += (at == 0 ? "" : ", ") + graph_.tasks()[decision.tasks[at]]->name();
  }
  if (decision.tasks.size() > kNamed) {
    tasks += fmt::format(" and {} more", decision.tasks.size() - kNamed);
  }
  const std::string busy = fmt::format("executor {} was {:.0f} % busy for {} ms", from.number(),
                                       decision.busy * 100, decision.for_ns / kMs);
  switch (decision.kind) {
    case Decision::Kind::add:
      return fmt::format("executor {} added: {}; it takes {}", to.number(), busy, tasks);
    case Decision::Kind::move:
      return fmt::format("executor {} takes {}: {}", to.number(), tasks, busy);
    default:
      break;
  }
  if (decision.why == Decision::Why::crowded) {
    return fmt::format(
        "executor {} removed: others leave {:.1f} processors; executor {} takes its tasks",
        from.number(), policy_.free_cores(), to.number());
  }
  return fmt::format(
      "executor {} removed: it was {:.0f} % busy for {:.1f} s; executor {} takes "
      "its tasks",
      from.number(), decision.busy * 100, static_cast<double>(decision.for_ns) / 1e9, to.number());
}

void Governor::count_added() {
  const std::size_t now = crew_.executors().size();
  const std::lock_guard lock(mutex_);
  ++executors_added_;
  executors_most_ = std::max(executors_most_, now);
}

void Governor::note(std::string text) {
  log_(LogLevel::info, "executors", text);
  const std::lock_guard lock(mutex_);
  changes_.push_front({env_.clock->wall_us(), std::move(text)});
  if (changes_.size() > kChangesMax) changes_.pop_back();
}

/// Its place among those that tasks move between.
std::optional<std::size_t> Governor::shared_at(const Task& task) const {
  for (std::size_t at = 0; at < shared_.size(); ++at) {
    if (&shared_[at]->waker() == task.home().waker()) return at;
  }
  return std::nullopt;
}

std::size_t Governor::tasks_at(const Executor& executor) const {
  return static_cast<std::size_t>(
      std::count_if(graph_.tasks().begin(), graph_.tasks().end(),
                    [&](const auto& task) { return task->home().waker() == &executor.waker(); }));
}

double Governor::ticks_per_ns(std::int64_t now_ns) const {
  const auto ns = static_cast<double>(std::max<std::int64_t>(1, now_ns - started_ns_));
  return std::max(1e-3, static_cast<double>(busy_ticks_now() - started_ticks_) / ns);
}

void Governor::fill(Report& report) const {
  report.executors_auto = auto_;
  const std::vector<Executor*> executors = crew_.executors();
  report.executors = static_cast<std::uint32_t>(executors.size());
  const std::lock_guard lock(mutex_);
  report.executors_most = static_cast<std::uint32_t>(std::max(executors_most_, executors.size()));
  report.executors_added = executors_added_;
  report.executors_removed = executors_removed_;
  for (const Executor* executor : executors) {
    ExecutorReport line;
    line.number = executor->number();
    line.tasks = static_cast<std::uint32_t>(tasks_at(*executor));
    const auto busy = busy_lately_.find(executor);
    if (busy != busy_lately_.end()) line.busy_share = busy->second;
    for (const auto& task : graph_.tasks()) {
      if (executor->own() && task->home().waker() == &executor->waker()) {
        line.component = task->stages().front()->plan().name;
      }
    }
    report.executor_threads.push_back(std::move(line));
  }
  report.executor_changes.assign(changes_.begin(), changes_.end());
  for (const SlowStep& slow : slow_) report.slow_steps.push_back(slow.told);
}

}  // namespace millrace::detail
