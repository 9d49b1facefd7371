// TopologyFile: a topology in YAML of Flux's shape: its parts, each with its place.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "yaml/yaml_reader.hpp"

namespace millrace::detail {

/// A spout or a bolt as it is written.
struct ComponentText {
  std::string id;
  std::string type;
  std::optional<int> parallelism;
  ConfigNode settings;  ///< `with`: a map, or null
  Place place;          ///< of its id
  Place type_place;
  Place parallelism_place;
  bool override_allowed = false;  ///< it came from an include that may be overridden
};

/// How a stream is grouped.
struct GroupingText {
  std::string type = "none";  ///< empty: a mistake that is noted
  std::string stream;         ///< streamId; empty: the default one
  std::vector<ConfigNode> args;
  Place place;
  Place stream_place;
};

struct StreamText {
  std::string from;
  std::string to;
  GroupingText grouping;
  Place place;
  Place from_place;
  Place to_place;
};

struct TopologyFile {
  std::string name;
  Place place;  ///< of the file's begin
  ConfigNode config;
  std::vector<ComponentText> spouts;
  std::vector<ComponentText> bolts;
  std::vector<StreamText> streams;
};

/// Where files and values of a topology come from.
struct FileAccess {
  std::function<Result<std::string>(const std::string& path)> read;
  Lookup lookup;
};

/// Reads a topology and what it includes. Finds every mistake of shape in one pass: unknown keys,
/// missing ones, ids that are taken, streams between components that do not exist. Paths of
/// includes are relative to the file that names them.
TopologyFile read_topology(const std::string& path, const FileAccess& access, Mistakes& mistakes);

}  // namespace millrace::detail
