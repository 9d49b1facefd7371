// The Prometheus text form of a Report.
#include "service/metrics_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace millrace::detail {

namespace {

std::string escaped(std::string_view label) {
  std::string out;
  for (const char c : label) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

class Exposition {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(out_), "# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
  }
  template <class T>
  void sample(T value, std::string_view labels = {}) {
    if (labels.empty()) {
      fmt::format_to(std::back_inserter(out_), "{} {}\n", name_, value);
    } else {
      fmt::format_to(std::back_inserter(out_), "{}{{{}}} {}\n", name_, labels, value);
    }
  }
  /// A sample of the family whose name ends in `suffix`.
  template <class T>
  void part(std::string_view suffix, T value, std::string_view labels) {
    fmt::format_to(std::back_inserter(out_), "{}{}{{{}}} {}\n", name_, suffix, labels, value);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string name_;
  std::string out_;
};

void write_totals(Exposition& text, const Report& report) {
  text.family("millrace_info", "gauge", "The topology and the version that runs it.");
  text.sample(1,
              fmt::format("topology=\"{}\",version=\"{}\",state=\"{}\"", escaped(report.topology),
                          escaped(report.version), escaped(report.state)));
  text.family("millrace_uptime_seconds", "gauge", "Time since the topology started.");
  text.sample(static_cast<double>(report.uptime_ms) / 1e3);
  text.family("millrace_records_in_total", "counter", "Records that left sources.");
  text.sample(report.records_in);
  text.family("millrace_records_out_total", "counter", "Records that sinks and views took.");
  text.sample(report.records_out);
  text.family("millrace_dead_letters_total", "counter", "Records that could not be processed.");
  text.sample(report.dead_letters);
  text.family("millrace_memory_bytes", "gauge", "Resident memory.");
  text.sample(report.memory_bytes);
  if (report.memory.budget_bytes > 0) {
    text.family("millrace_memory_budget_bytes", "gauge", "The memory it may use.");
    text.sample(report.memory.budget_bytes);
  }
  if (report.latency_us_p50 && report.latency_us_p99) {
    text.family("millrace_batch_latency_seconds", "gauge",
                "From a batch's oldest record being due to the sink's return.");
    text.sample(*report.latency_us_p50 / 1e6, "quantile=\"0.5\"");
    text.sample(*report.latency_us_p99 / 1e6, "quantile=\"0.99\"");
  }
  const bool running_watermark =
      report.watermark && *report.watermark != kTimeMin && *report.watermark != kTimeMax;
  if (running_watermark) {
    text.family("millrace_watermark_seconds", "gauge",
                "Event time that all sinks have reached, since 1970.");
    text.sample(static_cast<double>(*report.watermark) / 1e6);
  }
  if (report.watermark_lag_ms) {
    text.family("millrace_watermark_lag_seconds", "gauge",
                "Newest event time read minus the watermark.");
    text.sample(static_cast<double>(*report.watermark_lag_ms) / 1e3);
  }
}

/// What a component may lack: a family without lines is left out.
template <class Value>
void write_optional(Exposition& text, const Report& report, std::string_view name,
                    std::string_view help, Value value) {
  bool any = false;
  for (const auto& component : report.components) {
    const std::optional<double> figure = value(component);
    if (!figure) continue;
    if (!any) text.family(name, "gauge", help);
    any = true;
    text.sample(*figure, fmt::format("component=\"{}\"", escaped(component.name)));
  }
}

void write_steps(Exposition& text, const Report& report) {
  const auto seconds = [](const std::optional<double>& us) {
    return us ? std::optional(*us / 1e6) : std::nullopt;
  };
  write_optional(text, report, "millrace_component_step_seconds_p50",
                 "Own time of a call with a batch, of late.",
                 [&](const ComponentReport& of) { return seconds(of.step_us_p50); });
  write_optional(text, report, "millrace_component_step_seconds_p99",
                 "Own time of a call with a batch, of late.",
                 [&](const ComponentReport& of) { return seconds(of.step_us_p99); });
  write_optional(text, report, "millrace_component_step_seconds_max",
                 "Own time of a call with a batch, of late.",
                 [&](const ComponentReport& of) { return seconds(of.step_us_max); });
  write_optional(
      text, report, "millrace_component_watermark_lag_seconds",
      "Newest event time read minus the component's watermark.", [](const ComponentReport& of) {
        return of.lag_ms ? std::optional(static_cast<double>(*of.lag_ms) / 1e3) : std::nullopt;
      });
  write_optional(text, report, "millrace_component_skew_ratio",
                 "Share of recent records that the task with most of them took.",
                 [](const ComponentReport& of) {
                   return of.skew ? std::optional(of.skew->share) : std::nullopt;
                 });
}

void write_executors(Exposition& text, const Report& report) {
  std::map<std::int32_t, double> busy;
  for (const TaskReport& task : report.tasks)
    if (task.executor >= 0) busy[task.executor] += task.busy_share;
  text.family("millrace_tasks", "gauge", "Tasks, running or done.");
  text.sample(report.tasks.size());
  text.family("millrace_executor_busy_ratio", "gauge", "Share of a thread's time in its tasks.");
  for (const auto& [executor, share] : busy)
    text.sample(share, fmt::format("executor=\"{}\"", executor));
}

void write_insights(Exposition& text, const Report& report) {
  text.family("millrace_insights", "gauge",
              "Things that are wrong now; /api/v1/report says which.");
  for (const std::string_view severity : {"error", "warning", "info"}) {
    text.sample(std::ranges::count(report.insights, severity, &Insight::severity),
                fmt::format("severity=\"{}\"", severity));
  }
}

void write_components(Exposition& text, const Report& report) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                        auto member) {
    text.family(name, type, help);
    for (const auto& component : report.components) {
      text.sample(component.*member, fmt::format("component=\"{}\"", escaped(component.name)));
    }
  };
  each("millrace_component_received_total", "counter", "Records received (a source: read).",
       &ComponentReport::received);
  each("millrace_component_processed_total", "counter", "Records processed.",
       &ComponentReport::processed);
  each("millrace_component_filtered_total", "counter", "Records filtered out.",
       &ComponentReport::filtered);
  each("millrace_component_late_total", "counter", "Records too late for their window.",
       &ComponentReport::late);
  each("millrace_component_dead_lettered_total", "counter", "Records given up.",
       &ComponentReport::dead_lettered);
  each("millrace_component_failed_total", "counter",
       "Records that failed and whose messages are played again.", &ComponentReport::failed);
  each("millrace_component_rows_refused_total", "counter",
       "Rows that could not be made when a window fired.", &ComponentReport::rows_refused);
  each("millrace_component_emitted_total", "counter", "Records emitted.",
       &ComponentReport::emitted);
  each("millrace_component_in_flight", "gauge", "Records being processed.",
       &ComponentReport::in_flight);
  each("millrace_component_state_bytes", "gauge", "State that it holds in memory.",
       &ComponentReport::state_bytes);
  each("millrace_component_busy_ratio", "gauge", "Share of an executor's time, summed over tasks.",
       &ComponentReport::busy_share);
  each("millrace_component_blocked_ratio", "gauge",
       "Share of its tasks' time spent waiting for a full queue.", &ComponentReport::blocked_share);
  each("millrace_component_queued", "gauge", "Records waiting before it.",
       &ComponentReport::queued);
  each("millrace_component_queue_fill_ratio", "gauge", "Fill of its fullest queue.",
       &ComponentReport::queue_fill);
  write_steps(text, report);
}

