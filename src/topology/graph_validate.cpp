// Names and validation of a declared graph.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "topology/stable_keys.hpp"
#include "topology/topology_graph.hpp"

namespace millrace::detail {
namespace {

constexpr std::size_t kNameBytesMax = 64;

void check_acks(const AckOptions& acks, std::vector<Status>& problems) {
  const auto wrong = [&problems](const std::string& what) {
    problems.emplace_back(Code::parameter_invalid, "guarantee: " + what);
  };
  if (acks.tries_max < 1 || acks.tries_max > 255) {
    wrong(fmt::format("tries_max is {}: give 1 to 255 tries a message", acks.tries_max));
  }
  if (acks.pending_max < 0) {
    wrong(fmt::format("pending_max is {}: give a bound, or 0 for none", acks.pending_max));
  }
  if (acks.retry_after < Duration(0)) wrong("retry_after is negative: give a duration, or 0");
  if (acks.timeout <= Duration(0)) wrong("timeout must be greater than 0: give a duration");
}
constexpr std::uint32_t kTasksMax = kKeyGroups;

bool name_is_well_formed(const std::string& name) {
  if (name.empty() || name.size() > kNameBytesMax) return false;
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return c >= 0x20 && c != '"' && c != 0x7f; });
}

/// Sinks that want to know where records arrived give them keys by it.
void check_keys(const Graph& graph, std::vector<Status>& problems) {
  for (const Node& node : graph.nodes()) {
    if (!node.make_sink || !node.breaks_ties) continue;
    const std::string why = why_no_stable_keys(graph, node.id);
    if (why.empty()) continue;
    problems.emplace_back(
        Code::parameter_invalid,
        fmt::format("{} \"{}\" asks for idempotency keys, but {}; or do without the keys",
                    node.kind, node.name, why));
  }
}

void check_node(const Graph& graph, const Node& node, std::vector<Status>& problems) {
  if (!node.problem.ok()) {
    problems.emplace_back(node.problem.code(), fmt::format("{} \"{}\": {}", node.kind, node.name,
                                                           node.problem.message()));
  }
  if (node.tasks > kTasksMax) {
    problems.emplace_back(
        Code::tasks_invalid,
        fmt::format(
            "{} \"{}\": {} tasks asked for, but keys are divided into {} groups: use 1 to {}",
            node.kind, node.name, node.tasks, kTasksMax, kTasksMax));
  }
  if (!node.make_source && node.inputs.empty()) {
    problems.emplace_back(
        Code::input_missing,
        fmt::format("{} \"{}\" reads no stream: give it a grouping of one, or remove it", node.kind,
                    node.name));
  }
  if (node.needs_time &&
      std::any_of(node.inputs.begin(), node.inputs.end(), [&](const NodeInput& input) {
        return input.port == kErrorsPort || !graph.has_time(input.from);
      })) {
    problems.emplace_back(
        Code::event_time_missing,
        fmt::format("{} \"{}\" has a window of event time, but its input has none: add "
                    ".event_time(&Record::member) after the source, or use window(global()) or one "
                    "of the wall clock, .by_clock()",
                    node.kind, node.name));
  }
}

/// event_time must see each partition in order: it stands in the source's chain before any shuffle.
void check_time_place(const Graph& graph, const Node& node, std::vector<Status>& problems) {
  if (!node.originates_time) return;
  for (const Node* at = &node; !at->make_source;) {
    if (at->inputs.size() != 1 || at->inputs.front().grouping.kind != GroupingKind::forward) {
      problems.emplace_back(
          Code::event_time_misplaced,
          fmt::format(
              "event_time \"{}\" stands behind \"{}\", which no longer sees each partition in "
              "order: move .event_time(...) before the shuffle or merge, next to the source",
              node.name, at->name));
      return;
    }
    if (at->inputs.front().port == kErrorsPort || at->tasks != 0) {
      problems.emplace_back(
          Code::event_time_misplaced,
          fmt::format("event_time \"{}\" stands behind {}, so the records of a partition no longer "
                      "come together: move .event_time(...) next to the source",
                      node.name,
                      at->tasks != 0 ? fmt::format("\"{}\".parallel({})", at->name, at->tasks)
                                     : std::string("errors(), which has no time of its own")));
      return;
    }
    at = &graph.node(at->inputs.front().from);
    if (at != &node && at->originates_time) {
      problems.emplace_back(
          Code::event_time_misplaced,
          fmt::format("event_time \"{}\" follows event_time \"{}\": keep one of them", node.name,
                      at->name));
      return;
    }
  }
}

