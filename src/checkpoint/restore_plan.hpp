// RestorePlan: what of an epoch goes to which component of a topology, known before anything runs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "checkpoint/checkpoint.hpp"

namespace millrace::detail {

enum class ComponentRole { source, step, sink };

/// What the plan of a restore asks of a component of the topology.
struct ComponentOutline {
  std::string name;
  std::string kind;  ///< "source", "count", ...
  ComponentRole role = ComponentRole::step;
  /// Its state is found again by its name, and that is made up: another verb before it might take
  /// it.
  bool lacks_name = false;
};

enum class StateFate {
  restored,  ///< goes on with what it kept
  anew,      ///< the epoch has nothing of it
  dropped,   ///< the topology does not have it any more
  refused,   ///< what was kept is not of such a component
};

/// What becomes of one component's state.
struct ComponentFate {
  std::string component;
  StateFate fate = StateFate::anew;
  std::string what;  ///< "2 positions", "128 parts with 4096 bytes"
};

struct RestorePlan {
  std::uint64_t epoch = 0;  ///< 0: there is none, all begins anew
  Time taken_at = 0;
  std::vector<ComponentFate> components;  ///< those of the topology first, in its order
  std::vector<Status> problems;           ///< 3004, all of them; empty: it may run
};

/// `image` null: the state folder is empty. `allow_drop`: state that no component wants may go.
/// The numbers of tasks do not matter.
RestorePlan plan_restore(const std::string& topology, std::span<const ComponentOutline> components,
                         const EpochImage* image, bool allow_drop);

/// A line a component, for people; problems are not among them.
std::string to_text(const RestorePlan& plan);

}  // namespace millrace::detail
