// Keys of records: how a key is taken from a record, hashed by the batch, and the results of keyed
// aggregates.
#pragma once

#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/operator.hpp"
#include "record/record_json.hpp"
#include "state/state.hpp"

namespace millrace {

/// What an aggregate emits for a key: of a window [window_start, window_end), or of all so far (the
/// widest bounds).
template <class K, class V>
struct Aggregate {
  K key{};
  V value{};
  Time window_start = kTimeMin;
  Time window_end = kTimeMax;

  bool windowed() const { return window_end != kTimeMax; }
};

/// An aggregate with its place in its window: 1 is the greatest.
template <class K, class V>
struct Ranked {
  std::uint32_t rank = 0;
  K key{};
  V value{};
  Time window_start = kTimeMin;
  Time window_end = kTimeMax;

  bool windowed() const { return window_end != kTimeMax; }
};

/// Why a window emitted a row: before its end, at its end, or for a record behind it.
enum class Firing : std::uint8_t { early, on_time, late };

/// One row of a key and window that emits more than once.
template <class K, class V>
struct WindowUpdate {
  K key{};
  V value{};
  Time window_start = kTimeMin;
  Time window_end = kTimeMax;
  Firing firing = Firing::on_time;
  /// The row of this value, sent before, no longer holds: take it back.
  bool retracted = false;
};

namespace detail {

/// Takes the key from a record: a member, several members (a tuple), or a function of the record.
template <class T, class... Parts>
class KeyFn {
 public:
  explicit KeyFn(Parts... parts) : parts_(std::move(parts)...) {}

  /// Calls use(const KeyView&) while whatever the key borrows is alive.
  template <class Use>
  decltype(auto) with(const T& record, Use&& use) const {
    if constexpr (sizeof...(Parts) == 1) {
      decltype(auto) part = std::invoke(std::get<0>(parts_), record);
      return use(View(part));
    } else {
      return std::apply(
          [&](const auto&... part) {
            return [&](auto&&... values) {
              return use(View(values...));
            }(std::invoke(part, record)...);
          },
          parts_);
    }
  }

 private:
  template <class... Ps>
  struct ViewType {
    using type = std::tuple<KeyView<std::invoke_result_t<const Ps&, const T&>>...>;
  };
  template <class P>
  struct ViewType<P> {
    using type = KeyView<std::invoke_result_t<const P&, const T&>>;
  };

 public:
  using View = typename ViewType<Parts...>::type;
  static_assert(KeyType<View>,
                "millrace: this cannot be a key: a key is a number, an enum, a text, a Timestamp, "
                "or a tuple of these; of an optional say what stands for an absent one, or leave "
                "those records out");
  /// True when the key's texts lie in the batch's arenas, so that pinning them is enough to keep
  /// them: neither the record nor what a part returns holds bytes of its own.
  static constexpr bool kBorrowsArena =
      std::is_trivially_copyable_v<T> &&
      (std::is_trivially_copyable_v<std::decay_t<std::invoke_result_t<const Parts&, const T&>>> &&
       ...);

 private:
  std::tuple<Parts...> parts_;
};

/// Hashes the keys of a batch; what fields grouping needs to know of a type.
class KeyHash {
 public:
  virtual ~KeyHash() = default;
  /// Sets `hashes` to one hash per record.
  virtual void hash(const BatchBase& batch, std::vector<std::uint64_t>& hashes) const = 0;
  /// The same where keys throw: calls failed(record) in the handler of each, and its record has 0.
  /// MemoryRefused passes.
  virtual void hash_around(const BatchBase& batch, std::vector<std::uint64_t>& hashes,
                           const std::function<void(std::size_t)>& /*failed*/) const {
    hash(batch, hashes);
  }
  /// The key of record `at` for people; empty when it has no text.
  virtual std::string text(const BatchBase& /*batch*/, std::size_t /*at*/) const { return {}; }
};

/// A key for people: a text as it is, a number in digits, several as a JSON list.
template <class View>
std::string key_text(const View& key) {
  if constexpr (std::is_enum_v<View>) {
    return std::to_string(static_cast<std::int64_t>(key));
  } else if constexpr (TextValue<View>) {
    return std::string(key);
  } else {
    std::string text;
    append_json_value(text, key);
    return text;
  }
}

template <class T, class Key>
class TypedKeyHash final : public KeyHash {
 public:
  explicit TypedKeyHash(Key key) : key_(std::move(key)) {}
  const Key& key() const { return key_; }
  void hash(const BatchBase& base, std::vector<std::uint64_t>& hashes) const override {
    const auto& batch = static_cast<const Batch<T>&>(base);
    const std::size_t count = batch.values.size();
    hashes.resize(count);
    for (std::size_t at = 0; at < count; ++at) hashes[at] = hash_of(batch.values[at]);
  }
  void hash_around(const BatchBase& base, std::vector<std::uint64_t>& hashes,
                   const std::function<void(std::size_t)>& failed) const override {
    const auto& batch = static_cast<const Batch<T>&>(base);
    hashes.assign(batch.values.size(), 0);
    for (std::size_t at = 0; at < hashes.size(); ++at) {
      try {
        hashes[at] = hash_of(batch.values[at]);
      } catch (const MemoryRefused&) {
        throw;
      } catch (...) {
        failed(at);
      }
    }
  }
  /// Those that the batch carries, or `make` them into `hashes`, where a key that throws has 0;
  /// null: each is made when it is needed.
  const std::uint64_t* hashes_of(const Batch<T>& in, bool make,
                                 std::vector<std::uint64_t>& hashes) const {
    if (in.hashed_by == this && in.hashes.size() == in.values.size()) return in.hashes.data();
    if (!make) return nullptr;
    hash_around(in, hashes, [](std::size_t) {});
    return hashes.data();
  }
  std::string text(const BatchBase& base, std::size_t at) const override {
    const auto& batch = static_cast<const Batch<T>&>(base);
    return key_.with(batch.values[at], [](const auto& view) { return key_text(view); });
  }

 private:
  std::uint64_t hash_of(const T& record) const {
    return key_.with(record, [](const auto& view) {
      return KeyTraits<std::decay_t<decltype(view)>>::hash(view);
    });
  }

  Key key_;
};

}  // namespace detail
}  // namespace millrace
