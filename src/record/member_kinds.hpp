// Which types a record may hold, and the sentence for each that it may not.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/decimal.hpp"
#include "base/time.hpp"
#include "record/bytes.hpp"
#include "record/enum_names.hpp"
#include "record/member_names.hpp"

namespace millrace::detail {

template <class T, class... Options>
concept OneOf = (std::is_same_v<T, Options> || ...);

/// Integers of every width; `char` is not one of them: it is a letter.
template <class T>
concept PlainInteger = OneOf<T, signed char, unsigned char, short, unsigned short, int, unsigned,
                             long, unsigned long, long long, unsigned long long>;

template <class T>
concept TextValue = OneOf<T, std::string, std::string_view>;

/// What one column of its own holds.
template <class T>
concept ScalarValue = PlainInteger<T> || TextValue<T> ||
                      OneOf<T, bool, char, float, double, Timestamp, Duration, Bytes> ||
                      kIsDecimal<T> || NamedEnum<T>;

template <class T>
inline constexpr bool kIsList = false;
template <class T, class A>
inline constexpr bool kIsList<std::vector<T, A>> = !std::is_same_v<T, bool>;

/// Maps whose keys own themselves: text or integers.
template <class T>
inline constexpr bool kIsMap = false;
template <class K, class V, class C, class A>
inline constexpr bool kIsMap<std::map<K, V, C, A>> =
    PlainInteger<K> || std::is_same_v<K, std::string>;
template <class K, class V, class H, class C, class A>
inline constexpr bool kIsMap<std::unordered_map<K, V, H, C, A>> =
    PlainInteger<K> || std::is_same_v<K, std::string>;

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

template <class T>
inline constexpr bool kIsTuple = false;
template <class... T>
inline constexpr bool kIsTuple<std::tuple<T...>> = true;
template <class A, class B>
inline constexpr bool kIsTuple<std::pair<A, B>> = true;

/// Elements of a tuple that become columns key1 ... key8.
inline constexpr std::size_t kKeysMax = 8;

/// Why a type cannot be described.
enum class Refusal {
  none,
  not_plain,
  no_default,
  not_assignable,
  no_members,
  too_many,
  array_or_union,
  base,
  bit_field,
  member_type,
  keys,
};

template <class T>
constexpr Refusal refusal_of();

template <class M>
constexpr bool member_fits() {
  if constexpr (ScalarValue<M>) {
    return true;
  } else if constexpr (kIsOptional<M>) {
    using Inner = typename M::value_type;
    if constexpr (kIsOptional<Inner>) {
      return false;
    } else {
      return member_fits<Inner>();
    }
  } else if constexpr (kIsList<M>) {
    return member_fits<typename M::value_type>();
  } else if constexpr (kIsMap<M>) {
    return member_fits<typename M::mapped_type>();
  } else if constexpr (kIsTuple<M>) {
    return false;
  } else {
    return refusal_of<M>() == Refusal::none;
  }
}

template <class... M>
constexpr bool members_fit(MemberTypes<M...>*) {
  return (member_fits<M>() && ...);
}

template <class... M>
constexpr bool elements_fit(std::tuple<M...>*) {
  return sizeof...(M) > 0 && sizeof...(M) <= kKeysMax && (member_fits<M>() && ...);
}
template <class A, class B>
constexpr bool elements_fit(std::pair<A, B>*) {
  return member_fits<A>() && member_fits<B>();
}

/// The first reason against aggregate T that can be found without binding its members.
template <class T>
constexpr Refusal shape_refusal() {
  constexpr std::size_t kCount = kMemberCount<T>;
  if (kCount == 0) return Refusal::no_members;
  if (kCount > kMembersMax) return Refusal::too_many;
  if (!parentheses_take<T>(std::make_index_sequence<kCount>{})) return Refusal::array_or_union;
  if (kHasBase<T>) return Refusal::base;
  return Refusal::none;
}

template <class T>
constexpr Refusal refusal_of() {
  if constexpr (ScalarValue<T>) {
    return Refusal::none;
  } else if constexpr (kIsTuple<T>) {
    return elements_fit(static_cast<T*>(nullptr)) ? Refusal::none : Refusal::keys;
  } else if constexpr (!std::is_class_v<T> || !std::is_aggregate_v<T> || std::is_const_v<T> ||
                       requires { std::tuple_size<T>::value; }) {
    return Refusal::not_plain;
  } else if constexpr (!std::is_default_constructible_v<T>) {
    return Refusal::no_default;
  } else if constexpr (!std::is_move_assignable_v<T>) {
    return Refusal::not_assignable;
  } else if constexpr (shape_refusal<T>() != Refusal::none) {
    return shape_refusal<T>();
  } else if constexpr (std::is_same_v<MemberTypesOf<T>, NotAddressable>) {
    return Refusal::bit_field;
  } else {
    return members_fit(static_cast<MemberTypesOf<T>*>(nullptr)) ? Refusal::none
                                                                : Refusal::member_type;
  }
}

template <class T>
inline constexpr Refusal kRefusal = refusal_of<T>();

/// Fails to compile with one sentence when T cannot be described.
template <class T>
struct RequireDescribed {
  static constexpr Refusal kWhy = kRefusal<T>;
  static_assert(kWhy != Refusal::not_plain,
                "millrace: a record that is stored, parsed or shown must be a plain struct: no "
                "private members, "
                "constructors or virtual functions, and not a pointer, union or array");
  static_assert(kWhy != Refusal::no_default,
                "millrace: a record's members need default values; a reference has none: hold the "
                "value itself");
  static_assert(kWhy != Refusal::not_assignable,
                "millrace: a record's members must be assignable: no references, no const members");
  static_assert(kWhy != Refusal::no_members, "millrace: a record needs at least one member");
  static_assert(kWhy != Refusal::too_many,
                "millrace: a record has at most 64 members: group some of them in a nested struct");
  static_assert(kWhy != Refusal::array_or_union,
                "millrace: a record cannot hold a C array or a union: use separate members or a "
                "nested struct");
  static_assert(kWhy != Refusal::base,
                "millrace: a record cannot have a base class: make the base a member of it");
  static_assert(kWhy != Refusal::bit_field,
                "millrace: a record cannot hold bit-fields: use bool or a small integer");
  static_assert(kWhy != Refusal::member_type,
                "millrace: a record's member has a type that cannot be described; these can: bool, "
                "char, integers, float, double, millrace::Decimal, std::string, std::string_view, "
                "millrace::Timestamp, millrace::Duration, millrace::Bytes, enum class; "
                "std::optional, std::vector "
                "(not of bool), std::map and std::unordered_map (from std::string or integers) of "
                "those, and structs of those");
  static_assert(
      kWhy != Refusal::keys,
      "millrace: a compound key is a pair or tuple of 1 to 8 values that can be described");
};

}  // namespace millrace::detail
