// What a task can ask of its context.
#include "operator/task_context.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "base/text.hpp"
#include "operator/chooser.hpp"
#include "operator/streams.hpp"

namespace millrace {

TaskContext::TaskContext(Place place)
    : place_(std::move(place)), metrics_([env = place_.env] { return env->clock->steady_ns(); }) {}

const ComponentInfo* TaskContext::find(std::string_view component) const {
  const auto& all = place_.topology->components;
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const ComponentInfo& one) { return one.name == component; });
  return found == all.end() ? nullptr : &*found;
}

void TaskContext::log(LogLevel level, std::string_view text) const {
  if (!place_.log.enabled(level)) return;
  std::string line = "component=";
  detail::append_json_string(line, component());
  line += fmt::format(" task={} text=", index());
  detail::append_json_string(line, text);
  place_.log(level, "user", line);
}

namespace detail {

void miss_resource(std::string_view name) {
  throw std::invalid_argument(
      fmt::format("no worker hook shares a resource \"{}\": share it in WorkerHook::start", name));
}

void refuse_resource_type(std::string_view name) {
  throw std::invalid_argument(fmt::format(
      "the resource \"{}\" was shared as another type: ask for the one it was shared as", name));
}

void refuse_target(int task, int tasks) {
  throw std::out_of_range(fmt::format(
      "a custom grouping chose task {}: the receiver has tasks 0 to {}", task, tasks - 1));
}

void refuse_direct_task(std::string_view stream, int task, int tasks) {
  throw std::out_of_range(fmt::format(
      "a record for task {} of the direct stream \"{}\": its readers have tasks 0 to {}", task,
      stream, tasks - 1));
}

}  // namespace detail
}  // namespace millrace
