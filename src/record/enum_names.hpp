// Names of an enum's values, read from the compiler's text of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace millrace::detail {

/// Enums whose values may be looked at one by one: `enum class`, or with a type written behind it.
template <class E>
concept NamedEnum = std::is_enum_v<E> && requires { E{0}; };

/// Values whose names are found; a value outside is shown as its number.
inline constexpr int kEnumValueMin = -16;
inline constexpr int kEnumValueMax = 127;

/// The last identifier in the compiler's text of `Value`, or "" when it has none.
template <auto Value>
consteval auto enumerator_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  const auto in_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  while (!in_name(text.back())) text.remove_suffix(1);
  std::size_t begin = text.size();
  while (begin > 0 && in_name(text[begin - 1])) --begin;
  text.remove_prefix(begin);
  return text.front() >= '0' && text.front() <= '9' ? std::string_view() : text;
}

template <class E, std::size_t... I>
consteval auto enum_names(std::index_sequence<I...>) {
  constexpr int kFirst = std::is_signed_v<std::underlying_type_t<E>> ? kEnumValueMin : 0;
  return std::array<std::string_view, sizeof...(I)>{
      enumerator_name<static_cast<E>(kFirst + static_cast<int>(I))>()...};
}

/// kEnumNames<E>[i] is the name of value first_enum_value<E>() + i, "" where there is none.
template <NamedEnum E>
constexpr int first_enum_value() {
  return std::is_signed_v<std::underlying_type_t<E>> ? kEnumValueMin : 0;
}
template <NamedEnum E>
inline constexpr auto kEnumNames = enum_names<E>(std::make_index_sequence<static_cast<std::size_t>(
                                                     kEnumValueMax + 1 - first_enum_value<E>())>{});

/// "" when the value has no name.
template <NamedEnum E>
constexpr std::string_view enum_name(E value) {
  const auto number = static_cast<std::int64_t>(value);
  if (number < first_enum_value<E>() || number > kEnumValueMax) return {};
  return kEnumNames<E>[static_cast<std::size_t>(number - first_enum_value<E>())];
}

}  // namespace millrace::detail
