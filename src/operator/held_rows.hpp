// How what is held of rows is shown: keys by their fields, values by the types of their columns.
#pragma once

#include "operator/held_aggregates.hpp"
#include "record/row_schema.hpp"

namespace millrace::detail {

/// `schema`: of the rows that the aggregate would leave as; `encoded`: its key is of KeyFields, and
/// is shown as that of typed records is, several fields as a JSON list.
void show_as_row(const RowSchemaPtr& schema, bool encoded, HeldAggregate& held);

}  // namespace millrace::detail
