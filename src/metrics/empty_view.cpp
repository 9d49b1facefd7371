// Why a view has no row: a walk against the stream to the first component that keeps the records.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

#include "metrics/insights.hpp"
#include "metrics/report_words.hpp"

namespace millrace::detail {
namespace {

std::string with_reason(const ComponentReport& component) {
  if (component.errors.empty()) return ".";
  const ErrorReport& error = component.errors.front();
  return ": " + error.reason + (error.where.empty() ? "" : " (at " + error.where + ")") + ".";
}

/// " 2 of 3 partitions are idle: ..." when some are.
std::string idle_ones(const Report& report) {
  std::vector<std::string> idle;
  std::size_t all = 0;
  for (const ComponentReport& component : report.components) {
    all += component.partitions.size();
    for (const PartitionReport& partition : component.partitions) {
      if (partition.idle) idle.push_back(partition.name);
    }
  }
  if (idle.empty()) return {};
  return idle.size() == all
             ? std::string(
                   " All partitions are idle: time goes on with the first that has records.")
             : fmt::format(" Idle and not waited for: {}.", names_of(idle));
}

/// A component that received records and passed none on.
std::string kept_by(const Report& report, const ComponentReport& at) {
  const std::string all = "all " + records_of(at.received);
  if (at.dead_lettered > 0 && at.dead_lettered == at.received)
    return fmt::format("\"{}\" gave {} up{} Mend the input, or let it take them.", at.name, all,
                       with_reason(at));
  if (at.late > 0 && at.late == at.received)
    return fmt::format(
        "{} came too late for the windows of \"{}\": event time was at {} already. Raise "
        "out_of_order of event_time.",
        "All " + records_of(at.received), at.name, moment(at.watermark));
  if (at.filtered > 0 && at.filtered == at.received)
    return fmt::format("\"{}\" has filtered {} out. Look at its condition.", at.name, all);
  if (at.closes_at == kTimeMax)
    return fmt::format(
        "\"{}\" has {} and emits at the end of input, which has not come. Give it a window for "
        "rows while the stream runs.",
        at.name, records_of(at.processed));
  if (at.closes_at) {
    std::string text = fmt::format(
        "No window of \"{}\" has closed yet: the first closes when event time passes {}; {}.",
        at.name, moment(at.closes_at),
        at.watermark ? "it is at " + moment(at.watermark) + " now" : "it has not begun");
    if (const auto held = held_time(report)) {
      text += fmt::format(
          " \"{}\" holds it: {} while others are ahead; send it records, end it, or give "
          "event_time an idle_after.",
          held->partition,
          held->at ? "it stands at " + moment(held->at) : std::string("nothing came from it yet"));
    }
    return text + idle_ones(report);
  }
  if (at.in_flight > 0)
    return fmt::format("\"{}\" holds {} until they are due: the replay is paced (--speed).",
                       at.name, records_of(at.in_flight));
  if (at.received == at.filtered + at.late + at.dead_lettered)
    return fmt::format(
        "\"{}\" passed none of {} on: {} filtered out, {} late, {} dead letters. Look at its "
        "condition and its dead letters.",
        at.name, records_of(at.received), counted(at.filtered), counted(at.late),
        counted(at.dead_lettered));
  return fmt::format("\"{}\" has taken {} and emitted none. Look at what it waits for.", at.name,
                     records_of(at.received));
}

std::string nothing_read(const Report& report, const ComponentReport& source) {
  if (report.active == false) return "Nothing is read: the sources are paused. Resume them.";
  if (source.dead_lettered > 0)
    return fmt::format("Every record that \"{}\" read became a dead letter{} Mend the input.",
                       source.name, with_reason(source));
  if (source.watermark == kTimeMax)
    return fmt::format("\"{}\" has ended and had no record. Look at its input.", source.name);
  return fmt::format("Nothing has been read yet: \"{}\" waits for input.", source.name);
}

/// Breadth first against the edges, so that what is nearest to the view is named.
std::string first_keeper(const Report& report, const std::string& view) {
  std::deque<std::string> open = {view};
  std::set<std::string> seen = {view};
  std::string read_nothing;
  while (!open.empty()) {
    const std::string to = open.front();
    open.pop_front();
    for (const EdgeReport& edge : report.edges) {
      if (edge.to == to && edge.sent > 0)
        return fmt::format("On the way from \"{}\": {}.", edge.from, records_of(edge.sent));
    }
    for (const EdgeReport& edge : report.edges) {
      if (edge.to != to || !seen.insert(edge.from).second) continue;
      const ComponentReport* from = find_component(report, edge.from);
      if (!from) continue;
      if (from->emitted > 0)
        return fmt::format(
            "\"{}\" has emitted {}, but none on the stream to \"{}\". Look at how it splits.",
            from->name, records_of(from->emitted), to);
      const bool is_source = std::ranges::none_of(
          report.edges, [&](const EdgeReport& other) { return other.to == edge.from; });
      if (is_source && read_nothing.empty()) read_nothing = nothing_read(report, *from);
      if (!is_source && from->received > 0) return kept_by(report, *from);
      open.push_back(edge.from);
    }
  }
  return read_nothing;
}

}  // namespace

std::string why_empty(const Report& report, const ViewReport& view) {
  if (view.records > 0) return {};
  if (report.state == "failed") return "The topology failed before a row came: " + report.error;
  std::string why = first_keeper(report, view.name);
  if (why.empty()) why = "No row has come yet.";
  if (report.state == "finished" || report.state == "stopped")
    why = "The topology has ended without a row. " + why;
  return why;
}

}  // namespace millrace::detail
