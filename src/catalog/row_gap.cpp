// The gap of a row, and the field that gives it.
#include "catalog/row_gap.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>

#include "catalog/entry.hpp"

namespace millrace::detail {

std::string RowGap::bind(const RowSchema& schema) {
  if (!field) return "";
  const auto column = schema.find(field->name);
  if (!column) return no_such_field(field->name, schema);
  const ColumnType type = schema.fields()[*column].type;
  if (type != ColumnType::integer && type != ColumnType::real) {
    return fmt::format("{} needs a number, \"{}\" is of type {}", to_string(), field->name,
                       column_type_name(type));
  }
  field->column = *column;
  field->real = type == ColumnType::real;
  return "";
}

Status RowGap::validate() const {
  if (span > Duration(0)) return {};
  return {Code::window_invalid,
          fmt::format("window {}: the {} must be longer than 0: give a positive duration",
                      to_string(), field ? "unit of the gap" : "gap")};
}

std::string RowGap::to_string() const {
  if (!field) return fmt::format("session({})", format_duration(span));
  return fmt::format("session({}, {})", field->name, format_duration(span));
}

Duration RowGap::of_field(const RowRef& row) const {
  constexpr std::int64_t kLongest = std::numeric_limits<std::int64_t>::max();
  if (row.is_null(field->column)) {
    throw std::invalid_argument(
        fmt::format("the gap of its session, \"{}\", is null", field->name));
  }
  if (!field->real) {
    const std::int64_t number = row.integer(field->column);
    std::int64_t micros = 0;
    const bool fits = !__builtin_mul_overflow(number, span.count(), &micros);
    return Duration(fits ? micros : number < 0 ? 0 : kLongest);
  }
  const double micros = row.real(field->column) * static_cast<double>(span.count());
  if (!(micros > 0)) return Duration(0);  // and of no number
  return Duration(micros < 9e18 ? std::llround(micros) : kLongest);
}

}  // namespace millrace::detail
