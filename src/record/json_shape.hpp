// What a JSON reader knows of a record: its members, the order of their keys, how numbers are stored.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "record/codec_json.hpp"

namespace millrace::detail {

inline constexpr int kNoMember = -1;

/// Comparison of short texts without a call.
inline bool equal_bytes(const char* a, const char* b, std::size_t size) {
  std::uint64_t x = 0;
  std::uint64_t y = 0;
  std::uint64_t differ = 0;
  if (size < 8) {
    for (std::size_t i = 0; i < size; ++i) differ |= static_cast<unsigned char>(a[i] ^ b[i]);
    return differ == 0;
  }
  for (std::size_t i = 0; i + 8 < size; i += 8) {
    std::memcpy(&x, a + i, 8);
    std::memcpy(&y, b + i, 8);
    differ |= x ^ y;
  }
  std::memcpy(&x, a + size - 8, 8);
  std::memcpy(&y, b + size - 8, 8);
  return (differ | (x ^ y)) == 0;
}

/// The key that stood at one position of the last object, and the member it meant.
struct SeenKey {
  static constexpr std::size_t kKeyBytesMax = 28;
  std::uint8_t size = 0xFF;
  std::int8_t member = kNoMember;
  char key[kKeyBytesMax];
};

/// A plan with what was learned about the order of its keys; follows the nesting of the record.
struct JsonShape {
  static constexpr std::size_t kPositionsMax = 128;

  explicit JsonShape(const ObjectPlan& object)
      : plan(object), order(kPositionsMax), nested(object.members.size()) {
    for (std::size_t i = 0; i < nested.size(); ++i) {
      if (object.members[i].object)
        nested[i] = std::make_unique<JsonShape>(*object.members[i].object);
    }
  }

  int find(std::string_view key) const {
    const auto& members = plan.members;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members[i].name == key) return static_cast<int>(i);
    }
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (same_field_name(members[i].name, key)) return static_cast<int>(i);
    }
    return kNoMember;
  }

  int find_at(std::size_t position, std::string_view key) {
    if (position >= kPositionsMax || key.size() > SeenKey::kKeyBytesMax) return find(key);
    SeenKey& seen = order[position];
    if (seen.size == key.size() && equal_bytes(seen.key, key.data(), key.size()))
      return seen.member;
    seen.member = static_cast<std::int8_t>(find(key));
    seen.size = static_cast<std::uint8_t>(key.size());
    std::memcpy(seen.key, key.data(), key.size());
    return seen.member;
  }

  const ObjectPlan& plan;
  std::vector<SeenKey> order;
  std::vector<std::unique_ptr<JsonShape>> nested;
};

struct IntegerLimits {
  std::int64_t min;
  std::int64_t max;
};

template <class Integer>
constexpr IntegerLimits limits_of() {
  return {std::numeric_limits<Integer>::min(), std::numeric_limits<Integer>::max()};
}

constexpr IntegerLimits limits_of(JsonKind kind) {
  switch (kind) {
    case JsonKind::i8: return limits_of<std::int8_t>();
    case JsonKind::i16: return limits_of<std::int16_t>();
    case JsonKind::i32: return limits_of<std::int32_t>();
    case JsonKind::u8: return limits_of<std::uint8_t>();
    case JsonKind::u16: return limits_of<std::uint16_t>();
    case JsonKind::u32: return limits_of<std::uint32_t>();
    default: return limits_of<std::int64_t>();
  }
}

/// Little-endian: the low bytes of a number in range are the narrower number.
static_assert(std::endian::native == std::endian::little);

inline std::size_t width_of(JsonKind kind) {
  constexpr std::array<std::size_t, 9> kWidths{1, 1, 2, 4, 8, 1, 2, 4, 8};
  return kWidths[static_cast<std::size_t>(kind)];
}

inline void store_integer(void* at, JsonKind kind, std::uint64_t value) {
  switch (width_of(kind)) {
    case 1: std::memcpy(at, &value, 1); return;
    case 2: std::memcpy(at, &value, 2); return;
    case 4: std::memcpy(at, &value, 4); return;
    default: std::memcpy(at, &value, 8);
  }
}

inline std::string_view wanted_text(JsonKind kind) {
  switch (kind) {
    case JsonKind::boolean: return "true or false";
    case JsonKind::f32:
    case JsonKind::f64: return "a number";
    case JsonKind::string:
    case JsonKind::view: return "text";
    case JsonKind::timestamp: return "a time (ISO 8601 text or milliseconds since 1970)";
    case JsonKind::object: return "an object";
    default: return "an integer";
  }
}

}  // namespace millrace::detail
