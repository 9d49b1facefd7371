// The bolt notify: few of many rows.
#pragma once

#include "catalog/entry.hpp"

namespace millrace::detail {

void add_notice_entries(Entries& entries);

}  // namespace millrace::detail
