// Records as JSON text: append_json for every type that a schema describes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "record/schema.hpp"

namespace millrace {

namespace detail {

void append_json_integer(std::string& out, std::int64_t value);
void append_json_integer(std::string& out, std::uint64_t value);
/// Shortest text that reads back as the same number; null for NaN and infinities, which JSON does
/// not have.
void append_json_number(std::string& out, double value);
void append_json_number(std::string& out, float value);
/// ISO 8601 in quotes.
void append_json_time(std::string& out, Timestamp value);
/// As format_interval(), in quotes.
void append_json_interval(std::string& out, Duration value);
/// A value that is JSON already: a list or a struct in a column of rows.
struct JsonText {
  std::string_view json;
};
/// The name of an enum's value in quotes, or its number where it has none.
template <NamedEnum E>
void append_json_enum(std::string& out, E value) {
  const std::string_view name = enum_name(value);
  if (name.empty()) return append_json_integer(out, static_cast<std::int64_t>(value));
  out.append(1, '"').append(name).append(1, '"');
}

template <class T>
void append_json_object(std::string& out, const T& record);
template <class T>
void append_json_array(std::string& out, const T& record);
template <class List>
void append_json_list(std::string& out, const List& list);
template <class Map>
void append_json_map(std::string& out, const Map& map);

template <class M>
void append_json_value(std::string& out, const M& value) {
  if constexpr (kIsOptional<M>) {
    if (value) {
      append_json_value(out, *value);
    } else {
      out += "null";
    }
  } else if constexpr (std::is_same_v<M, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (PlainInteger<M>) {
    using Wide = std::conditional_t<std::is_signed_v<M>, std::int64_t, std::uint64_t>;
    append_json_integer(out, static_cast<Wide>(value));
  } else if constexpr (std::is_floating_point_v<M>) {
    append_json_number(out, value);
  } else if constexpr (TextValue<M>) {
    append_json_string(out, value);
  } else if constexpr (std::is_same_v<M, JsonText>) {
    out += value.json;
  } else if constexpr (std::is_same_v<M, Bytes>) {
    out += '"';
    append_base64(out, value.text());
    out += '"';
  } else if constexpr (std::is_same_v<M, Timestamp>) {
    append_json_time(out, value);
  } else if constexpr (std::is_same_v<M, Duration>) {
    append_json_interval(out, value);
  } else if constexpr (std::is_same_v<M, char>) {
    append_json_string(out, {&value, 1});
  } else if constexpr (kIsDecimal<M>) {
    append_decimal(out, value.units, M::kScale);
  } else if constexpr (NamedEnum<M>) {
    append_json_enum(out, value);
  } else if constexpr (kIsList<M>) {
    append_json_list(out, value);
  } else if constexpr (kIsMap<M>) {
    append_json_map(out, value);
  } else if constexpr (kIsTuple<M>) {
    append_json_array(out, value);
  } else {
    append_json_object(out, value);
  }
}

template <class T>
void append_json_object(std::string& out, const T& record) {
  char before = '{';
  Schema<T>::for_each(record, [&](std::string_view name, const auto& member) {
    out += before;
    before = ',';
    out += '"';
    out += name;
    out += "\":";
    append_json_value(out, member);
  });
  out += '}';
}

template <class List>
void append_json_list(std::string& out, const List& list) {
  char before = '[';
  for (const auto& element : list) {
    out += before;
    before = ',';
    append_json_value(out, element);
  }
  out += before == '[' ? "[]" : "]";
}

template <class Map>
void append_json_map(std::string& out, const Map& map) {
  char before = '{';
  for (const auto& [key, value] : map) {
    out += before;
    before = ',';
    if constexpr (PlainInteger<typename Map::key_type>) {
      out.append(1, '"').append(std::to_string(key)).append(1, '"');
    } else {
      append_json_string(out, key);
    }
    out += ':';
    append_json_value(out, value);
  }
  out += before == '{' ? "{}" : "}";
}

template <class T>
void append_json_array(std::string& out, const T& record) {
  char before = '[';
  Schema<T>::for_each(record, [&](std::string_view, const auto& member) {
    out += before;
    before = ',';
    append_json_value(out, member);
  });
  out += ']';
}

}  // namespace detail

/// Appends `record` as JSON on one line: an object for a struct, the bare value for a scalar, an
/// array for a pair or tuple. Bytes are base64, timestamps are ISO 8601 text, absent optionals
/// null; text that is not UTF-8 gets U+FFFD in place.
template <class T>
void append_json(std::string& out, const T& record) {
  static_cast<void>(
      Schema<T>::kBorrows);  // refuses a type that cannot be described, with its sentence
  if constexpr (Described<T>) detail::append_json_value(out, record);
}

}  // namespace millrace