/// The first way from `at` back to a node on the way to it, as names; empty when there is none.
std::string find_cycle(const Graph& graph, NodeId at, std::vector<NodeId>& way,
                       std::vector<bool>& cleared) {
  if (cleared[at]) return {};
  if (const auto begin = std::find(way.begin(), way.end(), at); begin != way.end()) {
    std::string names;
    for (auto step = way.end(); step != begin; --step) {
      names += fmt::format("\"{}\" -> ", graph.node(*(step - 1)).name);
    }
    return names + fmt::format("\"{}\"", graph.node(*(way.end() - 1)).name);
  }
  way.push_back(at);
  for (const NodeInput& input : graph.node(at).inputs) {
    if (std::string names = find_cycle(graph, input.from, way, cleared); !names.empty()) {
      return names;
    }
  }
  way.pop_back();
  cleared[at] = true;
  return {};
}

/// True when there is a cycle: then nothing else can be said of the graph's ways.
bool check_cycles(const Graph& graph, std::vector<Status>& problems) {
  std::vector<bool> cleared(graph.nodes().size());
  for (const Node& node : graph.nodes()) {
    std::vector<NodeId> way;
    const std::string names = find_cycle(graph, node.id, way, cleared);
    if (names.empty()) continue;
    problems.emplace_back(
        Code::cycle,
        fmt::format("{}: a component reads what it emits: take one of these streams away", names));
    return true;
  }
  return false;
}

void check_readers(const Graph& graph, std::vector<Status>& problems) {
  std::set<NodeId> read;
  for (const Node& node : graph.nodes()) {
    for (const NodeInput& input : node.inputs) {
      if (input.port != kErrorsPort) read.insert(input.from);
    }
  }
  for (const Node& node : graph.nodes()) {
    if (node.make_sink || read.count(node.id) != 0) continue;
    problems.emplace_back(
        Code::output_unread,
        fmt::format("{} \"{}\": nothing reads what it emits: end the stream with .to(...), or "
                    "remove the component",
                    node.kind, node.name));
  }
}

/// Two sinks would tear each other's lines, and a sink would empty what a source still reads.
void check_outputs(const Graph& graph, std::vector<Status>& problems) {
  for (const Node& node : graph.nodes()) {
    const bool is_place = !node.note.empty() && node.note != "-" &&
                          !node.note.starts_with("/dev/") && !node.note.starts_with("to ");
    if (!node.make_sink || !is_place) continue;
    for (const Node& other : graph.nodes()) {
      // A source's note has its kind before the place.
      const bool reads = other.make_source && other.note.ends_with(" " + node.note);
      const bool writes = other.make_sink && other.note == node.note;
      if ((!reads && !writes) || (writes && other.id >= node.id)) continue;  // said once
      problems.emplace_back(
          Code::parameter_invalid,
          fmt::format("{} \"{}\" writes \"{}\", which {} \"{}\" {}: give it a place of its own",
                      node.kind, node.name, node.note, other.kind, other.name,
                      writes ? "writes too" : "reads"));
    }
  }
}

}  // namespace

std::string_view name_of(GroupingKind kind) {
  switch (kind) {
    case GroupingKind::forward:
      return "forward";
    case GroupingKind::shuffle:
      return "shuffle";
    case GroupingKind::local_or_shuffle:
      return "local_or_shuffle";
    case GroupingKind::fields:
      return "fields";
    case GroupingKind::partial_key:
      return "partial_key";
    case GroupingKind::global:
      return "global";
    case GroupingKind::all:
      return "all";
    case GroupingKind::direct:
      return "direct";
    case GroupingKind::custom:
      return "custom";
    case GroupingKind::blocks:
      return "blocks";
  }
  return "?";
}

