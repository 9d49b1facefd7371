// Measuring, splitting and merging of executors' loads.
#include "runtime/scaling_policy.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace millrace::detail {
namespace {

constexpr double kSmoothNs = 500e6;
constexpr double kTaskSmoothNs = 50e6;
/// What it costs to cut all records that flow: as much as this share of an executor.
constexpr double kCutCost = 0.10;
constexpr std::size_t kTriedTasksMax = 12;
/// A new executor needs half a processor for itself; it goes when only a quarter is left.
constexpr double kToAdd = 0.5;
constexpr double kToStay = 0.75;

struct Split {
  std::vector<bool> moved;  ///< by position among the tasks
  double score = 0;
};

/// The tasks of one executor and who talks to whom among them.
class Splitter {
 public:
  Splitter(const Loads& loads, std::size_t executor) {
    double all = 0;
    for (const TaskLink& link : loads.links) all += link.records;
    for (const TaskLoad& task : loads.tasks) {
      if (task.executor == executor) tasks_.push_back(task);
    }
    for (const TaskLink& link : loads.links) {
      const auto from = position(link.from);
      const auto to = position(link.to);
      if (from && to && all > 0) links_.push_back({*from, *to, link.records / all});
    }
    for (const TaskLoad& task : tasks_) total_ += task.busy;
  }

  double total() const { return total_; }
  const std::vector<TaskLoad>& tasks() const { return tasks_; }

  /// The busier side, and what is cut.
  double score(const std::vector<bool>& moved) const {
    double away = 0;
    for (std::size_t at = 0; at < tasks_.size(); ++at) away += moved[at] ? tasks_[at].busy : 0;
    double cut = 0;
    for (const TaskLink& link : links_)
      cut += moved[link.from] != moved[link.to] ? link.records : 0;
    return std::max(away, total_ - away) + kCutCost * cut;
  }

  /// The first task stays, so that a split and its mirror image are one.
  std::optional<Split> best() const {
    if (tasks_.size() < 2) return std::nullopt;
    std::optional<Split> found;
    const auto offer = [&](const std::vector<bool>& moved) {
      const double worth = score(moved);
      if (!found || worth < found->score) found = Split{moved, worth};
    };
    if (tasks_.size() > kTriedTasksMax) {
      offer(dealt_out());
      return found;
    }
    for (std::uint32_t set = 2; set < (1u << tasks_.size()); set += 2) {
      std::vector<bool> moved(tasks_.size());
      bool possible = true;
      for (std::size_t at = 0; at < tasks_.size(); ++at) {
        moved[at] = (set >> at & 1) != 0;
        possible &= !moved[at] || tasks_[at].movable;
      }
      if (possible) offer(moved);
    }
    return found;
  }

 private:
  std::optional<std::size_t> position(std::size_t task) const {
    for (std::size_t at = 0; at < tasks_.size(); ++at) {
      if (tasks_[at].task == task) return at;
    }
    return std::nullopt;
  }

  /// The biggest first, each to the side that has less.
  std::vector<bool> dealt_out() const {
    std::vector<std::size_t> order(tasks_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
      return tasks_[a].busy > tasks_[b].busy;
    });
    std::vector<bool> moved(tasks_.size());
    double stay = 0;
    double away = 0;
    for (const std::size_t at : order) {
      moved[at] = tasks_[at].movable && away < stay;
      (moved[at] ? away : stay) += tasks_[at].busy;
    }
    return moved;
  }

  std::vector<TaskLoad> tasks_;
  std::vector<TaskLink> links_;
  double total_ = 0;
};

}  // namespace

