// The bolts `call` and `lookup`: what is outside, asked about each row.
#pragma once

#include "catalog/entry.hpp"

namespace millrace::detail {

void add_call_entries(Entries& entries);

}  // namespace millrace::detail
