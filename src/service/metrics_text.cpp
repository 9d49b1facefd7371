// The Prometheus text form of a Report.
#include "service/metrics_text.hpp"

#include <fmt/format.h>

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
  each("millrace_component_rows_refused_total", "counter",
       "Rows that could not be made when a window fired.", &ComponentReport::rows_refused);
  each("millrace_component_emitted_total", "counter", "Records emitted.",
       &ComponentReport::emitted);
  each("millrace_component_in_flight", "gauge", "Records being processed.",
       &ComponentReport::in_flight);
  each("millrace_component_busy_ratio", "gauge", "Share of an executor's time, summed over tasks.",
       &ComponentReport::busy_share);
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
}

}  // namespace

std::string to_prometheus(const Report& report) {
  Exposition text;
  write_totals(text, report);
  write_components(text, report);
  write_user_metrics(text, report);
  write_edges(text, report);
  text.family("millrace_view_records_total", "counter", "Records that the view received.");
  for (const auto& view : report.views) {
    text.sample(view.records, fmt::format("view=\"{}\"", escaped(view.name)));
  }
  return text.take();
}

}  // namespace millrace::detail
