// What a JSON reader knows of a record: members, the order of their keys, widths of numbers.
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

/// The key that stood at one position of the last object, and the member it meant.
///
/// Held with its closing quote and compared under masks by 16 or 32 bytes: no loop over its length,
/// which changes from key to key and would be mispredicted.
class SeenKey {
 public:
  static constexpr std::size_t kBytes = 32;
  static constexpr std::size_t kKeyBytesMax = kBytes - 1;

  int member() const { return member_; }
  /// Bytes that matches() reads.
  std::size_t bytes() const { return masks_[2] == 0 ? kBytes / 2 : kBytes; }
  /// Whether the key and its quote stand at `at`, where bytes() are readable.
  bool matches(const char* at) const {
    return differ<0>(at) == 0 && (masks_[2] == 0 || differ<2>(at) == 0);
  }
  /// `key` has at most kKeyBytesMax bytes.
  void learn(std::string_view key, int member) {
    std::array<char, kBytes> bytes{};
    std::memcpy(bytes.data(), key.data(), key.size());
    bytes[key.size()] = '"';
    std::memcpy(words_.data(), bytes.data(), kBytes);
    bytes.fill(0);
    std::memset(bytes.data(), 0xFF, key.size() + 1);
    std::memcpy(masks_.data(), bytes.data(), kBytes);
    member_ = member;
  }

 private:
  template <std::size_t First>
  std::uint64_t differ(const char* at) const {
    std::array<std::uint64_t, 2> words;
    std::memcpy(words.data(), at + First * 8, sizeof words);
    return ((words[0] ^ words_[First]) & masks_[First]) |
           ((words[1] ^ words_[First + 1]) & masks_[First + 1]);
  }

  std::array<std::uint64_t, 4> words_{};
  std::array<std::uint64_t, 4> masks_{~std::uint64_t{0}, 0, 0, 0};  // no key has eight NUL bytes
  int member_ = kNoMember;
};

/// A plan with what was learned about the order of its keys; follows the nesting of the record.
struct JsonShape {
  static constexpr std::size_t kPositionsMax = 128;

  explicit JsonShape(const ObjectPlan& object)
      : plan(object), order(kPositionsMax), nested(object.members.size()) {
    for (std::size_t i = 0; i < nested.size(); ++i) {
      nested[i] = of(object.members[i]);
    }
  }

  /// The shape of the objects in a value: its own, or that of the elements of a list or map; null
  /// when there are none.
  static std::unique_ptr<JsonShape> of(const ValuePlan& plan) {
    if (plan.kind == ValueKind::object) return std::make_unique<JsonShape>(*plan.object);
    const bool has_items = plan.kind == ValueKind::list || plan.kind == ValueKind::map;
    return has_items ? of(plan.items->element) : nullptr;
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

  /// The member that `key` means; remembers it for the next object's key at `position`.
  int learn(std::size_t position, std::string_view key) {
    const int member = find(key);
    if (position < kPositionsMax && key.size() <= SeenKey::kKeyBytesMax) {
      order[position].learn(key, member);
    }
    return member;
  }

  const ObjectPlan& plan;
  std::vector<SeenKey> order;
  std::vector<std::unique_ptr<JsonShape>> nested;
};

}  // namespace millrace::detail
