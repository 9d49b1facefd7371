// How a text codec fills a record: kind and place of each member, made from its schema.
#pragma once

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "record/schema.hpp"

namespace millrace::detail {

/// What a line became.
enum class Decoded {
  record,
  blank,   ///< nothing but white space: not an error, and no record
  failed,  ///< see JsonDecoder::error()
};

/// Where the bytes of a line live.
enum class LineHome {
  arena,      ///< in the arena that is passed along (or one pinned beside it): text without escapes
              ///< stays there
  elsewhere,  ///< they may go: all text is copied into the arena
};

enum class ValueKind : std::uint8_t {
  boolean,
  i8,
  i16,
  i32,
  i64,
  u8,
  u16,
  u32,
  u64,
  f32,
  f64,
  string,
  view,
  bytes,
  timestamp,
  interval,
  letter,
  decimal,
  enumeration,
  object,
  list,
  map
};

struct ObjectPlan;
struct ItemsPlan;
struct EnumPlan;

/// How one value is read: its kind and its place in the record.
struct ValuePlan {
  std::string_view name;
  ValueKind kind = ValueKind::object;
  std::uint8_t scale = 0;    ///< of a decimal
  std::uint32_t offset = 0;  ///< bytes from the start of the record
  union {                    ///< by kind
    const ObjectPlan* object = nullptr;
    const ItemsPlan* items;  ///< of a list or map
    const EnumPlan* names;
  };
  void* (*engage)(void*) =
      nullptr;  ///< of an optional: makes it hold a value and returns that value's address
  void (*disengage)(void*) = nullptr;  ///< of an optional: empties it
};

/// The members of a struct in order.
struct ObjectPlan {
  std::vector<ValuePlan> members;
  std::uint64_t required = 0;  ///< bit i: member i must be there
};

/// The elements of a list or map.
struct ItemsPlan {
  ValuePlan element;
  void (*clear)(void* items) = nullptr;
  void* (*append)(void* list) = nullptr;  ///< adds an element and returns its address
  /// The address of the element of a key; nullptr when the text is not a key of that map.
  void* (*slot)(void* map, std::string_view key) = nullptr;
};

/// The values of an enum by their names.
struct EnumPlan {
  std::vector<std::string_view> names;
  std::vector<std::int64_t> values;  ///< of the name at the same place
  std::size_t width = 0;             ///< bytes of the enum

