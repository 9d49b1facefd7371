// TableJoin: the rows of two tables with equal keys, kept up to date: what each record changes.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "operator/change.hpp"
#include "operator/spilling_join.hpp"
#include "state/keyed_tables.hpp"

namespace millrace::detail {

/// Makes changes of rows that user code makes of both sides.
template <class Pairs>
struct ChangeMaker {
  Pairs pairs;
  ChangeKind kind = ChangeKind::insert;  ///< of the next one

  /// Who reads changes may take both as one.
  bool awaits_another() const { return kind == ChangeKind::update_before; }

  template <class L, class R, class Out>
  void operator()(Batch<Change<Out>>& out, const L* left, const R* right) const {
    out.values.push_back({kind, pairs.row(left, right)});
  }
};

/// What the two tables hold of one key: slots of their records.
struct TableRows {
  static constexpr std::uint64_t kNone = ~std::uint64_t{0} >> 1;
  std::uint64_t left = kNone;
  std::uint64_t right = kNone;

  bool has(int side) const { return (side == 0 ? left : right) != kNone; }
  std::uint64_t& at(int side) { return side == 0 ? left : right; }
  // Of JoinRow.
  template <class Use>
  void each(Use&& use) const {
    if (has(0)) use(0, JoinKept{kTimeMin, left});
    if (has(1)) use(1, JoinKept{kTimeMin, right});
  }
  void put(int side, const JoinKept& kept, MemoryMeter*) { at(side) = kept.slot; }
  template <class Move>
  void move(Move&& move) {
    for (const int side : {0, 1}) {
      if (has(side)) at(side) = move(side, at(side));
    }
  }
};

/// Records of both sides are taken when the watermark of both has passed their times, in the order
/// of time and place: the changes are the same whatever the schedule. What came behind the
/// watermark of its own source partition by more than `lateness` is late (ports 1 and 2).
///
/// `Maker` has a member `kind`, the kind of the next change, and is called as maker(Batch<Out>&,
/// const L*, const R*). What it takes back it makes anew of the records that were there.
///
/// Cost: a look-up a record and up to two rows. Memory: a copy of the newest record of each key and
/// side and of those that wait, 16 bytes and the key itself.
template <class L, class LKey, class R, class RKey, class Out, class Maker>
class TableJoin final : public SpillingJoin<TableRows, L, LKey, R, RKey, Out, Maker> {
  using Base = SpillingJoin<TableRows, L, LKey, R, RKey, Out, Maker>;

 public:
  using Left = typename Base::Left;
  using Right = typename Base::Right;
  using typename Base::K;

  struct Rules {
    JoinKind kind = JoinKind::inner;
    Duration lateness{0};
    DeletesRow<L> deletes_left = {};
    DeletesRow<R> deletes_right = {};
  };

  TableJoin(Rules rules, typename Left::KeyPtr left, typename Right::KeyPtr right, Maker maker)
      : Base("tables", rules.kind, std::move(left), std::move(right), std::move(maker)),
        rules_(std::move(rules)) {}

  void open(const OperatorContext& context) override {
    Base::open(context);
    keys_.emplace(context.state);
    this->open_spill(*keys_);
    this->start_turns();
  }
  void save_state(StateWriter& writer) override { this->save_keys(writer, EachKept()); }
  void restore_state(StateReader& reader) override {
    this->restore_keys(reader,
                       [this](auto side, const K& key, std::uint64_t hash, const JoinKept& kept) {
                         keys_->upsert(key, hash, [] { return TableRows(); }).at(side) = kept.slot;
                       });
  }
  void process_input(std::uint32_t input, BatchBase& batch, bool, Outputs& outputs) override {
    rows().set_due(batch.due_ns);
    if (input == 0) {
      await<0, L>(batch, outputs);
    } else {
      await<1, R>(batch, outputs);
    }
    this->spill().make_room();
  }
  void advance(Time watermark, Outputs& outputs) override {
    watermark_ = watermark;
    const Time until = forwarded(watermark);
    settle(until == kTimeMax ? until : saturating_add(until, -1), outputs);
    this->spill().make_room();
  }
  Time forwarded(Time watermark) const override {
    if (watermark == kTimeMax) return watermark;
    return saturating_add(watermark, -rules_.lateness.count());
  }
  /// What the tables hold is state like that of aggregates: no message waits for it.
  Standing standing() const override {
    return holding(this->waiting().records > 0, forwarded(watermark_));
  }
  void release(std::int64_t, bool drain, Outputs& outputs) override {
    if (drain) settle(kTimeMax, outputs);
  }

