// Rows as bytes: how an image holds them, with the fields that they had.
#pragma once

#include <string>
#include <string_view>

#include "base/byte_codec.hpp"
#include "record/row_batch.hpp"

namespace millrace::detail {

/// The fields for people and for comparing: "{user:string,n:int?}".
std::string rows_shape(const RowSchema& schema);

/// The fields and what else is known of the rows.
void store_rows_schema(std::string& out, const RowSchema& schema);
/// Null when the bytes do not fit. Any bytes may come, here and below.
RowSchemaPtr load_rows_schema(BytesCursor& in);

/// A row, field by field: a byte, 0 for a null; then a boolean in a byte, a number in eight, a text
/// behind its length.
void store_row(std::string& out, const RowRef& row);
/// Appends a row to columns that have begun. Texts point into `in`. False when the bytes do not
/// fit: the columns are not to be used then.
bool load_row(BytesCursor& in, RowColumns& to);
/// Puts the value of a field into a column as its value number `at`; false as above.
bool load_field(BytesCursor& in, Column& column, std::size_t at);

}  // namespace millrace::detail
