// SpilledRows: the rows of a task's keys that memory has no room for, on disk until their keys come
// again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "operator/disk_rows.hpp"
#include "operator/table_clock.hpp"

namespace millrace::detail {

/// Keyed tables are a cache of it, written back: a row goes to disk when it makes room, and comes
/// back with the first batch that asks for its key. Rows of one hash go and come together. What is
/// on disk of a hash of which any row is in memory is stale, and what is forgotten in memory is
/// forgotten on disk, so a key has one row.
///
/// Rows move between batches alone, so that references hold through one. One thread. All calls
/// throw DiskFailed, and MemoryRefused. Cost: of a row that comes back a fraction of a microsecond,
/// or where the system has no longer got it in memory one or two reads of the disk.
///
/// `Codec`: see DiskRows; where rows name what lies elsewhere, also let_go(row), behind store().
template <class K, class Codec>
class SpilledRows {
 public:
  using Row = typename Codec::Row;
  using Tables = KeyedTables<K, Row>;

  /// Both outlive it. `heap_bytes`: what rows in memory hold beside the tables; it counts those
  /// that come and go.
  SpilledRows(const Codec& codec, Tables& rows, std::int64_t& heap_bytes)
      : heap_bytes_(&heap_bytes), codec_(codec), disk_(codec), rows_(&rows), tables_(rows) {}

  void spill_to(const SpillPlace& place) { disk_.spill_to(place); }
  /// Rows have gone to disk: before a key is looked up, bring() it.
  bool active() const { return disk_.is_open(); }

  /// On disk alone; about: some may be over, and those of one hash count as one.
  std::uint64_t keys() const { return keys_; }

  /// Brings back the rows of these hashes that are on disk.
  void bring(std::span<const std::uint64_t> hashes) {
    wanted_.clear();
    for (std::size_t at = 0; at < hashes.size(); ++at) {
      if (at + kLookAhead < hashes.size()) rows_->prefetch(hashes[at + kLookAhead]);
      if (is_resident(hashes[at])) {
        tables_.used(hashes[at]);  // what has come once alone is the first to go
      } else {
        wanted_.push_back(hashes[at]);
      }
    }
    hits_ += hashes.size() - wanted_.size();
    const std::size_t found =
        disk_.bring(wanted_, [this](std::uint64_t hash, const K& key, Row&& row) {
          *heap_bytes_ += codec_.heap_of(row);
          rows_->add(key, hash, std::move(row));
        });
    keys_ -= found;
    misses_ += found;
  }
  /// Calls visit(K key, Row& row) for the keys of these hashes, wherever they are; those that are
  /// on disk stay there, and are not changed.
  template <class Visit>
  void look(std::span<const std::uint64_t> hashes, Visit&& visit) {
    wanted_.clear();
    for (const std::uint64_t hash : hashes) {
      if (is_resident(hash)) {
        rows_->for_each_of(hash, visit);
      } else {
        wanted_.push_back(hash);
      }
    }
    disk_.find(wanted_, [&](std::uint64_t, const K& key, Row&& row) { visit(key, row); });
  }
  /// The same for all keys of a key group that are on disk alone.
  template <class Visit>
  void for_each_of_group(std::uint32_t group, Visit&& visit) {
    disk_.for_each_of_group(
        group, [this](std::uint64_t hash) { return !is_resident(hash); },
        [&](std::uint64_t, const K& key, Row&& row) { visit(key, row); });
  }
  /// An image begins of the rows that are on disk alone now; see DiskRows. What is in memory is the
  /// image of tables that is made with it. That before reads the rest.
  std::uint64_t begin_image(DiskImage what, DiskRows<K, Codec>::ImagePut put) {
    (void)read_image(disk_.image(), std::numeric_limits<std::size_t>::max());
    return disk_.begin_image(what, std::move(put));
  }
  /// Reads on, about so many rows; how many of them are left. Where that is not 0, all is read.
  std::size_t read_image(std::uint64_t number, std::size_t rows) {
    return disk_.read_image(number, rows, [this](auto hash) { return !is_resident(hash); });
  }
  /// Nobody wants the rest of it.
  void end_image(std::uint64_t number) { disk_.end_image(number); }
  /// What rows left for the image when they came back has been handed on; see SpillPlace.
  void copies_given() { disk_.copies_given(); }
  /// A key of that hash, which was in memory, has no row any more.
  void forgotten(std::uint64_t hash) { disk_.erase(hash); }
  /// Whether a key of that hash may have a row on disk.
  bool may_hold(std::uint64_t hash) { return active() && !is_resident(hash); }

  /// Between batches: moves rows to disk as long as there is too much in memory, first those that
  /// no batch has asked for of late. `heap_bytes` are those that the meter has not been told of.
  void shed(std::int64_t heap_bytes) {
    const SpillPlace& place = disk_.place();
    if (place.tables == nullptr || rows_->size() == 0) return;
    if (held_bytes(heap_bytes) + rows_->bytes() / 8 < place.state_max_bytes) return;
    disk_.open(rows_->notes_changes(), [this](std::uint64_t hash) {
      if (!is_resident(hash)) --keys_;  // else what went was stale
    });
    const std::int64_t heap_before = *heap_bytes_;
    const auto put_away_one = [this](std::uint64_t hash) { put_away(hash); };
    tables_.make_room(put_away_one);
    for (std::uint32_t step = 0; step < kKeyGroups; ++step) {
      if (held_bytes(heap_bytes + *heap_bytes_ - heap_before) <= place.state_max_bytes) break;
      tables_.shrink(put_away_one);
    }
    disk_.check();
  }
  /// Between batches: what is over by then may go.
  void reach(Time watermark, Time clock) {
    if (watermark != kTimeMax) disk_.set_time(watermark, clock);
  }
  /// Between batches: says how much is on disk.
  void tell() {
    if (!active()) return;
    SpillFigures* const figures = disk_.place().figures;
    if (figures == nullptr) return;
    figures->keys.store(keys_, std::memory_order_relaxed);
    figures->hits.store(hits_, std::memory_order_relaxed);
    figures->misses.store(misses_, std::memory_order_relaxed);
    if (told_++ % kTellBytes == 0) figures->bytes.store(disk_.bytes(), std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kLookAhead = 16;
  static constexpr std::uint64_t kTellBytes = 64;  ///< batches between two looks

  std::uint64_t held_bytes(std::int64_t more) const {
    const auto counted = static_cast<std::int64_t>(disk_.place().state->bytes());
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, counted + more));
  }
  bool is_resident(std::uint64_t hash) const { return rows_->holds(hash); }

  void put_away(std::uint64_t hash) {
    disk_.begin();
    ++keys_;  // before it is there: it may be over
    bool any_changed = false;
    TableSweep<K, Row>::move_out(*rows_, hash, [&](const K& key, Row& row, bool changed) {
      disk_.add(key, row);
      *heap_bytes_ -= codec_.heap_of(row);
      if constexpr (requires { codec_.let_go(row); }) codec_.let_go(row);
      any_changed |= changed;
    });
    disk_.put(hash, any_changed);
  }

  std::int64_t* heap_bytes_;
  Codec codec_;
  DiskRows<K, Codec> disk_;
  Tables* rows_;
  TableClock<K, Row> tables_;
  std::vector<std::uint64_t> wanted_;
  std::uint64_t keys_ = 0;  ///< hashes of rows that are on disk alone
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
  std::uint64_t told_ = 0;
};

}  // namespace millrace::detail
