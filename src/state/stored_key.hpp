// StoredKey: how a key that borrows its bytes from a batch is owned by the state, and seen again as
// a view.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "base/decimal.hpp"
#include "base/hash.hpp"
#include "base/time.hpp"
#include "record/arena.hpp"

namespace millrace::detail {

/// True when both texts have the same bytes; `a` and `b` have equal size. Up to 16 bytes without a
/// call.
inline bool same_bytes(const char* a, const char* b, std::size_t size) {
  if (size > 16) return std::memcmp(a, b, size) == 0;
  if (size >= 8) {
    return ((load_u64(a) ^ load_u64(b)) | (load_u64(a + size - 8) ^ load_u64(b + size - 8))) == 0;
  }
  if (size >= 4) {
    return ((load_u32(a) ^ load_u32(b)) | (load_u32(a + size - 4) ^ load_u32(b + size - 4))) == 0;
  }
  for (std::size_t at = 0; at < size; ++at) {
    if (a[at] != b[at]) return false;
  }
  return true;
}

/// A text owned by a table: up to 16 bytes lie in the slot itself (after Umbra's strings, Neumann
/// and Freitag 2020), longer ones in the arena of the table.
class StoredText {
 public:
  static constexpr std::size_t kInlineMax = 16;

  StoredText() = default;
  StoredText(std::string_view text, Arena& arena) : size_(static_cast<std::uint32_t>(text.size())) {
    if (text.size() <= kInlineMax) {
      if (!text.empty()) std::memcpy(bytes_, text.data(), text.size());
    } else {
      const char* at = arena.intern(text).data();
      std::memcpy(bytes_, &at, sizeof at);
    }
  }
  std::string_view view() const { return {data(), size_}; }
  /// Bytes that lie in the arena of the table.
  std::size_t arena_bytes() const { return size_ <= kInlineMax ? 0 : size_; }
  bool equals(std::string_view text) const {
    return size_ == text.size() && same_bytes(data(), text.data(), size_);
  }

 private:
  const char* data() const {
    if (size_ <= kInlineMax) return bytes_;
    const char* at;
    std::memcpy(&at, bytes_, sizeof at);
    return at;
  }
  std::uint32_t size_ = 0;
  char bytes_[kInlineMax] = {};
};

/// Traits of a key view K: its stored form, hash, equality. Keys are numbers, enums, texts,
/// times, intervals, decimals, or tuples of these.
template <class K>
struct KeyTraits;

template <class K>
  requires(std::is_arithmetic_v<K> || std::is_enum_v<K>)
struct KeyTraits<K> {
  using Stored = K;
  using Owned = K;
  static std::uint64_t hash(K key) {
    if constexpr (std::is_floating_point_v<K>) {
      // +0.0 and -0.0 are one key, as they compare equal.
      const double value = key == 0 ? 0.0 : static_cast<double>(key);
      std::uint64_t bits;
      std::memcpy(&bits, &value, sizeof bits);
      return hash_integer(bits);
    } else {
      return hash_integer(static_cast<std::uint64_t>(key));
    }
  }
  static bool equals(const Stored& stored, K key) { return stored == key; }
  static Stored store(K key, Arena&) { return key; }
  static K view(const Stored& stored) { return stored; }
  static std::size_t arena_bytes(const Stored&) { return 0; }
  static Owned own(K key) { return key; }
  static K intern(K key, Arena&) { return key; }
};

/// The number behind a time, an interval or a decimal.
inline std::int64_t number_of(Timestamp key) { return key.micros; }
inline std::int64_t number_of(Duration key) { return key.count(); }
template <int Scale>
std::int64_t number_of(Decimal<Scale> key) {
  return key.units;
}

template <class K>
  requires requires(K key) { number_of(key); }
struct KeyTraits<K> {
  using Stored = K;
  using Owned = K;
  static std::uint64_t hash(K key) {
    return hash_integer(static_cast<std::uint64_t>(number_of(key)));
  }
  static bool equals(const Stored& stored, K key) { return stored == key; }
  static Stored store(K key, Arena&) { return key; }
  static K view(const Stored& stored) { return stored; }
  static std::size_t arena_bytes(const Stored&) { return 0; }
  static Owned own(K key) { return key; }
  static K intern(K key, Arena&) { return key; }
};

template <>
struct KeyTraits<std::string_view> {
  using Stored = StoredText;
  using Owned = std::string;
  static std::uint64_t hash(std::string_view key) { return hash_bytes(key); }
  static bool equals(const Stored& stored, std::string_view key) { return stored.equals(key); }
  static Stored store(std::string_view key, Arena& arena) { return Stored(key, arena); }
  static std::string_view view(const Stored& stored) { return stored.view(); }
  static std::size_t arena_bytes(const Stored& stored) { return stored.arena_bytes(); }
  static Owned own(std::string_view key) { return Owned(key); }
  static std::string_view intern(std::string_view key, Arena& arena) { return arena.intern(key); }
};

template <class... Ks>
struct KeyTraits<std::tuple<Ks...>> {
  using View = std::tuple<Ks...>;
  using Stored = std::tuple<typename KeyTraits<Ks>::Stored...>;
  using Owned = std::tuple<typename KeyTraits<Ks>::Owned...>;
  using Indices = std::index_sequence_for<Ks...>;

