// DrivenTopology: a declared graph whose sources and sinks are stood in for, and the run of it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "env/sim_env.hpp"
#include "operator/held_aggregates.hpp"
#include "operator/kept_entries.hpp"
#include "operator/state_query.hpp"
#include "runtime/stepped_run.hpp"
#include "topology/topology_graph.hpp"

namespace millrace::detail {

/// What the test driver is, but for the types of the records. It begins with the first call that
/// needs it to run. Everything that goes wrong is thrown as Error: wrong use (2002, 2010), the
/// first problem of the declaration, the failure of the run. One thread.
class DrivenTopology {
 public:
  using MakeSource = std::function<std::unique_ptr<Source>()>;
  using MakeKeeper = std::function<std::unique_ptr<Sink>(std::unique_ptr<Sink> next)>;

  DrivenTopology(Graph graph, const PlanOptions& plan, const RunOptions& run, Time start);

  /// Before it begins: `make` in place of the source of that name, whose records are of `type`.
  void stand_in(const std::string& name, const BatchType& type, MakeSource make);
  /// Of a source of rows. Errors: 2010 for another one, or one whose fields are not known.
  RowSchemaPtr row_schema(const std::string& name);
  /// Before it begins: a keeper before the sink of that name, or behind a stream of the component.
  void keep(const std::string& name, const std::string& stream, const BatchType& type,
            const MakeKeeper& make);
  void keep(const std::vector<NodeInput>& inputs, const MakeKeeper& make);

  void settle();
  void advance(Duration by);
  void stop();
  void set_active(bool active);
  bool ended() const { return run_ && run_->ended(); }
  Report report();
  const ComponentReport& component(const Report& report, const std::string& name) const;
  SimEnv& env() { return env_; }
  /// Asks all tasks of a component. Errors: 2002 for a name that is not there, 2010 for one without
  /// state.
  void inspect(const std::string& name, StateQuery& query);
  /// The aggregates that all tasks of a component hold. Errors as of inspect().
  std::vector<HeldAggregate> held(const std::string& name);
  /// What a component would put into an image now, task by task.
  std::vector<KeptEntry> kept(const std::string& name);

 private:
  Node& node(const std::string& name, const char* wanted);
  void refuse_when_begun(const std::string& call) const;
  void check_type(const Node& node, const BatchType* its, const BatchType& asked,
                  const char* call) const;
  std::uint32_t port_of(const Node& node, const std::string& stream) const;
  SteppedRun& begun();
  void note_operators();
  void must(const Status& status) const;

  Graph graph_;
  PlanOptions plan_;
  RunOptions options_;
  SimEnv env_;
  /// As they were made, by component; of the run.
  std::multimap<std::string, Operator*> operators_;
  std::unique_ptr<SteppedRun> run_;
};

}  // namespace millrace::detail
