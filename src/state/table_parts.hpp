// TableParts: the image of keyed tables that is written while they go on changing.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "state/chained_parts.hpp"
#include "state/stored_tables.hpp"
#include "state/tables_image.hpp"

namespace millrace::detail {

/// Whether equal keys have equal bytes: of numbers 0.0 and -0.0 are one key, and NaN is none.
template <class K>
inline constexpr bool kKeyIsItsBytes = !std::is_floating_point_v<K>;
template <class... Ks>
inline constexpr bool kKeyIsItsBytes<std::tuple<Ks...>> = (kKeyIsItsBytes<Ks> && ...);

/// What an image of tables by such keys may hold the changes of. Which keys went is told by their
/// bytes: where equal keys have others, each image is a whole one of its own.
template <class K>
ImageChain chain_of_keys(const StateWriter& writer) {
  return kKeyIsItsBytes<K> ? writer.chain() : ImageChain{};
}

/// Appends the bytes that a key has in images.
template <class K>
void store_key(std::string& out, const K& key) {
  store_value(out, KeyTraits<K>::own(key));
}

/// The bytes of the parts of one name, by key group, as they come, and what stands beside them in
/// images that others come over: see chained_parts.hpp.
class BytesByGroup {
 public:
  /// `before`: how many bytes stand in front of the entries of a part.
  explicit BytesByGroup(std::size_t before = 0) : before_(before), bytes_(kKeyGroups) {}

  /// Before the first entry: changes or a whole image of `chain`. `erased`: keys, by group.
  void begin(const ImageChain& chain, const ImageExtent<kKeyGroups>& holds) {
    cuts_.resize(chain.epoch != 0 ? kKeyGroups : 0);
    if (!holds.only_changes) return;
    base_ = chain.base;
    gone_ = holds.erased;
  }
  /// To append to.
  std::string& of(std::uint32_t group) { return bytes_[group]; }
  /// Appends an entry: its key, and what save(std::string&) appends.
  template <class K, class Save>
  void add(std::uint32_t group, const K& key, Save&& save) {
    add_entry(group, [&key](std::string& to) { store_key(to, key); }, std::forward<Save>(save));
  }
  /// The same where put_key(std::string&) appends what tells the entry from others of the part.
  template <class PutKey, class Save>
  void add_entry(std::uint32_t group, PutKey&& put_key, Save&& save) {
    std::string& to = bytes_[group];
    const std::size_t begin = to.size();
    put_key(to);
    const std::size_t key_end = to.size();
    save(to);
    if (!cuts_.empty()) cuts_[group].add(before_, key_end - begin, to.size() - begin);
  }
  /// A key that had an entry in the base has none.
  template <class K>
  void add_gone(std::uint32_t group, const K& key) {
    if (base_ == 0) return;
    std::string bytes;
    store_key(bytes, key);
    put_varint(gone_[group], bytes.size());
    gone_[group] += bytes;
  }
  /// Nothing of the group's part has been written so far.
  bool nothing_of(std::uint32_t group) const { return bytes_[group].empty() && !begun_[group]; }
  /// Hands over what has come to a piece worth a write of its own, or where many groups come at
  /// once, a smaller one.
  void give_pieces(StateWriter& writer, std::string_view name, std::string_view shape) {
    give(writer, name, shape, held_bytes() < kHeldBytes ? kPieceBytes : kPieceBytesLeast);
  }
  /// Hands over all that is left.
  void give(StateWriter& writer, std::string_view name, std::string_view shape) {
    for (EntryCuts& cuts : cuts_) cuts.end_run();
    give(writer, name, shape, 1);
    if (base_ != 0) put_number(writer.task_part(with(name, kBaseSuffix)), base_);
  }

 private:
  static constexpr std::size_t kPieceBytes = 256u << 10;
  static constexpr std::size_t kHeldBytes = 4u << 20;
  static constexpr std::size_t kPieceBytesLeast = kHeldBytes / 2 / kKeyGroups;

  std::size_t held_bytes() const {
    std::size_t held = 0;
    for (const std::string& bytes : bytes_) held += bytes.size();
    for (const EntryCuts& cuts : cuts_) held += cuts.size();
    for (const std::string& gone : gone_) held += gone.size();
    return held;
  }
  static std::string with(std::string_view name, std::string_view suffix) {
    return std::string(name) + std::string(suffix);
  }
  void give(StateWriter& writer, std::string_view name, std::string_view shape, std::size_t least) {
    for (std::uint32_t group = 0; group < kKeyGroups; ++group) {
      if (bytes_[group].size() >= least) {
        writer.group_part(name, group, shape) = std::exchange(bytes_[group], {});
        begun_.set(group);
      }
      if (!cuts_.empty() && cuts_[group].size() >= least)
        writer.group_part(with(name, kCutsSuffix), group) = cuts_[group].take();
      if (!gone_.empty() && gone_[group].size() >= least)
        writer.group_part(with(name, kGoneSuffix), group) = std::exchange(gone_[group], {});
    }
  }

  std::size_t before_;
  std::uint64_t base_ = 0;  ///< not 0: these are the changes since that epoch
  std::vector<std::string> bytes_;
  std::vector<EntryCuts> cuts_;    ///< empty: nothing comes over this image
  std::vector<std::string> gone_;  ///< of changes
  std::bitset<kKeyGroups> begun_;  ///< something has been handed over
};

/// `Save` is save(std::string&, V&), as save_tables() says.
template <class K, class V, class Save>
class TableParts final : public OpenParts {
 public:
  TableParts(KeyedTables<K, V>& tables, std::string_view name, std::string shape, Save save,
             const ImageChain& chain)
      : name_(name),
        shape_(std::move(shape)),
        put_{&bytes_, std::move(save)},
        image_(tables, put_, chain, store_key<K>) {
    bytes_.begin(chain, image_.holds());
  }

  /// Also an entry that lies elsewhere.
  void put(std::uint32_t group, const K& key, V& value) { put_(group, key, value); }
  /// What has changed since the base of the chain; else all.
  bool only_changes() const { return image_.holds().only_changes; }
  std::size_t advance(std::size_t slots) override { return image_.advance(slots); }
  bool done() const override { return image_.done(); }
  void give_pieces(StateWriter& writer) override { bytes_.give_pieces(writer, name_, shape_); }
  void give(StateWriter& writer) override { bytes_.give(writer, name_, shape_); }

 private:
  struct Put {
    BytesByGroup* bytes;
    Save save;
    void operator()(std::uint32_t group, const K& key, V& value) {
      bytes->add(group, key, [&](std::string& to) { save(to, value); });
    }
  };

  std::string name_;
  std::string shape_;
  BytesByGroup bytes_;
  Put put_;
  TablesImage<K, V, Put> image_;
};

/// As save_tables(), but for the tables of now whatever becomes of them before the writer is done.
/// What `save` refers to outlives the writer.
template <class K, class V, class Save>
void save_tables_later(StateWriter& writer, std::string_view name, KeyedTables<K, V>& tables,
                       std::string_view shape, Save save) {
  const ImageChain chain = chain_of_keys<K>(writer);
  if (tables.size() == 0 && chain.epoch == 0) return;
  writer.later(std::make_unique<TableParts<K, V, Save>>(tables, name, entry_shape<K>(shape),
                                                        std::move(save), chain));
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
