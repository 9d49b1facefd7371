// Graph: the declared topology as data: nodes, their inputs and groupings, and how to make their
// instances.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "operator/chooser.hpp"
#include "operator/dead_letter.hpp"
#include "operator/keyed.hpp"
#include "operator/operator.hpp"
#include "operator/row_places.hpp"
#include "operator/source.hpp"
#include "operator/task_context.hpp"
#include "record/batch.hpp"
#include "record/row_schema.hpp"
#include "topology/guarantee.hpp"

namespace millrace::detail {

using NodeId = std::uint32_t;

enum class GroupingKind {
  forward,           ///< to the task of the same index
  shuffle,           ///< to the tasks with the shortest queues
  local_or_shuffle,  ///< to tasks of the sender's thread while they keep up, else shuffle
  fields,            ///< by key hash: equal keys to one task
  partial_key,       ///< by key hash: equal keys to the less used of two tasks
  global,            ///< all to task 0
  all,               ///< every record to every task
  direct,            ///< the sender names the task of each record
  custom,            ///< a class of the user's chooses
  blocks,            ///< whole batches to the task with the shortest queue; of the planner alone
};

std::string_view name_of(GroupingKind kind);

/// How records of a stream choose the receiving task.
struct Grouping {
  GroupingKind kind = GroupingKind::forward;
  std::shared_ptr<const KeyHash> hash = {};                     ///< for fields and partial_key
  std::function<std::unique_ptr<Chooser>()> make_chooser = {};  ///< for custom, a task each
};

/// A reader's end of an edge.
struct NodeInput {
  NodeId from = 0;
  std::uint32_t port = 0;  ///< kErrorsPort: its dead letters
  Grouping grouping;
  std::uint32_t input = 0;  ///< which of the declared inputs it belongs to; a merge makes several
};

/// Replaces an operator by two across a real shuffle: `combine` on the senders, `merge` where the
/// keys live.
struct TwoPhase {
  std::function<std::unique_ptr<Operator>()> combine;
  std::function<std::unique_ptr<Operator>()> merge;
  const BatchType* between = nullptr;
  Grouping grouping;  ///< of the records between
};

/// A source of lines in two steps, for several tasks: `read` makes blocks of lines, `decode` what
/// the source is declared to emit. Where the planner may take it, see Node::blocks.
struct BlockReading {
  std::function<std::unique_ptr<Source>()> read;
  std::function<std::unique_ptr<Operator>()> decode;
};

/// One component as declared.
struct Node {
  /// Type of what it emits on `port`.
  const BatchType* output_of(std::uint32_t port) const {
    return port < outputs.size() ? outputs[port] : output;
  }

  NodeId id = 0;
  std::string name;    ///< unique; made up from the kind when the user gave none
  bool named = false;  ///< by the user
  /// What it keeps is found again by its name after a restart.
  bool keeps_state = true;
  std::string kind;  ///< "source", "spout", "bolt", "filter", "count", "sink", ...
  std::string note;  ///< for explain: "tumbling(5min)", "top 10"
  std::vector<NodeInput> inputs;
  /// Of a component that a verb declares for the one behind it, such as what puts its records in
  /// order: "order". It is named with that one, which is all that a user sees of it.
  const char* helps = nullptr;
  /// Number of tasks: fixed, or 0: as its input for forward, else the run's parallelism.
  std::uint32_t tasks = 0;
  std::uint32_t tasks_max = 0;       ///< bounds what the run's parallelism asks for; 0: no bound
  std::vector<std::string> streams;  ///< names of the output ports, where there are several
  Duration tick{0};                  ///< how often tick() is called; 0: never
  Config config;
  bool blocking = false;  ///< its code waits for others: it wants a thread of its own
  int pending_max = 0;    ///< of a source: as AckOptions, which 0 leaves alone

  // Exactly one of the three is set.
  std::function<std::unique_ptr<Source>()> make_source;
  std::function<std::unique_ptr<Operator>()> make_operator;
  std::function<std::unique_ptr<Sink>()> make_sink;
  std::optional<TwoPhase> two_phase;
  std::optional<BlockReading> blocks;  ///< of a source whose records may be decoded side by side
  bool by_record = false;              ///< keeps nothing: each record is handled by itself

  const BatchType* output = nullptr;       ///< type of what it emits; null for sinks
  RowSchemaPtr row_schema;                 ///< of a source of rows, where it is known
  std::vector<const BatchType*> outputs;   ///< by port, where the ports differ in type
  bool originates_time = false;            ///< event_time stands here
  bool tells_clock_time = false;           ///< behind it event times are the clock's
  bool needs_time = false;                 ///< refuses input without event time
  const char* tasks_are_fixed = nullptr;   ///< why parallel() is refused
  bool breaks_ties = false;                ///< wants to know where each record arrived
  RowPlaces row_places = RowPlaces::none;  ///< of its rows, unless it handles record by record
  const char* why_no_places = nullptr;     ///< where they cannot be the same in every run
  bool alone = false;                      ///< never fused with its readers (tests of rings)
  Status problem;                          ///< found while declaring; reported by validate()
};

/// What belongs to the topology as a whole.
struct GraphSettings {
  Guarantee guarantee = Guarantee::at_most_once;
  AckOptions acks;
  Config config;
  StateSettings state;
  std::vector<std::shared_ptr<TaskHook>> task_hooks;
  std::vector<std::shared_ptr<WorkerHook>> worker_hooks;
};

/// The declared graph. Built by one thread before anything runs.
class Graph {
 public:
  explicit Graph(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  Node& node(NodeId id) { return nodes_[id]; }
  const Node& node(NodeId id) const { return nodes_[id]; }
  GraphSettings& settings() { return settings_; }
  const GraphSettings& settings() const { return settings_; }
  /// True when event time is set somewhere on every way that leads to `id`, `id` included.
  bool has_time(NodeId id) const;

  /// Adds a node and names it `kind`, `kind-2`, … when it has no name.
  NodeId add(Node node);
  /// Renames it and what helps it; a name that is taken or malformed is reported by validate().
  void rename(NodeId id, std::string name);

  /// Fixes the number of tasks; one that cannot be is reported by validate().
  void set_tasks(NodeId id, int tasks);
  /// Notes a problem of the declaration for validate().
  void report(Status problem) { problems_.push_back(std::move(problem)); }

  /// Every error of the declaration in one pass: component, cause, fix. Empty: valid.
  std::vector<Status> validate() const;

 private:
  /// The name, or with a number behind where another node has it: -2, -3.
  std::string free_name(const std::string& wanted, NodeId id) const;
  /// Names what helps it, and what helps that: `name` with a word behind.
  void rename_helpers(NodeId id, const std::string& before, const std::string& name);

  std::string name_;
  std::vector<Node> nodes_;
  GraphSettings settings_;
  std::vector<Status> problems_;
};

}  // namespace millrace::detail
