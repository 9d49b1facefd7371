// AccumulatorTables: an accumulator for each key of a task, of which those that memory has no room
// for lie on disk.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/acc_heap.hpp"
#include "operator/held_aggregates.hpp"
#include "operator/keyed.hpp"
#include "operator/spilled_parts.hpp"
#include "operator/spilled_rows.hpp"
#include "operator/stored_accumulators.hpp"
#include "state/handed_tables.hpp"

namespace millrace::detail {

/// How an accumulator lies on disk: see DiskRows.
template <class Kernel>
class AccumulatorCodec {
 public:
  using Row = typename Kernel::Acc;

  /// `kernel` outlives it.
  explicit AccumulatorCodec(const Kernel& kernel) : kernel_(&kernel) {}

  Row fresh() const { return kernel_->init(); }
  void store(std::string& out, const Row& acc) const { store_accumulator(*kernel_, out, acc); }
  bool load(BytesCursor& in, Row& acc) const {
    return load_accumulator(*kernel_, in, acc) && in.ok();
  }
  /// Never: what is of all so far has no end.
  static OverAt over_at(const Row&) { return {}; }
  static std::int64_t heap_of(const Row& acc) {
    return static_cast<std::int64_t>(acc_heap_bytes(acc));
  }

 private:
  const Kernel* kernel_;
};

/// What a verb without a window keeps of keys: tables, their images, and what of them is on disk,
/// which is nothing where no disk is given or accumulators cannot be stored. Kernel: Acc, init(),
/// and what kStores asks for. One thread. Where nothing is on disk, a batch costs two branches
/// beside what is done to tables().
template <class K, class Kernel>
class AccumulatorTables {
 public:
  using Acc = typename Kernel::Acc;
  using Tables = KeyedTables<K, Acc>;

  /// Both outlive it. `meter` counts the tables; see take_moved_heap() for what lies beside them.
  AccumulatorTables(const Kernel& kernel, MemoryMeter* meter) : kernel_(&kernel), tables_(meter) {}
  AccumulatorTables(const AccumulatorTables&) = delete;
  AccumulatorTables& operator=(const AccumulatorTables&) = delete;

  /// Those in memory.
  Tables& tables() { return tables_; }
  /// Once, before anything else; see Spills.
  void spill_to(const SpillPlace& place) {
    if constexpr (kStores<Kernel>) {
      spilled_ =
          std::make_unique<Spilled>(AccumulatorCodec<Kernel>(*kernel_), tables_, moved_heap_);
      spilled_->spill_to(place);
    }
  }

  /// Before the records of a batch are added: their keys' accumulators are in memory until
  /// end_batch(). The hashes of their keys; null: each is to be made as it is needed. A key that
  /// throws has some hash.
  template <class T, class Key>
  const std::uint64_t* begin_batch(const TypedKeyHash<T, Key>& key, const Batch<T>& in) {
    const bool on_disk = is_on_disk();
    const std::uint64_t* const hashes = key.hashes_of(in, on_disk, hashes_);
    if (on_disk) spilled_->bring({hashes, in.values.size()});
    return hashes;
  }
  /// Behind it: what memory has no room for goes to disk.
  void end_batch() {
    if (!spilled_) return;
    spilled_->shed(moved_heap_);
    spilled_->tell();
  }
  /// Within a batch.
  void erase(const K& key, std::uint64_t hash) {
    tables_.erase(key, hash);
    if (is_on_disk()) spilled_->forgotten(hash);
  }

  /// As HandsOver has it. What lies on disk goes by its image.
  bool hands_over() const { return !is_on_disk(); }
  std::unique_ptr<HandedState> hand_over(std::string part) {
    return std::make_unique<HandedTables<K, Acc>>(tables_, std::vector{std::move(part)});
  }
  bool take_over(HandedState& handed) { return HandedTables<K, Acc>::give(handed, tables_); }

  /// Adds all, wherever they are; where they are weighed, those in memory. See HoldsAggregates.
  void add_to(HeldOf<Kernel>& held) {
    const auto add = [&held](const K& key, const Acc& acc) {
      held.add(key, kTimeMin, kTimeMax, acc);
    };
    tables_.for_each(add);
    if (held.weighs()) return;
    for (std::uint32_t group = 0; group < kKeyGroups; ++group) each_on_disk(group, add);
  }
  /// What accumulators that have come into memory since this was asked for hold on the heap, less
  /// what those hold that went: nobody else counts that.
  std::int64_t take_moved_heap() { return std::exchange(moved_heap_, 0); }

  /// Those of now, whatever becomes of them before the writer is done; it outlives the writer.
  void save(StateWriter& writer, std::string_view name) {
    if (!is_on_disk()) return save_accumulators<K>(writer, name, tables_, *kernel_);
    if constexpr (kStores<Kernel>) {
      const ImageChain chain = kKeyIsItsBytes<K> ? writer.chain() : ImageChain{};
      auto parts = accumulator_parts<K>(name, tables_, *kernel_, chain);
      using Parts = typename decltype(parts)::element_type;
      writer.later(
          std::make_unique<SpilledParts<Spilled, Parts>>(*spilled_, std::move(parts), chain));
    }
  }
  /// Makes room as it goes.
  void restore(StateReader& reader, std::string_view name) {
    if constexpr (kStores<Kernel>) {
      const auto reader_of = [this](std::string_view shape) {
        return AccumulatorReader<Kernel>::of(*kernel_, shape);
      };
      each_shaped_part<K>(reader, name, reader_of,
                          [&](const StatePart& part, const auto& accumulators, BytesCursor& in) {
                            restore_part(reader, part, accumulators, in);
                          });
      end_batch();
    }
  }

 private:
  using Spilled = SpilledRows<K, AccumulatorCodec<Kernel>>;
  static constexpr std::size_t kPutInMax = 1024;  ///< entries between two makings of room

  bool is_on_disk() const { return spilled_ && spilled_->active(); }
  template <class Visit>
  void each_on_disk(std::uint32_t group, Visit&& visit) {
    if constexpr (kStores<Kernel>) {
      if (is_on_disk()) spilled_->for_each_of_group(group, visit);
    }
  }
  void restore_part(StateReader& reader, const StatePart& part,
                    const AccumulatorReader<Kernel>& accumulators, BytesCursor& in) {
    const auto take = [&](const K& key, std::uint64_t hash) {
      if (++put_in_ % kPutInMax == 0) end_batch();
      if (is_on_disk()) spilled_->bring({&hash, 1});  // another key may have its hash
      Acc& acc = tables_.upsert(key, hash, [this]() -> decltype(auto) { return kernel_->init(); });
      if (!accumulators.read(in, acc)) return false;
      moved_heap_ += AccumulatorCodec<Kernel>::heap_of(acc);
      return true;
    };
    // Where some go to disk, not all of them come into the tables.
    if (is_on_disk()) return read_entries<K>(reader, part, in, take);
    read_entries_into(tables_, reader, part, in, take);
  }

  const Kernel* kernel_;
  Tables tables_;
  std::int64_t moved_heap_ = 0;
  std::unique_ptr<Spilled> spilled_;  ///< null: all stay in memory
  std::vector<std::uint64_t> hashes_;
  std::size_t put_in_ = 0;
};

}  // namespace millrace::detail
