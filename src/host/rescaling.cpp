// Checking what is asked of the numbers of tasks, and counting what came of it.
#include "host/rescaling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "state/keyed_tables.hpp"
#include "topology/plan_size.hpp"

namespace millrace::detail {
namespace {

double to_ms(std::int64_t ns) { return static_cast<double>(ns) / 1e6; }

/// Tasks of a component; where it has several stages, of the one that gives its rows.
std::uint32_t tasks_in(const Plan& plan, const Node& node) {
  std::uint32_t tasks = 0;
  for (const PlanStage& stage : plan.stages) {
    if (stage.node == node.id && (tasks == 0 || stage.stored_as == node.name)) tasks = stage.tasks;
  }
  return tasks;
}

std::string unknown(const Graph& graph, const std::string& component) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes()) names.push_back(node.name);
  const std::string near = nearest_word(component, names);
  return fmt::format("there is no component \"{}\"{}; /api/v1/report lists them", component,
                     near.empty() ? "" : fmt::format(": did you mean \"{}\"?", near));
}

/// Why its tasks are as many as they are; "": they can be others.
std::string fixed_by(const Node& node) {
  if (node.make_source) return "a source has a task for what it reads";
  if (node.make_sink && node.tasks == 1) return "a sink has one task, which sees all records";
  if (node.tasks_are_fixed != nullptr) return node.tasks_are_fixed;
  const bool to_one = std::ranges::any_of(node.inputs, [](const NodeInput& input) {
    return input.grouping.kind == GroupingKind::global;
  });
  return to_one ? "its global grouping sends all records to one task" : "";
}

std::optional<std::uint32_t> parse_tasks(const std::string& text) {
  std::uint32_t tasks = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), tasks);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (tasks < 1 || tasks > kKeyGroups) return std::nullopt;
  return tasks;
}

/// Why the order of keys would be lost: a reader that took what each task gives has other tasks
/// now, which share the records. "": it is not.
std::string order_lost(const Graph& graph, const Plan& before, const Plan& after) {
  for (const Node& node : graph.nodes()) {
    for (const NodeInput& input : node.inputs) {
      if (input.port == kErrorsPort || input.grouping.kind != GroupingKind::forward) continue;
      const Node& from = graph.node(input.from);
      const auto is_spread = [&](const Plan& plan) {
        const std::uint32_t to = tasks_in(plan, node);
        return to != 1 && to != tasks_in(plan, from);
      };
      if (!is_spread(after) || is_spread(before)) continue;
      return fmt::format(
          "each task of \"{}\" reads one task of \"{}\": with {} and {} tasks the order of a key's "
          "records would be lost; ask for the same number for both at once, or put a grouping "
          "between them in the program",
          node.name, from.name, tasks_in(after, node), tasks_in(after, from));
    }
  }
  return {};
}

}  // namespace

void Rescaling::begin(const Graph& graph, const PlanOptions& options, bool keeps_state,
                      Clock& clock) {
  const std::lock_guard lock(mutex_);
  graph_ = graph;
  options_ = options;
  keeps_state_ = keeps_state;
  clock_ = &clock;
}

Graph Rescaling::graph_with(const Numbers& numbers) const {
  Graph graph = *graph_;
  for (const auto& [node, tasks] : numbers) graph.node(node).tasks = tasks;
  return graph;
}

Plan Rescaling::plan() const {
  const std::lock_guard lock(mutex_);
  return make_plan(graph_with(step_ == Step::trial ? wanted_ : numbers_), options_);
}

Rescaling::Refusal Rescaling::refuse_run() const {
  if (!ended_.empty()) return PageAnswer{409, "nothing is rescaled any more: " + ended_};
  if (!keeps_state_) {
    return PageAnswer{409,
                      "this run keeps no state that other tasks could go on from: start it with "
                      "--state-dir DIR"};
  }
  if (!started_) return PageAnswer{409, "the topology is starting: ask again in a moment"};
  if (!forgets_.empty()) {
    return PageAnswer{409, fmt::format("the source \"{}\" cannot be read again from where it is, "
                                       "so what it has read ahead would be lost",
                                       forgets_.front())};
  }
  if (step_ == Step::none) return std::nullopt;
  return PageAnswer{409,
                    "a rescale is under way: ask again when GET /api/v1/rescale says that "
                    "none is"};
}

Rescaling::Refusal Rescaling::read(const PageQuery& query, Numbers& wanted) const {
  static const char* const kForm =
      "give component=NAME&tasks=N, several in turns to change them at once";
  if (query.empty() || query.size() % 2 != 0) return PageAnswer{400, kForm};
  for (std::size_t at = 0; at < query.size(); at += 2) {
    if (query[at].first != "component" || query[at + 1].first != "tasks") {
      return PageAnswer{400, kForm};
    }
    if (auto refusal = read_one(query[at].second, query[at + 1].second, wanted)) return refusal;
  }
  return std::nullopt;
}

Rescaling::Refusal Rescaling::read_one(const std::string& component, const std::string& tasks,
                                       Numbers& wanted) const {
  const auto& nodes = graph_->nodes();
  const auto node = std::ranges::find(nodes, component, &Node::name);
  if (node == nodes.end()) return PageAnswer{404, unknown(*graph_, component)};
  const auto number = parse_tasks(tasks);
  if (!number) {
    return PageAnswer{400, fmt::format("\"{}\" with \"{}\" tasks: give a number of 1 to {}",
                                       component, tasks, kKeyGroups)};
  }
  if (const std::string why = fixed_by(*node); !why.empty()) {
    return PageAnswer{
        409, fmt::format("\"{}\" cannot have another number of tasks: {}", component, why)};
  }
  if (node->tasks_max != 0 && *number > node->tasks_max) {
    return PageAnswer{400, fmt::format("\"{}\" was declared with at most {} tasks, not {}",
                                       component, node->tasks_max, *number)};
  }
  wanted[node->id] = *number;
  return std::nullopt;
}

