// The face of `yaml`: topologies as text: a file becomes a tree with places, and mistakes with
// carets.
#pragma once

#include "yaml/mistake.hpp"
#include "yaml/topology_file.hpp"
#include "yaml/yaml_reader.hpp"
