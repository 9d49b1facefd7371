// The JSON schema of topology files: what editors complete and underline by.
#pragma once

#include <string>

#include "catalog/entry.hpp"

namespace millrace::detail {

/// JSON Schema (draft 7) of topologies made of `entries`.
std::string json_schema(const Entries& entries);

}  // namespace millrace::detail
