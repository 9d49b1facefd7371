// Records as JSON text: append_json for every type that a schema describes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

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

template <class T>
void append_json_object(std::string& out, const T& record);
template <class T>
void append_json_array(std::string& out, const T& record);

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
  } else if constexpr (std::is_same_v<M, Timestamp>) {
    append_json_time(out, value);
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
/// array for a pair or tuple. Timestamps are ISO 8601 text, absent optionals null; text that is not
/// UTF-8 gets U+FFFD in place.
template <class T>
void append_json(std::string& out, const T& record) {
  static_cast<void>(
      Schema<T>::kBorrows);  // refuses a type that cannot be described, with its sentence
  if constexpr (Described<T>) detail::append_json_value(out, record);
}

}  // namespace millrace
