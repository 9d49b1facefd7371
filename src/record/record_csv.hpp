// Cells as CSV text: quoting where a reader would else take them apart.
#pragma once

#include <string>
#include <string_view>

#include "record/csv_row.hpp"

namespace millrace::detail {

/// Appends `text` as one cell. It stands in quotes, with quotes inside doubled, when it holds a
/// separator, a quote or a line end, begins or ends with a space, or is empty: an empty cell
/// without quotes is no value.
void append_csv_text(std::string& out, std::string_view text, const CsvDialect& dialect);

}  // namespace millrace::detail
