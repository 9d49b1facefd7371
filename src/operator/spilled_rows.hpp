// SpilledRows: the rows of a task's keys that memory has no room for, on disk until their keys come
// again.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "operator/recent_keys.hpp"
#include "operator/row_codec.hpp"
#include "operator/spill_place.hpp"
#include "state/stored_tables.hpp"
#include "state/table_sweep.hpp"

namespace millrace::detail {

/// The disk takes or gives nothing; ends the run.
class DiskFailed : public std::runtime_error {
 public:
  explicit DiskFailed(const Status& status) : std::runtime_error(status.message()) {}
};

/// Keyed tables are a cache of it, written back: a row goes to disk when it makes room, and comes
/// back with the first batch that asks for its key. Rows of one hash go and come together. What is
/// on disk of a hash of which any row is in memory is stale, and what is forgotten in memory is
/// forgotten on disk, so a key has one row.
///
/// Rows move between batches alone, so that references hold through one. One thread. All calls
/// throw DiskFailed, and MemoryRefused. Cost: of a row that comes back some microseconds.
template <class K, class P>
class SpilledRows {
 public:
  using Row = StateRow<P>;
  using Tables = KeyedTables<K, Row>;
  static constexpr std::size_t kBringMax = 1024;  ///< rows to bring between two sheds, about

  /// All of them outlive it.
  SpilledRows(ProcessorStates<P>& states, Tables& rows, MemoryMeter* meter)
      : states_(&states), codec_(states), rows_(&rows), meter_(meter) {}
  ~SpilledRows() {
    if (table_ && meter_) meter_->shrink(disk_memory());
  }
  SpilledRows(const SpilledRows&) = delete;
  SpilledRows& operator=(const SpilledRows&) = delete;

  void spill_to(const SpillPlace& place) { place_ = place; }
  /// Rows have gone to disk: before a key is looked up, bring() it.
  bool active() const { return table_ != nullptr; }

  /// Brings back the rows of these hashes that are on disk.
  void bring(std::span<const std::uint64_t> hashes) {
    wanted_.clear();
    for (std::size_t at = 0; at < hashes.size(); ++at) {
      if (at + kLookAhead < hashes.size()) rows_->prefetch(hashes[at + kLookAhead]);
      recent_.mark(hashes[at]);
      if (!is_resident(hashes[at])) wanted_.push_back(hashes[at]);
    }
    hits_ += hashes.size() - wanted_.size();
    find_wanted([this](std::uint64_t hash, std::string_view bytes) {
      read(bytes, [&](const K& key, Row&& row) {
        states_->call().heap_bytes += codec_.heap_of(row);
        rows_->add(key, hash, std::move(row));
        --keys_;
        ++misses_;
      });
    });
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
    find_wanted([&](std::uint64_t, std::string_view bytes) {
      read(bytes, [&](const K& key, Row&& row) { visit(key, row); });
    });
  }
  /// The same for all keys of a key group that are on disk alone.
  template <class Visit>
  void for_each_of_group(std::uint32_t group, Visit&& visit) {
    if (!table_) return;
    check(table_->write());
    const std::uint64_t first = std::uint64_t{group} << 57;
    check(table_->each(first, first | (~std::uint64_t{0} >> 7), [&](auto hash, auto bytes) {
      if (!is_resident(hash)) read(bytes, [&](const K& key, Row&& row) { visit(key, row); });
    }));
  }
  /// A key of that hash has no row any more.
  void forgotten(std::uint64_t hash) {
    if (table_) table_->erase(hash);
  }
  /// Whether a key of that hash may have a row on disk.
  bool may_hold(std::uint64_t hash) { return table_ && !is_resident(hash); }

  /// Between batches: moves rows to disk as long as there is too much in memory, first those that
  /// no batch has asked for of late. `heap_bytes` are those that the meter has not been told of.
  void shed(std::int64_t heap_bytes) {
    if (place_.tables == nullptr || held_bytes(heap_bytes) + rows_->bytes() / 8 < most_bytes())
      return;
    if (rows_->size() == 0) return;
    begin();
    recent_.fit(rows_->size());
    for (std::uint32_t group = 0; group < kKeyGroups; ++group) {
      const std::size_t fit = Sweep::fit_in(*rows_, group);
      const std::size_t slack = std::max<std::size_t>(1, fit / 8);
      if (Sweep::entries_of(*rows_, group) + slack > fit) evict(group, fit - fit / 4);
    }
    for (std::uint32_t step = 0; step < kKeyGroups; ++step) {
      const std::int64_t heap_now = heap_bytes - (heap_before_ - states_->call().heap_bytes);
      if (held_bytes(heap_now) <= most_bytes()) break;
      shrink(std::exchange(shrunk_next_, (shrunk_next_ + 1) % kKeyGroups));
    }
    check(table_->write());
  }
  /// Between batches: what is over by then may go.
  void tell(Time watermark, Time clock) {
    if (!table_) return;
    if (watermark != kTimeMax && states_->has_ttl()) table_->set_time(watermark, clock);
    SpillFigures* const figures = place_.figures;
    if (figures == nullptr) return;
    figures->keys.store(keys_, std::memory_order_relaxed);
    figures->hits.store(hits_, std::memory_order_relaxed);
    figures->misses.store(misses_, std::memory_order_relaxed);
    if (told_++ % kTellBytes == 0) figures->bytes.store(table_->bytes(), std::memory_order_relaxed);
  }

