// The summary at the end of a run, for programs and for people.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "host/host.hpp"
#include "record/record_json.hpp"

namespace millrace::detail {
namespace {

void append_cell_json(std::string& out, const Cell& cell) {
  std::visit(
      [&out](const auto& value) {
        using V = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<V, std::monostate>) {
          out += "null";
        } else {
          append_json_value(out, value);
        }
      },
      cell);
}

void append_bound(std::string& out, const char* name, const std::optional<Time>& time) {
  if (!time || *time == kTimeMax || *time == kTimeMin) return;
  out += fmt::format(",\"{}\":", name);
  append_json_time(out, Timestamp{*time});
}

void append_view(std::string& out, const ViewReport& view) {
  append_json_string(out, view.name);
  out += ":[";
  bool first_row = true;
  for (const auto& row : view.rows) {
    if (!first_row) out += ',';
    first_row = false;
    char before = '{';
    for (std::size_t at = 0; at < row.size(); ++at) {
      out += before;
      before = ',';
      append_json_string(out, view.columns[at].name);
      out += ':';
      append_cell_json(out, row[at]);
    }
    append_bound(out, "window_start", view.window_start);
    append_bound(out, "window_end", view.window_end);
    out += '}';
  }
  out += ']';
}

template <class Items, class Append>
void append_list(std::string& out, const char* name, char open, char close, const Items& items,
                 Append&& append) {
  out += fmt::format(",\"{}\":{}", name, open);
  bool first = true;
  for (const auto& item : items) {
    if (!first) out += ',';
    first = false;
    append(item);
  }
  out += close;
}

void append_metric(std::string& out, const MetricReport& metric) {
  const auto number = [&out](const char* name, double value) {
    out += fmt::format(",\"{}\":", name);
    append_json_value(out, value);
  };
  append_json_string(out, metric.name);
  out += fmt::format(":{{\"kind\":\"{}\"", metric.kind);
  const bool spread = metric.kind == "histogram" || metric.kind == "timer";
  number(spread ? "sum" : "value", metric.value);
  if (spread) {
    out += fmt::format(",\"count\":{}", metric.count);
    number("p50", metric.p50);
    number("p99", metric.p99);
    number("max", metric.greatest);
  }
  out += '}';
}

void append_spilled(std::string& out, const std::string& name, const SpilledReport& spilled) {
  const std::uint64_t asked = spilled.hits + spilled.misses;
  if (spilled.keys + spilled.misses == 0) return;
  out += fmt::format("  state of \"{}\" on disk: {} keys, {:.0f} MB", name, spilled.keys,
                     static_cast<double>(spilled.bytes) / 1e6);
  if (asked > 0) {  // windows look nothing up
    out += fmt::format("; {:.1f} % of the look-ups found theirs in memory",
                       100.0 * static_cast<double>(spilled.hits) / static_cast<double>(asked));
  }
  out += '\n';
}

void append_component(std::string& out, const ComponentReport& component) {
  append_json_string(out, component.name);
  out += fmt::format(
      ":{{\"kind\":\"{}\",\"tasks\":{},\"received\":{},\"processed\":{},\"filtered\":{},\"late\":{}"
      ","
      "\"dead_lettered\":{},\"failed\":{},\"rows_refused\":{},\"in_flight\":{},\"emitted\":{},"
      "\"state_bytes\":{}",
      component.kind, component.tasks, component.received, component.processed, component.filtered,
      component.late, component.dead_lettered, component.failed, component.rows_refused,
      component.in_flight, component.emitted, component.state_bytes);
  if (const SpilledReport& spilled = component.spilled; spilled.keys + spilled.misses > 0) {
    out += fmt::format(",\"spilled\":{{\"keys\":{},\"bytes\":{},\"hits\":{},\"misses\":{}}}",
                       spilled.keys, spilled.bytes, spilled.hits, spilled.misses);
  }
  if (const auto& acks = component.acks) {
    out += fmt::format(
        ",\"acks\":{{\"tried\":{},\"acked\":{},\"failed\":{},\"timed_out\":{},\"replayed\":{},"
        "\"given_up\":{},\"pending\":{},\"in_hand\":{},\"held\":{},\"abandoned\":{}}}",
        acks->tried, acks->acked, acks->failed, acks->timed_out, acks->replayed, acks->given_up,
        acks->pending, acks->in_hand, acks->held, acks->abandoned);
  }
  if (!component.metrics.empty()) {
    append_list(out, "metrics", '{', '}', component.metrics,
                [&](const auto& metric) { append_metric(out, metric); });
  }
  out += '}';
}

void append_dead_letter(std::string& out, const DeadLetterReport& letter) {
  out += "{\"component\":";
  append_json_string(out, letter.component);
  out += ",\"where\":";
  append_json_string(out, letter.where);
  out += ",\"reason\":";
  append_json_string(out, letter.reason);
  out += ",\"record\":";
  append_json_string(out, letter.record);
  out += '}';
}

/// Why the last of them failed; "": none of those that are told.
std::string last_failure(const CheckpointsReport& checkpoints) {
  const auto& recent = checkpoints.recent;
  const auto failed = std::ranges::find(recent, "failed", &CheckpointReport::state);
  return failed == recent.end() ? "" : failed->why;
}

void append_checkpoints_json(std::string& out, const CheckpointsReport& checkpoints) {
  out += fmt::format(",\"checkpoints\":{{\"completed\":{},\"failed\":{}", checkpoints.completed,
                     checkpoints.failed);
  if (checkpoints.restored_from)
    out += fmt::format(",\"restored_from\":{}", *checkpoints.restored_from);
  if (checkpoints.failed > 0) {
    out += ",\"last_failure\":";
    append_json_string(out, last_failure(checkpoints));
  }
  out += '}';
}

void append_oracle(std::string& out, const OracleReport& oracle) {
  out += fmt::format(",\"oracle\":{{\"rows\":{},\"wrong\":{}", oracle.rows, oracle.wrong);
  if (const auto& kills = oracle.kills) {
    out += fmt::format(",\"kills\":{},\"lost\":{},\"doubled\":{}", kills->kills, kills->lost,
                       kills->doubled);
  }
  out += '}';
}

std::string oracle_text(const OracleReport& oracle) {
  const auto& kills = oracle.kills;
  if (!kills) {
    return fmt::format("  oracle: {} rows compared with the expected ones, {} wrong\n", oracle.rows,
                       oracle.wrong);
  }
  return fmt::format("  oracle: killed {} {}: lost {}, doubled {}, wrong {} of {} rows\n",
                     kills->kills, kills->kills == 1 ? "time" : "times", kills->lost,
                     kills->doubled, oracle.wrong, oracle.rows);
}

/// Of what is zero for most runs only what is not.
void append_acks(std::string& out, const std::string& source, const AckReport& acks) {
  out += fmt::format("  messages of \"{}\": {} acked", source, acks.acked);
  const auto also = [&out](std::uint64_t count, std::string_view what) {
    if (count > 0) out += fmt::format(", {} {}", count, what);
  };
  also(acks.failed, "failed and were to be played again");
  also(acks.replayed, "played again");
  also(acks.timed_out, "timed out");
  also(acks.given_up, "given up");
  also(acks.pending + acks.in_hand + acks.held, "not handled");
  also(acks.abandoned, "in windows that did not fire");
  if (acks.latency_us_p50) {
    out += fmt::format("; to the ack p50 {:.1f} us, p99 {:.1f} us", *acks.latency_us_p50,
                       *acks.latency_us_p99);
  }
  out += '\n';
}

}  // namespace

