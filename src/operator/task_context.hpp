// TaskContext: what a spout, bolt or grouping knows of its place: itself, its peers, its metrics.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/time.hpp"
#include "env/env.hpp"
#include "metrics/user_metrics.hpp"
#include "operator/config.hpp"
#include "operator/hooks.hpp"

namespace millrace {

/// A stream that a component reads.
struct InputInfo {
  std::string component;  ///< that emits it
  std::string stream;     ///< its name; "default" for the unnamed one
  std::string grouping;   ///< as it runs: "shuffle", "fields", ...; "forward": task i to task i
  int input = 0;          ///< which of the component's declared inputs, 0-based
};

/// A component that reads a stream.
struct TargetInfo {
  std::string component;
  std::string grouping;
  int tasks = 1;
};

/// A stream that a component emits, and who reads it (perhaps nobody).
struct OutputInfo {
  std::string stream;
  std::vector<TargetInfo> targets;
};

/// A component of the topology: a source, spout, bolt, verb or sink.
struct ComponentInfo {
  std::string name;
  std::string kind;  ///< "spout", "bolt", "filter", "count", "view", ...
  int tasks = 1;
  std::vector<InputInfo> inputs;
  std::vector<OutputInfo> outputs;
  Config config;  ///< its own settings over those of the topology
  /// Internal: the idempotency keys of its rows name it, not the source of a record.
  bool begins_places = false;
};

/// All components of a running topology, in the order of their declaration.
struct TopologyInfo {
  std::string name;
  Config config;
  std::vector<ComponentInfo> components;
};

/// Given to open() and prepare(); valid until the task has ended, so a pointer to it may be kept.
/// All calls by the task's thread, except reading through handles of metrics.
class TaskContext {
 public:
  /// Internal: what the runtime makes a context of.
  struct Place {
    std::shared_ptr<const TopologyInfo> topology;
    std::size_t component = 0;  ///< in topology->components
    std::uint32_t index = 0;
    std::uint32_t tasks = 1;
    detail::Env* env = nullptr;
    Log log;
    const detail::Resources* resources = nullptr;
  };
  explicit TaskContext(Place place);

  /// The component's name, and which of how many tasks this is, 0-based.
  const std::string& component() const { return self().name; }
  int index() const { return static_cast<int>(place_.index); }
  int tasks() const { return static_cast<int>(place_.tasks); }

  /// The streams that this component reads, and those that it emits with their readers.
  const std::vector<InputInfo>& inputs() const { return self().inputs; }
  const std::vector<OutputInfo>& outputs() const { return self().outputs; }

  /// The whole topology.
  const TopologyInfo& topology() const { return *place_.topology; }
  /// A component by name; null when there is none.
  const ComponentInfo* find(std::string_view component) const;

  /// The component's settings over those of the topology.
  const Config& config() const { return self().config; }

  /// Writes a line to the program's log, with component and task.
  void log(LogLevel level, std::string_view text) const;
  /// The wall clock; in a simulation the simulated one.
  Timestamp now() const { return {place_.env->clock->wall_us()}; }

  /// Metrics of the component's own, on the page, in the summary and for Prometheus. Each call with
  /// one name gives the same metric; keep the reference, it is valid as long as the context. Throw
  /// std::invalid_argument when the name is malformed or taken by another kind.
  Counter& counter(std::string_view name) { return metrics_.counter(name); }
  Gauge& gauge(std::string_view name) { return metrics_.gauge(name); }
  Histogram& histogram(std::string_view name) { return metrics_.histogram(name); }
  Timer& timer(std::string_view name) { return metrics_.timer(name); }

  /// What a worker hook shares under that name. Throws std::invalid_argument when there is none, or
  /// when it was shared as another type.
  template <class T>
  T& resource(std::string_view name) const {
    return place_.resources->get<T>(name);
  }

  /// Hangs a hook on this task alone.
  void add_hook(std::shared_ptr<TaskHook> hook) { hooks_.push_back(std::move(hook)); }

  // Internal.
  const detail::UserMetrics& metrics() const { return metrics_; }
  const std::vector<std::shared_ptr<TaskHook>>& hooks() const { return hooks_; }

 private:
  const ComponentInfo& self() const { return place_.topology->components[place_.component]; }

  Place place_;
  detail::UserMetrics metrics_;
  std::vector<std::shared_ptr<TaskHook>> hooks_;
};

}  // namespace millrace
