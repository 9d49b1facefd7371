// OrderedKey: the values of a key as bytes that compare as the values do, part by part.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "record/member_kinds.hpp"
#include "record/record_json.hpp"

namespace millrace::detail {

/// What a part of a key is to those who give it as a text. `none`: it can be no part of one.
enum class KeyPartKind : std::uint8_t { none, flag, integer, real, decimal, text, time, interval };

/// A part of a key: the column that it is taken from.
struct KeyPart {
  std::string name;
  KeyPartKind kind = KeyPartKind::none;
  int scale = 0;  ///< of a decimal: its places
};

/// "an integer", "a text", ...: for messages.
std::string_view describe(KeyPartKind kind);

/// An absent value stands before all others.
void append_ordered_null(std::string& out);
void append_ordered_flag(std::string& out, bool value);
void append_ordered_integer(std::string& out, std::int64_t value);
/// Those above the greatest int64 stand behind all signed ones.
void append_ordered_unsigned(std::string& out, std::uint64_t value);
/// One zero; NaN stands behind infinity.
void append_ordered_real(std::string& out, double value);
/// By bytes, as UTF-8 texts compare by their code points.
void append_ordered_text(std::string& out, std::string_view value);
/// The first bytes of all texts that begin with `begin`: less of the text than
/// append_ordered_text(), which ends it.
void append_ordered_beginning(std::string& out, std::string_view begin);
/// The bytes that stand behind all that begin with `bytes`; empty: nothing stands behind them.
std::string behind_all(std::string_view bytes);

/// The value that `text` says as a part of that kind: an integer in digits, a time as ISO 8601, a
/// text as it is. False, with nothing appended: it says none.
bool append_ordered_word(std::string& out, const KeyPart& part, std::string_view text);

template <class M>
constexpr KeyPartKind key_part_kind() {
  if constexpr (kIsOptional<M>) {
    return key_part_kind<typename M::value_type>();
  } else if constexpr (std::is_same_v<M, bool>) {
    return KeyPartKind::flag;
  } else if constexpr (PlainInteger<M>) {
    return KeyPartKind::integer;
  } else if constexpr (std::is_floating_point_v<M>) {
    return KeyPartKind::real;
  } else if constexpr (kIsDecimal<M>) {
    return KeyPartKind::decimal;
  } else if constexpr (TextValue<M> || std::is_same_v<M, char> || NamedEnum<M>) {
    return KeyPartKind::text;
  } else if constexpr (std::is_same_v<M, Timestamp>) {
    return KeyPartKind::time;
  } else if constexpr (std::is_same_v<M, Duration>) {
    return KeyPartKind::interval;
  } else {
    return KeyPartKind::none;
  }
}
template <class M>
constexpr int key_part_scale() {
  if constexpr (kIsOptional<M>) {
    return key_part_scale<typename M::value_type>();
  } else if constexpr (kIsDecimal<M>) {
    return M::kScale;
  } else {
    return 0;
  }
}

/// Appends a member; an enum by the name of its value. Of kind `none`: nothing.
template <class M>
void append_ordered(std::string& out, const M& value) {
  if constexpr (kIsOptional<M>) {
    value ? append_ordered(out, *value) : append_ordered_null(out);
  } else if constexpr (std::is_same_v<M, bool>) {
    append_ordered_flag(out, value);
  } else if constexpr (PlainInteger<M>) {
    if constexpr (std::is_unsigned_v<M>) {
      append_ordered_unsigned(out, value);
    } else {
      append_ordered_integer(out, value);
    }
  } else if constexpr (std::is_floating_point_v<M>) {
    append_ordered_real(out, static_cast<double>(value));
  } else if constexpr (kIsDecimal<M>) {
    append_ordered_integer(out, value.units);
  } else if constexpr (TextValue<M>) {
    append_ordered_text(out, value);
  } else if constexpr (std::is_same_v<M, char>) {
    append_ordered_text(out, {&value, 1});
  } else if constexpr (NamedEnum<M>) {
    const std::string_view name = enum_name(value);
    append_ordered_text(
        out, name.empty() ? std::to_string(static_cast<std::int64_t>(value)) : std::string(name));
  } else if constexpr (std::is_same_v<M, Timestamp>) {
    append_ordered_integer(out, value.micros);
  } else if constexpr (std::is_same_v<M, Duration>) {
    append_ordered_integer(out, value.count());
  }
}

}  // namespace millrace::detail
