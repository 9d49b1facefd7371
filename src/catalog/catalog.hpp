// The face of `catalog`: every source, verb, aggregate and sink by name, and topologies made of
// them.
#pragma once

#include "catalog/builder.hpp"
#include "catalog/entry.hpp"
#include "catalog/json_schema.hpp"
#include "catalog/yaml_topology.hpp"
