// What is wrong now: one function a kind of trouble.
#include "metrics/insights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "metrics/kept_names.hpp"
#include "metrics/report_words.hpp"

namespace millrace::detail {
namespace {

constexpr std::size_t kInsightsMax = 20;

/// Two reports and what was found between them.
class Search {
 public:
  Search(const Report& before, const Report& now) : before_(before), now_(now) {
    for (const ComponentReport& component : before.components)
      earlier_.emplace(component.name, &component);
    for (const TaskReport& task : now.tasks)
      if (task.executor >= 0) executor_busy_[task.executor] += task.busy_share;
  }

  std::vector<Insight> run() {
    failed();
    if (now_.state != "finished" && now_.state != "failed" && now_.state != "stopped") {
      paused();
      stuck();
      busy();
      held();
      waits_for_others();
      gave_up();
      replays();
      old_messages();
      late();
      loads();
      slow_steps();
      memory();
      partial_matches();
    }
    std::ranges::stable_sort(found_, {}, [](const Insight& insight) { return rank(insight); });
    if (found_.size() > kInsightsMax) found_.resize(kInsightsMax);
    return std::move(found_);
  }

 private:
  static int rank(const Insight& insight) {
    return insight.severity == "error" ? 0 : insight.severity == "warning" ? 1 : 2;
  }
  void say(std::string severity, std::string kind, std::string component, std::string text,
           std::string advice) {
    found_.push_back({std::move(severity), std::move(kind), std::move(component), std::move(text),
                      std::move(advice)});
  }
  /// What a count of a component gained since the report before; all of it when there was none.
  std::uint64_t gained(const ComponentReport& component,
                       std::uint64_t ComponentReport::* count) const {
    const auto earlier = earlier_.find(component.name);
    const std::uint64_t was = earlier == earlier_.end() ? 0 : earlier->second->*count;
    return component.*count > was ? component.*count - was : 0;
  }
  bool is_sink(const ComponentReport& component) const {
    return std::ranges::none_of(
        now_.edges, [&](const EdgeReport& edge) { return edge.from == component.name; });
  }

  void failed();
  void paused();
  void stuck();
  void busy();
  void busy_one(const ComponentReport& receiver,
                const std::vector<const ComponentReport*>& senders);
  const ComponentReport& busiest_beside(const ComponentReport& receiver) const;
  bool lag_grows() const;
  void held();
  void waits_for_others();
  void gave_up();
  void replays();
  void old_messages();
  void late();
  void loads();
  void slow_steps();
  void memory();
  void partial_matches();

