// JoinParts: what a join keeps of its keys, as it was at the barrier, written while the join goes
// on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/join_images.hpp"
#include "state/table_parts.hpp"

namespace millrace::detail {

/// One side of a join, for an image.
template <class T>
struct JoinPartsSide {
  JoinedRecords<T>& records;
  const RowSchema* rows;  ///< what rows are; null for other records
};

/// The parts of both sides, each with the records of keys that have some there. Of changes alone
/// where `chain` has a base: a key of which one record has changed is written with all of them.
///
/// `Each`: each(V& of_key, use) calls use(side, const JoinKept&) for the records of a key, those of
/// a side in the order in which they come back. It is called before `keys` tell of a change, and so
/// before any of these records goes.
///
/// One thread. What it is given outlives it.
template <class K, class V, class L, class R, class Each>
class JoinParts final : public OpenParts {
 public:
  JoinParts(KeyedTables<K, V>& keys, JoinPartsSide<L> left, JoinPartsSide<R> right, Each each,
            const ImageChain& chain)
      : sides_(left, right),
        each_(std::move(each)),
        heads_{head_of(left), head_of(right)},
        bytes_{BytesByGroup(heads_[0].size()), BytesByGroup(heads_[1].size())},
        image_(keys, Put{this}, chain, store_key<K>) {
    for (BytesByGroup& bytes : bytes_) bytes.begin(chain, image_.holds());
  }

  /// Also a key that lies elsewhere.
  void put(std::uint32_t group, const K& key, V& of_key) {
    for (std::vector<JoinKept>& kept : kept_) kept.clear();
    each_(of_key, [this](int side, const JoinKept& kept) { kept_[side].push_back(kept); });
    put_side<0>(group, key);
    put_side<1>(group, key);
  }
  /// What has changed since the base of the chain; else all.
  bool only_changes() const { return image_.holds().only_changes; }
  std::size_t advance(std::size_t slots) override { return image_.advance(slots); }
  bool done() const override { return image_.done(); }
  void give_pieces(StateWriter& writer) override {
    bytes_[0].give_pieces(writer, kJoinParts[0], shape<0>());
    bytes_[1].give_pieces(writer, kJoinParts[1], shape<1>());
  }
  void give(StateWriter& writer) override {
    bytes_[0].give(writer, kJoinParts[0], shape<0>());
    bytes_[1].give(writer, kJoinParts[1], shape<1>());
  }

 private:
  struct Put {
    JoinParts* parts;
    void operator()(std::uint32_t group, const K& key, V& of_key) const {
      parts->put(group, key, of_key);
    }
  };

  template <class T>
  static std::string head_of(const JoinPartsSide<T>& side) {
    std::string head;
    if constexpr (std::is_same_v<T, RowRef>) store_rows_schema(head, *side.rows);
    return head;
  }
  template <int kSide>
  std::string shape() const {
    using T = std::tuple_element_t<kSide, std::tuple<L, R>>;
    if constexpr (std::is_same_v<T, RowRef>) {
      return entry_shape<K>(shape_of_kind(kKeptKind, rows_shape(*std::get<kSide>(sides_).rows)));
    } else if constexpr (kStoresRecords<T>) {
      return entry_shape<K>(shape_of_kind(kKeptKind, stored_shape<T>()));
    } else {
      return {};  // there are none
    }
  }

  template <int kSide>
  void put_side(std::uint32_t group, const K& key) {
    using T = std::tuple_element_t<kSide, std::tuple<L, R>>;
    BytesByGroup& bytes = bytes_[kSide];
    const std::vector<JoinKept>& kept = kept_[kSide];
    if (kept.empty()) return bytes.add_gone(group, key);
    if constexpr (kStoresRecords<T>) {
      if (bytes.nothing_of(group)) bytes.of(group) += heads_[kSide];
      bytes.add(group, key, [&](std::string& to) {
        put_varint(to, kept.size());
        store_.store(to, kept, std::get<kSide>(sides_).records);
      });
    }
  }

  std::tuple<JoinPartsSide<L>, JoinPartsSide<R>> sides_;
  Each each_;
  std::array<std::string, 2> heads_;
  std::array<BytesByGroup, 2> bytes_;
  KeptStore store_;
  std::array<std::vector<JoinKept>, 2> kept_;  ///< of the key at hand
  TablesImage<K, V, Put> image_;
};

}  // namespace millrace::detail