  /// Stores the value that a name (exactly, or as snake_case = camelCase) or a number means. False
  /// when there is none.
  bool store(void* at, std::string_view text) const;
};

template <class M>
constexpr ValueKind value_kind() {
  constexpr ValueKind kSigned[] = {ValueKind::i8, ValueKind::i16, ValueKind::i32, ValueKind::i64};
  constexpr ValueKind kUnsigned[] = {ValueKind::u8, ValueKind::u16, ValueKind::u32, ValueKind::u64};
  if constexpr (std::is_same_v<M, bool>) {
    return ValueKind::boolean;
  } else if constexpr (PlainInteger<M>) {
    constexpr std::size_t kWidth = sizeof(M) == 1 ? 0 : sizeof(M) == 2 ? 1 : sizeof(M) == 4 ? 2 : 3;
    return std::is_signed_v<M> ? kSigned[kWidth] : kUnsigned[kWidth];
  } else if constexpr (std::is_same_v<M, float>) {
    return ValueKind::f32;
  } else if constexpr (std::is_same_v<M, double>) {
    return ValueKind::f64;
  } else if constexpr (std::is_same_v<M, std::string>) {
    return ValueKind::string;
  } else if constexpr (std::is_same_v<M, std::string_view>) {
    return ValueKind::view;
  } else if constexpr (std::is_same_v<M, Bytes>) {
    return ValueKind::bytes;
  } else if constexpr (std::is_same_v<M, Timestamp>) {
    return ValueKind::timestamp;
  } else if constexpr (std::is_same_v<M, Duration>) {
    return ValueKind::interval;
  } else if constexpr (std::is_same_v<M, char>) {
    return ValueKind::letter;
  } else if constexpr (kIsDecimal<M>) {
    return ValueKind::decimal;
  } else if constexpr (NamedEnum<M>) {
    return ValueKind::enumeration;
  } else if constexpr (kIsList<M>) {
    return ValueKind::list;
  } else if constexpr (kIsMap<M>) {
    return ValueKind::map;
  } else {
    return ValueKind::object;
  }
}

template <class T>
const ObjectPlan& object_plan();

template <class M>
const ItemsPlan& items_plan();
template <NamedEnum E>
const EnumPlan& enum_plan();

template <class M>
ValuePlan value_plan(std::string_view name, std::uint32_t offset) {
  ValuePlan plan;
  if constexpr (kIsOptional<M>) {
    plan = value_plan<typename M::value_type>(name, offset);
    plan.engage = [](void* at) -> void* {
      auto& value = *static_cast<M*>(at);
      return value ? &*value : &value.emplace();
    };
    plan.disengage = [](void* at) { static_cast<M*>(at)->reset(); };
  } else {
    plan.name = name;
    plan.kind = value_kind<M>();
    plan.offset = offset;
    if constexpr (kIsDecimal<M>) {
      plan.scale = static_cast<std::uint8_t>(M::kScale);
    } else if constexpr (NamedEnum<M>) {
      plan.names = &enum_plan<M>();
    } else if constexpr (kIsList<M> || kIsMap<M>) {
      plan.items = &items_plan<M>();
    } else if constexpr (value_kind<M>() == ValueKind::object) {
      plan.object = &object_plan<M>();
    }
  }
  return plan;
}

/// The plan of struct T, built on first use.
template <class T>
const ObjectPlan& object_plan() {
  static const ObjectPlan kPlan = [] {
    ObjectPlan plan;
    const T record{};
    const auto* const start = reinterpret_cast<const char*>(&record);
    Schema<T>::for_each(record, [&]<class M>(std::string_view name, const M& member) {
      const auto offset = reinterpret_cast<const char*>(&member) - start;
      if (!kIsOptional<M>) plan.required |= std::uint64_t{1} << plan.members.size();
      plan.members.push_back(value_plan<M>(name, static_cast<std::uint32_t>(offset)));
    });
    return plan;
  }();
  return kPlan;
}

template <class Map>
void* map_slot(void* at, std::string_view text) {
  auto& map = *static_cast<Map*>(at);
  if constexpr (std::is_same_v<typename Map::key_type, std::string>) {
    return &map[std::string(text)];
  } else {
    typename Map::key_type key{};
    const auto read = std::from_chars(text.data(), text.data() + text.size(), key);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return nullptr;
    return &map[key];
  }
}

/// The plan of list or map M, built on first use.
template <class M>
const ItemsPlan& items_plan() {
  static const ItemsPlan kPlan = [] {
    ItemsPlan plan;
    plan.clear = [](void* items) { static_cast<M*>(items)->clear(); };
    if constexpr (kIsList<M>) {
      plan.element = value_plan<typename M::value_type>("", 0);
      plan.append = [](void* list) -> void* { return &static_cast<M*>(list)->emplace_back(); };
    } else {
      plan.element = value_plan<typename M::mapped_type>("", 0);
      plan.slot = map_slot<M>;
    }
    return plan;
  }();
  return kPlan;
}

/// The plan of enum E, built on first use.
template <NamedEnum E>
const EnumPlan& enum_plan() {
  static const EnumPlan kPlan = [] {
    EnumPlan plan;
    plan.width = sizeof(E);
    for (int value = first_enum_value<E>(); value <= kEnumValueMax; ++value) {
      const std::string_view name = enum_name(static_cast<E>(value));
      if (name.empty()) continue;
      plan.names.push_back(name);
      plan.values.push_back(value);
    }
    return plan;
  }();
  return kPlan;
}

struct IntegerLimits {
  std::int64_t min;
  std::int64_t max;
};

template <class Integer>
constexpr IntegerLimits limits_of() {
  return {std::numeric_limits<Integer>::min(), std::numeric_limits<Integer>::max()};
}

constexpr IntegerLimits limits_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::i8:
      return limits_of<std::int8_t>();
    case ValueKind::i16:
      return limits_of<std::int16_t>();
    case ValueKind::i32:
      return limits_of<std::int32_t>();
    case ValueKind::u8:
      return limits_of<std::uint8_t>();
    case ValueKind::u16:
      return limits_of<std::uint16_t>();
    case ValueKind::u32:
      return limits_of<std::uint32_t>();
    default:
      return limits_of<std::int64_t>();
  }
}

/// Little-endian: the low bytes of a number in range are the narrower number.
static_assert(std::endian::native == std::endian::little);

inline std::size_t width_of(ValueKind kind) {
  constexpr std::array<std::size_t, 9> kWidths{1, 1, 2, 4, 8, 1, 2, 4, 8};
  return kWidths[static_cast<std::size_t>(kind)];
}

inline void store_integer(void* at, ValueKind kind, std::uint64_t value) {
  switch (width_of(kind)) {
    case 1:
      std::memcpy(at, &value, 1);
      return;
    case 2:
      std::memcpy(at, &value, 2);
      return;
    case 4:
      std::memcpy(at, &value, 4);
      return;
    default:
      std::memcpy(at, &value, 8);
  }
}

}  // namespace millrace::detail
