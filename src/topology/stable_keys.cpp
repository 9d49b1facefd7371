// The ways back from a sink to where the places of its records begin: sources and windows.
#include "topology/stable_keys.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "operator/idempotency_key.hpp"

namespace millrace::detail {
namespace {

class Ways {
 public:
  explicit Ways(const Graph& graph) : graph_(graph) {}

  /// Looks at all that leads to `id`: why its records have no key, or empty.
  std::string why_not(NodeId id) {
    const Node& node = graph_.node(id);
    for (const NodeInput& input : node.inputs) {
      const std::string& from = graph_.node(input.from).name;
      if (input.port == kErrorsPort) {
        return fmt::format("the dead letters of \"{}\" are no records of a source", from);
      }
      if (input.grouping.kind == GroupingKind::all && node.tasks != 1) {
        return fmt::format("every task of \"{}\" is given each record of \"{}\"", node.name, from);
      }
      if (std::string why = begins_at(graph_.node(input.from)); !why.empty()) return why;
    }
    return {};
  }

 private:
  std::string begins_at(const Node& node) {
    if (node.make_source) {
      if (!node.make_source()->replayable()) {
        return fmt::format(
            "\"{}\" cannot give again what it has given, so another record would get the key of "
            "one that was lost",
            node.name);
      }
      return one_way(node);
    }
    if (node.tick > Duration(0)) {
      return fmt::format("what the ticks of \"{}\" emit follows from the clock", node.name);
    }
    const bool by_record = node.make_operator()->anchoring() == Anchoring::by_record;
    if (by_record || node.kind == "restore_order") return why_not(node.id);
    if (const std::string why = why_no_window(node); !why.empty()) {
      return fmt::format("{} of \"{}\"", why, node.name);
    }
    if (follows_clock(node.id)) {
      return fmt::format("the windows of \"{}\" are cut by the clock, each run in another way",
                         node.name);
    }
    return one_way(node);
  }

  /// Two records on their ways from one place would have one key.
  std::string one_way(const Node& node) {
    if (begun_.insert(node.id).second) return {};
    return fmt::format(
        "several ways lead to it from \"{}\", so that several records have one place there: give "
        "each way a sink of its own",
        node.name);
  }

  /// Why rows are not told apart by their key and the end of their window, or empty.
  static std::string why_no_window(const Node& node) {
    const bool of_top = node.kind == "top" && node.two_phase.has_value();
    if (of_top) return {};
    if (!places_rows_of_windows(node.kind) || node.kind == "top") {
      return fmt::format("nothing numbers the rows ({})", node.kind);
    }
    if (node.outputs.size() > 1) {
      return "in another run other numbers of early and late rows come from the windows";
    }
    const bool by_time = node.needs_time && !node.note.starts_with("last(");
    if (by_time || node.note.starts_with("global()")) return {};
    return "the windows go by the order in which records come";
  }

  bool follows_clock(NodeId id) const {
    const Node& node = graph_.node(id);
    return node.tells_clock_time ||
           std::any_of(node.inputs.begin(), node.inputs.end(),
                       [this](const NodeInput& input) { return follows_clock(input.from); });
  }

  const Graph& graph_;
  std::set<NodeId> begun_;
};

}  // namespace

std::string why_no_stable_keys(const Graph& graph, NodeId sink) {
  return Ways(graph).why_not(sink);
}

}  // namespace millrace::detail
