// Differences of counters, divided by the time between.
#include "runtime/report_rates.hpp"

#include <algorithm>

#include "runtime/stage.hpp"

namespace millrace::detail {
namespace {

/// What a sum gained. Sums of several threads' counters are not read at one moment: one that seems
/// to have shrunk gained nothing.
double gained(std::uint64_t now, std::uint64_t before) {
  return now > before ? static_cast<double>(now - before) : 0.0;
}

std::uint64_t at_or_0(const std::vector<std::uint64_t>& values, std::size_t at) {
  return at < values.size() ? values[at] : 0;
}

template <class Buckets>
Buckets difference(Buckets now, const Buckets& before) {
  for (std::size_t at = 0; at < now.size(); ++at) now[at] -= before[at];
  return now;
}

/// Percentiles of latencies, nanoseconds to microseconds; nothing when there were none.
void latency_of(const Histogram::Buckets& recent, std::optional<double>& p50,
                std::optional<double>& p99) {
  const std::uint64_t half = Histogram::quantile(recent, 0.5);
  if (half == 0) return;
  p50 = static_cast<double>(half) / 1e3;
  p99 = static_cast<double>(Histogram::quantile(recent, 0.99)) / 1e3;
}

/// The task that took most, once there is enough to tell.
std::optional<SkewReport> skew_of(const std::vector<std::uint64_t>& now,
                                  const std::vector<std::uint64_t>& before) {
  constexpr double kRecordsMin = 1000;
  if (now.size() < 2) return std::nullopt;
  SkewReport skew;
  double most = 0;
  double sum = 0;
  for (std::size_t task = 0; task < now.size(); ++task) {
    const double records = gained(now[task], at_or_0(before, task));
    sum += records;
    if (records <= most) continue;
    most = records;
    skew.task = static_cast<std::uint32_t>(task);
  }
  if (sum < kRecordsMin) return std::nullopt;
  skew.share = most / sum;
  skew.even = 1.0 / static_cast<double>(now.size());
  return skew;
}

}  // namespace

/// The time between two readings, in the units that sums are in.
struct ReportRates::Span {
  double seconds;
  double ticks;
  std::int64_t ticks_now;
  double us(double of_ticks) const { return of_ticks * seconds * 1e6 / ticks; }
};

ReportRates::ReportRates(std::int64_t now_ns) : ns_(now_ns), ticks_(busy_ticks_now()) {}

void ReportRates::add(Report& report, RunningSums sums, std::int64_t now_ns) {
  const std::int64_t ticks = busy_ticks_now();
  const Span span{std::max(1e-9, static_cast<double>(now_ns - ns_) / 1e9),
                  std::max(1.0, static_cast<double>(ticks - ticks_)), ticks};
  report.records_in_per_second = gained(report.records_in, counts_.in) / span.seconds;
  report.records_out_per_second = gained(report.records_out, counts_.out) / span.seconds;
  latency_of(difference(sums.latency, sums_.latency), report.recent_latency_us_p50,
             report.recent_latency_us_p99);
  add_components(report, sums, span);
  add_tasks(report, sums, span);
  for (std::size_t at = 0; at < report.edges.size(); ++at) {
    EdgeReport& edge = report.edges[at];
    edge.records_per_second = gained(edge.received, at_or_0(counts_.edges, at)) / span.seconds;
  }

  Counts counts;
  counts.in = report.records_in;
  counts.out = report.records_out;
  for (const ComponentReport& component : report.components) {
    counts.received.push_back(component.received);
    counts.emitted.push_back(component.emitted);
  }
  for (const EdgeReport& edge : report.edges) counts.edges.push_back(edge.received);
  for (const TaskReport& task : report.tasks) counts.tasks.push_back(task.received);
  counts_ = std::move(counts);
  sums_ = std::move(sums);
  ns_ = now_ns;
  ticks_ = ticks;
}

void ReportRates::add_components(Report& report, const RunningSums& sums, const Span& span) {
  sums_.components.resize(report.components.size());
  for (std::size_t at = 0; at < report.components.size(); ++at) {
    ComponentReport& component = report.components[at];
    const RunningSums::Component& now = sums.components[at];
    const RunningSums::Component& before = sums_.components[at];
    component.received_per_second =
        gained(component.received, at_or_0(counts_.received, at)) / span.seconds;
    component.emitted_per_second =
        gained(component.emitted, at_or_0(counts_.emitted, at)) / span.seconds;
    component.busy_share = gained(now.busy_ticks, before.busy_ticks) / span.ticks;
    component.blocked_share = std::min(
        1.0, gained(now.blocked_ticks, before.blocked_ticks) / span.ticks / component.tasks);
    report.busy_share += component.busy_share;
    const auto steps = difference(now.steps, before.steps);
    if (const auto most = StepHistogram::quantile(steps, 1.0); most != 0) {
      const auto us = [&](double share) {
        return span.us(static_cast<double>(StepHistogram::quantile(steps, share)));
      };
      component.step_us_p50 = us(0.5);
      component.step_us_p99 = us(0.99);
      component.step_us_max = span.us(static_cast<double>(most));
    }
    if (now.latency) {
      latency_of(difference(*now.latency, before.latency.value_or(Histogram::Buckets{})),
                 component.latency_us_p50, component.latency_us_p99);
    }
    component.skew = skew_of(now.received_by_task, before.received_by_task);
  }
}

void ReportRates::add_tasks(Report& report, const RunningSums& sums, const Span& span) const {
  for (std::size_t at = 0; at < report.tasks.size(); ++at) {
    TaskReport& task = report.tasks[at];
    const RunningSums::OneTask& now = sums.tasks[at];
    const RunningSums::OneTask before =
        at < sums_.tasks.size() ? sums_.tasks[at] : RunningSums::OneTask{};
    task.received_per_second = gained(task.received, at_or_0(counts_.tasks, at)) / span.seconds;
    task.busy_share = std::min(1.0, gained(now.busy_ticks, before.busy_ticks) / span.ticks);
    task.blocked_share =
        std::min(1.0, gained(now.blocked_ticks, before.blocked_ticks) / span.ticks);
    if (now.running_since != 0)
      task.running_us =
          std::max(0.0, span.us(static_cast<double>(span.ticks_now - now.running_since)));
    ChainReport& chain = report.chains[task.chain];
    chain.busy_share += task.busy_share;
    chain.blocked_share += task.blocked_share / chain.tasks;
  }
}

}  // namespace millrace::detail
