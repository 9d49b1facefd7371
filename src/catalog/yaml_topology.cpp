// Topology files of the machine, and texts of programs, as topologies.
#include "catalog/yaml_topology.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "millrace/yaml.hpp"

namespace millrace {
namespace detail {
namespace {

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    return Status(Code::source_failed,
                  fmt::format("\"{}\" cannot be read: is it there, and a file?", path));
  }
  return text;
}

Result<Topology> topology_of(const std::string& path, const FileAccess& access,
                             const Components& components) {
  const auto entries = entries_with(components);
  if (!entries) return entries.error();
  ReadTopology read = read_and_build(path, access, *entries);
  if (read.mistakes.empty()) return std::move(read.topology);
  const auto found = read.mistakes.sorted();
  std::string message =
      fmt::format("{} has {} mistake{}:", path, found.size(), found.size() == 1 ? "" : "s");
  for (const Mistake& mistake : found) message += '\n' + render(mistake);
  message.pop_back();
  return Status(Code::parameter_invalid, std::move(message));
}

}  // namespace

FileAccess file_access(std::map<std::string, std::string> properties) {
  FileAccess access;
  access.read = read_file;
  access.lookup =
      [properties = std::move(properties)](const std::string& name) -> std::optional<std::string> {
    if (const auto found = properties.find(name); found != properties.end()) return found->second;
    if (!name.starts_with("ENV-")) return std::nullopt;
    const char* const value = std::getenv(name.c_str() + 4);
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
  return access;
}

ReadTopology read_and_build(const std::string& path, const FileAccess& access,
                            const Entries& entries) {
  Mistakes mistakes;
  TopologyFile file = read_topology(path, access, mistakes);
  Topology topology(file.name.empty() ? path : file.name);
  build_topology(file, entries, topology, mistakes);
  return {std::move(file), std::move(topology), std::move(mistakes)};
}

}  // namespace detail

Result<Topology> topology_from_yaml(const std::string& text, const YamlOptions& options) {
  detail::FileAccess access = detail::file_access(options.properties);
  access.read = [&text, &options, of_files = access.read](const std::string& path) {
    return path == options.path ? Result<std::string>(text) : of_files(path);
  };
  return detail::topology_of(options.path, access, options.components);
}

Result<Topology> topology_from_yaml_file(const std::string& path, YamlOptions options) {
  const detail::FileAccess access = detail::file_access(std::move(options.properties));
  if (const auto text = access.read(path); !text) return text.error();
  return detail::topology_of(path, access, options.components);
}

}  // namespace millrace