bool Graph::has_time(NodeId id) const {
  const Node& at = nodes_[id];
  if (at.originates_time || at.tells_clock_time) return true;
  if (at.inputs.empty()) return false;
  return std::all_of(at.inputs.begin(), at.inputs.end(), [this](const NodeInput& input) {
    return input.port != kErrorsPort && has_time(input.from);
  });
}

NodeId Graph::add(Node node) {
  node.id = static_cast<NodeId>(nodes_.size());
  const std::string wanted = std::move(node.name);
  nodes_.push_back(std::move(node));
  Node& added = nodes_.back();
  if (!wanted.empty()) {
    rename(added.id, wanted);
    return added.id;
  }
  added.name = free_name(added.kind, added.id);
  return added.id;
}

std::string Graph::free_name(const std::string& wanted, NodeId id) const {
  const auto taken = [&](const std::string& name) {
    return std::any_of(nodes_.begin(), nodes_.end(),
                       [&](const Node& other) { return other.id != id && other.name == name; });
  };
  std::string name = wanted;
  for (int number = 2; taken(name); ++number) name = fmt::format("{}-{}", wanted, number);
  return name;
}

void Graph::rename_helpers(NodeId id, const std::string& before, const std::string& name) {
  for (const NodeInput& input : nodes_[id].inputs) {
    Node& helper = nodes_[input.from];
    if (helper.helps == nullptr) continue;
    const bool others = helper.named && !helper.name.starts_with(before + " ");
    if (others) continue;
    helper.name = free_name(fmt::format("{} {}", name, helper.helps), helper.id);
    helper.named = true;
    rename_helpers(helper.id, before, name);
  }
}

void Graph::rename(NodeId id, std::string name) {
  if (!name_is_well_formed(name)) {
    problems_.emplace_back(
        Code::name_invalid,
        fmt::format(
            "{} \"{}\": a name has 1 to {} characters, without quotes and control characters",
            nodes_[id].kind, name, kNameBytesMax));
  }
  for (const Node& other : nodes_) {
    if (other.id == id || other.name != name) continue;
    problems_.emplace_back(
        Code::name_invalid,
        fmt::format("{} \"{}\": the name is taken by a {}: give each component its own name",
                    nodes_[id].kind, name, other.kind));
  }
  const std::string before = std::exchange(nodes_[id].name, std::move(name));
  nodes_[id].named = true;
  rename_helpers(id, before, nodes_[id].name);
}

void Graph::set_tasks(NodeId id, int tasks) {
  Node& node = nodes_[id];
  const char* fixed =
      node.make_source ? "a source has a task for what it reads" : node.tasks_are_fixed;
  if (fixed != nullptr || tasks < 1) {
    report({Code::tasks_invalid,
            fmt::format("{} \"{}\": parallel({}) is not possible: {}", node.kind, node.name, tasks,
                        fixed != nullptr ? fixed : "give 1 to 128 tasks")});
    return;
  }
  node.tasks = static_cast<std::uint32_t>(tasks);
}

std::vector<Status> Graph::validate() const {
  std::vector<Status> problems = problems_;
  if (nodes_.empty()) {
    problems.emplace_back(
        Code::topology_empty,
        fmt::format("topology \"{}\" is empty: add a source with from(...) or spout(...)", name_));
  }
  if (check_cycles(*this, problems)) return problems;
  for (const Node& node : nodes_) {
    if (node.pending_max < 0) {
      problems.emplace_back(Code::parameter_invalid,
                            fmt::format("{} \"{}\": pending_max is {}: give a bound, or 0 for that "
                                        "of the guarantee",
                                        node.kind, node.name, node.pending_max));
    }
    check_node(*this, node, problems);
    check_time_place(*this, node, problems);
  }
  if (problems.empty()) check_keys(*this, problems);
  check_readers(*this, problems);
  check_outputs(*this, problems);
  check_acks(settings_.acks, problems);
  if (!settings_.state.folder.empty() && settings_.state.interval < kEpochIntervalMin) {
    problems.emplace_back(
        Code::parameter_invalid,
        fmt::format("state_dir with an interval of {}: give at least {}",
                    format_duration(settings_.state.interval), format_duration(kEpochIntervalMin)));
  }
  return problems;
}

}  // namespace millrace::detail