 private:
  using Base::keeps, Base::rows;

  template <int kSide, class T>
  void await(BatchBase& batch, Outputs& outputs) {
    await_turns<kSide>(*this->turns(), this->template side<kSide>(), static_cast<Batch<T>&>(batch),
                       rules_.lateness.count(), this->context(), outputs);
  }
  void settle(Time until, Outputs& outputs) {
    const auto near = [this](std::uint64_t hash) { keys_->prefetch(hash); };
    const auto next = [this](std::uint64_t hash) {
      const TableRows* const held = keys_->peek(hash);
      if (held == nullptr) return;
      if (held->has(0)) this->template side<0>().records().prefetch(held->left);
      if (held->has(1)) this->template side<1>().records().prefetch(held->right);
    };
    const auto take = [&](auto side, Time time, std::uint64_t slot, const K& key,
                          std::uint64_t hash) {
      return change<decltype(side)::value>(key, hash, slot, time, outputs);
    };
    this->take_turns(until, near, next, take);
    rows().flush(outputs);
  }
  template <int kSide>
  bool deletes(std::uint64_t slot) {
    const auto& deletes = [this]() -> const auto& {
      if constexpr (kSide == 0) return rules_.deletes_left;
      if constexpr (kSide == 1) return rules_.deletes_right;
    }();
    return deletes && deletes(this->template side<kSide>().records().record(slot));
  }
  /// Whether the join has a row of what the tables hold.
  bool has_row(const TableRows& held) const {
    if (held.has(0) && held.has(1)) return true;
    return (held.has(0) && keeps(0)) || (held.has(1) && keeps(1));
  }

  /// Puts a record into its table. True: it stays.
  template <int kSide>
  bool change(const K& key, std::uint64_t hash, std::uint64_t slot, Time time, Outputs& outputs) {
    const bool stays = !deletes<kSide>(slot);
    TableRows* const there = keys_->find(key, hash);
    const TableRows before = there != nullptr ? *there : TableRows();
    if (!stays && !before.has(kSide)) return false;
    TableRows after = before;
    after.at(kSide) = stays ? slot : TableRows::kNone;
    if (there != nullptr) {
      *there = after;
    } else if (stays) {
      keys_->add(key, hash, TableRows(after));
    }
    tell<kSide>(before, after, slot, time, outputs);
    if (before.has(kSide)) {
      this->template side<kSide>().records().gone(TableRows(before).at(kSide));
      if (!after.has(0) && !after.has(1)) forget(key, hash);
    }
    return stays;
  }
  void forget(const K& key, std::uint64_t hash) {
    keys_->erase(key, hash);
    this->spill().forgotten(hash);
  }
  template <int kSide>
  void tell(const TableRows& before, const TableRows& after, std::uint64_t slot, Time time,
            Outputs& outputs) {
    const bool had = has_row(before);
    const bool has = has_row(after);
    const Arrival place = this->template side<kSide>().records().place_of(slot);
    if (had)
      emit_row(has ? ChangeKind::update_before : ChangeKind::erase, before, time,
               place.child(kSide), outputs);
    if (has)
      emit_row(had ? ChangeKind::update_after : ChangeKind::insert, after, time,
               place.child(2 + kSide), outputs);
  }
  void emit_row(ChangeKind kind, const TableRows& held, Time time, const Arrival& place,
                Outputs& outputs) {
    rows().maker().kind = kind;
    if (!held.has(1)) return this->template emit_alone<0>(held.left, time, place, outputs);
    if (!held.has(0)) return this->template emit_alone<1>(held.right, time, place, outputs);
    this->emit(held.left, held.right, time, place, outputs);
  }

  Rules rules_;
  std::optional<KeyedTables<K, TableRows>> keys_;  ///< from open() on
  Time watermark_ = kTimeMin;
};

}  // namespace millrace::detail
