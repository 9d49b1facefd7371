// Values as bytes by their schema: how state keeps them, and how a later program reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "base/byte_codec.hpp"
#include "base/status.hpp"
#include "record/schema.hpp"
#include "record/stored_conversion.hpp"

namespace millrace::detail {

/// A class that writes itself; `load` takes any bytes and says whether they are such a value.
template <class T>
concept StoresItself = requires(T& value, const T& fixed, std::string& out, BytesCursor& in) {
  { T::stored_shape() } -> std::convertible_to<std::string_view>;
  fixed.store(out);
  { value.load(in) } -> std::same_as<bool>;
};

__extension__ using Int128 = __int128;

/// Values whose bytes are stored as they lie in memory.
template <class T>
inline constexpr bool kStoredRaw =
    PlainInteger<T> || OneOf<T, char, float, double, Timestamp, Duration, Int128> ||
    kIsDecimal<T> || std::is_enum_v<T>;

template <class T>
inline constexpr bool kIsAnyMap = false;
template <class K, class V, class C, class A>
inline constexpr bool kIsAnyMap<std::map<K, V, C, A>> = true;
template <class K, class V, class H, class E, class A>
inline constexpr bool kIsAnyMap<std::unordered_map<K, V, H, E, A>> = true;

template <class T>
inline constexpr bool kIsAnySet = false;
template <class K, class C, class A>
inline constexpr bool kIsAnySet<std::set<K, C, A>> = true;
template <class K, class H, class E, class A>
inline constexpr bool kIsAnySet<std::unordered_set<K, H, E, A>> = true;

template <class T>
inline constexpr bool kIsVariant = false;
template <class... M>
inline constexpr bool kIsVariant<std::variant<M...>> = true;

enum class StoredKind {
  none,
  nothing,
  raw,
  boolean,
  text,
  bytes,
  itself,
  optional,
  list,
  set,
  map,
  variant,
  members
};

/// A struct whose members can be bound, whatever they are.
template <class T>
constexpr bool has_bound_members() {
  if constexpr (!std::is_class_v<T> || !std::is_aggregate_v<T> ||
                requires { std::tuple_size<T>::value; }) {
    return false;
  } else if constexpr (shape_refusal<T>() != Refusal::none) {
    return false;
  } else {
    return !std::is_same_v<MemberTypesOf<T>, NotAddressable>;
  }
}

template <class T>
constexpr StoredKind stored_kind() {
  if constexpr (kStoredRaw<T>) {
    return StoredKind::raw;
  } else if constexpr (std::is_same_v<T, bool>) {
    return StoredKind::boolean;
  } else if constexpr (TextValue<T>) {
    return StoredKind::text;
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return StoredKind::bytes;
  } else if constexpr (std::is_same_v<T, std::monostate>) {
    return StoredKind::nothing;
  } else if constexpr (StoresItself<T>) {
    return StoredKind::itself;
  } else if constexpr (kIsOptional<T>) {
    return StoredKind::optional;
  } else if constexpr (kIsList<T>) {
    return StoredKind::list;
  } else if constexpr (kIsAnySet<T>) {
    return StoredKind::set;
  } else if constexpr (kIsAnyMap<T>) {
    return StoredKind::map;
  } else if constexpr (kIsVariant<T>) {
    return StoredKind::variant;
  } else {
    return kIsTuple<T> || has_bound_members<T>() ? StoredKind::members : StoredKind::none;
  }
}

template <class T>
constexpr bool storable();

template <template <class...> class Types, class... M>
constexpr bool all_storable(Types<M...>*) {
  return (storable<M>() && ...);
}

template <class T>
constexpr bool storable() {
  constexpr StoredKind kKind = stored_kind<T>();
  if constexpr (kKind == StoredKind::optional || kKind == StoredKind::list ||
                kKind == StoredKind::set) {
    return storable<typename T::value_type>() &&
           std::is_default_constructible_v<typename T::value_type>;
  } else if constexpr (kKind == StoredKind::map) {
    return storable<typename T::key_type>() && storable<typename T::mapped_type>() &&
           std::is_default_constructible_v<typename T::mapped_type>;
  } else if constexpr (kKind == StoredKind::members || kKind == StoredKind::variant) {
    if constexpr (kIsTuple<T> || kIsVariant<T>) {
      return all_storable(static_cast<T*>(nullptr));
    } else {
      return all_storable(static_cast<MemberTypesOf<T>*>(nullptr));
    }
  } else {
    return kKind != StoredKind::none;
  }
}

/// What can be stored: every Described type; also tuples of any depth and length, sets, maps by any
/// such key, structs and tuples of classes that store themselves.
template <class T>
concept Storable = storable<T>();

template <class T>
void append_shape(std::string& out);

template <class T>
void append_members_shape(std::string& out) {
  if constexpr (kIsVariant<T>) {
    [&out]<class... M>(std::variant<M...>*) {
      ((append_shape<M>(out), out += ','), ...);
    }(static_cast<T*>(nullptr));
  } else if constexpr (kIsTuple<T>) {
    [&out]<std::size_t... I>(std::index_sequence<I...>) {
      ((out += "key" + std::to_string(I + 1) + ":", append_shape<std::tuple_element_t<I, T>>(out),
        out += ','),
       ...);
    }(std::make_index_sequence<std::tuple_size_v<T>>{});
  } else {
    [&out]<class... M>(MemberTypes<M...>*) {
      std::size_t at = 0;
      constexpr auto kNames = renamed_members<T>();
      ((append_shape_name(out, kNames[at++]), out += ':', append_shape<M>(out), out += ','), ...);
    }(static_cast<MemberTypesOf<T>*>(nullptr));
  }
  if (out.back() == ',') out.pop_back();
}

template <class T>
void append_raw_shape(std::string& out) {
  if constexpr (NamedEnum<T>) {
    append_enum_shape(out, enum_plan<T>(), std::is_signed_v<std::underlying_type_t<T>>);
  } else if constexpr (std::is_enum_v<T>) {
    append_raw_shape<std::underlying_type_t<T>>(out);
  } else if constexpr (std::is_same_v<T, Int128>) {
    out += "int128";
  } else if constexpr (kIsDecimal<T>) {
    out += "decimal" + std::to_string(T::kScale);
  } else {
    out += shape_word(value_kind<T>());
  }
}

template <class T>
void append_shape(std::string& out) {
  constexpr StoredKind kKind = stored_kind<T>();
  if constexpr (kKind == StoredKind::raw) {
    append_raw_shape<T>(out);
  } else if constexpr (kKind == StoredKind::nothing) {
    out += "nothing";
  } else if constexpr (kKind == StoredKind::itself) {
    out += T::stored_shape();
  } else if constexpr (kKind == StoredKind::optional) {
    append_shape<typename T::value_type>(out);
    out += '?';
  } else if constexpr (kKind == StoredKind::list || kKind == StoredKind::set) {
    out += kKind == StoredKind::list ? '[' : '(';
    append_shape<typename T::value_type>(out);
    out += kKind == StoredKind::list ? ']' : ')';
  } else if constexpr (kKind == StoredKind::map) {
    out += '<';
    append_shape<typename T::key_type>(out);
    out += ':';
    append_shape<typename T::mapped_type>(out);
    out += '>';
  } else if constexpr (kKind == StoredKind::members || kKind == StoredKind::variant) {
    out += kKind == StoredKind::variant ? "oneof{" : "{";
    append_members_shape<T>(out);
    out += '}';
  } else {
    out += shape_word(value_kind<T>());
  }
}

/// What the bytes of a T are, as text: "{user:text,n:int64,at:time,tags:[text],note:text?}". Equal
/// for types whose bytes are read alike. Made on first use, valid forever.
template <Storable T>
const std::string& stored_shape() {
  static const std::string kShape = [] {
    std::string shape;
    append_shape<T>(shape);
    return shape;
  }();
  return kShape;
}

template <class T>
void store_value(std::string& out, const T& value);

template <class T>
void store_elements(std::string& out, const T& value) {
  put_varint(out, value.size());
  if constexpr (kIsList<T> && kStoredRaw<typename T::value_type>) {
    if (value.empty()) return;
    out.append(reinterpret_cast<const char*>(value.data()), value.size() * sizeof(value[0]));
  } else {
    for (const auto& element : value) {
      if constexpr (kIsAnyMap<T>) {
        store_value(out, element.first);
        store_value(out, element.second);
      } else {
        store_value(out, element);
      }
    }
  }
}

/// Appends the bytes of `value`. Cost: a few nanoseconds a member; a list of numbers is copied as a
/// block.
template <class T>
void store_value(std::string& out, const T& value) {
  static_assert(Storable<T>, "millrace: values of this type cannot be stored");
  constexpr StoredKind kKind = stored_kind<T>();
  if constexpr (kKind == StoredKind::raw) {
    put_number(out, value);
  } else if constexpr (kKind == StoredKind::nothing) {
    return;
  } else if constexpr (kKind == StoredKind::boolean) {
    out.push_back(value ? '\1' : '\0');
  } else if constexpr (kKind == StoredKind::text) {
    put_varint(out, value.size());
    out.append(value);
  } else if constexpr (kKind == StoredKind::bytes) {
    put_varint(out, value.size());
    out.append(value.text());
  } else if constexpr (kKind == StoredKind::itself) {
    value.store(out);
  } else if constexpr (kKind == StoredKind::optional) {
    out.push_back(value ? '\1' : '\0');
    if (value) store_value(out, *value);
  } else if constexpr (kKind == StoredKind::variant) {
    out.push_back(static_cast<char>(value.index()));
    std::visit([&out](const auto& held) { store_value(out, held); }, value);
  } else if constexpr (kKind == StoredKind::members) {
    bind_members(value, [&out](const auto&... members) { (store_value(out, members), ...); });
  } else {
    store_elements(out, value);
  }
}

template <class T>
bool load_value(BytesCursor& in, T& value);

template <class T>
bool load_elements(BytesCursor& in, T& value) {
  using Element = typename T::value_type;
  const std::uint64_t count = in.varint();
  value.clear();
  if constexpr (kIsList<T> && kStoredRaw<Element>) {
    if (!in.ok() || count > in.rest().size() / sizeof(Element)) return false;
    const std::string_view bytes = in.take(count * sizeof(Element));
    value.resize(count);
    if (count > 0) std::memcpy(value.data(), bytes.data(), bytes.size());
    return true;
  } else {
    if (!in.ok() || count > in.rest().size()) return false;  // none takes less than a byte
    for (std::uint64_t at = 0; at < count; ++at) {
      if constexpr (kIsList<T>) {
        if (!load_value(in, value.emplace_back())) return false;
      } else if constexpr (kIsAnyMap<T>) {
        typename T::key_type key{};
        if (!load_value(in, key)) return false;
        if (!load_value(in, value[std::move(key)])) return false;
      } else {
        Element element{};
        if (!load_value(in, element)) return false;
        value.insert(value.end(), std::move(element));
      }
    }
    return true;
  }
}

template <class... M>
bool load_alternative(BytesCursor& in, std::variant<M...>& value, std::size_t index) {
  bool fits = false;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (void)((I == index && (fits = load_value(in, value.template emplace<I>()), true)) || ...);
  }(std::index_sequence_for<M...>{});
  return fits && in.ok();
}

