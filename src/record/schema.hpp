// Schema<T>: what a record type is, derived from a plain struct: columns, names, borrowed text.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "record/arena.hpp"
#include "record/member_kinds.hpp"
#include "record/member_names.hpp"

namespace millrace {

/// A member's name outside the program (JSON, columns); see field().
template <class T, class M>
struct Field {
  M T::* member;
  std::string_view name;
};

/// Renames a member. A type lists only what it renames:
/// `static constexpr auto fields() { return std::tuple{field(&Edit::is_robot, "isBot")}; }`
/// A name is at least one character, without quotes, backslashes and control characters.
template <class T, class M>
constexpr Field<T, M> field(M T::* member, std::string_view name) {
  return {member, name};
}

/// Types that can be stored, parsed and shown: plain structs of described members, one scalar alone
/// (a column named "value"), and pairs or tuples of up to eight described values (columns "key1",
/// "key2", ...).
template <class T>
concept Described = detail::kRefusal<T> == detail::Refusal::none;

/// `object` is a nested struct, a list or a map: JSON text in a cell. A Decimal is `real`; an
/// interval, a char and an enum are `text`.
enum class ColumnType { boolean, integer, real, text, timestamp, object };

/// The name that reports use: "bool", "int", "double", "string" (also for objects) or "timestamp".
constexpr std::string_view column_type_name(ColumnType type) {
  constexpr std::array<std::string_view, 6> kNames{"bool",   "int",       "double",
                                                   "string", "timestamp", "string"};
  return kNames[static_cast<std::size_t>(type)];
}

/// Whether a column of rows holds the bytes of its values: of a text, or of a list or a struct as
/// JSON.
constexpr bool lies_as_text(ColumnType type) {
  return type == ColumnType::text || type == ColumnType::object;
}

struct ColumnInfo {
  std::string name;
  ColumnType type;
  bool optional = false;  ///< may be null
};

namespace detail {

template <class M>
constexpr ColumnType column_type() {
  if constexpr (kIsOptional<M>) {
    return column_type<typename M::value_type>();
  } else if constexpr (std::is_same_v<M, bool>) {
    return ColumnType::boolean;
  } else if constexpr (PlainInteger<M>) {
    return ColumnType::integer;
  } else if constexpr (std::is_floating_point_v<M> || kIsDecimal<M>) {
    return ColumnType::real;
  } else if constexpr (TextValue<M> || std::is_enum_v<M> || OneOf<M, char, Duration, Bytes>) {
    return ColumnType::text;
  } else if constexpr (std::is_same_v<M, Timestamp>) {
    return ColumnType::timestamp;
  } else {
    return ColumnType::object;
  }
}

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif

/// JSON writes such names as they are.
template <std::size_t N>
constexpr bool are_plain(const std::array<std::string_view, N>& names) {
  for (const std::string_view name : names) {
    for (const char c : name) {
      if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) return false;
    }
    if (name.empty()) return false;
  }
  return true;
}

template <std::size_t N>
constexpr bool are_distinct(const std::array<std::string_view, N>& names) {
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (names[i] == names[j]) return false;
    }
  }
  return true;
}

/// Names of the members of struct T, in order, after its renames.
template <class T>
consteval auto renamed_members() {
  auto names = kDeclaredNames<T>;
  if constexpr (requires { T::fields(); }) {
    const auto rename = [&names](const auto& entry) {
      const void* wanted = &(external<T>.value.*entry.member);
      MemberBinder<kMemberCount<T>>::bind(external<T>.value, [&](auto&... members) {
        std::size_t at = 0;
        ((static_cast<const void*>(&members) == wanted ? void(names[at] = entry.name) : void(),
          ++at),
         ...);
      });
    };
    std::apply([&rename](const auto&... entries) { (rename(entries), ...); }, T::fields());
  }
  return names;
}

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

template <class T>
consteval auto schema_names() {
  if constexpr (ScalarValue<T>) {
    return std::array<std::string_view, 1>{"value"};
  } else if constexpr (kIsTuple<T>) {
    constexpr std::array<std::string_view, kKeysMax> kKeys{"key1", "key2", "key3", "key4",
                                                           "key5", "key6", "key7", "key8"};
    std::array<std::string_view, std::tuple_size_v<T>> names;
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = kKeys[i];
    return names;
  } else {
    return renamed_members<T>();
  }
}

/// Names of the top-level members of T, in order.
template <class T>
inline constexpr auto kSchemaNames = schema_names<T>();

/// Calls visit(m1, ..., mN) with references to the top-level members of `record`.
template <class T, class Visit>
constexpr decltype(auto) bind_members(T& record, Visit&& visit) {
  using Plain = std::remove_const_t<T>;
  if constexpr (ScalarValue<Plain>) {
    return visit(record);
  } else if constexpr (kIsTuple<Plain>) {
    return std::apply([&visit](auto&... members) -> decltype(auto) { return visit(members...); },
                      record);
  } else {
    return MemberBinder<kMemberCount<Plain>>::bind(record, visit);
  }
}

/// Calls visit(index, member) for each top-level member in order; index is a
/// std::integral_constant.
template <class T, class Visit>
constexpr void visit_members(T& record, Visit&& visit) {
  bind_members(record, [&visit]<class... M>(M&... members) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (visit(std::integral_constant<std::size_t, I>{}, members), ...);
    }(std::index_sequence_for<M...>{});
  });
}

template <class M>
constexpr bool borrows();

