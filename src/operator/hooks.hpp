// Hooks: what a program hangs on tasks and on the worker: to watch, to share, to clean up.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeindex>
#include <typeinfo>
#include <utility>

#include "operator/config.hpp"

namespace millrace {

class TaskContext;

namespace detail {

[[noreturn]] void miss_resource(std::string_view name);
[[noreturn]] void refuse_resource_type(std::string_view name);

/// What tasks of a worker share, by name and type. Filled by one thread before tasks open.
class Resources {
 public:
  template <class T>
  void share(std::string name, std::shared_ptr<T> resource) {
    shared_.insert_or_assign(std::move(name),
                             Entry{std::type_index(typeid(T)), std::move(resource)});
  }
  template <class T>
  T& get(std::string_view name) const {
    const auto found = shared_.find(name);
    if (found == shared_.end()) miss_resource(name);
    if (found->second.type != std::type_index(typeid(T))) refuse_resource_type(name);
    return *static_cast<T*>(found->second.resource.get());
  }
  void clear() { shared_.clear(); }

 private:
  struct Entry {
    std::type_index type;
    std::shared_ptr<void> resource;
  };
  std::map<std::string, Entry, std::less<>> shared_;
};

}  // namespace detail

/// What a task has handed on at once: `records` records on its stream `stream`.
struct EmitInfo {
  std::string_view component;
  int task;
  std::string_view stream;
  std::size_t records;
};

/// What a task has just handled at once: `records` records that `source` emitted on `stream`.
/// `took` holds the time of the components fused behind it.
struct ExecuteInfo {
  std::string_view component;
  int task;
  std::string_view source;
  std::string_view stream;
  std::size_t records;
  std::chrono::nanoseconds took;
};

/// Messages of a source that a task has just settled at once.
struct AckInfo {
  std::string_view component;
  int task;
  std::size_t acked;
  std::size_t failed;                ///< to be played again, or given up
  std::chrono::nanoseconds longest;  ///< from handing on to the ack
};

/// Watches tasks: Topology::hook() for all of them, TaskContext::add_hook() for one. Called once a
/// batch, not once a record.
///
/// A hook of the topology is shared by all tasks and called by their threads at once; one of a task
/// is called by that task's thread only. What a hook throws ends the topology with that text.
class TaskHook {
 public:
  virtual ~TaskHook() = default;
  /// Before the component's own open() or prepare(); not called for hooks that are added later.
  virtual void prepare(TaskContext& /*context*/) {}
  virtual void emitted(const EmitInfo& /*info*/) {}
  virtual void executed(const ExecuteInfo& /*info*/) {}
  /// Where messages are tracked.
  virtual void settled(const AckInfo& /*info*/) {}
  /// After the component's own close() or cleanup().
  virtual void cleanup() {}
};

/// What a worker hook is given at the start.
class WorkerContext {
 public:
  WorkerContext(std::string_view topology, const Config& config, detail::Resources& resources)
      : topology_(topology), config_(config), resources_(resources) {}

  std::string_view topology() const { return topology_; }
  /// The topology's settings.
  const Config& config() const { return config_; }
  /// Shares `resource` with all tasks of this process, who get it by name and type from
  /// TaskContext::resource(). It must be safe to use by several threads. The worker's share in it
  /// ends after shutdown().
  template <class T>
  void share(std::string name, std::shared_ptr<T> resource) {
    resources_.share(std::move(name), std::move(resource));
  }

 private:
  std::string_view topology_;
  const Config& config_;
  detail::Resources& resources_;
};

/// Runs once in each process: start() before any task opens, shutdown() after the last one has
/// closed, by the thread that starts and ends the run. What start() throws ends the run with that
/// text.
class WorkerHook {
 public:
  virtual ~WorkerHook() = default;
  virtual void start(WorkerContext& /*context*/) {}
  virtual void shutdown() {}
};

}  // namespace millrace