/// Of the sources of a run that tracks messages; else nothing.
void write_acks(Exposition& text, const Report& report) {
  const auto tracked = [](const ComponentReport& component) { return component.acks.has_value(); };
  if (std::ranges::none_of(report.components, tracked)) return;
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                        auto member) {
    text.family(name, type, help);
    for (const auto& component : report.components) {
      if (!component.acks) continue;
      text.sample((*component.acks).*member,
                  fmt::format("component=\"{}\"", escaped(component.name)));
    }
  };
  each("millrace_messages_tried_total", "counter", "Messages handed on, each try.",
       &AckReport::tried);
  each("millrace_messages_acked_total", "counter", "Messages handled to the end.",
       &AckReport::acked);
  each("millrace_messages_failed_total", "counter", "Messages that failed, to be played again.",
       &AckReport::failed);
  each("millrace_messages_timed_out_total", "counter", "Messages that failed by silence.",
       &AckReport::timed_out);
  each("millrace_messages_pending", "gauge", "Messages on their way.", &AckReport::pending);
  each("millrace_messages_in_hand", "gauge", "Messages that wait for a bolt to ack by hand.",
       &AckReport::in_hand);
  each("millrace_messages_held", "gauge", "Messages of which only state is left.",
       &AckReport::held);
}

/// Of one family of the user's metrics: those of a kind that `use` samples.
template <class Use>
void write_user_family(Exposition& text, const Report& report, std::string_view family,
                       std::string_view type, std::string_view help, Use&& use) {
  text.family(family, type, help);
  for (const auto& component : report.components) {
    for (const MetricReport& metric : component.metrics) {
      use(metric, fmt::format("component=\"{}\",name=\"{}\"", escaped(component.name),
                              escaped(metric.name)));
    }
  }
}

