// Reflection of plain structs without macros: how many members, references to them, their names.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "record/member_binding.hpp"

namespace millrace::detail {

/// What a stand-in converts to: anything but itself (asking whether it can be copied would never
/// end).
template <class U, class StandIn>
concept Other = !std::is_same_v<std::remove_cv_t<U>, StandIn>;

/// Converts to any type: aggregate initialisation from N of them compiles when the aggregate has N
/// members. The conversion is const so that a type's own converting constructor (std::optional's)
/// wins over it.
struct Anything {
  template <Other<Anything> U>
    requires std::is_copy_constructible_v<U>
  operator U&() const {
    __builtin_unreachable();
  }
  template <Other<Anything> U>
    requires(!std::is_copy_constructible_v<U>)
  operator U&&() const {
    __builtin_unreachable();
  }
};

struct AnythingButUnions {
  template <Other<AnythingButUnions> U>
    requires(!std::is_union_v<U> && std::is_copy_constructible_v<U>)
  operator U&() const {
    __builtin_unreachable();
  }
  template <Other<AnythingButUnions> U>
    requires(!std::is_union_v<U> && !std::is_copy_constructible_v<U>)
  operator U&&() const {
    __builtin_unreachable();
  }
};

template <class Derived>
struct AnyBaseOf {
  template <class U>
    requires(std::is_base_of_v<U, Derived> && !std::is_same_v<U, Derived>)
  operator U&() const {
    __builtin_unreachable();
  }
};

template <class T, std::size_t... I>
constexpr bool braces_take(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), Anything{})...}; };
}

/// Parentheses, unlike braces, never spread initialisers over the elements of an inner array or
/// union.
template <class T, std::size_t... I>
constexpr bool parentheses_take(std::index_sequence<I...>) {
  return requires { T((static_cast<void>(I), AnythingButUnions{})...); };
}

template <class T, std::size_t N = 0>
constexpr std::size_t count_members() {
  if constexpr (N > kMembersMax) {
    return N;
  } else if constexpr (braces_take<T>(std::make_index_sequence<N + 1>{})) {
    return count_members<T, N + 1>();
  } else if constexpr (std::is_aggregate_v<T> &&
                       !braces_take<T>(std::make_index_sequence<N>{})) {
    return count_members<T, N + 1>();  // a member behind these has no default
  } else {
    return N;
  }
}

/// Members of aggregate T (inner arrays count as their elements); kMembersMax + 1 means "more than
/// kMembersMax".
template <class T>
inline constexpr std::size_t kMemberCount = count_members<T>();

template <class T>
inline constexpr bool kHasBase = requires { T{AnyBaseOf<T>{}}; };

/// The types of T's members as MemberTypes<...>, or NotAddressable.
template <class T>
using MemberTypesOf = decltype(MemberBinder<kMemberCount<T>>::member_types(std::declval<T&>()));

/// Holds a T that never exists: only the addresses of its members are looked at, by the compiler.
template <class T>
struct Holder {
  T value;
};

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif

template <class T>
extern const Holder<T> external;

/// The last identifier in the compiler's text of `Address`: the member's name in g++ and in clang.
template <auto Address>
consteval auto address_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  const auto in_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  while (!in_name(text.back())) text.remove_suffix(1);
  std::size_t begin = text.size();
  while (begin > 0 && in_name(text[begin - 1])) --begin;
  return text.substr(begin);
}

template <class T, std::size_t I>
consteval auto address_at() {
  return MemberBinder<kMemberCount<T>>::bind(
      external<T>.value, [](auto&... members) { return std::get<I>(std::tuple{&members...}); });
}

template <class T, std::size_t... I>
consteval auto declared_names(std::index_sequence<I...>) {
  return std::array<std::string_view, sizeof...(I)>{address_name<address_at<T, I>()>()...};
}

/// Names of the members of T as declared, in order.
template <class T>
inline constexpr auto kDeclaredNames =
    declared_names<T>(std::make_index_sequence<kMemberCount<T>>{});

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

}  // namespace millrace::detail
