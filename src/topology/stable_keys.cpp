// The ways back from a sink to where the places of its records begin.
#include "topology/stable_keys.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

namespace millrace::detail {
namespace {

/// Why places are not the same in every run, or not apart; empty: they are.
using WhyNot = std::string;
/// The components at which places begin. Places that begin at different ones are apart.
using Begins = std::set<NodeId>;

class Ways {
 public:
  Ways(const Graph& graph, NodeId sink) : graph_(graph), sink_(sink) {}

  WhyNot why_not() const {
    Begins begins;
    return of_inputs(graph_.node(sink_), begins);
  }

 private:
  /// Of what reaches `node` over its inputs, or over one of the declared ones.
  WhyNot of_inputs(const Node& node, Begins& begins, std::optional<std::uint32_t> only = {}) const {
    for (const NodeInput& input : node.inputs) {
      if (only && input.input != *only) continue;
      const Node& from = graph_.node(input.from);
      if (input.port == kErrorsPort)
        return fmt::format("the dead letters of \"{}\" are no records of a source", from.name);
      if (input.grouping.kind == GroupingKind::all && node.tasks != 1 &&
          node.row_places != RowPlaces::of_left) {
        return fmt::format("every task of \"{}\" is given each record of \"{}\"", node.name,
                           from.name);
      }
      Begins more;
      if (WhyNot why = of_stream(from, input.port, more); !why.empty()) return why;
      for (const NodeId id : more) {
        if (!begins.insert(id).second) return several_ways(graph_.node(id), node);
      }
    }
    return {};
  }

  /// Of what `node` emits on a port. Behind the first port lie late records, as they came, and the
  /// rows of partial matches.
  WhyNot of_stream(const Node& node, std::uint32_t port, Begins& begins) const {
    if (node.make_source) return of_source(node, begins);
    if (node.tick > Duration(0))
      return fmt::format("what the ticks of \"{}\" emit follows from the clock", node.name);
    if (!node.make_operator || handles_by_record(node)) return of_inputs(node, begins);
    if (WhyNot why = of_itself(node); !why.empty()) return why;
    constexpr std::uint32_t kLatePort = 1;
    switch (node.row_places) {
      case RowPlaces::none:
      case RowPlaces::of_record:
        return of_inputs(node, begins);
      case RowPlaces::of_side:
      case RowPlaces::of_left:
        return port >= kLatePort ? of_inputs(node, begins, port - kLatePort)
                                 : of_sides(node, begins);
      case RowPlaces::of_key:
      case RowPlaces::of_key_in_turn:
      case RowPlaces::of_match:
        break;
    }
    if (port == kLatePort) return of_inputs(node, begins);
    begins.insert(node.id);
    Begins before;
    return node.row_places == RowPlaces::of_key ? WhyNot() : of_sides(node, before);
  }

  static WhyNot of_source(const Node& node, Begins& begins) {
    if (!node.make_source()->replayable()) {
      return fmt::format(
          "\"{}\" cannot give again what it has given, so another record would get the key of one "
          "that was lost",
          node.name);
    }
    begins.insert(node.id);
    return {};
  }
  /// Of two inputs whose records are told apart; both must be the same in every run.
  WhyNot of_sides(const Node& node, Begins& begins) const {
    for (const std::uint32_t side : {0u, 1u}) {
      Begins of_side;
      if (WhyNot why = of_inputs(node, of_side, side); !why.empty()) return why;
      if (side == 0 || node.row_places != RowPlaces::of_left)
        begins.insert(of_side.begin(), of_side.end());
    }
    return {};
  }

  static bool handles_by_record(const Node& node) {
    return node.make_operator()->anchoring() == Anchoring::by_record;
  }
  /// What stands against the rows of a component that keeps records, whatever reaches it.
  WhyNot of_itself(const Node& node) const {
    if (node.why_no_places) return fmt::format("{} of \"{}\"", node.why_no_places, node.name);
    if (node.row_places == RowPlaces::none)
      return fmt::format("nothing numbers the rows ({}) of \"{}\"", node.kind, node.name);
    if (node.row_places == RowPlaces::of_record && !graph_.has_time(node.id)) {
      return fmt::format(
          "without event time the rows of \"{}\" go by the order in which records come", node.name);
    }
    if (!follows_clock(node.id)) return {};
    return fmt::format("what \"{}\" makes goes by the clock, each run in another way", node.name);
  }
  bool follows_clock(NodeId id) const {
    const Node& node = graph_.node(id);
    return node.tells_clock_time ||
           std::any_of(node.inputs.begin(), node.inputs.end(),
                       [this](const NodeInput& input) { return follows_clock(input.from); });
  }

  /// Two records on their ways from one place would have one key.
  WhyNot several_ways(const Node& from, const Node& to) const {
    const bool to_sink = to.id == sink_;
    return fmt::format(
        "several ways lead to {} from \"{}\", so that several records have one place there: give "
        "each way a {} of its own",
        to_sink ? "it" : '"' + to.name + '"', from.name, to_sink ? "sink" : to.kind);
  }

  const Graph& graph_;
  NodeId sink_;
};

}  // namespace

std::string why_no_stable_keys(const Graph& graph, NodeId sink) {
  return Ways(graph, sink).why_not();
}

}  // namespace millrace::detail
