// StageHooks: the task hooks that hang on one stage, called once a batch when there are any.
#pragma once

#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

#include "operator/task_context.hpp"

namespace millrace::detail {

/// One task's thread.
class StageHooks {
 public:
  /// Takes the hooks of the topology, before the component opens.
  void open(const std::vector<std::shared_ptr<TaskHook>>& of_topology, TaskContext& context) {
    context_ = &context;
    hooks_ = of_topology;
    for (const auto& hook : hooks_) hook->prepare(context);
  }
  /// Takes those that the component has added while it opened.
  void opened() { hooks_.insert(hooks_.end(), context_->hooks().begin(), context_->hooks().end()); }
  bool any() const { return !hooks_.empty(); }

  void emitted(std::uint32_t port, std::size_t records) const {
    const auto& outputs = context_->outputs();
    const EmitInfo info{context_->component(), context_->index(),
                        port < outputs.size() ? std::string_view(outputs[port].stream) : "",
                        records};
    for (const auto& hook : hooks_) hook->emitted(info);
  }
  void executed(const InputInfo* input, std::size_t records, std::chrono::nanoseconds took) const {
    const ExecuteInfo info{context_->component(),
                           context_->index(),
                           input ? std::string_view(input->component) : "",
                           input ? std::string_view(input->stream) : "",
                           records,
                           took};
    for (const auto& hook : hooks_) hook->executed(info);
  }
  void settled(std::size_t acked, std::size_t failed, std::chrono::nanoseconds longest) const {
    const AckInfo info{context_->component(), context_->index(), acked, failed, longest};
    for (const auto& hook : hooks_) hook->settled(info);
  }
  void close() const {
    for (const auto& hook : hooks_) hook->cleanup();
  }

 private:
  TaskContext* context_ = nullptr;
  std::vector<std::shared_ptr<TaskHook>> hooks_;
};

}  // namespace millrace::detail
