// ReferenceJoin: the rows of a table with those of another one that they name by its key.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "operator/change_places.hpp"
#include "operator/join_operator.hpp"
#include "operator/table_join.hpp"
#include "state/counted_allocator.hpp"
#include "state/keyed_tables.hpp"

namespace millrace::detail {

/// How the changes of a table of T's are read.
template <class T>
struct ChangeOf {
  using Type = Change<T>;
  static ChangeKind kind(const Type& change) { return change.kind; }
  static const T& record(const Type& change) { return change.record; }
};

/// Of one key of the right table: its row, and the left rows that name it, as slots.
struct Referred {
  explicit Referred(MemoryMeter* meter) : lefts(CountedAllocator<std::uint64_t>(meter)) {}
  std::uint64_t right = TableRows::kNone;
  CountedVector<std::uint64_t> lefts;
};

/// Which left rows name which key. One thread.
template <class K, class Row>
class References {
 public:
  explicit References(MemoryMeter* meter) : meter_(meter), keys_(meter), rows_(meter) {}

  /// Brings near what at() and find() read.
  void prefetch(std::uint64_t hash) const { keys_.prefetch(hash); }
  Referred& at(const K& key, std::uint64_t hash) {
    return keys_.upsert(key, hash, [this] { return Referred(meter_); });
  }
  Referred* find(const K& key, std::uint64_t hash) { return keys_.find(key, hash); }
  void forget_empty(const K& key, std::uint64_t hash, const Referred& of) {
    if (of.right == TableRows::kNone && of.lefts.empty()) keys_.erase(key, hash);
  }
  /// By the key that is named.
  KeyedTables<K, Referred>& tables() { return keys_; }
  void add(Referred& of, const Row& row, std::uint64_t slot) {
    rows_.upsert(row, KeyTraits<Row>::hash(row), [] { return Place(); }) = {slot, of.lefts.size()};
    of.lefts.push_back(slot);
  }
  /// The slot of a row that names the key of `of`.
  std::optional<std::uint64_t> slot_of(const Row& row) {
    const Place* const place = rows_.find(row, KeyTraits<Row>::hash(row));
    return place != nullptr ? std::optional(place->slot) : std::nullopt;
  }
  /// Takes it out; with_row(slot, use) calls use(the key of the row there).
  template <class WithRow>
  void remove(Referred& of, const Row& row, WithRow&& with_row) {
    const std::uint64_t hash = KeyTraits<Row>::hash(row);
    const std::size_t at = rows_.find(row, hash)->at;
    rows_.erase(row, hash);
    const std::uint64_t last = of.lefts.back();
    of.lefts.pop_back();
    if (at == of.lefts.size()) return;
    of.lefts[at] = last;
    with_row(last,
             [&](const Row& moved) { rows_.find(moved, KeyTraits<Row>::hash(moved))->at = at; });
  }
  /// Calls visit(slot) for the rows that name the key, by their own keys: not in the order in which
  /// they came here, which depends on the tasks and on restores.
  template <class WithRow, class Visit>
  void each_in_order(const Referred& of, WithRow&& with_row, Visit&& visit) {
    ordered_.clear();
    for (const std::uint64_t slot : of.lefts) {
      with_row(slot,
               [&](const Row& row) { ordered_.emplace_back(KeyTraits<Row>::hash(row), slot); });
    }
    std::ranges::sort(ordered_, {}, [](const auto& one) { return one.first; });
    for (const auto& [hash, slot] : ordered_) visit(slot);
  }

