// What a topology is run with: the command line comes over settings by name, these over the
// program.
#include <fmt/format.h>

#include "host/host.hpp"
#include "topology/named_settings.hpp"

namespace millrace::detail {

Status settle(const HostOptions& options, GraphSettings& settings) {
  if (Status status = apply_named(options.acks.over(settings.config), settings); !status.ok())
    return status;
  if (options.guarantee) settings.guarantee = *options.guarantee;
  if (options.state_dir) settings.state.folder = *options.state_dir;
  if (options.checkpoint_interval) settings.state.interval = *options.checkpoint_interval;
  const bool unsaid = !options.guarantee && !settings.config.has("topology.guarantee") &&
                      settings.guarantee == Guarantee::at_most_once;
  if (unsaid && !settings.state.folder.empty()) settings.guarantee = Guarantee::exactly_once;
  if (options.ack_flag.empty() || settings.guarantee == Guarantee::at_least_once) return {};
  return {Code::option_invalid,
          options.ack_flag +
              ": messages are tracked and tried again at least once alone: give "
              "--guarantee at_least_once as well"};
}

}  // namespace millrace::detail
