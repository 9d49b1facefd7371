// The bolt `group_by`: aggregates over the rows of a table by another key.
#pragma once

#include "catalog/entry.hpp"

namespace millrace::detail {

void add_group_entries(Entries& entries);

}  // namespace millrace::detail
