// RescaleSteps: what a rescale does to the engine and the state folder of its run.
#pragma once

#include <cstdint>
#include <string>

#include "env/env.hpp"
#include "host/rescaling.hpp"
#include "host/state_folder.hpp"
#include "runtime/runtime.hpp"

namespace millrace::detail {

/// Between two engines of a run. The thread of the run; all that it is made of outlives it.
class RescaleSteps {
 public:
  RescaleSteps(Rescaling& rescaling, StateFolder& state, const Graph& graph, Clock& clock)
      : rescaling_(rescaling), state_(state), graph_(graph), clock_(clock) {}

  /// Tells the sources of `engine` to rest when that is asked; they read nothing behind its last
  /// epoch, so nothing is done twice. Before that, while they read on, epochs until the next one
  /// has little to hold.
  void begin_when_due(Engine& engine);
  /// `engine` has come to its end with `failure`, of itself or because somebody asked (`stopped`).
  /// True: all is kept, and the run goes on from there with the other numbers.
  bool take_over(Engine& engine, Status& failure, bool stopped);
  /// `engine` reads.
  void started(const Engine& engine);
  /// The engine does not start. True: it was to try other numbers, and the run goes on with those
  /// before at once.
  bool go_back(const Status& failure);

 private:
  /// Epochs that are made before the sources rest.
  struct Rounds {
    int begun = 0;
    std::uint64_t epoch = 0;    ///< that is under way; 0: none
    std::int64_t since_ns = 0;  ///< when it was asked for
    std::int64_t last_ns = 0;   ///< what the one before took
    bool was_whole = false;     ///< the last one, or it was due and has failed
    bool enough = false;
    bool prepared = false;  ///< no other begins
  };

  bool is_prepared(EpochCoordinator& epochs);
  void look_at_round(const EpochCoordinator& epochs);
  void say(const std::string& text) const;

  Rescaling& rescaling_;
  StateFolder& state_;
  const Graph& graph_;
  Clock& clock_;
  Rounds rounds_;
};

}  // namespace millrace::detail