void write_user_metrics(Exposition& text, const Report& report) {
  write_user_family(text, report, "millrace_user_total", "counter",
                    "Counters that the program's own components keep.",
                    [&](const MetricReport& metric, const std::string& labels) {
                      if (metric.kind == "counter") text.sample(metric.value, labels);
                    });
  write_user_family(text, report, "millrace_user_level", "gauge",
                    "Gauges of the program's own components, summed over tasks.",
                    [&](const MetricReport& metric, const std::string& labels) {
                      if (metric.kind == "gauge") text.sample(metric.value, labels);
                    });
  const auto summary = [&](std::string_view kind, double unit) {
    return [&text, kind, unit](const MetricReport& metric, const std::string& labels) {
      if (metric.kind != kind) return;
      text.sample(metric.p50 / unit, labels + ",quantile=\"0.5\"");
      text.sample(metric.p99 / unit, labels + ",quantile=\"0.99\"");
      text.part("_sum", metric.value / unit, labels);
      text.part("_count", metric.count, labels);
    };
  };
  write_user_family(text, report, "millrace_user_values", "summary",
                    "Histograms of the program's own components.", summary("histogram", 1));
  write_user_family(text, report, "millrace_user_seconds", "summary",
                    "Timers of the program's own components.", summary("timer", 1e6));
}

void write_edges(Exposition& text, const Report& report) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                        auto member) {
    text.family(name, type, help);
    for (const auto& edge : report.edges) {
      text.sample(edge.*member,
                  fmt::format("from=\"{}\",to=\"{}\",grouping=\"{}\"", escaped(edge.from),
                              escaped(edge.to), escaped(edge.grouping)));
    }
  };
  each("millrace_edge_sent_total", "counter", "Records sent along the edge.", &EdgeReport::sent);
  each("millrace_edge_received_total", "counter", "Records received from the edge.",
       &EdgeReport::received);
  each("millrace_edge_queued", "gauge", "Records waiting on the edge.", &EdgeReport::queued);
  each("millrace_edge_fill_ratio", "gauge", "Fill of the edge's fullest queue.", &EdgeReport::fill);
}

}  // namespace

std::string to_prometheus(const Report& report) {
  Exposition text;
  write_totals(text, report);
  write_components(text, report);
  write_acks(text, report);
  write_user_metrics(text, report);
  write_edges(text, report);
  write_executors(text, report);
  write_insights(text, report);
  text.family("millrace_view_records_total", "counter", "Records that the view received.");
  for (const auto& view : report.views) {
    text.sample(view.records, fmt::format("view=\"{}\"", escaped(view.name)));
  }
  return text.take();
}

}  // namespace millrace::detail
