// Reading the counters of running tasks into a Report.
#include <algorithm>
#include <map>
#include <set>

#include "runtime/task_graph.hpp"

namespace millrace::detail {
namespace {

void add_input(const StageCounters& counters, ComponentReport& sum) {
  sum.received += counters.received.value();
  sum.processed += counters.processed.value();
  sum.filtered += counters.filtered.value();
  sum.late += counters.late.value();
  sum.dead_lettered += counters.dead_lettered.value();
  sum.failed += counters.failed.value();
  sum.in_flight += counters.in_flight.value();
}

/// A source that is read in blocks: what counts as its input is what the blocks hold, without blank
/// lines, as where one task reads it. Too long lines are set aside before.
void add_blocks_read(const StageCounters& counters, ComponentReport& sum) {
  const std::uint64_t refused = counters.dead_lettered.value();
  sum.received += refused;
  sum.dead_lettered += refused;
}
void add_blocks_decoded(const StageCounters& counters, ComponentReport& sum) {
  const std::uint64_t blank = counters.filtered.value();
  add_input(counters, sum);
  sum.received -= blank;
  sum.filtered -= std::min(sum.filtered, blank);
}

/// Nothing to tell before the first watermark and at the end of input. A watermark that was read
/// after the newest time may already be ahead of it: that is no lag.
std::optional<std::int64_t> lag_ms(Time newest, std::optional<Time> watermark) {
  if (!watermark || *watermark == kTimeMin || *watermark == kTimeMax || newest == kTimeMin) {
    return std::nullopt;
  }
  return std::max<std::int64_t>(0, newest - *watermark) / 1000;
}

/// What the tasks of a source have told one by one.
void finish_acks(AckReport& acks, const Histogram::Buckets& latency) {
  constexpr std::size_t kSlowestMax = 10;
  std::ranges::stable_sort(acks.slowest, {}, [](const OpenTreeReport& tree) {
    return std::pair(tree.moving == 0, -tree.age_ms);
  });
  if (acks.slowest.size() > kSlowestMax) acks.slowest.resize(kSlowestMax);
  if (acks.acked == 0) return;
  acks.latency_us_p50 = static_cast<double>(Histogram::quantile(latency, 0.5)) / 1000.0;
  acks.latency_us_p99 = static_cast<double>(Histogram::quantile(latency, 0.99)) / 1000.0;
}

}  // namespace

TaskGraph::Phase TaskGraph::phase_of(const Graph& graph, const PlanStage& plan) const {
  const auto stages = std::ranges::count(plan_.stages, plan.node, &PlanStage::node);
  if (stages < 2) return Phase::whole;
  return plan.outputs.front() == graph.node(plan.node).output ? Phase::second : Phase::first;
}

/// Sums one stage into its component. Of an aggregate in two phases, what the first combines is
/// input, what the second emits is output, and the partial results between are shown on neither
/// side.
void TaskGraph::add_stage(const PlanStage& plan, Phase phase, bool of_source, ComponentReport& sum,
                          RunningSums::Component& running) const {
  Time watermark = kTimeMax;
  for (const Stage* stage : stages_[plan.id]) {
    const StageCounters& counters = stage->counters();
    if (of_source && phase == Phase::first) {
      add_blocks_read(counters, sum);
    } else if (of_source && phase == Phase::second) {
      add_blocks_decoded(counters, sum);
    } else if (phase != Phase::second) {
      add_input(counters, sum);
    }
    sum.rows_refused += counters.rows_refused.value();
    if (phase != Phase::first) sum.emitted += counters.emitted.value();
    stage->tell(sum, running);
    watermark = std::min(watermark, counters.watermark.load(std::memory_order_relaxed));
    running.busy_ticks += counters.busy_ticks.value();
    counters.steps.merge_into(running.steps);
    if (phase != Phase::first) running.received_by_task.push_back(counters.received.value());
  }
  if (phase == Phase::first) return;
  sum.tasks = plan.tasks;
  sum.chain = plan.chain;
  sum.watermark = shown_watermark(watermark);
}

void TaskGraph::fill(const Graph& graph, Report& report) const {
  RunningSums sums;
  fill(graph, report, sums);
}

void TaskGraph::fill(const Graph& graph, Report& report, RunningSums& sums) const {
  if (epochs_) epochs_->fill(report);
  std::set<NodeId> nodes;
  for (const PlanStage& plan : plan_.stages) nodes.insert(plan.node);
  std::map<NodeId, std::size_t> place_of;
  for (const NodeId node : nodes) {
    place_of.emplace(node, report.components.size());
    ComponentReport& component = report.components.emplace_back();
    component.name = graph.node(node).name;
    component.kind = graph.node(node).kind;
    component.errors = dead_letters_.errors_of(component.name);
  }
  sums.components.resize(report.components.size());
  std::vector<MetricSums> metrics(report.components.size());

  Time newest = kTimeMin;
  std::uint64_t held = 0;
  for (const PlanStage& plan : plan_.stages) {
    const Phase phase = phase_of(graph, plan);
    const bool of_source = static_cast<bool>(graph.node(plan.node).make_source);
    const std::size_t place = place_of[plan.node];
    add_stage(plan, phase, of_source, report.components[place], sums.components[place]);
    for (const Stage* stage : stages_[plan.id]) {
      newest = std::max(newest, stage->counters().newest_time.load(std::memory_order_relaxed));
      held += stage->held_back();
      if (stage->user()) stage->user()->metrics().add_to(metrics[place]);
    }
    const ComponentReport& sum = report.components[place];
    if (of_source && phase != Phase::first) report.records_in += sum.processed;
    if (!plan.make_sink) continue;
    report.records_out += sum.processed;
    const Time watermark = sum.watermark.value_or(kTimeMin);
    report.watermark = std::min(report.watermark.value_or(kTimeMax), watermark);
  }
  report.records_in -= std::min(report.records_in, held);
  if (report.watermark) report.watermark = shown_watermark(*report.watermark);
  report.watermark_lag_ms = lag_ms(newest, report.watermark);
  for (std::size_t at = 0; at < report.components.size(); ++at) {
    ComponentReport& component = report.components[at];
    component.lag_ms = lag_ms(newest, component.watermark);
    report.dead_letters += component.dead_lettered + component.rows_refused;
    if (component.acks) finish_acks(*component.acks, *sums.components[at].ack_latency);
    const auto& latency = sums.components[at].latency;
    for (std::size_t bucket = 0; latency && bucket < latency->size(); ++bucket)
      sums.latency[bucket] += (*latency)[bucket];
    for (const auto& [name, sum] : metrics[at]) component.metrics.push_back(sum.report(name));
  }
  fill_edges(report, place_of);
  fill_chains(report);
  fill_tasks(report, sums);
  fill_hot_keys(report, place_of);
  fill_memory(report);
  if (Histogram::quantile(sums.latency, 0.5) != 0) {
    report.latency_us_p50 = static_cast<double>(Histogram::quantile(sums.latency, 0.5)) / 1000.0;
    report.latency_us_p99 = static_cast<double>(Histogram::quantile(sums.latency, 0.99)) / 1000.0;
  }
  report.recent_dead_letters = dead_letters_.recent();
}

void TaskGraph::fill_memory(Report& report) const {
  report.memory.budget_bytes = memory_.bytes();
  report.memory.in_flight_max_bytes = memory_.in_flight_max_bytes();
  report.memory.state_max_bytes = memory_.state_max_bytes();
  report.memory.arenas_bytes = memory_.arenas.bytes();
  report.memory.queued_bytes = memory_.queued_bytes();
  report.memory.images_bytes = memory_.images.bytes();
  report.memory.state_bytes = memory_.state.bytes();
  report.memory.in_flight_peak_bytes = memory_.in_flight.peak_bytes();
  report.memory.state_peak_bytes = memory_.state.peak_bytes();
}

/// Edges between the two phases of one component are its own affair; only what queues there counts
/// for it.
void TaskGraph::fill_edges(Report& report, const std::map<NodeId, std::size_t>& place_of) const {
  for (std::size_t at = 0; at < plan_.edges.size(); ++at) {
    const PlanEdge& edge = plan_.edges[at];
    const PlanStage& from = plan_.stages[edge.from];
    const PlanStage& to = plan_.stages[edge.to];
    EdgeReport line;
    line.from = from.name;
    line.to = to.name;
    line.grouping = edge.port == kErrorsPort ? "errors" : name_of(edge.grouping.kind);
    for (const Counter& sent : edges_[at].sent) line.sent += sent.value();
    for (const Counter& received : edges_[at].received) line.received += received.value();
    for (const Channel* channel : edges_[at].channels) {
      const std::size_t batches = channel->batches();
      ++line.rings;
      line.queued += channel->queued();
      line.queued_bytes += channel->queued_bytes();
      line.queued_batches += batches;
      line.fill = std::max(line.fill,
                           static_cast<double>(batches) / static_cast<double>(channel->capacity()));
    }
    ComponentReport& receiver = report.components[place_of.at(to.node)];
    receiver.queued += line.queued;
    receiver.queue_fill = std::max(receiver.queue_fill, line.fill);
    report.queued += line.queued;
    if (from.node == to.node) continue;
    // Both phases of a component have dead letters: one edge for people.
    if (edge.port == kErrorsPort && !report.edges.empty() &&
        report.edges.back().from == line.from && report.edges.back().to == line.to &&
        report.edges.back().grouping == line.grouping) {
      EdgeReport& same = report.edges.back();
      same.sent += line.sent;
      same.received += line.received;
      same.queued += line.queued;
      same.queued_batches += line.queued_batches;
      same.rings += line.rings;
      same.fill = std::max(same.fill, line.fill);
      continue;
    }
    report.edges.push_back(std::move(line));
  }
}

/// Keys are sampled where they are scattered over several tasks: elsewhere a hot one harms nobody.
void TaskGraph::fill_hot_keys(Report& report, const std::map<NodeId, std::size_t>& place_of) const {
  constexpr double kShareMin = 0.2;
  constexpr std::uint64_t kSamplesMin = 50;
  for (std::size_t at = 0; at < plan_.edges.size(); ++at) {
    const PlanEdge& edge = plan_.edges[at];
    if (edge.grouping.kind != GroupingKind::fields || plan_.stages[edge.to].tasks < 2) continue;
    std::vector<HeavyHitters::Hit> hits;
    std::uint64_t samples = 0;
    for (const Router* router : edges_[at].routers)
      samples += router->sampled_keys().merge_into(hits);
    const auto most = std::ranges::max_element(hits, {}, &HeavyHitters::Hit::count);
    if (most == hits.end() || samples < kSamplesMin || most->text.empty()) continue;
    const double share = static_cast<double>(most->count) / static_cast<double>(samples);
    if (share < kShareMin) continue;
    report.components[place_of.at(plan_.stages[edge.to].node)].hot_key =
        HotKeyReport{most->text, share, samples};
  }
}

}  // namespace millrace::detail
