// Topologies in YAML inside a program: to run, to test or to measure them.
#pragma once

#include <map>
#include <string>

#include "base/status.hpp"
#include "millrace/components.hpp"

namespace millrace {

/// What a topology in YAML may name, and what its messages call it.
struct YamlOptions {
  /// Spouts and bolts of one's own, beside those that come with Millrace.
  Components components = {};
  /// What ${NAME} stands for, by NAME. ${ENV-NAME} is the variable NAME of the environment.
  std::map<std::string, std::string> properties = {};
  /// Of a text: where it stands, for messages; `includes` are relative to its folder.
  std::string path = "topology.yaml";
};

/// The topology that a text says; nothing runs, and nothing is printed. It is as one declared in
/// C++: for run(), run_to_end() and TestDriver, where components have the ids of the text and
/// streams carry RowRef. Link millrace_yaml, of the installed package Millrace::Yaml.
/// Errors: 2010 with every mistake and its place, 2002 for a component of one's own whose name is
/// taken.
Result<Topology> topology_from_yaml(const std::string& text, const YamlOptions& options = {});
/// The same of a file. Errors: 4001 too, when it cannot be read.
Result<Topology> topology_from_yaml_file(const std::string& path, YamlOptions options = {});

}  // namespace millrace
