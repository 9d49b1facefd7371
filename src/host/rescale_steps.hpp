// RescaleSteps: what a rescale does to the engine and the state folder of its run.
#pragma once

#include <string>

#include "host/rescaling.hpp"
#include "host/state_folder.hpp"
#include "runtime/runtime.hpp"

namespace millrace::detail {

/// Between two engines of a run. The thread of the run; all that it is made of outlives it.
class RescaleSteps {
 public:
  RescaleSteps(Rescaling& rescaling, StateFolder& state, const Graph& graph)
      : rescaling_(rescaling), state_(state), graph_(graph) {}

  /// Tells the sources of `engine` to rest when that is asked; they read nothing behind its last
  /// epoch, so nothing is done twice.
  void begin_when_due(Engine& engine);
  /// `engine` has come to its end with `failure`, of itself or because somebody asked (`stopped`).
  /// True: all is kept, and the run goes on from there with the other numbers.
  bool take_over(Status& failure, bool stopped);
  /// `engine` reads.
  void started(const Engine& engine) const {
    say(rescaling_.started(engine.graph().forgetful_sources()));
  }
  /// The engine does not start. True: it was to try other numbers, and the run goes on with those
  /// before at once.
  bool go_back(const Status& failure);

 private:
  void say(const std::string& text) const;

  Rescaling& rescaling_;
  StateFolder& state_;
  const Graph& graph_;
};

}  // namespace millrace::detail
