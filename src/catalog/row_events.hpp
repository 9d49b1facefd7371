// What components that watch a number of each key, and tell when something happened, have in
// common.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "catalog/entry.hpp"
#include "operator/row_fields.hpp"

namespace millrace::detail {

/// The number that the field is; else a mistake at its place, which begins with `what`, such as
/// "alert watches a number".
std::optional<AnyNumber> number_field(const Making& making, const ConfigNode& name,
                                      std::string_view what);

/// Of rows that have the fields of the key between others; null where two fields have one name,
/// which is a mistake.
RowSchemaPtr event_schema(const Making& making, std::vector<ColumnInfo> before,
                          std::vector<ColumnInfo> behind);

}  // namespace millrace::detail
