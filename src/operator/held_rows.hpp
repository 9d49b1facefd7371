// How what is held of rows is shown: keys by their fields, values by the types of their columns.
#pragma once

#include <string>
#include <string_view>

#include "operator/held_aggregates.hpp"
#include "record/row_schema.hpp"
#include "state/state_image.hpp"

namespace millrace::detail {

/// `schema`: of the rows that the aggregate would leave as; `encoded`: its key is of KeyFields, and
/// is shown as that of typed records is, several fields as a JSON list.
void show_as_row(const RowSchemaPtr& schema, bool encoded, HeldAggregate& held);

/// The part of an image that says what such keys are made of: for who looks into it.
inline constexpr std::string_view kKeyFieldsPart = ":keys";
/// Adds it.
void save_key_fields(StateWriter& writer, const RowSchema& schema);
/// Appends the key as JSON, several fields as a list; false where the bytes do not fit.
bool append_key_fields(std::string& out, const RowSchema& schema, std::string_view encoded);

}  // namespace millrace::detail
