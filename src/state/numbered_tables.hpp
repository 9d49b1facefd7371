// NumberedTables: the image of several keyed tables in the parts of one name, each table under a
// number.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_codec.hpp"
#include "state/table_parts.hpp"

namespace millrace::detail {

/// A part for each key group. An entry begins with the number of what holds it, so that what is
/// over needs not be named: who reads knows which numbers count.
template <class K>
class NumberedEntries {
 public:
  NumberedEntries(std::string_view name, std::string shape)
      : name_(name), shape_(std::move(shape)) {}

  /// Before the first: see BytesByGroup.
  void begin(const ImageChain& chain, const ImageExtent<kKeyGroups>& holds) {
    bytes_.begin(chain, holds);
  }
  /// save(std::string&) appends what stands behind the key.
  template <class Save>
  void put(std::uint64_t number, std::uint32_t group, const K& key, Save&& save) {
    const auto put_key = [&](std::string& to) {
      put_varint(to, number);
      store_key(to, key);
    };
    bytes_.add_entry(group, put_key, std::forward<Save>(save));
  }
  void give_pieces(StateWriter& writer) { bytes_.give_pieces(writer, name_, shape_); }
  void give(StateWriter& writer) { bytes_.give(writer, name_, shape_); }

 private:
  std::string_view name_;
  std::string shape_;
  BytesByGroup bytes_;
};

/// One of the tables, as it is when this is made: its entries go where those of all do, so it gives
/// nothing itself. See TablesImage. `Save` is save(std::string&, V&).
template <class K, class V, class Save>
class NumberedTable final : public OpenParts {
 public:
  /// `to` outlives it.
  NumberedTable(KeyedTables<K, V>& tables, NumberedEntries<K>& to, Save save,
                const ImageChain& chain)
      : to_(&to), save_(std::move(save)), image_(tables, Put{this}, chain, store_key<K>) {}
  NumberedTable(const NumberedTable&) = delete;
  NumberedTable& operator=(const NumberedTable&) = delete;

  /// Also an entry that lies elsewhere.
  void put(std::uint32_t group, const K& key, V& value) {
    to_->put(number, group, key, [&](std::string& out) { save_(out, value); });
  }
  /// What has changed since the base of the chain, and keeps the number; else all.
  bool only_changes() const { return image_.holds().only_changes; }
  /// Once it has its number: adds what it holds of the table to what the parts do.
  void add_to(ImageExtent<kKeyGroups>& holds) const {
    if (!only_changes()) return;
    holds.only_changes = true;
    holds.erased.resize(kKeyGroups);
    std::string before;
    put_varint(before, number);
    for (std::uint32_t group = 0; group < kKeyGroups; ++group) {
      std::string& to = holds.erased[group];
      for (BytesCursor in(image_.holds().erased[group]); !in.rest().empty();) {
        const std::string_view key = in.take(in.varint());
        put_varint(to, before.size() + key.size());
        to += before;
        to += key;
      }
    }
  }
  std::size_t advance(std::size_t slots) override { return image_.advance(slots); }
  bool done() const override { return image_.done(); }
  void give(StateWriter&) override {}

  std::uint64_t number = 0;  ///< before the first entry is put

 private:
  struct Put {
    NumberedTable* table;
    void operator()(std::uint32_t group, const K& key, V& value) const {
      table->put(group, key, value);
    }
  };

  NumberedEntries<K>* to_;
  Save save_;
  TablesImage<K, V, Put> image_;
};

/// The chain of tables of which there are many: to note what changes in small ones takes as much as
/// they do, so these are written whole.
template <class K, class V>
ImageChain chain_of_one(const KeyedTables<K, V>& tables, const ImageChain& chain) {
  constexpr std::size_t kNotedMin = 64u << 10;
  return tables.bytes() >= kNotedMin ? chain : ImageChain{};
}

/// Parts that are written one behind the other.
class PartsInTurn {
 public:
  void add(std::unique_ptr<OpenParts> parts) { all_.push_back(std::move(parts)); }

  std::size_t advance(std::size_t slots) {
    for (; !done() && slots > 0; at_ += all_[at_]->done() ? 1 : 0)
      slots = all_[at_]->advance(slots);
    return slots;
  }
  bool done() const { return at_ == all_.size(); }
  void give_pieces(StateWriter& writer) {
    for (const auto& parts : all_) parts->give_pieces(writer);
  }

 private:
  std::vector<std::unique_ptr<OpenParts>> all_;
  std::size_t at_ = 0;  ///< the first that is not done
};

}  // namespace millrace::detail