/// Reads what store_value() wrote for a type of the same shape. False when the bytes do not fit;
/// `value` may be partly written then. Any bytes may come: it reads none beyond them, and asks for
/// no more memory than a small multiple of them. A std::string_view points into them; Bytes get a
/// block of their own.
template <class T>
bool load_value(BytesCursor& in, T& value) {
  constexpr StoredKind kKind = stored_kind<T>();
  if constexpr (kKind == StoredKind::raw) {
    value = in.number<T>();
    return in.ok();
  } else if constexpr (kKind == StoredKind::nothing) {
    return true;
  } else if constexpr (kKind == StoredKind::boolean) {
    const auto byte = in.number<std::uint8_t>();
    value = byte == 1;
    return in.ok() && byte <= 1;
  } else if constexpr (kKind == StoredKind::text) {
    value = in.take(in.varint());
    return in.ok();
  } else if constexpr (kKind == StoredKind::bytes) {
    value = Bytes::copy_of(in.take(in.varint()));
    return in.ok();
  } else if constexpr (kKind == StoredKind::itself) {
    return value.load(in);
  } else if constexpr (kKind == StoredKind::optional) {
    const auto byte = in.number<std::uint8_t>();
    value.reset();
    if (!in.ok() || byte > 1) return false;
    return byte == 0 || load_value(in, value.emplace());
  } else if constexpr (kKind == StoredKind::variant) {
    return load_alternative(in, value, in.number<std::uint8_t>());
  } else if constexpr (kKind == StoredKind::members) {
    return bind_members(value,
                        [&in](auto&... members) { return (load_value(in, members) && ...); });
  } else {
    return load_elements(in, value);
  }
}

