// YAML into a ConfigNode.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "yaml/config_tree.hpp"

namespace millrace::detail {

/// What `${name}` stands for; nullopt: there is no such thing.
using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

/// Reads one YAML document. Texts with `${name}` take what `lookup` says (`${name:-other}`: or
/// else `other`; `$${` is a `${`); what is put in is never read as YAML. Mistakes: text that is no
/// YAML, a key that comes twice, a name that lookup does not know, more than 100,000 nodes (aliases
/// count each time) or 64 levels. What could not be read is null.
ConfigNode read_yaml(std::shared_ptr<const SourceText> source, const Lookup& lookup,
                     Mistakes& mistakes);

}  // namespace millrace::detail
