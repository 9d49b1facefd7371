// StateFolder: the state folder of a run, looked at before anything runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "checkpoint/checkpoint_store.hpp"
#include "checkpoint/restore_plan.hpp"
#include "host/host.hpp"
#include "runtime/runtime.hpp"
#include "topology/topology_graph.hpp"

namespace millrace::detail {

/// What the plan of a restore asks of each component of a valid graph.
std::vector<ComponentOutline> outlines_of(const Graph& graph);

/// An open state folder. One thread; outlives the run.
class StateFolder {
 public:
  /// Opens what graph.settings().state says; with an empty one nothing is opened. As long as it has
  /// no epoch, the run goes on from that of `part`, of a folder that is only read. Errors: 1002
  /// when `part` says where reading begins and the folder does, too; 3003, 3005, 4001, 4002, see
  /// CheckpointStore; 3004: why the topology cannot go on from there. All of them: problems().
  /// `progress` is called while a checkpoint is read, here and by look_again(): how many bytes of
  /// how many.
  Status open(const Graph& graph, const StateAccess& access, const Log& log, const RunPart& part,
              std::function<void(std::uint64_t, std::uint64_t)> progress);

  /// The run has failed: the next one goes on from what is newest now. Errors: 3003, 4001.
  Status look_again(const Graph& graph);

  /// The run is over, and the next one goes on from what it has handed over.
  void go_on_from(HandedRun run);

  const std::vector<Status>& problems() const { return problems_; }
  /// The run that worked here has come to the end of its inputs.
  bool finished() const { return image_ != nullptr && image_->finished; }
  /// What people are told at the start; empty without a state folder.
  const std::string& says() const { return says_; }
  /// Tells a run where its epochs are kept and what it goes on from.
  void give(RunOptions& run);

 private:
  Status look(const Graph& graph);
  Status read_own(const std::string& folder);
  Status read_other();
  Status failed(Status status);

  std::unique_ptr<CheckpointStore> store_;
  std::optional<EpochName> other_;  ///< of another run's folder
  std::shared_ptr<EpochImage> image_;
  std::shared_ptr<HandedStates> handed_;
  Duration interval_{0};
  bool allow_drop_ = false;
  std::vector<Status> problems_;
  std::string says_;
};

}  // namespace millrace::detail
