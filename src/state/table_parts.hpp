// TableParts: the image of keyed tables that is written while they go on changing.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "state/stored_tables.hpp"
#include "state/tables_image.hpp"

namespace millrace::detail {

/// The bytes of the parts of one name, by key group; empty: there is none.
using BytesByGroup = std::vector<std::string>;

inline void give_parts(StateWriter& writer, std::string_view name, std::string_view shape,
                       BytesByGroup&& bytes) {
  for (std::uint32_t group = 0; group < bytes.size(); ++group) {
    if (!bytes[group].empty()) writer.group_part(name, group, shape) = std::move(bytes[group]);
  }
}

/// `Save` is save(std::string&, V&), as save_tables() says.
template <class K, class V, class Save>
class TableParts final : public OpenParts {
 public:
  TableParts(KeyedTables<K, V>& tables, std::string_view name, std::string shape, Save save)
      : name_(name),
        shape_(std::move(shape)),
        bytes_(kKeyGroups),
        image_(tables, Put{&bytes_, std::move(save)}) {}

  std::size_t advance(std::size_t slots) override { return image_.advance(slots); }
  bool done() const override { return image_.done(); }
  void give(StateWriter& writer) override { give_parts(writer, name_, shape_, std::move(bytes_)); }

 private:
  struct Put {
    BytesByGroup* bytes;
    Save save;
    void operator()(std::uint32_t group, const K& key, V& value) {
      std::string& to = (*bytes)[group];
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