  static std::uint64_t hash(const View& key) {
    return std::apply(
        [](const Ks&... parts) {
          std::uint64_t state = kHashSeed;
          ((state = hash_combine(state, KeyTraits<Ks>::hash(parts))), ...);
          return state;
        },
        key);
  }
  static bool equals(const Stored& stored, const View& key) {
    return equal(stored, key, Indices{});
  }
  static Stored store(const View& key, Arena& arena) {
    return std::apply(
        [&](const Ks&... parts) { return Stored(KeyTraits<Ks>::store(parts, arena)...); }, key);
  }
  static View view(const Stored& stored) {
    return std::apply([](const auto&... parts) { return View(KeyTraits<Ks>::view(parts)...); },
                      stored);
  }
  static std::size_t arena_bytes(const Stored& stored) {
    return sum_arena_bytes(stored, Indices{});
  }
  static Owned own(const View& key) {
    return std::apply([](const Ks&... parts) { return Owned(KeyTraits<Ks>::own(parts)...); }, key);
  }
  static View intern(const View& key, Arena& arena) {
    return std::apply(
        [&](const Ks&... parts) { return View(KeyTraits<Ks>::intern(parts, arena)...); }, key);
  }

 private:
  template <std::size_t... I>
  static bool equal(const Stored& stored, const View& key, std::index_sequence<I...>) {
    return (KeyTraits<Ks>::equals(std::get<I>(stored), std::get<I>(key)) && ...);
  }
  template <std::size_t... I>
  static std::size_t sum_arena_bytes(const Stored& stored, std::index_sequence<I...>) {
    return (KeyTraits<Ks>::arena_bytes(std::get<I>(stored)) + ... + 0);
  }
};

/// The view type of what a key function returns: texts become string_view, tuples tuples of views.
template <class R>
struct KeyViewOf {
  using type = R;
};
template <>
struct KeyViewOf<std::string> {
  using type = std::string_view;
};
template <>
struct KeyViewOf<const char*> {
  using type = std::string_view;
};
template <class... Rs>
struct KeyViewOf<std::tuple<Rs...>> {
  using type = std::tuple<typename KeyViewOf<std::decay_t<Rs>>::type...>;
};
template <class R>
using KeyView = typename KeyViewOf<std::decay_t<R>>::type;

/// True for types that can be keys.
template <class K>
concept KeyType = requires(const K& key, Arena& arena) {
  { KeyTraits<K>::hash(key) } -> std::same_as<std::uint64_t>;
  KeyTraits<K>::store(key, arena);
};

}  // namespace millrace::detail
