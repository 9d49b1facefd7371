// FieldHash: the hash of what fields() groups by: any member that a record may have, and lists.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "operator/keyed.hpp"
#include "record/schema.hpp"

namespace millrace::detail {

template <class>
inline constexpr bool kNotAField = false;

/// Equal values have equal hashes. Numbers, enums, texts and Timestamps hash as the keys of key_by
/// do; optionals, structs, pairs, tuples and ranges by their parts, in order.
template <class M>
std::uint64_t field_hash(const M& value) {
  if constexpr (KeyType<KeyView<M>>) {
    return KeyTraits<KeyView<M>>::hash(KeyView<M>(value));
  } else if constexpr (kIsOptional<M>) {
    return value ? hash_combine(1, field_hash(*value)) : kHashSeed;
  } else if constexpr (kIsTuple<M>) {
    return std::apply(
        [](const auto&... parts) {
          std::uint64_t state = kHashSeed;
          ((state = hash_combine(state, field_hash(parts))), ...);
          return state;
        },
        value);
  } else if constexpr (requires { value.begin() != value.end(); }) {
    std::uint64_t state = kHashSeed;
    for (const auto& part : value) state = hash_combine(state, field_hash(part));
    return state;
  } else if constexpr (Described<M>) {
    std::uint64_t state = kHashSeed;
    Schema<M>::for_each(value, [&state](std::string_view, const auto& member) {
      state = hash_combine(state, field_hash(member));
    });
    return state;
  } else {
    static_assert(kNotAField<M>,
                  "millrace: this cannot be grouped by: a field is a number, an enum, a text, a "
                  "Timestamp, or an optional, pair, tuple, list or plain struct of these");
  }
}

/// A field for people; empty where its type has no text.
template <class M>
std::string field_text(const M& value) {
  if constexpr (KeyType<KeyView<M>>) {
    return key_text(KeyView<M>(value));
  } else if constexpr (Described<M>) {
    std::string text;
    append_json_value(text, value);
    return text;
  } else {
    return {};
  }
}

/// Hashes several members or functions of T as one key.
template <class T, class... Parts>
class FieldsHash final : public KeyHash {
 public:
  explicit FieldsHash(Parts... parts) : parts_(std::move(parts)...) {}
  void hash(const BatchBase& base, std::vector<std::uint64_t>& hashes) const override {
    const auto& batch = static_cast<const Batch<T>&>(base);
    hashes.resize(batch.values.size());
    for (std::size_t at = 0; at < hashes.size(); ++at) hashes[at] = one(batch.values[at]);
  }
  std::string text(const BatchBase& base, std::size_t at) const override {
    const T& record = static_cast<const Batch<T>&>(base).values[at];
    std::string text;
    const auto add = [&](const auto& part) {
      if (!text.empty()) text += ", ";
      text += field_text(std::invoke(part, record));
    };
    std::apply([&](const auto&... part) { (add(part), ...); }, parts_);
    return text;
  }

 private:
  std::uint64_t one(const T& record) const {
    if constexpr (sizeof...(Parts) == 1) {
      return field_hash(std::invoke(std::get<0>(parts_), record));
    } else {
      return std::apply(
          [&record](const auto&... part) {
            std::uint64_t state = kHashSeed;
            ((state = hash_combine(state, field_hash(std::invoke(part, record)))), ...);
            return state;
          },
          parts_);
    }
  }

  std::tuple<Parts...> parts_;
};

}  // namespace millrace::detail