std::string summary_json(const Report& report) {
  std::string out = "{\"topology\":";
  append_json_string(out, report.topology);
  out += fmt::format(",\"version\":\"{}\",\"state\":\"{}\"", report.version, report.state);
  if (!report.error.empty()) {
    out += ",\"error\":";
    append_json_string(out, report.error);
  }
  out += fmt::format(",\"uptime_ms\":{},\"records_in\":{},\"records_out\":{},\"dead_letters\":{}",
                     report.uptime_ms, report.records_in, report.records_out, report.dead_letters);
  if (report.latency_us_p50) {
    out += fmt::format(",\"latency_us_p50\":{:.1f},\"latency_us_p99\":{:.1f}",
                       *report.latency_us_p50, *report.latency_us_p99);
  }
  append_bound(out, "watermark", report.watermark);
  out += fmt::format(",\"memory_bytes\":{}", report.memory_bytes);
  const MemoryReport& memory = report.memory;
  out += fmt::format(
      ",\"memory\":{{\"budget_bytes\":{},\"in_flight_peak_bytes\":{},\"in_flight_max_bytes\":{},"
      "\"state_bytes\":{},\"state_peak_bytes\":{},\"state_max_bytes\":{}}}",
      memory.budget_bytes, memory.in_flight_peak_bytes, memory.in_flight_max_bytes,
      memory.state_bytes, memory.state_peak_bytes, memory.state_max_bytes);
  out += fmt::format(
      ",\"executors\":{{\"now\":{},\"most\":{},\"added\":{},\"removed\":{},\"auto\":{}}},\"cpu_"
      "ms\":{}",
      report.executors, report.executors_most, report.executors_added, report.executors_removed,
      report.executors_auto, report.cpu_ms);
  if (report.checkpoints) append_checkpoints_json(out, *report.checkpoints);
  if (report.oracle) append_oracle(out, *report.oracle);
  for (const SummaryPart& part : report.parts) {
    out += ',';
    append_json_string(out, part.name);
    out += ':' + part.json;
  }
  append_list(out, "views", '{', '}', report.views,
              [&](const auto& view) { append_view(out, view); });
  append_list(out, "components", '{', '}', report.components,
              [&](const auto& component) { append_component(out, component); });
  append_list(out, "recent_dead_letters", '[', ']', report.recent_dead_letters,
              [&](const auto& letter) { append_dead_letter(out, letter); });
  out += "}";
  return out;
}