Decision ScalingPolicy::look(const Loads& sample) {
  Loads loads = sample;
  measure(loads);
  if (loads.now_ns - decided_ns_ < limits_.settle_ns) return {};
  std::optional<Decision> decision = remove(loads);
  if (!decision) decision = add(loads);
  if (!decision) decision = even_out(loads);
  if (!decision) return {};
  fill_busy(*decision, loads.now_ns);
  decided_ns_ = loads.now_ns;
  crowded_since_.reset();
  if (decision->kind == Decision::Kind::remove) {
    seen_.erase(seen_.begin() + static_cast<std::ptrdiff_t>(decision->from));
  }
  for (Seen& seen : seen_) {
    seen.hot_since.reset();
    seen.calm_since.reset();
  }
  return *decision;
}

/// Replaces what the tasks did in this one sample by what they did lately.
void ScalingPolicy::smooth_tasks(Loads& loads, double passed_ns) {
  const double weight = 1 - std::exp(-passed_ns / kTaskSmoothNs);
  for (TaskLoad& task : loads.tasks) {
    if (task_busy_.size() <= task.task) task_busy_.resize(task.task + 1);
    double& lately = task_busy_[task.task];
    lately += (task.busy - lately) * weight;
    task.busy = lately;
  }
}

void ScalingPolicy::measure(Loads& loads) {
  const bool first = !started_;
  if (first) {
    before_ns_ = decided_ns_ = loads.now_ns;
    free_cores_ = loads.free_cores;
    started_ = true;
  }
  seen_.resize(loads.executors);
  for (Seen& seen : seen_) seen.now = 0;
  for (Seen& seen : seen_) seen.tasks = 0;
  for (const TaskLoad& task : loads.tasks) {
    seen_[task.executor].now += task.busy;
    seen_[task.executor].tasks += task.busy > 0 ? 1 : 0;
  }
  const auto passed = static_cast<double>(loads.now_ns - before_ns_);
  smooth_tasks(loads, passed);
  const double weight = 1 - std::exp(-passed / kSmoothNs);
  free_cores_ += (loads.free_cores - free_cores_) * weight;
  for (Seen& seen : seen_) {
    seen.now = std::min(seen.now, 1.0);
    seen.smooth += (seen.now - seen.smooth) * weight;
    if (seen.now <= limits_.busy_share) {
      seen.hot_since.reset();
    } else {
      if (!seen.hot_since) seen.hot_sum = 0;
      if (!seen.hot_since) seen.hot_since = before_ns_;
      seen.hot_sum += seen.now * passed;
    }
    if (seen.smooth >= limits_.calm_share)
      seen.calm_since.reset();
    else if (!seen.calm_since)
      seen.calm_since = loads.now_ns;
  }
  const bool crowded =
      static_cast<double>(loads.executors) > std::max(1.0, std::floor(free_cores_ + kToStay));
  if (!crowded)
    crowded_since_.reset();
  else if (!crowded_since_)
    crowded_since_ = loads.now_ns;
  before_ns_ = loads.now_ns;
}

/// How many executors there may be.
std::size_t ScalingPolicy::room() const {
  const double cores = std::max(1.0, std::floor(free_cores_ + kToAdd));
  return std::min(limits_.executors_max, static_cast<std::size_t>(cores));
}

/// Full executors do not show how much more their tasks would do: then the number of tasks counts.
bool ScalingPolicy::hotter(const Seen& a, const Seen& b) {
  constexpr double kFull = 0.85;
  if (a.now > kFull && b.now > kFull) return a.tasks > b.tasks;
  return a.now > b.now;
}

std::optional<std::size_t> ScalingPolicy::hottest(std::int64_t for_ns, std::int64_t now_ns) const {
  std::optional<std::size_t> found;
  for (std::size_t at = 0; at < seen_.size(); ++at) {
    if (!seen_[at].hot_since || now_ns - *seen_[at].hot_since < for_ns) continue;
    if (!found || hotter(seen_[at], seen_[*found])) found = at;
  }
  return found;
}

std::size_t ScalingPolicy::coolest_but(std::size_t executor) const {
  std::size_t found = executor == 0 ? 1 : 0;
  for (std::size_t at = 0; at < seen_.size(); ++at) {
    if (at != executor && seen_[at].smooth < seen_[found].smooth) found = at;
  }
  return found;
}

