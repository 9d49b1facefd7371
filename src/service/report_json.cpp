// The JSON form of a Report, written straight into one string.
#include "service/report_json.hpp"

#include <charconv>
#include <cmath>
#include <concepts>
#include <string_view>
#include <utility>

#include "base/text.hpp"

namespace millrace::detail {

namespace {

constexpr std::int64_t kExactIntegerMax = (std::int64_t{1} << 53) - 1;

/// Writes JSON; puts commas where they belong.
class Writer {
 public:
  void open(char bracket) {
    separate();
    out_ += bracket;
    first_ = true;
  }
  void close(char bracket) {
    out_ += bracket;
    first_ = false;
  }
  void key(std::string_view name) {
    separate();
    append_json_string(out_, name);
    out_ += ':';
    first_ = true;  // no comma between a key and its value
  }

  void value(std::string_view text) {
    separate();
    append_json_string(out_, text);
  }
  void value(const std::string& text) { value(std::string_view(text)); }
  void value(bool flag) { literal(flag ? "true" : "false"); }
  void value(std::monostate) { literal("null"); }
  template <std::integral T>
  void value(T number) {
    const bool exact = std::cmp_less_equal(number, kExactIntegerMax) &&
                       std::cmp_greater_equal(number, -kExactIntegerMax);
    const std::string text = std::to_string(number);
    exact ? literal(text) : value(text);
  }
  void value(double number) {
    if (std::isnan(number)) return value(std::string_view("NaN"));
    if (std::isinf(number)) return value(std::string_view(number > 0 ? "Infinity" : "-Infinity"));
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
    literal({buffer, end});
  }
  void value(Timestamp time) {
    if (time.micros == kTimeMin) return literal("null");
    value(time.micros == kTimeMax ? std::string("end") : format_iso_time(time.micros));
  }

  void time(const std::optional<Time>& time) { time ? value(Timestamp{*time}) : literal("null"); }
  template <class T>
  void maybe(const std::optional<T>& number) {
    number ? value(*number) : literal("null");
  }
  template <class T>
  void member(std::string_view name, const T& content) {
    key(name);
    value(content);
  }

  std::string take() { return std::move(out_); }

 private:
  void separate() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  void literal(std::string_view text) {
    separate();
    out_ += text;
  }

  std::string out_;
  bool first_ = true;
};

template <class Items, class Write>
void array(Writer& json, std::string_view name, const Items& items, Write write) {
  json.key(name);
  json.open('[');
  for (const auto& item : items) write(json, item);
  json.close(']');
}

void write_component(Writer& json, const ComponentReport& component) {
  json.open('{');
  json.member("name", component.name);
  json.member("kind", component.kind);
  json.member("tasks", component.tasks);
  json.member("received", component.received);
  json.member("processed", component.processed);
  json.member("filtered", component.filtered);
  json.member("late", component.late);
  json.member("dead_lettered", component.dead_lettered);
  json.member("in_flight", component.in_flight);
  json.member("emitted", component.emitted);
  json.member("busy_share", component.busy_share);
  json.key("watermark");
  json.time(component.watermark);
  json.close('}');
}

void write_edge(Writer& json, const EdgeReport& edge) {
  json.open('{');
  json.member("from", edge.from);
  json.member("to", edge.to);
  json.member("grouping", edge.grouping);
  json.member("sent", edge.sent);
  json.member("received", edge.received);
  json.member("queued", edge.queued);
  json.member("records_per_second", edge.records_per_second);
  json.close('}');
}

void write_column(Writer& json, const ColumnReport& column) {
  json.open('{');
  json.member("name", column.name);
  json.member("type", column.type);
  json.close('}');
}

void write_row(Writer& json, const std::vector<Cell>& row) {
  json.open('[');
  for (const Cell& cell : row) std::visit([&](const auto& content) { json.value(content); }, cell);
  json.close(']');
}

void write_view(Writer& json, const ViewReport& view) {
  json.open('{');
  json.member("name", view.name);
  json.member("kind", view.kind);
  array(json, "columns", view.columns, write_column);
  array(json, "rows", view.rows, write_row);
  json.member("records", view.records);
  json.key("window_start");
  json.time(view.window_start);
  json.key("window_end");
  json.time(view.window_end);
  json.close('}');
}

void write_dead_letter(Writer& json, const DeadLetterReport& letter) {
  json.open('{');
  json.member("component", letter.component);
  json.member("reason", letter.reason);
  json.member("where", letter.where);
  json.member("record", letter.record);
  json.member("at", Timestamp{letter.at});
  json.close('}');
}

void write_totals(Writer& json, const Report& report) {
  json.member("topology", report.topology);
  json.member("version", report.version);
  json.member("state", report.state);
  json.member("error", report.error);
  json.member("uptime_ms", report.uptime_ms);
  json.member("records_in", report.records_in);
  json.member("records_out", report.records_out);
  json.member("records_in_per_second", report.records_in_per_second);
  json.member("records_out_per_second", report.records_out_per_second);
  json.key("latency_us_p50");
  json.maybe(report.latency_us_p50);
  json.key("latency_us_p99");
  json.maybe(report.latency_us_p99);
  json.key("watermark");
  json.time(report.watermark);
  json.key("watermark_lag_ms");
  json.maybe(report.watermark_lag_ms);
  json.member("memory_bytes", report.memory_bytes);
  json.member("dead_letters", report.dead_letters);
  json.member("executors", report.executors);
  json.member("parallelism", report.parallelism);
  json.member("speed", report.speed);
}

}  // namespace

std::string to_json(const Report& report) {
  Writer json;
  json.open('{');
  write_totals(json, report);
  array(json, "components", report.components, write_component);
  array(json, "edges", report.edges, write_edge);
  array(json, "views", report.views, write_view);
  array(json, "recent_dead_letters", report.recent_dead_letters, write_dead_letter);
  json.key("oracle");
  if (report.oracle) {
    json.open('{');
    json.member("rows", report.oracle->rows);
    json.member("wrong", report.oracle->wrong);
    json.close('}');
  } else {
    json.value(std::monostate{});
  }
  json.close('}');
  return json.take();
}

std::string to_json(const ViewReport& view) {
  Writer json;
  write_view(json, view);
  return json.take();
}

}  // namespace millrace::detail
