// AsOfJoin: each left record with the right record of its key that was valid at its event time.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/as_of_keys.hpp"
#include "operator/change.hpp"
#include "operator/spilling_join.hpp"

namespace millrace::detail {

/// Which right records a task has.
enum class TableReach : std::uint8_t {
  by_key,      ///< those of the keys that are the task's, as its left records are
  everywhere,  ///< all of them, whatever left records it has
};

/// What an as-of join knows of its right side, and of how left records name it.
template <class L, class R>
struct AsOfTable {
  DeletesRow<R> deletes = {};  ///< right records that are deletions; empty: none is
  TableReach reach = TableReach::by_key;
  DeletesRow<L> names_nothing = {};  ///< left records that have no key; empty: none is so
};

/// A left record waits until the watermark of both sides has passed its time, and of nearest() the
/// span behind it; then no right record that it could need comes any more, late ones aside. Its row
/// has its time, for which the watermark that is handed on waits. Of right records with equal times
/// the last one by place counts. What came behind the watermark of its own source partition by more
/// than the lateness is late (ports 1 and 2). A right record for which `deletes` holds is a
/// deletion: from its time on there is none.
///
/// Cost: two look-ups a left record, one a right one; O(log n) for n versions of its key that are
/// kept; O(log keys) now and then. Memory: a copy of each left record that waits and 16 bytes; of a
/// key one copy of the newest right record, for as long as it may be needed, those that came after
/// the watermark, and up to as many again; about 80 bytes a key.
template <class L, class LKey, class R, class RKey, class Out, class Maker>
class AsOfJoin final : public SpillingJoin<AsOfVersions, L, LKey, R, RKey, Out, Maker> {
  using Base = SpillingJoin<AsOfVersions, L, LKey, R, RKey, Out, Maker>;

 public:
  using typename Base::K, typename Base::Left, typename Base::Right;
  static constexpr RowPlaces kRowPlaces = RowPlaces::of_left;

  AsOfJoin(AsOfBounds bounds, JoinKind kind, typename Left::KeyPtr left,
           typename Right::KeyPtr right, Maker maker, AsOfTable<L, R> table = {})
      : Base(table.reach == TableReach::everywhere ? "time, of all" : "time", kind, std::move(left),
             std::move(right), std::move(maker)),
        bounds_(bounds),
        table_(std::move(table)) {}

  void open(const OperatorContext& context) override {
    Base::open(context);
    keys_.emplace(bounds_, context.state);
    keys_->set_cold(this->open_spill(keys_->tables(), keys_->life()));
    this->start_turns();
  }
  /// What all tasks have stays in memory.
  void spill_to(const SpillPlace& place) override {
    if (!is_everywhere()) Base::spill_to(place);
  }
  void save_state(StateWriter& writer) override {
    if (is_everywhere()) return save_everywhere(writer);
    this->save_keys(writer, EachKept());
  }
  void restore_state(StateReader& reader) override {
    const auto take = [this](auto, const K& key, std::uint64_t hash, const JoinKept& kept) {
      if (!add(key, hash, entry_of(kept))) right().records().gone(kept.slot);
    };
    if (!is_everywhere()) return this->restore_keys(reader, take);
    const std::uint32_t fullest = task_behind_all(reader, kFloorPart);
    this->restore_wanted(
        reader,
        [&](int side, const StatePart& part) {
          if (side == 1) return part.number == fullest;
          return part.number % reader.tasks() == reader.task();
        },
        take);
  }
  void process_input(std::uint32_t input, BatchBase& batch, bool, Outputs& outputs) override {
    this->rows().set_due(batch.due_ns);
    if (input == 0) {
      take_left(static_cast<Batch<L>&>(batch), outputs);
    } else {
      take_right(static_cast<Batch<R>&>(batch), outputs);
    }
    this->spill().make_room();
  }
  void advance(Time watermark, Outputs& outputs) override {
    watermark_ = watermark;
    const Time floor = bounds_.floor(watermark);
    settle(watermark == kTimeMax ? floor : saturating_add(floor, -1), outputs);
    keys_->forget(floor, [this](const JoinEntry& entry) { right().records().gone(entry.slot()); });
    this->spill().reach(watermark);
  }
  Time forwarded(Time watermark) const override { return bounds_.floor(watermark); }
  /// Right records are state like that of aggregates: no message waits for them.
  Standing standing() const override {
    return holding(this->waiting().records > 0, bounds_.floor(watermark_));
  }
  void release(std::int64_t, bool drain, Outputs& outputs) override {
    if (drain) settle(kTimeMax, outputs);
  }

