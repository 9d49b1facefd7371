// Chains by union-find over the stages of a plan.
#include "topology/chain_fusion.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

namespace millrace::detail {
namespace {

/// True on the way from a source to the event_time behind it. There the records of a partition must
/// stay in order and apart from those of others, so these edges are fused whatever else is asked
/// for.
bool leads_to_time(const Graph& graph, const Plan& plan, const PlanEdge& edge) {
  if (edge.grouping.kind != GroupingKind::forward) return false;
  if (graph.node(plan.stages[edge.to].node).originates_time) return true;
  return std::any_of(plan.edges.begin(), plan.edges.end(), [&](const PlanEdge& next) {
    return next.from == edge.to && leads_to_time(graph, plan, next);
  });
}

/// Readers by chain.
using Readers = std::map<std::uint32_t, std::vector<std::uint32_t>>;

/// True when a chain reaches itself.
bool is_circular(const Readers& readers) {
  std::map<std::uint32_t, int> state;
  const auto visit = [&](auto&& self, std::uint32_t at) -> bool {
    if (state[at] == 1) return true;
    if (state[at] == 2) return false;
    state[at] = 1;
    if (const auto found = readers.find(at); found != readers.end()) {
      for (const std::uint32_t to : found->second) {
        if (self(self, to)) return true;
      }
    }
    state[at] = 2;
    return false;
  };
  return std::any_of(readers.begin(), readers.end(),
                     [&](const auto& entry) { return visit(visit, entry.first); });
}

class Fusion {
 public:
  Fusion(const Graph& graph, const PlanOptions& options, Plan& plan)
      : graph_(graph), options_(options), plan_(plan) {}

  /// All forward edges at once where that makes no circle of chains (nearly always); else one by
  /// one.
  void fuse() {
    parent_.resize(plan_.stages.size());
    std::iota(parent_.begin(), parent_.end(), 0u);
    for (PlanEdge& edge : plan_.edges) {
      if (leads_to_time(graph_, plan_, edge)) fuse_edge(edge);
    }
    const std::vector<std::uint32_t> apart = parent_;
    const std::vector<PlanEdge> unfused = plan_.edges;
    for (PlanEdge& edge : plan_.edges) {
      if (can_fuse(edge)) fuse_edge(edge);
    }
    if (!has_cycle()) return;
    parent_ = apart;
    plan_.edges = unfused;
    for (PlanEdge& edge : plan_.edges) {
      if (edge.fused || !can_fuse(edge)) continue;
      const std::vector<std::uint32_t> before = parent_;
      fuse_edge(edge);
      if (!has_cycle()) continue;
      parent_ = before;
      edge.fused = false;
    }
  }

  void collect_chains() {
    std::map<std::uint32_t, std::uint32_t> chain_of;
    for (PlanStage& stage : plan_.stages) {
      const auto [at, is_new] = chain_of.emplace(root(stage.id), plan_.chains.size());
      if (is_new) plan_.chains.push_back({{}, stage.tasks, false});
      stage.chain = at->second;
      plan_.chains[stage.chain].stages.push_back(stage.id);
      plan_.chains[stage.chain].blocking |= graph_.node(stage.node).blocking;
    }
  }

 private:
  std::uint32_t root(std::uint32_t stage) {
    while (parent_[stage] != stage) stage = parent_[stage] = parent_[parent_[stage]];
    return stage;
  }

  /// True when a chain could reach itself through edges that are not fused: then two of its tasks
  /// could wait for each other's full queues.
  bool has_cycle() {
    Readers readers;
    for (const PlanEdge& edge : plan_.edges) {
      if (edge.fused) continue;
      if (root(edge.from) == root(edge.to)) return true;
      readers[root(edge.from)].push_back(root(edge.to));
    }
    return is_circular(readers);
  }

  bool can_fuse(const PlanEdge& edge) const {
    const Node& from = graph_.node(plan_.stages[edge.from].node);
    const Node& to = graph_.node(plan_.stages[edge.to].node);
    return edge.grouping.kind == GroupingKind::forward && options_.fuse && !from.alone &&
           !from.blocking && !to.blocking;
  }

  void fuse_edge(PlanEdge& edge) {
    edge.fused = true;
    parent_[root(edge.to)] = root(edge.from);
  }

  const Graph& graph_;
  const PlanOptions& options_;
  Plan& plan_;
  std::vector<std::uint32_t> parent_;  ///< by stage: of the same chain, a root points to itself
};

}  // namespace

void fuse_chains(const Graph& graph, const PlanOptions& options, Plan& plan) {
  Fusion fusion(graph, options, plan);
  fusion.fuse();
  fusion.collect_chains();
}

}  // namespace millrace::detail
