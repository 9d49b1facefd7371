// GroupParts: writes some of what keys have into the parts of their key groups: as save_tables()
// does, for the entries that have it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "state/stored_tables.hpp"

namespace millrace::detail {

/// The sentence for bytes that their shape does not fit.
inline constexpr std::string_view kBytesDoNotFit = "its bytes are not what its shape says";

/// What lies behind each key, with the key in front, in a part a key group. `K` is a key view.
template <class K>
class GroupParts {
 public:
  /// `shape` is that of what lies behind the keys.
  GroupParts(StateWriter& writer, std::string_view name, std::string_view shape)
      : writer_(&writer), name_(name), shape_(entry_shape<K>(shape)) {}

  /// The bytes to append to for `key`; the keys of one group come one after the other. `begin` is
  /// called with those of a new part.
  template <class Begin>
  std::string& of(const K& key, Begin&& begin) {
    const std::uint32_t group = key_group(KeyTraits<K>::hash(key));
    if (bytes_ == nullptr || group != group_) {
      bytes_ = &writer_->group_part(name_, group, shape_);
      group_ = group;
      begin(*bytes_);
    }
    store_value(*bytes_, KeyTraits<K>::own(key));
    return *bytes_;
  }
  std::string& of(const K& key) {
    return of(key, [](std::string&) {});
  }

 private:
  StateWriter* writer_;
  std::string name_;
  std::string shape_;
  std::string* bytes_ = nullptr;  ///< of the present group
  std::uint32_t group_ = 0;
};

}  // namespace millrace::detail
