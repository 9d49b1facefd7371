// AccumulatorTables: an accumulator for each key of a task, of which those that memory has no room
// for lie on disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/acc_heap.hpp"
#include "operator/held_aggregates.hpp"
#include "operator/spilled_tables.hpp"
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

/// What a verb without a window keeps of keys. Those that cannot be stored stay in memory. Kernel:
/// Acc, init(), and what kStores asks for. See SpilledTables.
template <class K, class Kernel>
class AccumulatorTables : public SpilledTables<K, AccumulatorCodec<Kernel>> {
  using Base = SpilledTables<K, AccumulatorCodec<Kernel>>;

 public:
  using Acc = typename Kernel::Acc;
  using Base::tables;

  /// Both outlive it. `meter` counts the tables; see take_moved_heap() for what lies beside them.
  AccumulatorTables(const Kernel& kernel, MemoryMeter* meter)
      : Base(AccumulatorCodec<Kernel>(kernel), meter), kernel_(&kernel) {}

  /// Once, before anything else; see Spills.
  void spill_to(const SpillPlace& place) {
    if constexpr (kStores<Kernel>) Base::spill_to(place);
  }

  /// As HandsOver has it. What lies on disk goes by its image.
  bool hands_over() const { return !this->is_on_disk(); }
  std::unique_ptr<HandedState> hand_over(std::string part) {
    return std::make_unique<HandedTables<K, Acc>>(tables(), std::vector{std::move(part)});
  }
  bool take_over(HandedState& handed) { return HandedTables<K, Acc>::give(handed, tables()); }

  /// Adds all, wherever they are; where they are weighed, those in memory. See HoldsAggregates.
  void add_to(HeldOf<Kernel>& held) {
    const auto add = [&held](const K& key, const Acc& acc) {
      held.add(key, kTimeMin, kTimeMax, acc);
    };
    if (held.weighs()) return tables().for_each(add);
    this->for_each(add);
  }

  /// Those of now, whatever becomes of them before the writer is done; it outlives the writer.
  void save(StateWriter& writer, std::string_view name) {
    if constexpr (kStores<Kernel>) {
      Base::save(writer, name, shape_of(*kernel_), AccumulatorSaver<Kernel>{kernel_});
    } else {
      writer.refuse(unstorable(name));
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
      this->end_batch();
    }
  }

 private:
  void restore_part(StateReader& reader, const StatePart& part,
                    const AccumulatorReader<Kernel>& accumulators, BytesCursor& in) {
    const auto take = [&](const K& key, std::uint64_t hash) {
      this->bring(hash);  // another key may have it
      Acc& acc = tables().upsert(key, hash, [this]() -> decltype(auto) { return kernel_->init(); });
      if (!accumulators.read(in, acc)) return false;
      this->note_restored(acc);
      return true;
    };
    // Where some go to disk, not all of them come into the tables.
    if (this->is_on_disk()) return read_entries<K>(reader, part, in, take);
    read_entries_into(tables(), reader, part, in, take);
  }

  const Kernel* kernel_;
};

}  // namespace millrace::detail