 private:
  auto& left() { return this->template side<0>(); }
  auto& right() { return this->template side<1>(); }
  auto is_late() const {
    return [this](Time time, Time behind) {
      return saturating_add(time, bounds_.lateness.count()) < behind;
    };
  }

  bool is_everywhere() const { return table_.reach == TableReach::everywhere; }
  bool names_nothing(std::uint64_t slot) {
    return table_.names_nothing && table_.names_nothing(left().records().record(slot));
  }
  /// Each task writes all it has: how much of the past that is depends on its own left records.
  void save_everywhere(StateWriter& writer) {
    std::array<std::vector<JoinKept>, 2> kept;
    const auto take = [&](int side, const JoinKept& one) { kept[side].push_back(one); };
    keys_->tables().for_each([&](const K&, const AsOfVersions& of_key) { of_key.each(take); });
    put_number(writer.task_part(kFloorPart, "watermark"), watermark_);
    this->save_task(writer, kept);
  }
  void take_left(Batch<L>& in, Outputs& outputs) {
    left().take(in, 1, this->context(), outputs, is_late(),
                [&](std::uint64_t first, std::size_t count) {
                  for (std::size_t at = 0; at < count; ++at)
                    this->turns()->push(0, left().time_of(in, at), first + at);
                });
  }
  void take_right(Batch<R>& in, Outputs& outputs) {
    const auto keep = [&](std::uint64_t first, std::size_t count) {
      this->spill().bring_records(right(), first, count);
      const LookAhead keys(right().hashes(first, count), near());
      this->template handle<1>(
          first, count, keys, [&](std::size_t at, const K& key, std::uint64_t hash) {
            const bool deletes =
                table_.deletes && table_.deletes(right().records().record(first + at));
            return add(key, hash, JoinEntry(right().time_of(in, at), first + at, deletes));
          });
    };
    // Of records that all tasks get one task tells the late ones.
    const bool tells = !is_everywhere() || this->context().task == 0;
    right().take(in, tells ? 2 : Right::kNowhere, this->context(), outputs, is_late(), keep);
  }
  /// False: the record stays out.
  bool add(const K& key, std::uint64_t hash, const JoinEntry& entry) {
    auto& records = right().records();
    return keys_->add(key, hash, entry, [&](const JoinEntry& there) {
      if (records.place_of(entry.slot()) < records.place_of(there.slot())) return false;
      records.gone(there.slot());
      return true;
    });
  }

  /// Joins the left records up to that time, in the order of time and place.
  void settle(Time until, Outputs& outputs) {
    const auto next = [this](std::uint64_t hash) {
      keys_->likely(hash, [this](std::uint64_t slot) { right().records().prefetch(slot); });
    };
    const auto join = [&](auto, Time time, std::uint64_t slot, const K& key, std::uint64_t hash) {
      const JoinEntry* const found = names_nothing(slot) ? nullptr : keys_->find(key, hash, time);
      const Arrival place = left().records().place_of(slot).child(0);
      if (found != nullptr) {
        this->emit(slot, found->slot(), time, place, outputs);
      } else if (this->keeps(0)) {
        this->template emit_alone<0>(slot, time, place, outputs);
      }
      return false;
    };
    this->take_turns(until, near(), next, join);
    this->rows().flush(outputs);
  }
  auto near() {
    return [this](std::uint64_t hash) { keys_->prefetch(hash); };
  }

  static constexpr std::string_view kFloorPart = ":floor";

  AsOfBounds bounds_;
  AsOfTable<L, R> table_;
  std::optional<AsOfKeys<K>> keys_;  ///< from open() on
  Time watermark_ = kTimeMin;
};

}  // namespace millrace::detail
