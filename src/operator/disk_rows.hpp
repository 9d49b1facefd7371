// DiskRows: the rows of keys on a scratch disk, by the hashes of their keys.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/counted_copies.hpp"
#include "operator/spill_place.hpp"
#include "record/stored_value.hpp"
#include "state/stored_tables.hpp"

namespace millrace::detail {

/// Opened with the first row. One thread. All calls throw DiskFailed.
///
/// `Codec` says what a row is and how it lies there: Row, fresh(), store(bytes, row), which
/// appends, load(BytesCursor&, row) -> bool into a fresh one, over_at(row) and heap_of(row).
template <class K, class Codec>
class DiskRows {
 public:
  using Row = typename Codec::Row;

  explicit DiskRows(Codec codec) : codec_(std::move(codec)) {}

  void spill_to(const SpillPlace& place) {
    place_ = place;
    copies_.count_with(place.copies);
  }
  const SpillPlace& place() const { return place_; }
  bool is_open() const { return table_ != nullptr; }
  /// `follows`: an image of changes may come over one that has been taken before. gone(hash) is
  /// called within later calls for each hash whose rows go because they are over.
  template <class Gone>
  void open(bool follows, Gone&& gone) {
    if (table_) return;
    auto made = place_.tables->make(place_.folder);
    check(made.error());
    table_ = std::move(*made);
    table_->when_over(std::forward<Gone>(gone));
    if (!follows) return;
    table_->begin_image(DiskImage::base);  // that one, when nothing was here
    table_->end_image();
  }

  /// Begins the rows of one hash; add() adds to them, and put() puts them in place of those that
  /// were there.
  void begin() {
    bytes_.clear();
    over_ = {kTimeMin, kTimeMin};
  }
  void add(const K& key, Row& row) {
    store_value(bytes_, KeyTraits<K>::own(key));
    codec_.store(bytes_, row);
    const OverAt its = codec_.over_at(row);
    over_ = {std::max(over_.event, its.event), std::max(over_.clock, its.clock)};
  }
  /// `changed`: since the last image, or nobody knows.
  void put(std::uint64_t hash, bool changed = true) { table_->put(hash, over_, bytes_, changed); }
  /// Nothing to do where it was never opened.
  void erase(std::uint64_t hash) {
    if (table_) table_->erase(hash);
  }
  /// Behind some put(): that they are there.
  void check() const { check(table_->check()); }

  /// Calls use(hash, K key, Row&& row) for the rows of these hashes, which it sorts.
  template <class Use>
  void find(std::vector<std::uint64_t>& hashes, Use&& use) {
    each_found(hashes, [&](auto hash, auto bytes) { read(hash, bytes, use); });
  }
  /// The same for rows that come into memory: of one that an image has still to read a copy goes
  /// there before. How many of the hashes there are.
  template <class Use>
  std::size_t bring(std::vector<std::uint64_t>& hashes, Use&& use) {
    std::size_t found = 0;
    each_found(hashes, [&](auto hash, auto bytes) {
      ++found;
      const bool awaited = image_put_ && table_->is_awaited(hash);
      if (awaited) copies_.add(bytes.size());
      read(hash, bytes, [&](std::uint64_t of, const K& key, Row&& row) {
        if (awaited) image_put_(key_group(of), key, row);
        use(of, key, std::move(row));
      });
    });
    return found;
  }
  /// The same for those of a key group of which wants(hash) holds.
  template <class Wants, class Use>
  void for_each_of_group(std::uint32_t group, Wants&& wants, Use&& use) {
    if (!table_) return;
    each_of_group(*table_, group, [&](auto hash, auto bytes) {
      if (wants(hash)) read(hash, bytes, use);
    });
  }
  /// Calls put(std::uint32_t group, const K&, Row&).
  using ImagePut = std::function<void(std::uint32_t, const K&, Row&)>;
  /// An image begins of what is here now; see DiskTable. Calls `put` for each row as read_image()
  /// comes to it, or by bring() before. One at a time: nothing more is read of that before.
  /// Returns its number.
  std::uint64_t begin_image(DiskImage what, ImagePut put) {
    ++image_;
    image_put_ = table_ ? std::move(put) : nullptr;
    if (table_) table_->begin_image(what);
    return image_;
  }
  /// Of rows of which wants(hash) holds, about so many; how many of them are left. Where that is
  /// not 0, all has been read.
  template <class Wants>
  std::size_t read_image(std::uint64_t number, std::size_t rows, Wants&& wants) {
    if (number != image_ || !image_put_) return rows;
    const auto put = [this](std::uint64_t hash, const K& key, Row&& row) {
      image_put_(key_group(hash), key, row);
      if constexpr (requires { codec_.let_go(row); }) codec_.let_go(row);
    };
    rows = table_->read_image(rows, [&](auto hash, auto bytes) {
      if (wants(hash)) read(hash, bytes, put);
    });
    if (rows > 0) image_put_ = nullptr;
    return rows;
  }
  /// Number of the last one.
  std::uint64_t image() const { return image_; }
  void end_image(std::uint64_t number) {
    if (number != image_ || !image_put_) return;
    table_->end_image();
    image_put_ = nullptr;
  }
  /// The copies that rows have left for their image have been handed on, or nobody wants them.
  void copies_given() { copies_.clear(); }
  void set_time(Time watermark, Time clock) {
    if (table_) table_->set_time(watermark, clock);
  }
  std::uint64_t bytes() const { return table_ ? table_->bytes() : 0; }

 private:
  template <class Visit>
  void each_found(std::vector<std::uint64_t>& hashes, Visit&& visit) {
    if (!table_ || hashes.empty()) return;
    std::sort(hashes.begin(), hashes.end());
    hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
    table_->find(hashes, visit);
  }
  static void check(const Status& status) {
    if (!status.ok()) throw DiskFailed(status);
  }
  template <class Use>
  void read(std::uint64_t hash, std::string_view bytes, Use&& use) {
    BytesCursor in(bytes);
    while (!in.rest().empty()) {
      OwnedKey<K> key{};
      Row row = codec_.fresh();
      if (!load_value(in, key) || !codec_.load(in, row))
        check({Code::source_failed, "the state on disk in \"" + place_.folder + "\" is damaged"});
      use(hash, K(key), std::move(row));
    }
  }

  Codec codec_;
  SpillPlace place_;
  std::unique_ptr<DiskTable> table_;  ///< null: nothing has gone there yet
  std::string bytes_;                 ///< of one hash, as over_
  OverAt over_;
  std::uint64_t image_ = 0;  ///< number of the last one
  ImagePut image_put_;       ///< empty: all of it has been read
  CountedCopies copies_;
};

}  // namespace millrace::detail
