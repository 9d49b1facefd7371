// A topology file into a Topology, by the entries of a catalogue.
#pragma once

#include <string>

#include "catalog/entry.hpp"
#include "millrace/topology.hpp"
#include "yaml/topology_file.hpp"

namespace millrace::detail {

/// Declares what `file` says in `topology`. Every mistake is noted, of the declared graph too; then
/// the topology is not to be run. A component behind one that has a mistake is checked as far as
/// it can be told.
void build_topology(const TopologyFile& file, const Entries& entries, Topology& topology,
                    Mistakes& mistakes);

}  // namespace millrace::detail
