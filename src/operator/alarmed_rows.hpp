// AlarmedRows: a row for each key of a task and when next to look at it, of which those that memory
// has no room for lie on disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/keyed.hpp"
#include "operator/spilled_parts.hpp"
#include "operator/spilled_rows.hpp"
#include "state/key_alarms.hpp"
#include "state/table_parts.hpp"

namespace millrace::detail {

/// What an operator keeps of keys that have something to do at a time: tables, alarms, and what of
/// the tables is on disk, which is nothing where no disk is given. Alarms stay in memory, 16 bytes
/// each; the row of one that rings is brought before, some at once, so that memory holds them
/// however many ring. One thread. Where nothing is on disk, a batch costs two branches beside what
/// is done to tables().
///
/// `Codec`: see DiskRows; its rows say themselves how large they are beside the tables, but for
/// heap_of(row).
template <class K, class Codec>
class AlarmedRows {
 public:
  using Row = typename Codec::Row;
  using Tables = KeyedTables<K, Row>;

  /// `meter` counts the tables and the alarms and outlives it; null: nobody does.
  AlarmedRows(Codec codec, MemoryMeter* meter) : codec_(std::move(codec)), tables_(meter) {
    alarms_.count_with(meter);
  }
  AlarmedRows(const AlarmedRows&) = delete;
  AlarmedRows& operator=(const AlarmedRows&) = delete;

  /// Those in memory.
  Tables& tables() { return tables_; }
  KeyAlarms& alarms() { return alarms_; }
  const KeyAlarms& alarms() const { return alarms_; }
  /// Once, before anything else, of rows that can be stored; see Spills.
  void spill_to(const SpillPlace& place) {
    spilled_ = std::make_unique<Spilled>(codec_, tables_, moved_heap_);
    spilled_->spill_to(place);
  }

  /// Before the records of a batch are added: their keys' rows are in memory until end_batch(). The
  /// hashes of their keys, of one that throws some; null: each is to be made as it is needed.
  template <class T, class Key>
  const std::uint64_t* begin_batch(const TypedKeyHash<T, Key>& key, const Batch<T>& in) {
    const bool on_disk = is_on_disk();
    const std::uint64_t* const hashes = key.hashes_of(in, on_disk, hashes_);
    if (on_disk) spilled_->bring({hashes, in.values.size()});
    return hashes;
  }
  /// Behind it, when nothing points into the tables: what memory has no room for goes to disk.
  void end_batch() {
    if (!spilled_) return;
    spilled_->shed(moved_heap_);
    spilled_->tell();
  }
  /// Outside of batches, when nothing points into the tables: a key's row is in memory until the
  /// next call.
  void bring(std::uint64_t hash) {
    if (!is_on_disk()) return;
    make_room_behind(1);
    spilled_->bring({&hash, 1});
  }
  void erase(const K& key, std::uint64_t hash) {
    tables_.erase(key, hash);
    if (is_on_disk()) spilled_->forgotten(hash);
  }
  /// Calls look(when, hash, K key, Row& row) -> bool for the rows whose alarms are before `time`
  /// (for all of them at kTimeMax), in the order of the alarms, and forgets those for which it
  /// holds. It may ask twice for one row, and add alarms for it. Behind the last one end_batch().
  template <class Look>
  void ring(Time time, Look&& look) {
    const auto wake = [&](Time when, std::uint64_t hash) {
      bool gone = false;
      tables_.erase_of_hash(hash, [&](const K& key, Row& row) {
        const bool over = look(when, hash, key, row);
        gone |= over;
        return over;
      });
      if (gone && is_on_disk()) spilled_->forgotten(hash);
    };
    alarms_.ring(
        time, wake, [this](std::uint64_t hash) { tables_.prefetch(hash); },
        [this](std::span<const TimedHash> alarms) { bring_all(alarms); });
  }

  /// Calls visit(K key, Row& row) for those of a key group that are on disk alone, whose rows are
  /// copies.
  template <class Visit>
  void each_on_disk(std::uint32_t group, Visit&& visit) {
    if (is_on_disk()) spilled_->for_each_of_group(group, visit);
  }
  /// The same for all, wherever they are.
  template <class Visit>
  void for_each(Visit&& visit) {
    tables_.for_each(visit);
    for (std::uint32_t group = 0; group < kKeyGroups; ++group) each_on_disk(group, visit);
  }
  /// The same, of those on disk a key group at a time, and forgets them; not their alarms.
  template <class Visit>
  void take_all(Visit&& visit) {
    if (!is_on_disk()) tables_.for_each(visit);
    if (!is_on_disk()) return tables_.clear();
    for (std::uint32_t group = 0; group < kKeyGroups; ++group) {
      end_batch();  // before: what goes to disk now is to be brought as well
      hashes_.clear();
      const auto note = [this](const K& key, Row&) { hashes_.push_back(KeyTraits<K>::hash(key)); };
      each_on_disk(group, note);
      spilled_->bring(hashes_);
      hashes_.clear();
      tables_.for_each(note, group, group + 1);
      tables_.for_each(visit, group, group + 1);
      for (const std::uint64_t hash : hashes_) {
        tables_.erase_of_hash(hash, [](const K&, Row&) { return true; });
        spilled_->forgotten(hash);
      }
    }
  }
  /// See HoldsAggregates; by heap_of().
  std::int64_t take_moved_heap() { return std::exchange(moved_heap_, 0); }

  /// Those of now, whatever becomes of them before the writer is done; this outlives the writer.
  /// save(std::string&, Row&) appends a row, of that shape.
  template <class Save>
  void save(StateWriter& writer, std::string_view name, std::string_view shape, Save save) {
    if (!is_on_disk()) return save_tables_later(writer, name, tables_, shape, std::move(save));
    const ImageChain chain = kKeyIsItsBytes<K> ? writer.chain() : ImageChain{};
    using Parts = TableParts<K, Row, Save>;
    auto parts =
        std::make_unique<Parts>(tables_, name, entry_shape<K>(shape), std::move(save), chain);
    writer.later(
        std::make_unique<SpilledParts<Spilled, Parts>>(*spilled_, std::move(parts), chain));
  }
  /// A row of an image; makes room as it goes. Behind the last one end_batch().
  void restore(const K& key, std::uint64_t hash, Row row) {
    make_room_behind(1);
    if (is_on_disk()) spilled_->bring({&hash, 1});  // another key may have its hash
    moved_heap_ += codec_.heap_of(row);
    tables_.add(key, hash, std::move(row));
  }

 private:
  using Spilled = SpilledRows<K, Codec>;
  static constexpr std::size_t kAtOnce = 256;  ///< rows between two makings of room

  bool is_on_disk() const { return spilled_ && spilled_->active(); }
  void bring_all(std::span<const TimedHash> alarms) {
    make_room_behind(alarms.size());
    if (!is_on_disk()) return;
    hashes_.clear();
    for (const TimedHash& alarm : alarms) hashes_.push_back(alarm.hash);
    spilled_->bring(hashes_);
  }
  /// So many rows are about to come into memory.
  void make_room_behind(std::size_t rows) {
    if (!spilled_) return;
    came_ += rows;
    if (came_ < kAtOnce) return;
    came_ = 0;
    end_batch();
  }

  Codec codec_;
  Tables tables_;
  KeyAlarms alarms_;
  std::int64_t moved_heap_ = 0;
  std::unique_ptr<Spilled> spilled_;  ///< null: all stay in memory
  std::vector<std::uint64_t> hashes_;
  std::size_t came_ = 0;  ///< rows since room was made
};

}  // namespace millrace::detail