std::string summary_text(const Report& report) {
  std::string out =
      fmt::format("{} {} after {:.1f} s: {} records in, {} out, {} dead letters", report.topology,
                  report.state, static_cast<double>(report.uptime_ms) / 1000.0, report.records_in,
                  report.records_out, report.dead_letters);
  if (report.latency_us_p50) {
    out += fmt::format("; batch latency p50 {:.1f} us, p99 {:.1f} us", *report.latency_us_p50,
                       *report.latency_us_p99);
  }
  out += fmt::format("; {:.0f} MB\n", static_cast<double>(report.memory_bytes) / 1e6);
  for (const ViewReport& view : report.views) {
    out += fmt::format("  view \"{}\": {} records, {} rows now\n", view.name, view.records,
                       view.rows.size());
    if (!view.why_empty.empty()) out += fmt::format("    {}\n", view.why_empty);
  }
  if (report.oracle) out += oracle_text(*report.oracle);
  if (report.checkpoints && report.checkpoints->failed > 0) {
    out += fmt::format("  {} checkpoints, {} failed; the last of those: {}\n",
                       report.checkpoints->completed, report.checkpoints->failed,
                       last_failure(*report.checkpoints));
  }
  for (const SummaryPart& part : report.parts) out += "  " + part.text + "\n";
  for (const ComponentReport& component : report.components) {
    append_spilled(out, component.name, component.spilled);
    if (component.acks) append_acks(out, component.name, *component.acks);
  }
  std::size_t shown = 0;
  for (const DeadLetterReport& letter : report.recent_dead_letters) {
    if (++shown > 3) break;
    out += fmt::format("  dead letter: {}{}{}: {}\n", letter.component,
                       letter.where.empty() ? "" : " ", letter.where, letter.reason);
  }
  return out;
}

}  // namespace millrace::detail
