// run_to_end: a topology inside a program with a main of its own.
#include <fmt/format.h>

#include "env/machine_memory.hpp"
#include "host/host.hpp"
#include "host/state_folder.hpp"
#include "millrace/run.hpp"
#include "runtime/runtime.hpp"
#include "topology/plan_size.hpp"

namespace millrace {

Status run_to_end(Topology& topology, const RunSettings& settings) {
  detail::Graph& graph = topology.declaration().graph;
  if (settings.executors < 0 || settings.parallelism < 1 ||
      settings.parallelism > static_cast<int>(detail::kKeyGroups)) {
    return {Code::option_invalid,
            fmt::format("run_to_end with {} executors and a parallelism of {}: give 1 executor or "
                        "more, or 0 for "
                        "as many as the load needs, and a parallelism of 1 to {}",
                        settings.executors, settings.parallelism, detail::kKeyGroups)};
  }
  if (Status status = detail::settle({}, graph.settings()); !status.ok()) return status;
  if (const auto problems = graph.validate(); !problems.empty()) return problems.front();
  detail::RunOptions options;
  options.executors = static_cast<std::uint32_t>(settings.executors);
  options.limit = settings.limit;
  options.speed = settings.speed;
  auto part = detail::read_part(settings.from, settings.until);
  if (!part) return part.error();
  options.range = part->range;
  options.memory_bytes =
      settings.memory_bytes != 0 ? settings.memory_bytes : detail::default_memory_bytes();
  auto dead_letters = detail::dead_letter_settings(graph.settings().config, "", 0);
  if (!dead_letters) return dead_letters.error();
  options.dead_letters = std::move(*dead_letters);
  auto spill = detail::spill_settings(graph, "", "");
  if (!spill) return spill.error();
  options.spill = std::move(*spill);
  const detail::PlanOptions plan{.parallelism = static_cast<std::uint32_t>(settings.parallelism),
                                 .blocks = settings.limit == 0,
                                 .places = !options.dead_letters.folder.empty()};
  detail::Plan laid_out = detail::make_plan(graph, plan);
  if (Status status = detail::check_size(laid_out); !status.ok()) return status;
  detail::StateFolder state;
  if (Status status = state.open(graph, {}, {}, *part, {}); !status.ok()) return status;
  if (state.finished()) return {};
  state.give(options);
  detail::Engine engine(std::move(laid_out), options, detail::real_env());
  if (Status status = engine.start(); !status.ok()) return status;
  while (!engine.wait_for(std::chrono::seconds(10))) {
  }
  return engine.finish();
}

}  // namespace millrace
