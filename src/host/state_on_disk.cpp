// Whether and where keyed state goes to disk, by what the topology and the command line say.
#include <fmt/format.h>

#include <algorithm>

#include "env/disk.hpp"
#include "host/host.hpp"
#include "topology/topology_graph.hpp"

namespace millrace::detail {
namespace {

/// What tells the topologies that share a folder apart, as a name of a folder.
std::string folder_name(std::string name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  std::replace_if(name.begin(), name.end(), [&](char c) { return !is_plain(c); }, '_');
  return name;
}

std::string setting(const Config& config, const char* name, const std::string& flag) {
  return flag.empty() ? config.get<std::string>(name, "") : flag;
}

}  // namespace

Result<SpillSettings> spill_settings(const Graph& graph, const std::string& state_on,
                                     const std::string& spill_dir) {
  const GraphSettings& settings = graph.settings();
  const std::string on = setting(settings.config, "topology.state", state_on);
  std::string folder = setting(settings.config, "topology.spill_dir", spill_dir);
  if (!on.empty() && on != "auto" && on != "memory" && on != "disk") {
    return Status(Code::option_invalid,
                  fmt::format("--state, or the setting topology.state, \"{}\": give auto, memory "
                              "or disk",
                              on));
  }
  if (on == "memory") return SpillSettings();
  if (!folder.empty()) {
    if (Status status = real_disk().make_folder(folder); !status.ok())
      return Status(Code::option_invalid, "--spill-dir: " + status.message());
  } else if (!settings.state.folder.empty()) {
    folder = settings.state.folder + "/spill";
  } else if (on == "disk") {
    return Status(Code::option_invalid,
                  "--state disk does not say where: give --spill-dir DIR, or --state-dir DIR");
  } else {
    return SpillSettings();
  }
  return SpillSettings{&log_tables(), folder + "/" + folder_name(graph.name()), on == "disk"};
}

}  // namespace millrace::detail