  const Report& before_;
  const Report& now_;
  std::map<std::string_view, const ComponentReport*> earlier_;
  std::map<std::int32_t, double> executor_busy_;
  std::set<std::string> stuck_;
  std::vector<Insight> found_;
};

void Search::failed() {
  if (now_.state == "failed")
    say("error", "failed", "", "The topology failed: " + now_.error + ".",
        "Nothing runs any more; mend the cause and start it again.");
}

void Search::paused() {
  if (now_.active == false)
    say("info", "paused", "", "The sources are paused: nothing is read.",
        "Resume them when you want.");
}

void Search::stuck() {
  constexpr double kStuckUs = 1e6;
  constexpr double kErrorUs = 10e6;
  for (const TaskReport& task : now_.tasks) {
    if (task.running_us < kStuckUs || stuck_.contains(task.running)) continue;
    const ComponentReport* component = find_component(now_, task.running);
    if (!component) continue;
    stuck_.insert(task.running);
    std::string text = fmt::format("\"{}\" has not come back from one call for {}", task.running,
                                   lasting(task.running_us));
    if (component->queued > 0)
      text += fmt::format("; {} wait for it", records_of(component->queued));
    say(task.running_us >= kErrorUs ? "error" : "warning", "stuck", task.running, text + ".",
        is_sink(*component)
            ? "What it writes to (a disk, a pipe, a service) does not take more: look there. "
              "The sources wait until it does; nothing is lost."
            : "Let each call return soon: waiting belongs into a component of its own that is "
              "declared blocking.");
  }
}

/// A full ring and a sender that waits for it point at the receiver; one that waits itself only
/// passes the pressure on.
void Search::busy() {
  constexpr double kFull = 0.75;
  constexpr double kWaits = 0.1;
  constexpr double kPassesOn = 0.5;
  std::map<std::string, std::vector<const ComponentReport*>> waiting;
  for (const EdgeReport& edge : now_.edges) {
    const ComponentReport* sender = find_component(now_, edge.from);
    const ComponentReport* receiver = find_component(now_, edge.to);
    if (!sender || !receiver || edge.fill < kFull || sender->blocked_share < kWaits) continue;
    if (receiver->blocked_share < kPassesOn) waiting[edge.to].push_back(sender);
  }
  for (const auto& [receiver, senders] : waiting)
    busy_one(*find_component(now_, receiver), senders);
}

void Search::busy_one(const ComponentReport& receiver,
                      const std::vector<const ComponentReport*>& senders) {
  const ComponentReport& culprit = busiest_beside(receiver);
  if (stuck_.contains(culprit.name)) return;
  double of_task = 0;
  double of_executor = 0;
  for (const TaskReport& task : now_.tasks) {
    if (task.chain != receiver.chain) continue;
    of_task = std::max(of_task, task.busy_share);
    const auto executor = executor_busy_.find(task.executor);
    if (executor != executor_busy_.end()) of_executor = std::max(of_executor, executor->second);
  }
  constexpr double kBusy = 0.7;
  std::string text;
  std::string advice;
  if (of_task >= kBusy || of_executor < kBusy) {
    text =
        fmt::format("\"{}\" is busy {} of the time", culprit.name,
                    percent(std::min(1.0, std::max(of_task, culprit.busy_share / culprit.tasks))));
    advice = is_sink(culprit)
                 ? "Make what it does for a record cheaper, or send it fewer: a sink has one "
                   "task."
                 : fmt::format(
                       "Give it more tasks (it has {}; --parallelism) or make its step "
                       "cheaper.",
                       culprit.tasks);
  } else {
    text = fmt::format("\"{}\" shares a thread that is {} busy", culprit.name,
                       percent(std::min(1.0, of_executor)));
    advice = fmt::format("Give the run more threads (it has {}; --executors).", now_.executors);
  }
  std::vector<std::string> names;
  double waits = 0;
  bool replay = true;
  for (const ComponentReport* sender : senders) {
    names.push_back(sender->name);
    waits = std::max(waits, sender->blocked_share);
    replay = replay && now_.speed == 0 && !lag_grows();
  }
  text += fmt::format(", and {} {} for it {} of the time.", names_of(names),
                      names.size() == 1 ? "waits" : "wait", percent(waits));
  // A replay as fast as possible always has one that is the slowest: that is no trouble.
  say(replay ? "info" : "warning", "busy", culprit.name, std::move(text), std::move(advice));
}

/// Of the components that run in one task with `receiver`, the one whose code takes the time.
const ComponentReport& Search::busiest_beside(const ComponentReport& receiver) const {
  const ComponentReport* busiest = &receiver;
  for (const ComponentReport& component : now_.components) {
    if (component.chain == receiver.chain && component.busy_share > busiest->busy_share)
      busiest = &component;
  }
  return *busiest;
}

bool Search::lag_grows() const {
  constexpr std::int64_t kGrowsMs = 1000;
  return now_.watermark_lag_ms && before_.watermark_lag_ms &&
         *now_.watermark_lag_ms > *before_.watermark_lag_ms + kGrowsMs;
}

void Search::held() {
  const auto now = held_time(now_);
  const auto before = held_time(before_);
  if (!now || !before || now->partition != before->partition || now->at != before->at) return;
  const std::string ahead =
      *now->furthest == kTimeMax ? "others have ended" : "others are at " + moment(now->furthest);
  const std::string text =
      now->at ? fmt::format("\"{}\" holds event time at {}: nothing newer came from it, while {}.",
                            now->partition, moment(now->at), ahead)
              : fmt::format("\"{}\" holds event time: nothing came from it yet, while {}.",
                            now->partition, ahead);
  say("warning", "held_time", now->component, text,
      "Windows wait for the slowest partition: send it records, end it, or give event_time an "
      "idle_after.");
}

void Search::waits_for_others() {
  for (const ComponentReport& component : now_.components) {
    if (!component.held_by_alignment) continue;
    say("info", "aligned", component.name,
        fmt::format("\"{}\" waits: it, or a partition of it, is further ahead of others in event "
                    "time than align_within allows.",
                    component.name),
        "Look at the source or partition that is behind; or raise align_within.");
  }
}

void Search::gave_up() {
  for (const ComponentReport& component : now_.components) {
    const std::uint64_t dead = gained(component, &ComponentReport::dead_lettered);
    if (dead == 0) continue;
    const std::uint64_t took = std::max(dead, gained(component, &ComponentReport::received));
    const double share = static_cast<double>(dead) / static_cast<double>(took);
    std::string text = fmt::format("\"{}\" gave up {} just now ({} of what it took)",
                                   component.name, records_of(dead), percent(share));
    if (!component.errors.empty()) {
      const ErrorReport& error = component.errors.front();
      text += ": " + error.reason;
      if (!error.where.empty()) text += " (at " + error.where + ")";
    }
    say(share > 0.5 ? "error" : "warning", "dead_letters", component.name, text + ".",
        "Its dead letters show the records and their places: mend the input, or let the "
        "component take them.");
  }
}

/// Failures that were to be played again are among the errors of their component.
void Search::replays() {
  for (const ComponentReport& component : now_.components) {
    const std::uint64_t failed = gained(component, &ComponentReport::failed);
    if (failed == 0) continue;
    std::string text = fmt::format("\"{}\" failed at {} just now, whose messages are played again",
                                   component.name, records_of(failed));
    if (!component.errors.empty()) text += ": " + component.errors.front().reason;
    say("warning", "replays", component.name, text + ".",
        "What was done for them before is done again; at the last try they are dead letters.");
  }
}

void Search::old_messages() {
  constexpr std::int64_t kOldMs = 30'000;
  for (const ComponentReport& component : now_.components) {
    if (!component.acks) continue;
    const auto& trees = component.acks->slowest;
    const auto old = std::ranges::find_if(
        trees, [](const OpenTreeReport& tree) { return tree.moving > 0 && tree.age_ms >= kOldMs; });
    if (old == trees.end()) continue;
    std::string text =
        fmt::format("Messages of \"{}\" have been on their way for {} (from {})", component.name,
                    lasting(static_cast<double>(old->age_ms) * 1000), old->first);
    if (!old->component.empty()) text += fmt::format(", last seen at \"{}\"", old->component);
    say("warning", "old_message", old->component.empty() ? component.name : old->component,
        text + ".",
        "A component is slow or has a long queue: give it more tasks, or bound what is on its way "
        "with pending_max.");
  }
}

void Search::late() {
  for (const ComponentReport& component : now_.components) {
    const std::uint64_t late = gained(component, &ComponentReport::late);
    const std::uint64_t took = gained(component, &ComponentReport::received);
    if (late < 10 || late * 100 < took) continue;
    say("warning", "late", component.name,
        fmt::format("{} came too late for the windows of \"{}\" just now ({} of what it took).",
                    records_of(late), component.name,
                    percent(static_cast<double>(late) / static_cast<double>(std::max(late, took)))),
        "Raise out_of_order of event_time: records come further out of order than it allows.");
  }
}

void Search::loads() {
  for (const ComponentReport& component : now_.components) {
    constexpr double kUneven = 1.5;
    const auto& skew = component.skew;
    if (!skew || skew->share < kUneven * skew->even) continue;
    const bool hurts = component.queue_fill > 0.75;
    const std::string load =
        fmt::format("task {} of \"{}\" took {} of its records (even: {})", skew->task,
                    component.name, percent(skew->share), percent(skew->even));
    if (component.hot_key) {
      say(hurts ? "warning" : "info", "hot_key", component.name,
          fmt::format("\"{}\" is the key of {} of the records (sampled); {}.",
                      component.hot_key->text, percent(component.hot_key->share), load),
          "A key lives in one task: combine before the shuffle (an aggregate that merges does), "
          "or spread the key with partial_key.");
    } else if (skew->share > 2 * skew->even) {
      std::string text = load + ".";
      text.front() = 'T';
      say(hurts ? "warning" : "info", "skew", component.name, std::move(text),
          "More tasks do not help while few keys carry the load: choose a finer key.");
    }
  }
}

void Search::slow_steps() {
  constexpr double kSlowUs = 20'000;
  for (const ComponentReport& component : now_.components) {
    if (!component.step_us_max || *component.step_us_max <= kSlowUs) continue;
    if (stuck_.contains(component.name)) continue;
    say("warning", "slow_step", component.name,
        fmt::format("One call of \"{}\" took {} (half of them: {} or less).", component.name,
                    lasting(*component.step_us_max), lasting(component.step_us_p50.value_or(0))),
        "Its neighbours on the thread wait meanwhile: do less in a call, or declare it blocking "
        "so that it has a thread of its own.");
  }
}

void Search::memory() {
  for (const ComponentReport& component : now_.components) {
    if (!component.held_by_memory) continue;
    const MemoryReport& memory = now_.memory;
    const std::uint64_t records = memory.arenas_bytes + memory.queued_bytes;
    const bool by_disk = memory.images_bytes > records;
    say("warning", "memory", component.name,
        fmt::format(
            "\"{}\" waits: {:.1f} MB of the {:.1f} MB for records on their way are in use{}.",
            component.name, static_cast<double>(records + memory.images_bytes) / 1e6,
            static_cast<double>(memory.in_flight_max_bytes) / 1e6,
            by_disk ? ", most of it by an epoch that waits for its disk" : ""),
        by_disk ? "Keep the state folder on a faster disk, or raise --memory."
                : "Speed up what comes behind it (more tasks, a cheaper step), or raise --memory.");
  }
  if (now_.memory.budget_bytes == 0) return;
  const double share =
      static_cast<double>(now_.memory_bytes) / static_cast<double>(now_.memory.budget_bytes);
  if (share < 0.9) return;
  say(share > 1 ? "error" : "warning", "memory", "",
      fmt::format("{:.0f} MB of the {:.0f} MB budget are in use ({}).",
                  static_cast<double>(now_.memory_bytes) / 1e6,
                  static_cast<double>(now_.memory.budget_bytes) / 1e6, percent(share)),
      "The sources are slowed to stay inside: raise --memory, or keep less (shorter windows, "
      "fewer keys).");
}

/// More than half of what all state may take is a warning: beyond that the run fails.
void Search::partial_matches() {
  constexpr std::uint64_t kMany = 100'000;
  const std::uint64_t most_bytes = now_.memory.state_max_bytes;
  for (const ComponentReport& component : now_.components) {
    const std::uint64_t partial = gauge_of(component, kPartialMatches);
    if (partial < kMany) continue;
    const std::uint64_t keys = gauge_of(component, kPartialMatchKeys);
    std::string text = fmt::format("\"{}\" keeps {} partial matches of {}, in {:.1f} MB",
                                   component.name, counted(partial), keys_of(keys),
                                   static_cast<double>(component.state_bytes) / 1e6);
    if (most_bytes > 0)
      text += fmt::format(" of the {:.1f} MB for state", static_cast<double>(most_bytes) / 1e6);
    const bool hurts = most_bytes > 0 && component.state_bytes > most_bytes / 2;
    say(hurts ? "warning" : "info", "partial_matches", component.name, text + ".",
        "Each record is compared with all of its key. A shorter within() ends them sooner; a skip "
        "rule, or followed_by in place of followed_by_any, begins fewer.");
  }
}

}  // namespace

std::vector<Insight> find_troubles(const Report& before, const Report& now) {
  return Search(before, now).run();
}

void add_insights(const Report& before, Report& now) {
  now.insights = find_troubles(before, now);
  for (ViewReport& view : now.views) view.why_empty = why_empty(now, view);
}

}  // namespace millrace::detail