 private:
  using Sweep = TableSweep<K, Row>;
  static constexpr std::size_t kLookAhead = 16;
  static constexpr std::uint64_t kTellBytes = 64;  ///< batches between two looks

  static void check(const Status& status) {
    if (!status.ok()) throw DiskFailed(status);
  }
  std::size_t disk_memory() const { return place_.disk.cache_bytes + place_.disk.buffer_bytes; }
  std::uint64_t most_bytes() const { return place_.state_max_bytes; }
  std::uint64_t held_bytes(std::int64_t more) const {
    return static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, static_cast<std::int64_t>(place_.state->bytes()) + more));
  }
  bool is_resident(std::uint64_t hash) {
    bool any = false;
    rows_->for_each_of(hash, [&any](const K&, Row&) { any = true; });
    return any;
  }
  /// With the first row that goes.
  void begin() {
    heap_before_ = states_->call().heap_bytes;
    if (table_) return;
    if (meter_) meter_->grow(disk_memory());
    auto made = place_.tables->make(place_.folder, place_.disk);
    if (!made && meter_) meter_->shrink(disk_memory());
    check(made.error());
    table_ = std::move(*made);
  }
  /// Calls use(hash, bytes) for those of wanted_ that are on disk.
  template <class Use>
  void find_wanted(Use&& use) {
    if (!table_ || wanted_.empty()) return;
    std::sort(wanted_.begin(), wanted_.end());
    wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
    check(table_->write());
    check(table_->find(wanted_, use));
  }
  template <class Use>
  void read(std::string_view bytes, Use&& use) {
    BytesCursor in(bytes);
    while (!in.rest().empty()) {
      OwnedKey<K> key{};
      Row row;
      if (!load_value(in, key) || !codec_.load(in, row))
        throw DiskFailed({Code::source_failed, "a row on disk is damaged: " + place_.folder});
      use(K(key), std::move(row));
    }
  }

  /// Leaves at most `keep` rows of the group in memory. A hand goes round over the slots, and
  /// passes by once at those that were used.
  void evict(std::uint32_t group, std::size_t keep) {
    std::size_t& hand = hands_[group];
    while (Sweep::entries_of(*rows_, group) > keep) {
      if (hand >= Sweep::slots_of(*rows_, group)) hand = 0;
      const auto key = Sweep::key_at(*rows_, group, hand);
      const std::uint64_t hash = key ? KeyTraits<K>::hash(*key) : 0;
      if (!key || recent_.take(hash)) {
        ++hand;
      } else {
        put_away(hash);  // another row may have moved up to there
      }
    }
  }
  void put_away(std::uint64_t hash) {
    bytes_.clear();
    OverAt over{kTimeMin, kTimeMin};
    rows_->for_each_of(hash, [&](const K& key, Row& row) {
      store_value(bytes_, KeyTraits<K>::own(key));
      codec_.store(bytes_, row);
      const OverAt its = codec_.over_at(row);
      over = {std::max(over.event, its.event), std::max(over.clock, its.clock)};
      states_->call().heap_bytes -= codec_.heap_of(row);
      ++keys_;
    });
    table_->put(hash, over, bytes_);
    rows_->erase_of_hash(hash, [](const K&, Row&) { return true; });
  }
  /// Half of the group's table, or where it has no less all that it holds.
  void shrink(std::uint32_t group) {
    const std::size_t slots = Sweep::slots_of(*rows_, group);
    evict(group, slots / 8 <= 1 ? 0 : slots / 8);
    Sweep::halve(*rows_, group);
  }

  ProcessorStates<P>* states_;
  RowCodec<P> codec_;
  Tables* rows_;
  MemoryMeter* meter_;
  SpillPlace place_;
  std::unique_ptr<DiskTable> table_;  ///< null: nothing has gone there yet
  RecentKeys recent_;
  std::array<std::size_t, kKeyGroups> hands_{};
  std::uint32_t shrunk_next_ = 0;  ///< the group whose table shrinks next
  std::int64_t heap_before_ = 0;   ///< when shed() began
  std::vector<std::uint64_t> wanted_;
  std::string bytes_;
  std::uint64_t keys_ = 0;  ///< on disk
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
  std::uint64_t told_ = 0;
};

}  // namespace millrace::detail
