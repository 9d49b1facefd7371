// TablesImage: reads keyed tables as they were at one moment, little by little, while they go on
// changing.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "state/keyed_tables.hpp"

namespace millrace::detail {

/// Copy before change: calls put(std::uint32_t group, const K& key, V& value) once for each entry
/// that the tables hold when it is made, with the value of that moment: as advance() comes to it,
/// or before it changes, whichever is first. What is read together before a change is a block of
/// slots, so that a change costs the reading of a few entries. `put` changes nothing.
///
/// Of an image that may hold changes alone, `put` is called for those: see holds(). Entries that
/// have not changed may be among them.
///
/// One thread. Memory: a bit a block. The tables are watched until all is read; one image of them
/// at a time: another one that is made has this one read the rest.
template <class K, class V, class Put>
class TablesImage final : private TableWatch {
 public:
  /// `store_key` appends the bytes that a key has in images; null where `chain` has no epoch.
  TablesImage(KeyedTables<K, V>& tables, Put put, const ImageChain& chain = {},
              typename KeyedTables<K, V>::Changes::StoreKey store_key = nullptr)
      : tables_(&tables), put_(std::move(put)), chained_(chain.epoch != 0) {
    tables.watch(*this);
    if (chained_) extent_ = tables.begin_image(chain, store_key);
    for (std::uint32_t group = 0; group < kKeyGroups; ++group) {
      first_[group] = blocks_;
      left_in_[group] = blocks_of(tables.slots_in(group));
      blocks_ += left_in_[group];
    }
    read_.resize((blocks_ + 63) / 64);
    left_ = blocks_;
    if (left_ == 0) let_go();
  }
  TablesImage(const TablesImage&) = delete;
  TablesImage& operator=(const TablesImage&) = delete;
  ~TablesImage() {
    if (!done()) let_go();
  }

  /// What it holds of the tables.
  const ImageExtent<kKeyGroups>& holds() const { return extent_; }
  /// All has been read.
  bool done() const { return tables_ == nullptr; }
  /// Reads on until about `slots` more have been read; how many of them are left. O(slots).
  std::size_t advance(std::size_t slots) {
    while (!done() && slots > 0) {
      if (at_ == first_[group_] + blocks_in(group_)) {
        ++group_;
      } else {
        const bool known = is_read(at_);
        if (!known) read(group_, static_cast<std::uint32_t>(at_ - first_[group_]));
        slots -= known ? 0 : std::min(slots, kBlock);
        ++at_;
      }
    }
    return slots;
  }

 private:
  static constexpr std::size_t kBlock = 64;  ///< slots

  static std::uint64_t blocks_of(std::size_t slots) { return (slots + kBlock - 1) / kBlock; }
  std::uint64_t blocks_in(std::uint32_t group) const {
    return (group + 1 == kKeyGroups ? blocks_ : first_[group + 1]) - first_[group];
  }
  bool is_read(std::uint64_t block) const { return (read_[block / 64] >> (block % 64)) & 1; }

  void read(std::uint32_t group, std::uint64_t block) {
    const std::uint64_t number = first_[group] + block;
    if (is_read(number)) return;
    read_[number / 64] |= std::uint64_t{1} << (number % 64);
    const std::uint64_t changed = chained_ ? tables_->take_changes(group, block) : 0;
    const bool all = !extent_.only_changes || extent_.all[group];
    tables_->for_each_of_block(group, block, all ? ~std::uint64_t{0} : changed,
                               [&](const K& key, V& value) { put_(group, key, value); });
    --left_in_[group];
    if (--left_ == 0) let_go();
  }
  void let_go() {
    tables_->unwatch();
    tables_ = nullptr;
  }

  /// A group of which nothing is left may have other slots by now.
  void before_slots(std::uint32_t group, std::size_t from, std::size_t to) override {
    if (left_in_[group] == 0) return;
    const std::uint64_t last = blocks_in(group) - 1;
    for (std::uint64_t block = from / kBlock; block != to / kBlock && !done();
         block = block == last ? 0 : block + 1)
      read(group, block);
    if (!done()) read(group, to / kBlock);
  }
  void before_group(std::uint32_t group) override {
    for (std::uint64_t block = 0; !done() && left_in_[group] > 0; ++block) read(group, block);
  }
  void before_all() override {
    for (std::uint32_t group = 0; !done(); ++group) before_group(group);
  }

  KeyedTables<K, V>* tables_;  ///< null: all has been read
  Put put_;
  bool chained_;
  ImageExtent<kKeyGroups> extent_;
  std::array<std::uint64_t, kKeyGroups> first_{};    ///< block of a group
  std::array<std::uint64_t, kKeyGroups> left_in_{};  ///< blocks of a group that are not read
  std::uint64_t blocks_ = 0;
  std::uint64_t left_ = 0;
  std::vector<std::uint64_t> read_;  ///< a bit a block
  std::uint32_t group_ = 0;          ///< where advance() goes on
  std::uint64_t at_ = 0;
};

}  // namespace millrace::detail