 private:
  struct Place {
    std::uint64_t slot = 0;
    std::size_t at = 0;  ///< among those that name the same key
  };
  MemoryMeter* meter_;
  KeyedTables<K, Referred> keys_;
  KeyedTables<Row, Place> rows_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ordered_;  ///< hash of a row's key, its slot
};

/// Rows of user code, of what a change tells and of what it names.
template <class Pairs>
struct ReferencePairs {
  Pairs pairs;
  template <class L, class R>
  auto row(const Change<L>* left, const R* right) const {
    return pairs.row(&left->record, right);
  }
};

/// Which rows a join by what rows name has, and what it knows of both tables.
template <class L, class LKey, class R>
struct ReferenceRules {
  JoinKind kind;
  std::shared_ptr<const TypedKeyHash<L, LKey>> row_key;
  DeletesRow<R> deletes = {};
  DeletesRow<L> names_nothing = {};  ///< left rows that name no key; empty: all name one
};

/// Input 0 are changes of the left table by the key that its rows name, from ChangeMoves; input 1
/// are the records of the right table. Both are taken when the watermark has passed their times, in
/// the order of time and place. A left row without what it names has a row where `kind` is left.
///
/// Cost: two look-ups a change of the left table; a row and O(log n) for each of the n left rows
/// that name a right row that changes. Memory: a copy of each row, a table entry each, and 8 bytes.
template <class L, class LKey, class Named, class R, class RKey, class Out, class Maker>
class ReferenceJoin final
    : public JoinOperator<typename ChangeOf<L>::Type, Named, R, RKey, Out, Maker> {
 public:
  using Changes = ChangeOf<L>;
  using Base = JoinOperator<typename Changes::Type, Named, R, RKey, Out, Maker>;
  using typename Base::Left, typename Base::Right;
  using K = typename Named::View;
  using Row = typename LKey::View;
  using Rules = ReferenceRules<L, LKey, R>;

  ReferenceJoin(Rules rules, typename Left::KeyPtr left, typename Right::KeyPtr right, Maker maker)
      : Base("reference", rules.kind, std::move(left), std::move(right), std::move(maker)),
        rules_(std::move(rules)) {}

  void open(const OperatorContext& context) override {
    Base::open(context);
    references_.emplace(context.state);
    this->start_turns();
  }
  void save_state(StateWriter& writer) override {
    this->save_keys(writer, references_->tables(), [](Referred& of, auto&& use) {
      for (const std::uint64_t slot : of.lefts) use(0, JoinKept{kTimeMin, slot});
      if (of.right != TableRows::kNone) use(1, JoinKept{kTimeMin, of.right});
    });
  }
  void restore_state(StateReader& reader) override {
    this->restore_images(
        reader, [this](auto side, const K& key, std::uint64_t hash, const JoinKept& kept) {
          Referred& of = references_->at(key, hash);
          if constexpr (decltype(side)::value == 0) {
            with_row(kept.slot, [&](const Row& row) { references_->add(of, row, kept.slot); });
          } else {
            of.right = kept.slot;
          }
        });
  }
  void process_input(std::uint32_t input, BatchBase& batch, bool, Outputs& outputs) override {
    rows().set_due(batch.due_ns);
    if (input == 0) return await<0, typename Changes::Type>(batch, outputs);
    await<1, R>(batch, outputs);
  }
  void advance(Time watermark, Outputs& outputs) override {
    watermark_ = watermark;
    settle(watermark == kTimeMax ? watermark : saturating_add(watermark, -1), outputs);
  }
  Standing standing() const override { return holding(this->waiting().records > 0, watermark_); }
  void release(std::int64_t, bool drain, Outputs& outputs) override {
    if (drain) settle(kTimeMax, outputs);
  }

 private:
  using Base::keeps, Base::rows;

  template <int kSide, class T>
  void await(BatchBase& batch, Outputs& outputs) {
    await_turns<kSide>(*this->turns(), this->template side<kSide>(), static_cast<Batch<T>&>(batch),
                       0, this->context(), outputs);
  }
  void settle(Time until, Outputs& outputs) {
    const auto near = [this](std::uint64_t hash) { references_->prefetch(hash); };
    const auto take = [&](auto side, Time time, std::uint64_t slot, const K& key,
                          std::uint64_t hash) {
      if constexpr (decltype(side)::value == 0) return change_left(key, hash, slot, time, outputs);
      if constexpr (decltype(side)::value == 1) return change_right(key, hash, slot, time, outputs);
    };
    this->take_turns(until, near, NoLook(), NoLook(), take);
    rows().flush(outputs);
  }

  /// True: the record stays, as the row.
  bool change_left(const K& key, std::uint64_t hash, std::uint64_t slot, Time time,
                   Outputs& outputs) {
    const ChangeKind kind = Changes::kind(this->template side<0>().records().record(slot));
    const Arrival place = this->template side<0>().records().place_of(slot).child(0);
    if (rules_.names_nothing &&
        rules_.names_nothing(Changes::record(this->template side<0>().records().record(slot)))) {
      emit_row(kind, slot, TableRows::kNone, time, place, outputs);
      return false;
    }
    if (kind == ChangeKind::insert || kind == ChangeKind::update_after) {
      Referred& of = references_->at(key, hash);
      with_row(slot, [&](const Row& row) { references_->add(of, row, slot); });
      emit_row(kind, slot, of.right, time, place, outputs);
      return true;
    }
    Referred* const of = references_->find(key, hash);
    if (of == nullptr) return false;
    with_row(slot, [&](const Row& row) {
      const auto there = references_->slot_of(row);
      if (!there) return;
      emit_row(kind, *there, of->right, time, place, outputs);
      references_->remove(*of, row, rows_by_slot());
      this->template side<0>().records().gone(*there);
    });
    references_->forget_empty(key, hash, *of);
    return false;
  }
  bool change_right(const K& key, std::uint64_t hash, std::uint64_t slot, Time time,
                    Outputs& outputs) {
    auto& records = this->template side<1>().records();
    const bool stays = !rules_.deletes || !rules_.deletes(records.record(slot));
    Referred* const there = references_->find(key, hash);
    const std::uint64_t before = there != nullptr ? there->right : TableRows::kNone;
    if (!stays && before == TableRows::kNone) return false;
    Referred& of = references_->at(key, hash);
    of.right = stays ? slot : TableRows::kNone;
    tell_all(of, before, time, records.place_of(slot), outputs);
    if (before != TableRows::kNone) records.gone(before);
    references_->forget_empty(key, hash, of);
    return stays;
  }
  void tell_all(const Referred& of, std::uint64_t before, Time time, const Arrival& place,
                Outputs& outputs) {
    const bool had = before != TableRows::kNone || keeps(0);
    const bool has = of.right != TableRows::kNone || keeps(0);
    std::uint64_t told = 1;  // 0 is that of a change of the left table
    references_->each_in_order(of, rows_by_slot(), [&](std::uint64_t left) {
      const Arrival first = place.child(told++);
      const Arrival second = place.child(told++);
      if (had)
        emit_row(has ? ChangeKind::update_before : ChangeKind::erase, left, before, time, first,
                 outputs);
      if (has)
        emit_row(had ? ChangeKind::update_after : ChangeKind::insert, left, of.right, time, second,
                 outputs);
    });
  }
  void emit_row(ChangeKind kind, std::uint64_t left, std::uint64_t right, Time time,
                const Arrival& place, Outputs& outputs) {
    rows().maker().kind = kind;
    if (right != TableRows::kNone) return this->emit(left, right, time, place, outputs);
    if (keeps(0)) this->template emit_alone<0>(left, time, place, outputs);
  }

  auto rows_by_slot() {
    return [this](std::uint64_t slot, auto&& use) { this->with_row(slot, use); };
  }
  template <class Use>
  void with_row(std::uint64_t slot, Use&& use) {
    rules_.row_key->key().with(Changes::record(this->template side<0>().records().record(slot)),
                               std::forward<Use>(use));
  }
  Rules rules_;
  std::optional<References<K, Row>> references_;  ///< from open() on
  Time watermark_ = kTimeMin;
};

}  // namespace millrace::detail
