// Reading the counters of running tasks into a Report.
#include <algorithm>
#include <map>

#include "runtime/task_graph.hpp"

namespace millrace::detail {
namespace {

/// Sums one stage of one task into its component. A component in two phases has two stages: what
/// the first combines is input, what the second emits is output, and the partial results between
/// are shown on neither side.
void add_counts(const StageCounters& counters, bool first_phase, bool second_phase,
                ComponentReport& sum) {
  if (!second_phase) {
    sum.received += counters.received.value();
    sum.processed += counters.processed.value();
    sum.filtered += counters.filtered.value();
    sum.late += counters.late.value();
    sum.dead_lettered += counters.dead_lettered.value();
    sum.in_flight += counters.in_flight.value();
  }
  if (!first_phase) sum.emitted += counters.emitted.value();
}

std::optional<Time> shown(Time watermark) {
  if (watermark == kTimeMin) return std::nullopt;
  return watermark;
}

/// Records of a source that a paced replay behind it has read ahead and not yet let go.
std::uint64_t held_back(const Stage& source) {
  std::uint64_t most = 0;
  for (const Stage* stage : source.pacing) {
    most = std::max(most, stage->counters().in_flight.value());
  }
  return most;
}

/// Nothing to tell before the first watermark and at the end of input. A watermark that was read
/// after the newest time may already be ahead of it: that is no lag.
std::optional<std::int64_t> lag_ms(Time newest, std::optional<Time> watermark) {
  if (!watermark || *watermark == kTimeMin || *watermark == kTimeMax || newest == kTimeMin) {
    return std::nullopt;
  }
  return std::max<std::int64_t>(0, newest - *watermark) / 1000;
}

}  // namespace

void TaskGraph::fill(const Graph& graph, Report& report) const {
  std::map<NodeId, ComponentReport> components;
  std::array<std::uint64_t, Histogram::kBuckets> latency{};
  std::optional<Time> least;
  Time newest = kTimeMin;
  std::uint64_t held = 0;
  std::map<NodeId, std::size_t> stages_of_node;
  for (const PlanStage& plan : plan_.stages) ++stages_of_node[plan.node];
  for (const PlanStage& plan : plan_.stages) {
    const Node& node = graph.node(plan.node);
    ComponentReport& sum = components[plan.node];
    sum.name = node.name;
    sum.kind = node.kind;
    const bool split = stages_of_node[plan.node] > 1;
    const bool is_merge = split && plan.output == node.output;
    if (!split || is_merge) sum.tasks = plan.tasks;
    Time node_watermark = kTimeMax;
    for (const Stage* stage : stages_[plan.id]) {
      add_counts(stage->counters(), split && !is_merge, is_merge, sum);
      newest = std::max(newest, stage->counters().newest_time.load(std::memory_order_relaxed));
      if (plan.make_source) held += held_back(*stage);
      sum.busy_share += static_cast<double>(stage->counters().busy_ticks.value());
      node_watermark =
          std::min(node_watermark, stage->counters().watermark.load(std::memory_order_relaxed));
      stage->latency().merge_into(latency);
    }
    if (!split || is_merge) sum.watermark = shown(node_watermark);
    if (plan.make_source) report.records_in += sum.processed;
    if (plan.make_sink) {
      report.records_out += sum.processed;
      least = least ? std::min(*least, node_watermark) : node_watermark;
    }
  }
  report.records_in -= std::min(report.records_in, held);
  if (least) report.watermark = shown(*least);
  report.watermark_lag_ms = lag_ms(newest, least);
  for (auto& [id, component] : components) {
    report.dead_letters += component.dead_lettered;
    report.components.push_back(std::move(component));
  }
  fill_edges(report);
  if (Histogram::quantile(latency, 0.5) != 0) {
    report.latency_us_p50 = static_cast<double>(Histogram::quantile(latency, 0.5)) / 1000.0;
    report.latency_us_p99 = static_cast<double>(Histogram::quantile(latency, 0.99)) / 1000.0;
  }
  report.recent_dead_letters = dead_letters_.recent();
}

/// Edges between the two phases of one component are its own affair.
void TaskGraph::fill_edges(Report& report) const {
  for (std::size_t at = 0; at < plan_.edges.size(); ++at) {
    const PlanEdge& edge = plan_.edges[at];
    if (plan_.stages[edge.from].node == plan_.stages[edge.to].node) continue;
    EdgeReport line;
    line.from = plan_.stages[edge.from].name;
    line.to = plan_.stages[edge.to].name;
    line.grouping = name_of(edge.grouping.kind);
    for (const Counter& sent : edges_[at].sent) line.sent += sent.value();
    for (const Counter& received : edges_[at].received) line.received += received.value();
    for (const Channel* channel : edges_[at].channels) line.queued += channel->queued();
    report.edges.push_back(std::move(line));
  }
}

}  // namespace millrace::detail
