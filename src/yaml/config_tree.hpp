// ConfigNode: what a YAML file says, as a tree in which every part knows its place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "yaml/mistake.hpp"

namespace millrace::detail {

struct ConfigEntry;

struct ConfigNode {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  std::string text;         ///< of a scalar
  bool quoted = false;      ///< of a scalar: it was written in quotes, so it is a text
  bool one_to_one = false;  ///< of a scalar: its characters stand in the file as they are
  std::vector<ConfigNode> items;
  std::vector<ConfigEntry> entries;  ///< of a map, in their order
  Place place;

  bool is_map() const { return kind == Kind::map; }
  bool is_list() const { return kind == Kind::list; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_null() const { return kind == Kind::null; }
  /// The value of a key, or null.
  const ConfigNode* find(std::string_view key) const;
  const ConfigNode* key(std::string_view wanted) const;
  /// The place of character `offset` of a scalar, as near as it can be told.
  Place place_of(std::size_t offset) const {
    Place at = place;
    if (!one_to_one) return at;
    at.column += offset + (quoted ? 1 : 0);
    at.width = 1;
    return at;
  }
  /// "a text", "a list", "a map" or "nothing".
  const char* words() const {
    constexpr const char* kWords[] = {"nothing", "a text", "a list", "a map"};
    return kWords[static_cast<int>(kind)];
  }
};

struct ConfigEntry {
  ConfigNode key;
  ConfigNode value;
};

inline const ConfigNode* ConfigNode::find(std::string_view wanted) const {
  for (const ConfigEntry& entry : entries) {
    if (entry.key.text == wanted) return &entry.value;
  }
  return nullptr;
}
inline const ConfigNode* ConfigNode::key(std::string_view wanted) const {
  for (const ConfigEntry& entry : entries) {
    if (entry.key.text == wanted) return &entry.key;
  }
  return nullptr;
}

}  // namespace millrace::detail
