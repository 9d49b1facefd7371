// SpilledTables: keyed tables of a task of which the rows that memory has no room for lie on disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/keyed.hpp"
#include "operator/spilled_parts.hpp"
#include "operator/spilled_rows.hpp"

namespace millrace::detail {

/// Tables, their images, and what of them is on disk, which is nothing where no disk is given. One
/// thread. Where nothing is on disk, a batch costs two branches beside what is done to tables().
///
/// `Codec`: see DiskRows; its rows say themselves how large they are beside the tables, but for
/// heap_of(row).
template <class K, class Codec>
class SpilledTables {
 public:
  using Row = typename Codec::Row;
  using Tables = KeyedTables<K, Row>;

  /// `meter` counts the tables and outlives them; null: nobody does.
  SpilledTables(Codec codec, MemoryMeter* meter) : codec_(std::move(codec)), tables_(meter) {}
  SpilledTables(const SpilledTables&) = delete;
  SpilledTables& operator=(const SpilledTables&) = delete;

  /// Those in memory.
  Tables& tables() { return tables_; }
  /// Once, before anything else, of rows that can be stored; see Spills.
  void spill_to(const SpillPlace& place) {
    spilled_ = std::make_unique<Spilled>(codec_, tables_, moved_heap_);
    spilled_->spill_to(place);
  }

  /// Before the records of a batch are added: their keys' rows are in memory until end_batch(). The
  /// hashes of their keys; null: each is to be made as it is needed. A key that throws has some
  /// hash.
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
  /// next call. Makes room as it goes; behind the last one end_batch().
  void bring(std::uint64_t hash) {
    make_room_behind(1);
    if (is_on_disk()) spilled_->bring({&hash, 1});
  }
  /// Of a row that is in memory.
  void erase(const K& key, std::uint64_t hash) {
    tables_.erase(key, hash);
    forgotten(hash);
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
  /// What rows that have come into memory since this was asked for hold on the heap, less what
  /// those hold that went: nobody else counts that. See HoldsAggregates; by heap_of().
  std::int64_t take_moved_heap() { return std::exchange(moved_heap_, 0); }

  /// Those of now, whatever becomes of them before the writer is done; this outlives the writer.
  /// save(std::string&, Row&) appends a row, of that shape.
  template <class Save>
  void save(StateWriter& writer, std::string_view name, std::string_view shape, Save save) {
    if (!is_on_disk()) return save_tables_later(writer, name, tables_, shape, std::move(save));
    save_with_disk_later<K>(writer, *spilled_, [&](const ImageChain& chain) {
      return std::make_unique<TableParts<K, Row, Save>>(tables_, name, entry_shape<K>(shape),
                                                        std::move(save), chain);
    });
  }

 protected:
  ~SpilledTables() = default;

  bool is_on_disk() const { return spilled_ && spilled_->active(); }
  /// Behind make_room_behind(): the rows of these hashes are in memory.
  void bring_all(const std::vector<std::uint64_t>& hashes) {
    if (is_on_disk()) spilled_->bring(hashes);
  }
  /// A key of that hash, which was in memory, has no row any more.
  void forgotten(std::uint64_t hash) {
    if (is_on_disk()) spilled_->forgotten(hash);
  }
  /// So many rows are about to come into memory.
  void make_room_behind(std::size_t rows) {
    if (!spilled_) return;
    came_ += rows;
    if (came_ < kAtOnce) return;
    came_ = 0;
    end_batch();
  }
  /// A row has been put in that was not in memory before.
  void note_restored(Row& row) { moved_heap_ += codec_.heap_of(row); }

 private:
  using Spilled = SpilledRows<K, Codec>;
  static constexpr std::size_t kAtOnce = 256;  ///< rows between two makings of room

  Codec codec_;
  Tables tables_;
  std::int64_t moved_heap_ = 0;
  std::unique_ptr<Spilled> spilled_;  ///< null: all stay in memory
  std::vector<std::uint64_t> hashes_;
  std::size_t came_ = 0;  ///< rows since room was made
};

}  // namespace millrace::detail