template <class... M>
constexpr bool any_borrows(MemberTypes<M...>*) {
  return (borrows<M>() || ...);
}
template <template <class...> class Tuple, class... M>
constexpr bool any_element_borrows(Tuple<M...>*) {
  return (borrows<M>() || ...);
}

/// Whether an M holds (or may hold) views of bytes that it does not own, at any depth.
template <class M>
constexpr bool borrows() {
  if constexpr (std::is_same_v<M, std::string_view> || std::is_same_v<M, Bytes>) {
    return true;
  } else if constexpr (ScalarValue<M>) {
    return false;
  } else if constexpr (kIsOptional<M> || kIsList<M>) {
    return borrows<typename M::value_type>();
  } else if constexpr (kIsMap<M>) {
    return borrows<typename M::mapped_type>();
  } else if constexpr (kIsTuple<M>) {
    return any_element_borrows(static_cast<M*>(nullptr));
  } else {
    return any_borrows(static_cast<MemberTypesOf<M>*>(nullptr));
  }
}

inline void visit_bytes(const Bytes& bytes, const auto& visit) {
  if (!bytes.is_owned()) visit(bytes.text());
}
inline void visit_bytes(Bytes& bytes, const auto& visit) {
  if (bytes.is_owned()) return;
  std::string_view view = bytes.text();
  visit(view);
  bytes = Bytes::view_of(view);
}

/// Calls visit(view) for each borrowed view in `member`, at any depth.
template <class M, class Visit>
void visit_views(M& member, const Visit& visit) {
  using Plain = std::remove_const_t<M>;
  if constexpr (!borrows<Plain>()) {
    return;
  } else if constexpr (std::is_same_v<Plain, std::string_view>) {
    visit(member);
  } else if constexpr (std::is_same_v<Plain, Bytes>) {
    visit_bytes(member, visit);
  } else if constexpr (kIsOptional<Plain>) {
    if (member) visit_views(*member, visit);
  } else if constexpr (kIsList<Plain>) {
    for (auto& element : member) visit_views(element, visit);
  } else if constexpr (kIsMap<Plain>) {
    for (auto& entry : member) visit_views(entry.second, visit);
  } else {
    bind_members(member, [&visit](auto&... members) { (visit_views(members, visit), ...); });
  }
}

}  // namespace detail

/// The description of T. Instantiating it for a type that cannot be described fails to compile with
/// a sentence that says why and what to do.
template <class T>
struct Schema : detail::RequireDescribed<T> {
  // Only so that the sentence above is the compiler's last word.
  static constexpr bool kBorrows = false;
  static constexpr std::size_t kColumns = 0;
  static const std::vector<ColumnInfo>& columns();
  template <class Record, class Visit>
  static constexpr void for_each(Record&, Visit&&) {}
  static std::size_t borrowed_bytes(const T&) { return 0; }
  static void rehome(T&, detail::Arena&) {}
};

template <Described T>
struct Schema<T> {
  static constexpr std::size_t kColumns = detail::kSchemaNames<T>.size();
  static_assert(detail::are_distinct(detail::kSchemaNames<T>),
                "millrace: two members of a record have the same name after fields()");

  static_assert(
      detail::are_plain(detail::kSchemaNames<T>),
      "millrace: a name in fields() is empty or has a quote, a backslash or a control character");

  /// Top-level members in order of declaration. The reference is valid forever; first call
  /// allocates.
  static const std::vector<ColumnInfo>& columns();

  /// Calls visitor(std::string_view name, member&) for each top-level member in order; unrolled by
  /// the compiler.
  template <class Visitor>
  static constexpr void for_each(T& record, Visitor&& visitor) {
    detail::visit_members(record, [&visitor](auto index, auto& member) {
      visitor(detail::kSchemaNames<T>[index], member);
    });
  }
  template <class Visitor>
  static constexpr void for_each(const T& record, Visitor&& visitor) {
    detail::visit_members(record, [&visitor](auto index, const auto& member) {
      visitor(detail::kSchemaNames<T>[index], member);
    });
  }

  /// True when records hold views of text (std::string_view at any depth) that lies in a batch's
  /// arena.
  static constexpr bool kBorrows = detail::borrows<T>();

  /// Bytes that rehome() would copy; 0 when !kBorrows.
  static std::size_t borrowed_bytes(const T& record) {
    std::size_t bytes = 0;
    detail::visit_views(record, [&bytes](const std::string_view& view) { bytes += view.size(); });
    return bytes;
  }

  /// Copies the text that `record` borrows into `arena` and lets it point there. Nothing when
  /// !kBorrows.
  static void rehome(T& record, detail::Arena& arena) {
    detail::visit_views(record, [&arena](std::string_view& view) { view = arena.intern(view); });
  }
};

template <Described T>
const std::vector<ColumnInfo>& Schema<T>::columns() {
  static const std::vector<ColumnInfo> kInfos = [] {
    std::vector<ColumnInfo> infos;
    infos.reserve(kColumns);
    const T record{};
    for_each(record, [&infos]<class M>(std::string_view name, const M&) {
      infos.push_back({std::string(name), detail::column_type<M>(), detail::kIsOptional<M>});
    });
    return infos;
  }();
  return kInfos;
}

/// The schema's name of a member, renames applied. Cost: makes a T; call it when declaring, not per
/// record.
template <class T, class M>
std::string member_name(M T::* member) {
  T record{};
  std::string found;
  const void* wanted = &(record.*member);
  Schema<T>::for_each(record, [&]<class Member>(std::string_view name, Member& candidate) {
    if (static_cast<const void*>(&candidate) == wanted) found = name;
  });
  return found;
}

}  // namespace millrace
