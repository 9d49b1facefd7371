// TableParts: the image of keyed tables that is written while they go on changing.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "state/stored_tables.hpp"
#include "state/tables_image.hpp"

namespace millrace::detail {

/// The bytes of the parts of one name, by key group, as they come.
class BytesByGroup {
 public:
  BytesByGroup() : bytes_(kKeyGroups) {}

  /// To append to.
  std::string& of(std::uint32_t group) { return bytes_[group]; }
  /// Nothing of the group's part has been written so far.
  bool nothing_of(std::uint32_t group) const { return bytes_[group].empty() && !begun_[group]; }
  /// Hands over what has come to a piece worth a write of its own.
  void give_pieces(StateWriter& writer, std::string_view name, std::string_view shape) {
    give(writer, name, shape, kPieceBytes);
  }
  /// Hands over all that is left.
  void give(StateWriter& writer, std::string_view name, std::string_view shape) {
    give(writer, name, shape, 1);
  }

 private:
  static constexpr std::size_t kPieceBytes = 256u << 10;

  void give(StateWriter& writer, std::string_view name, std::string_view shape, std::size_t least) {
    for (std::uint32_t group = 0; group < kKeyGroups; ++group) {
      if (bytes_[group].size() < least) continue;
      writer.group_part(name, group, shape) = std::exchange(bytes_[group], {});
      begun_.set(group);
    }
  }

  std::vector<std::string> bytes_;
  std::bitset<kKeyGroups> begun_;  ///< something has been handed over
};

/// `Save` is save(std::string&, V&), as save_tables() says.
template <class K, class V, class Save>
class TableParts final : public OpenParts {
 public:
  TableParts(KeyedTables<K, V>& tables, std::string_view name, std::string shape, Save save)
      : name_(name), shape_(std::move(shape)), image_(tables, Put{&bytes_, std::move(save)}) {}

  std::size_t advance(std::size_t slots) override { return image_.advance(slots); }
  bool done() const override { return image_.done(); }
  void give_pieces(StateWriter& writer) override { bytes_.give_pieces(writer, name_, shape_); }
  void give(StateWriter& writer) override { bytes_.give(writer, name_, shape_); }

 private:
  struct Put {
    BytesByGroup* bytes;
    Save save;
    void operator()(std::uint32_t group, const K& key, V& value) {
      std::string& to = bytes->of(group);
      store_value(to, KeyTraits<K>::own(key));
      save(to, value);
    }
  };

  std::string name_;
  std::string shape_;
  BytesByGroup bytes_;
  TablesImage<K, V, Put> image_;
};

/// As save_tables(), but for the tables of now whatever becomes of them before the writer is done.
/// What `save` refers to outlives the writer.
template <class K, class V, class Save>
void save_tables_later(StateWriter& writer, std::string_view name, KeyedTables<K, V>& tables,
                       std::string_view shape, Save save) {
  if (tables.size() == 0) return;
  writer.later(std::make_unique<TableParts<K, V, Save>>(tables, name, entry_shape<K>(shape),
                                                        std::move(save)));
}

/// The same of values with a schema. What cannot be stored is refused.
template <class K, class V>
void save_tables_later(StateWriter& writer, std::string_view name, KeyedTables<K, V>& tables) {
  if constexpr (Storable<V>) {
    save_tables_later(writer, name, tables, stored_shape<V>(),
                      [](std::string& out, const V& value) { store_value(out, value); });
  } else {
    writer.refuse(unstorable(name));
  }
}

}  // namespace millrace::detail