void ScalingPolicy::fill_busy(Decision& decision, std::int64_t now_ns) const {
  const Seen& from = seen_[decision.from];
  if (decision.why == Decision::Why::busy && from.hot_since) {
    decision.for_ns = now_ns - *from.hot_since;
    decision.busy = from.hot_sum / static_cast<double>(std::max<std::int64_t>(1, decision.for_ns));
  } else {
    decision.busy = from.smooth;
    const auto since = decision.why == Decision::Why::calm ? from.calm_since : crowded_since_;
    decision.for_ns = since ? now_ns - *since : 0;
  }
}

std::optional<Decision> ScalingPolicy::add(const Loads& loads) const {
  if (loads.executors >= room()) return std::nullopt;
  const auto hot = hottest(limits_.busy_ns, loads.now_ns);
  if (!hot) return std::nullopt;
  const Splitter splitter(loads, *hot);
  const auto split = splitter.best();
  if (!split || split->score > splitter.total() - limits_.gain_min) return std::nullopt;
  Decision decision;
  decision.kind = Decision::Kind::add;
  decision.from = *hot;
  decision.to = loads.executors;
  for (std::size_t at = 0; at < split->moved.size(); ++at) {
    if (split->moved[at]) decision.tasks.push_back(splitter.tasks()[at].task);
  }
  return decision;
}

/// One task from the busiest to the calmest, where that takes enough off the busiest.
std::optional<Decision> ScalingPolicy::even_out(const Loads& loads) const {
  if (loads.executors < 2) return std::nullopt;
  const auto hot = hottest(limits_.uneven_ns, loads.now_ns);
  if (!hot) return std::nullopt;
  const std::size_t cool = coolest_but(*hot);
  const double most = seen_[*hot].smooth;
  const TaskLoad* best = nullptr;
  double least = most - limits_.gain_min;
  for (const TaskLoad& task : loads.tasks) {
    if (task.executor != *hot || !task.movable || task.busy <= 0) continue;
    const double then = std::max(most - task.busy, seen_[cool].smooth + task.busy);
    if (then > least) continue;
    least = then;
    best = &task;
  }
  if (!best) return std::nullopt;
  Decision decision;
  decision.kind = Decision::Kind::move;
  decision.from = *hot;
  decision.to = cool;
  decision.tasks.push_back(best->task);
  return decision;
}

std::optional<Decision> ScalingPolicy::remove(const Loads& loads) const {
  if (loads.executors < 2) return std::nullopt;
  Decision decision;
  decision.kind = Decision::Kind::remove;
  const bool crowded = crowded_since_ && loads.now_ns - *crowded_since_ >= limits_.crowded_ns;
  std::optional<std::size_t> found;
  for (std::size_t at = 0; at < seen_.size(); ++at) {
    const bool calm =
        seen_[at].calm_since && loads.now_ns - *seen_[at].calm_since >= limits_.calm_ns;
    const double together = seen_[at].smooth + seen_[coolest_but(at)].smooth;
    if (!crowded && (!calm || together > limits_.together_max)) continue;
    if (!found || seen_[at].smooth <= seen_[*found].smooth) found = at;
  }
  if (!found) return std::nullopt;
  decision.from = *found;
  decision.to = coolest_but(*found);
  decision.why = crowded ? Decision::Why::crowded : Decision::Why::calm;
  const bool all_movable =
      std::all_of(loads.tasks.begin(), loads.tasks.end(),
                  [&](const auto& task) { return task.executor != *found || task.movable; });
  if (!all_movable) return std::nullopt;
  for (const TaskLoad& task : loads.tasks) {
    if (task.executor == *found) decision.tasks.push_back(task.task);
  }
  return decision;
}

}  // namespace millrace::detail
