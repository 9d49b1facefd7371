// Cells as CSV text: quoting where a reader would else take them apart.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/interval.hpp"
#include "record/csv_row.hpp"
#include "record/record_json.hpp"

namespace millrace::detail {

/// Appends `text` as one cell. It stands in quotes, with quotes inside doubled, when it holds a
/// separator, a quote or a line end, begins or ends with a space, or is empty: an empty cell
/// without quotes is no value.
void append_csv_text(std::string& out, std::string_view text, const CsvDialect& dialect);

/// Appends one value as a cell that a CsvDecoder reads as the same value: nothing for an empty
/// optional, JSON for a struct, list or map.
template <class M>
void append_csv_value(std::string& out, const M& value, const CsvDialect& dialect) {
  if constexpr (kIsOptional<M>) {
    if (value) append_csv_value(out, *value, dialect);
  } else if constexpr (TextValue<M>) {
    append_csv_text(out, value, dialect);
  } else if constexpr (std::is_same_v<M, char>) {
    append_csv_text(out, {&value, 1}, dialect);
  } else if constexpr (std::is_same_v<M, Timestamp>) {
    out += format_iso_time(value.micros);
  } else if constexpr (std::is_same_v<M, Duration>) {
    out += format_interval(value);
  } else if constexpr (NamedEnum<M>) {
    const std::string_view name = enum_name(value);
    out += name.empty() ? std::to_string(static_cast<std::int64_t>(value)) : std::string(name);
  } else if constexpr (std::is_floating_point_v<M>) {
    if (std::isfinite(value)) return append_json_number(out, value);
    out += std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
  } else if constexpr (ScalarValue<M>) {
    append_json_value(out, value);
  } else {
    std::string text;
    append_json_value(text, value);
    append_csv_text(out, text, dialect);
  }
}

}  // namespace millrace::detail