Rescaling::Refusal Rescaling::refuse_plans(const Graph& graph, const Plan& before,
                                           const Plan& after, const Numbers& wanted) const {
  if (const auto problems = graph.validate(); !problems.empty()) {
    return PageAnswer{409, problems.front().message()};
  }
  if (Status status = check_size(after); !status) return PageAnswer{400, status.message()};
  if (std::string why = order_lost(graph, before, after); !why.empty()) {
    return PageAnswer{409, std::move(why)};
  }
  for (const auto& [id, tasks] : wanted) {
    const Node& node = graph.node(id);
    if (tasks_in(after, node) == tasks) continue;
    return PageAnswer{409, fmt::format("\"{}\" would have {} tasks, whatever is asked for",
                                       node.name, tasks_in(after, node))};
  }
  return std::nullopt;
}

PageAnswer Rescaling::ask(const PageQuery& query) {
  const std::lock_guard lock(mutex_);
  if (auto refusal = refuse_run()) return *refusal;
  Numbers asked;
  if (auto refusal = read(query, asked)) return *refusal;
  Numbers numbers = numbers_;
  for (const auto& [node, tasks] : asked) numbers[node] = tasks;
  const Graph graph = graph_with(numbers);
  const Plan before = make_plan(graph_with(numbers_), options_);
  const Plan after = make_plan(graph, options_);
  if (auto refusal = refuse_plans(graph, before, after, asked)) return *refusal;
  std::vector<Change> changes;
  for (const Node& node : graph.nodes()) {
    const std::uint32_t from = tasks_in(before, node);
    const std::uint32_t to = tasks_in(after, node);
    if (from != to) changes.push_back({node.name, from, to});
  }
  std::string text =
      fmt::format("{{\"number\":{},\"changes\":[", changes.empty() ? asked_ : asked_ + 1);
  for (const Change& change : changes) {
    text += &change == changes.data() ? "{\"component\":" : ",{\"component\":";
    append_json_string(text, change.component);
    text += fmt::format(",\"from\":{},\"tasks\":{}}}", change.from, change.to);
  }
  text += "]}\n";
  if (changes.empty()) return {200, std::move(text)};
  ++asked_;
  step_ = Step::wanted;
  since_ns_ = clock_->steady_ns();
  wanted_ = std::move(numbers);
  changes_ = std::move(changes);
  return {202, std::move(text)};
}

std::string Rescaling::to_json() const {
  const std::lock_guard lock(mutex_);
  std::string text = fmt::format(
      "{{\"under_way\":{},\"done\":{},\"failed\":{},\"last_stop_ms\":{:.3f},"
      "\"longest_stop_ms\":{:.3f},\"last_failed\":{},\"last_failure\":",
      step_ != Step::none, done_, failed_, to_ms(last_stop_ns_), to_ms(longest_stop_ns_),
      last_failed_);
  append_json_string(text, last_failure_);
  return text + "}\n";
}

std::optional<std::int64_t> Rescaling::waiting_ns() const {
  const std::lock_guard lock(mutex_);
  if (step_ != Step::wanted) return std::nullopt;
  return clock_->steady_ns() - since_ns_;
}

void Rescaling::stop() {
  const std::lock_guard lock(mutex_);
  step_ = Step::stopping;
  since_ns_ = clock_->steady_ns();
}

bool Rescaling::stopping() const {
  const std::lock_guard lock(mutex_);
  return step_ == Step::stopping;
}

void Rescaling::take_over() {
  const std::lock_guard lock(mutex_);
  step_ = Step::trial;
}

std::string Rescaling::started(std::vector<std::string> forgetful) {
  const std::lock_guard lock(mutex_);
  started_ = true;
  forgets_ = std::move(forgetful);
  if (step_ != Step::trial) return {};
  step_ = Step::none;
  numbers_ = wanted_;
  ++done_;
  last_stop_ns_ = clock_->steady_ns() - since_ns_;
  longest_stop_ns_ = std::max(longest_stop_ns_, last_stop_ns_);
  std::string text = "rescaled ";
  for (const Change& change : changes_) {
    text += fmt::format("\"{}\" from {} to {} tasks, ", change.component, change.from, change.to);
  }
  return text + fmt::format("nothing was read for {:.1f} ms", to_ms(last_stop_ns_));
}

bool Rescaling::failed(const std::string& why) {
  const std::lock_guard lock(mutex_);
  const Step step = std::exchange(step_, Step::none);
  if (step == Step::none) return false;
  ++failed_;
  last_failed_ = asked_;
  last_failure_ = why;
  return step == Step::trial;
}

void Rescaling::end(const std::string& why) {
  (void)failed(why);
  const std::lock_guard lock(mutex_);
  ended_ = why;
  graph_.reset();  // what it is made of may hold on to this
}

std::optional<SummaryPart> Rescaling::summary() const {
  const std::lock_guard lock(mutex_);
  if (asked_ == 0) return std::nullopt;
  SummaryPart part;
  part.name = "rescaled";
  part.json = fmt::format("{{\"times\":{},\"failed\":{},\"longest_stop_ms\":{:.3f}}}", done_,
                          failed_, to_ms(longest_stop_ns_));
  part.text = fmt::format("rescaled: {}, longest stop {:.1f} ms", done_, to_ms(longest_stop_ns_));
  if (failed_ > 0) part.text += fmt::format("; {} failed, the last: {}", failed_, last_failure_);
  return part;
}

}  // namespace millrace::detail
