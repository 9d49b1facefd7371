// Value: one cell of a shown row, and the values of a record by column.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/interval.hpp"
#include "base/time.hpp"
#include "record/record_json.hpp"
#include "record/schema.hpp"

namespace millrace::detail {

/// A cell: monostate is null. The same type as metrics' Cell.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, Timestamp>;

/// The cell of one member: owns its text; a nested struct, list or map becomes JSON text. A Decimal
/// becomes the nearest double: what writes exact text does not go through cells. An unsigned number
/// above the greatest int64 becomes its decimal text, so that no digit is lost. Of Bytes only the
/// size is shown.
template <class M>
Value value_of(const M& member) {
  if constexpr (kIsOptional<M>) {
    return member ? value_of(*member) : Value();
  } else if constexpr (std::is_same_v<M, bool> || std::is_same_v<M, Timestamp>) {
    return member;
  } else if constexpr (PlainInteger<M>) {
    if (!std::in_range<std::int64_t>(member)) return std::to_string(member);
    return static_cast<std::int64_t>(member);
  } else if constexpr (std::is_floating_point_v<M>) {
    return static_cast<double>(member);
  } else if constexpr (kIsDecimal<M>) {
    return member.to_double();
  } else if constexpr (std::is_same_v<M, Duration>) {
    return format_interval(member);
  } else if constexpr (std::is_same_v<M, char>) {
    return std::string(1, member);
  } else if constexpr (NamedEnum<M>) {
    const std::string_view name = enum_name(member);
    return name.empty() ? std::to_string(static_cast<std::int64_t>(member)) : std::string(name);
  } else if constexpr (std::is_same_v<M, Bytes>) {
    return "(" + std::to_string(member.size()) + " bytes)";
  } else if constexpr (TextValue<M>) {
    return std::string(member);
  } else {
    std::string text;
    append_json_value(text, member);
    return text;
  }
}

/// Appends one value per column of Schema<T>, in their order.
template <class T>
void append_values(std::vector<Value>& out, const T& record) {
  Schema<T>::for_each(
      record, [&out](std::string_view, const auto& member) { out.push_back(value_of(member)); });
}

}  // namespace millrace::detail
