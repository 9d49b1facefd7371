// The JSON form of a Report, written straight into one string.
#include "service/report_json.hpp"

#include "service/json_writer.hpp"

namespace millrace::detail {

namespace {

/// More are told by /api/v1/tasks alone.
constexpr std::size_t kTasksInReport = 256;

void write_load(JsonWriter& json, const ComponentReport& component) {
  json.key("skew");
  if (component.skew) {
    json.open('{');
    json.rounded_member("share", component.skew->share);
    json.rounded_member("even", component.skew->even);
    json.member("task", component.skew->task);
    json.close('}');
  } else {
    json.null();
  }
  json.key("hot_key");
  if (component.hot_key) {
    json.open('{');
    json.member("text", component.hot_key->text);
    json.rounded_member("share", component.hot_key->share);
    json.member("samples", component.hot_key->samples);
    json.close('}');
  } else {
    json.null();
  }
}

void write_partition(JsonWriter& json, const PartitionReport& partition) {
  json.open('{');
  json.member("name", partition.name);
  json.time_member("watermark", partition.watermark);
  json.member("ended", partition.watermark == kTimeMax);
  json.member("idle", partition.idle);
  json.close('}');
}

void write_error(JsonWriter& json, const ErrorReport& error) {
  json.open('{');
  json.member("reason", error.reason);
  json.member("where", error.where);
  json.member("record", error.record);
  json.member("count", error.count);
  json.member("at", Timestamp{error.at});
  json.close('}');
}

void write_metric(JsonWriter& json, const MetricReport& metric) {
  json.open('{');
  json.member("name", metric.name);
  json.member("kind", metric.kind);
  json.member("value", metric.value);
  if (metric.kind == "histogram" || metric.kind == "timer") {
    json.member("count", metric.count);
    json.rounded_member("p50", metric.p50);
    json.rounded_member("p99", metric.p99);
    json.rounded_member("max", metric.greatest);
  }
  json.close('}');
}

void write_tree(JsonWriter& json, const OpenTreeReport& tree) {
  json.open('{');
  json.member("first", tree.first);
  json.member("messages", tree.messages);
  json.member("age_ms", tree.age_ms);
  json.member("moving", tree.moving);
  json.member("held", tree.held);
  json.member("component", tree.component);
  json.close('}');
}

void write_acks(JsonWriter& json, const AckReport& acks) {
  json.key("acks");
  json.open('{');
  json.member("tried", acks.tried);
  json.member("acked", acks.acked);
  json.member("failed", acks.failed);
  json.member("timed_out", acks.timed_out);
  json.member("replayed", acks.replayed);
  json.member("given_up", acks.given_up);
  json.member("pending", acks.pending);
  json.member("in_hand", acks.in_hand);
  json.member("held", acks.held);
  json.member("abandoned", acks.abandoned);
  json.rounded_member("latency_us_p50", acks.latency_us_p50);
  json.rounded_member("latency_us_p99", acks.latency_us_p99);
  json_array(json, "slowest", acks.slowest, write_tree);
  json.close('}');
}

void write_component(JsonWriter& json, const ComponentReport& component) {
  json.open('{');
  json.member("name", component.name);
  json.member("kind", component.kind);
  json.member("tasks", component.tasks);
  json.member("received", component.received);
  json.member("processed", component.processed);
  json.member("filtered", component.filtered);
  json.member("late", component.late);
  json.member("dead_lettered", component.dead_lettered);
  json.member("failed", component.failed);
  json.member("rows_refused", component.rows_refused);
  json.member("in_flight", component.in_flight);
  json.member("state_bytes", component.state_bytes);
  if (component.spilled.keys + component.spilled.misses > 0) {
    json.member("spilled_keys", component.spilled.keys);
    json.member("spilled_bytes", component.spilled.bytes);
    json.member("spilled_hits", component.spilled.hits);
    json.member("spilled_misses", component.spilled.misses);
  }
  json.member("emitted", component.emitted);
  json.member("busy_share", component.busy_share);
  json.time_member("watermark", component.watermark);
  json.member("chain", component.chain);
  json.rounded_member("received_per_second", component.received_per_second);
  json.rounded_member("emitted_per_second", component.emitted_per_second);
  json.rounded_member("blocked_share", component.blocked_share);
  json.rounded_member("step_us_p50", component.step_us_p50);
  json.rounded_member("step_us_p99", component.step_us_p99);
  json.rounded_member("step_us_max", component.step_us_max);
  json.rounded_member("latency_us_p50", component.latency_us_p50);
  json.rounded_member("latency_us_p99", component.latency_us_p99);
  json.member("queued", component.queued);
  json.rounded_member("queue_fill", component.queue_fill);
  json.maybe_member("lag_ms", component.lag_ms);
  write_load(json, component);
  json.time_member("closes_at", component.closes_at);
  json_array(json, "partitions", component.partitions, write_partition);
  json_array(json, "errors", component.errors, write_error);
  json_array(json, "metrics", component.metrics, write_metric);
  if (component.acks) write_acks(json, *component.acks);
  json.close('}');
}

void write_edge(JsonWriter& json, const EdgeReport& edge) {
  json.open('{');
  json.member("from", edge.from);
  json.member("to", edge.to);
  json.member("grouping", edge.grouping);
  json.member("sent", edge.sent);
  json.member("received", edge.received);
  json.member("queued", edge.queued);
  json.member("records_per_second", edge.records_per_second);
  json.member("rings", edge.rings);
  json.member("queued_batches", edge.queued_batches);
  json.rounded_member("fill", edge.fill);
  json.close('}');
}

void write_chain(JsonWriter& json, const ChainReport& chain, std::size_t id) {
  json.open('{');
  json.member("id", id);
  json_array(json, "components", chain.components,
             [](JsonWriter& to, const std::string& name) { to.value(name); });
  json.member("tasks", chain.tasks);
  json.rounded_member("busy_share", chain.busy_share);
  json.rounded_member("blocked_share", chain.blocked_share);
  json.close('}');
}

void write_task(JsonWriter& json, const TaskReport& task, std::size_t id) {
  json.open('{');
  json.member("id", id);
  json.member("chain", task.chain);
  json.member("index", task.index);
  json.member("executor", task.executor);
  json.member("state", task.state);
  json.member("received", task.received);
  json.member("emitted", task.emitted);
  json.rounded_member("received_per_second", task.received_per_second);
  json.rounded_member("busy_share", task.busy_share);
  json.rounded_member("blocked_share", task.blocked_share);
  json.member("queued", task.queued);
  json.member("queued_batches", task.queued_batches);
  json.rounded_member("queue_fill", task.queue_fill);
  json.member("running", task.running);
  json.rounded_member("running_us", task.running_us);
  json.close('}');
}

void write_tasks(JsonWriter& json, const Report& report) {
  json.key("tasks");
  json.open('[');
  for (std::size_t id = 0; id < report.tasks.size(); ++id) write_task(json, report.tasks[id], id);
  json.close(']');
}

void write_insight(JsonWriter& json, const Insight& insight) {
  json.open('{');
  json.member("severity", insight.severity);
  json.member("kind", insight.kind);
  json.member("component", insight.component);
  json.member("text", insight.text);
  json.member("advice", insight.advice);
  json.close('}');
}

/// The graph as it runs. Tasks beyond kTasksInReport would make each message of the feed long.
void write_running(JsonWriter& json, const Report& report) {
  json_array(json, "insights", report.insights, write_insight);
  json.key("chains");
  json.open('[');
  for (std::size_t id = 0; id < report.chains.size(); ++id)
    write_chain(json, report.chains[id], id);
  json.close(']');
  json.member("tasks_total", report.tasks.size());
  if (report.tasks.size() <= kTasksInReport) {
    write_tasks(json, report);
  } else {
    json.key("tasks");
    json.open('[');
    json.close(']');
  }
}

void write_column(JsonWriter& json, const ColumnReport& column) {
  json.open('{');
  json.member("name", column.name);
  json.member("type", column.type);
  json.close('}');
}

void write_row(JsonWriter& json, const std::vector<Cell>& row) {
  json.open('[');
  for (const Cell& cell : row) std::visit([&](const auto& content) { json.value(content); }, cell);
  json.close(']');
}

void write_line(JsonWriter& json, const LineReport& line) {
  json.open('{');
  json.member("name", line.name);
  json_array(json, "points", line.points, [](JsonWriter& to, const LineReport::Point& point) {
    to.open('[');
    to.value(point.x);
    to.value(point.y);
    to.close(']');
  });
  json.close('}');
}

void write_area(JsonWriter& json, const std::vector<GeoPoint>& outline) {
  json.open('[');
  for (const GeoPoint& corner : outline) {
    json.open('[');
    json.value(corner.latitude);
    json.value(corner.longitude);
    json.close(']');
  }
  json.close(']');
}

void write_chart(JsonWriter& json, const ViewReport& view) {
  json.member("x", view.x);
  json.member("x_is_time", view.x_is_time);
  json_array(json, "y", view.y, [](JsonWriter& to, const std::string& name) { to.value(name); });
  json.member("series", view.series);
  json.member("measure", view.measure);
  json.member("unit", view.unit);
  json_array(json, "lines", view.lines, write_line);
  json_array(json, "areas", view.areas, write_area);
  json.key("why_empty");
  if (view.why_empty.empty()) {
    json.null();
  } else {
    json.value(view.why_empty);
  }
}

void write_view(JsonWriter& json, const ViewReport& view) {
  json.open('{');
  json.member("name", view.name);
  json.member("kind", view.kind);
  json_array(json, "columns", view.columns, write_column);
  json_array(json, "rows", view.rows, write_row);
  json.member("records", view.records);
  json.key("window_start");
  json.time(view.window_start);
  json.key("window_end");
  json.time(view.window_end);
  write_chart(json, view);
  json.close('}');
}

void write_dead_letter(JsonWriter& json, const DeadLetterReport& letter) {
  json.open('{');
  json.member("component", letter.component);
  json.member("reason", letter.reason);
  json.member("where", letter.where);
  json.member("record", letter.record);
  json.member("at", Timestamp{letter.at});
  json.close('}');
}

void write_checkpoint(JsonWriter& json, const CheckpointReport& one) {
  json.open('{');
  json.member("id", one.id);
  json.member("state", one.state);
  json.member("at", Timestamp{one.at});
  json.member("align_us", one.align_us);
  json.member("image_us", one.image_us);
  json.member("write_us", one.write_us);
  json.member("commit_us", one.commit_us);
  json.member("bytes", one.bytes);
  json.member("base", one.base);
  json.member("chain", one.chain);
  json.member("why", one.why);
  json.close('}');
}

void write_restore(JsonWriter& json, const std::optional<RestoreReport>& restore) {
  json.key("restore");
  if (!restore) return json.null();
  json.open('{');
  json.member("bytes", restore->bytes);
  json.member("bytes_all", restore->bytes_all);
  json.member("left_ms", restore->left_ms);
  json.close('}');
}

void write_checkpoints(JsonWriter& json, const std::optional<CheckpointsReport>& checkpoints) {
  json.key("checkpoints");
  if (!checkpoints) return json.null();
  json.open('{');
  json.member("interval_ms", checkpoints->interval_ms);
  json.member("completed", checkpoints->completed);
  json.member("failed", checkpoints->failed);
  json.maybe_member("age_ms", checkpoints->age_ms);
  json.maybe_member("restored_from", checkpoints->restored_from);
  json_array(json, "recent", checkpoints->recent, write_checkpoint);
  json.close('}');
}

void write_oracle(JsonWriter& json, const std::optional<OracleReport>& oracle) {
  json.key("oracle");
  if (!oracle) return json.null();
  json.open('{');
  json.member("rows", oracle->rows);
  json.member("wrong", oracle->wrong);
  if (oracle->kills) {
    json.member("kills", oracle->kills->kills);
    json.member("lost", oracle->kills->lost);
    json.member("doubled", oracle->kills->doubled);
  }
  json.close('}');
}

void write_totals(JsonWriter& json, const Report& report) {
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
  json.rounded_member("recent_latency_us_p50", report.recent_latency_us_p50);
  json.rounded_member("recent_latency_us_p99", report.recent_latency_us_p99);
  json.member("memory_bytes", report.memory_bytes);
  json.member("memory_budget_bytes", report.memory.budget_bytes);
  json.member("queued", report.queued);
  json.rounded_member("busy_share", report.busy_share);
  json.member("dead_letters", report.dead_letters);
  json.member("executors", report.executors);
  json.member("executors_auto", report.executors_auto);
  json.member("executors_most", report.executors_most);
  json.member("executors_added", report.executors_added);
  json.member("executors_removed", report.executors_removed);
  json.member("cpu_ms", report.cpu_ms);
  json.member("parallelism", report.parallelism);
  json.member("speed", report.speed);
  json.member("at", Timestamp{report.at});
  json.maybe_member("active", report.active);
}

}  // namespace

std::string to_json(const Report& report) {
  JsonWriter json;
  json.open('{');
  write_totals(json, report);
  json_array(json, "components", report.components, write_component);
  json_array(json, "edges", report.edges, write_edge);
  json_array(json, "views", report.views, write_view);
  write_running(json, report);
  json_array(json, "recent_dead_letters", report.recent_dead_letters, write_dead_letter);
  write_checkpoints(json, report.checkpoints);
  write_restore(json, report.restore);
  write_oracle(json, report.oracle);
  json.close('}');
  return json.take();
}

std::string tasks_json(const Report& report) {
  JsonWriter json;
  json.open('{');
  write_tasks(json, report);
  json.close('}');
  return json.take();
}

std::string to_json(const ViewReport& view) {
  JsonWriter json;
  write_view(json, view);
  return json.take();
}

}  // namespace millrace::detail