/// Reads values that were stored with a shape, perhaps that of an older program.
///
/// Of a Described T members go by name: one that was not stored keeps its default, one that is no
/// more is passed over; an integer may become one of another width where it fits, or a real; a
/// value may become an optional; values of an enum go by their names. All at any depth. Of other
/// types the shape must be the same. Cost: as load_value() where the shapes are equal, else a few
/// times that.
template <Storable T>
class StoredReader {
 public:
  /// 3004 with the member and both types when a T cannot be made of what was stored.
  static Result<StoredReader> of(std::string_view shape) {
    StoredReader reader;
    if (shape == stored_shape<T>()) return reader;
    if constexpr (Described<T>) {
      auto conversion = StoredConversion::make(shape, value_plan<T>("", 0));
      if (!conversion) return conversion.error();
      reader.conversion_ = std::make_shared<const StoredConversion>(std::move(*conversion));
      return reader;
    } else {
      return other_shape(shape, stored_shape<T>());
    }
  }
  /// False when the bytes do not fit, or a number does not fit its member.
  bool read(BytesCursor& in, T& value) const {
    if (!conversion_) return load_value(in, value);
    if constexpr (Described<T>) value = T{};
    return conversion_->read(in, &value);
  }

 private:
  StoredReader() = default;
  std::shared_ptr<const StoredConversion> conversion_;  ///< null: the shapes are equal
};

}  // namespace millrace::detail
