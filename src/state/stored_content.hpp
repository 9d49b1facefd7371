// ContentReader: reads the content of a declared state that was stored with another shape: its
// elements by the names of their members.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "record/stored_value.hpp"

namespace millrace::detail {

/// What the elements of a content are, and where their shape lies in that of the content.
template <class Content>
struct ContentParts;
template <class T>
struct ContentParts<std::optional<T>> {
  using Element = T;
  /// Nullopt: it is not the shape of such a content.
  static std::optional<std::string_view> element_shape(std::string_view shape) {
    if (!shape.ends_with('?')) return std::nullopt;
    return shape.substr(0, shape.size() - 1);
  }
};
template <class T>
struct ContentParts<std::vector<T>> {
  using Element = T;
  static std::optional<std::string_view> element_shape(std::string_view shape) {
    if (!shape.starts_with('[') || !shape.ends_with(']')) return std::nullopt;
    return shape.substr(1, shape.size() - 2);
  }
};
/// Keys of maps stay what they are.
template <class K, class V, class Less>
struct ContentParts<std::map<K, V, Less>> {
  using Element = V;
  static std::optional<std::string_view> element_shape(std::string_view shape) {
    const std::string before = "<" + stored_shape<K>() + ":";
    if (!shape.starts_with(before) || !shape.ends_with('>')) return std::nullopt;
    return shape.substr(before.size(), shape.size() - before.size() - 1);
  }
};

/// Of a std::optional, std::vector or std::map: what store_value() wrote of it, perhaps for an
/// older program whose elements had other members.
template <class Content>
class ContentReader {
  using Parts = ContentParts<Content>;
  using Element = typename Parts::Element;

 public:
  /// 3004 when it cannot be made of what was stored.
  static Result<ContentReader> of(std::string_view shape) {
    ContentReader reader;
    if (shape == stored_shape<Content>()) return reader;
    const auto inner = Parts::element_shape(shape);
    if (!inner) return other_shape(shape, stored_shape<Content>());
    auto element = StoredReader<Element>::of(*inner);
    if (!element) return element.error();
    reader.element_ = std::move(*element);
    return reader;
  }
  /// False when the bytes do not fit. Any bytes may come.
  bool read(BytesCursor& in, Content& content) const {
    return element_ ? read_parts(in, content) : load_value(in, content);
  }

 private:
  template <class T>
  bool read_parts(BytesCursor& in, std::optional<T>& content) const {
    content.reset();
    const auto is_there = in.number<std::uint8_t>();
    if (!in.ok() || is_there > 1) return false;
    return is_there == 0 || element_->read(in, content.emplace());
  }
  template <class T>
  bool read_parts(BytesCursor& in, std::vector<T>& content) const {
    content.clear();
    for (std::uint64_t left = in.varint(); left > 0; --left) {
      if (!in.ok() || !element_->read(in, content.emplace_back())) return false;
    }
    return in.ok();
  }
  template <class K, class V, class Less>
  bool read_parts(BytesCursor& in, std::map<K, V, Less>& content) const {
    content.clear();
    for (std::uint64_t left = in.varint(); left > 0; --left) {
      K key{};
      if (!in.ok() || !load_value(in, key) || !element_->read(in, content[std::move(key)]))
        return false;
    }
    return in.ok();
  }

  std::optional<StoredReader<Element>> element_;  ///< none: the shapes are equal
};

}  // namespace millrace::detail
