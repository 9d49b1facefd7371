// The bolt watch: rules over a number of each key.
#pragma once

#include "catalog/entry.hpp"

namespace millrace::detail {

void add_watch_entries(Entries& entries);

}  // namespace millrace::detail
