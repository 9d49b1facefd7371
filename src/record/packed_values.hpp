// PackedValues: the values of a row as few bytes, each of which says what it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/byte_codec.hpp"
#include "record/record_json.hpp"

namespace millrace::detail {

/// What stands before a value.
enum class Packed : std::uint8_t { null, no, yes, integer, beyond, real, text, time, json };

inline void put_packed(std::string& out, Packed kind, std::string_view text) {
  out.push_back(static_cast<char>(kind));
  put_varint(out, text.size());
  out.append(text);
}

/// Appends a member. What JSON has no form of its own for (decimals, enums, lists, structs, ...) is
/// kept as the JSON text that logs write.
template <class M>
void append_packed(std::string& out, const M& value) {
  const auto kind = [&out](Packed of) { out.push_back(static_cast<char>(of)); };
  if constexpr (kIsOptional<M>) {
    value ? append_packed(out, *value) : kind(Packed::null);
  } else if constexpr (std::is_same_v<M, bool>) {
    kind(value ? Packed::yes : Packed::no);
  } else if constexpr (PlainInteger<M>) {
    const bool fits = std::in_range<std::int64_t>(value);
    kind(fits ? Packed::integer : Packed::beyond);
    put_varint(out,
               fits ? zigzag(static_cast<std::int64_t>(value)) : static_cast<std::uint64_t>(value));
  } else if constexpr (std::is_same_v<M, double>) {
    kind(Packed::real);
    put_number(out, value);
  } else if constexpr (TextValue<M>) {
    put_packed(out, Packed::text, value);
  } else if constexpr (std::is_same_v<M, Timestamp>) {
    kind(Packed::time);
    put_varint(out, zigzag(value.micros));
  } else {
    std::string text;
    append_json_value(text, value);
    put_packed(out, Packed::json, text);
  }
}

/// A value that was packed; texts and JSON lie in the bytes.
using PackedValue = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double,
                                 std::string_view, Timestamp, JsonText>;

/// Takes the next value; null, and `from` not ok, where the bytes do not fit.
PackedValue take_packed(BytesCursor& from);

}  // namespace millrace::detail
