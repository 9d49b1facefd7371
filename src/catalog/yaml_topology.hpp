// Topology files as the machine has them: read, with values put in, and made a Topology.
#pragma once

#include <map>
#include <string>

#include "catalog/builder.hpp"

namespace millrace::detail {

/// Files of the machine; `${NAME}` as `properties` say, `${ENV-NAME}` of the environment.
FileAccess file_access(std::map<std::string, std::string> properties);

/// A file and the topology that it says, which is to be run only when there are no mistakes.
struct ReadTopology {
  TopologyFile file;
  Topology topology;
  Mistakes mistakes;
};
ReadTopology read_and_build(const std::string& path, const FileAccess& access,
                            const Entries& entries);

}  // namespace millrace::detail
