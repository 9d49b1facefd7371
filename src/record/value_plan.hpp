// How a text codec fills a record: kind and place of each member, made from its schema.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
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
  timestamp,
  object
};

struct ObjectPlan;

/// How one value is read: its kind and its place in the record.
struct ValuePlan {
  std::string_view name;
  ValueKind kind = ValueKind::object;
  std::uint32_t offset = 0;            ///< bytes from the start of the record
  const ObjectPlan* object = nullptr;  ///< members of a nested struct
  void* (*engage)(void*) =
      nullptr;  ///< of an optional: makes it hold a value and returns that value's address
  void (*disengage)(void*) = nullptr;  ///< of an optional: empties it
};

/// The members of a struct in order.
struct ObjectPlan {
  std::vector<ValuePlan> members;
  std::uint64_t required = 0;  ///< bit i: member i must be there
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
  } else if constexpr (std::is_same_v<M, Timestamp>) {
    return ValueKind::timestamp;
  } else {
    return ValueKind::object;
  }
}

template <class T>
const ObjectPlan& object_plan();

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
    if constexpr (value_kind<M>() == ValueKind::object) plan.object = &object_plan<M>();
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
