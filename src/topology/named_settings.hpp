// Settings of the engine that a topology's config may name: topology.tries, topology.state_dir.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "operator/config.hpp"
#include "topology/topology_graph.hpp"

namespace millrace::detail {

/// One of them. What it is for is told in docs/formats/topology-yaml.md.
struct NamedSetting {
  std::string_view name;
  /// False: the text is none.
  bool (*put)(std::string_view text, GraphSettings& settings);
  const char* wanted;  ///< "give a whole number from 1 to 255"
  const char* doc;
};

/// All of them; those with Storm's names come first, so that others come over them.
std::span<const NamedSetting> named_settings();

/// What the setting `name` wants when `text` is none; null: it is one. `name` is one of the table.
const char* setting_wants(std::string_view name, std::string_view text);

/// What is wrong with `name: text` in a config, as the end of a sentence; empty: nothing is. Names
/// that are not the engine's belong to components and are right, unless they are nearly one of its.
std::string wrong_setting(std::string_view name, std::string_view text);

/// Puts what `config` names over `settings`. Errors: 1002.
Status apply_named(const Config& config, GraphSettings& settings);

}  // namespace millrace::detail
