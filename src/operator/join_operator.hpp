// JoinOperator: what joins of two keyed inputs share beside their inputs: the rows that they make,
// and their images.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/join_parts.hpp"
#include "operator/join_sides.hpp"
#include "operator/joined_rows.hpp"
#include "operator/row_places.hpp"

namespace millrace::detail {

/// Late records leave by ports 1 and 2.
template <class L, class LKey, class R, class RKey, class Out, class Maker>
class JoinOperator : public JoinSides<L, LKey, R, RKey> {
  using Base = JoinSides<L, LKey, R, RKey>;

 public:
  using typename Base::Left, typename Base::Right;
  static constexpr RowPlaces kRowPlaces = RowPlaces::of_side;  ///< where a join says no other

  void process(BatchBase& batch, bool exclusive, Outputs& outputs) override {
    process_input(0, batch, exclusive, outputs);
  }
  void process_input(std::uint32_t input, BatchBase& batch, bool exclusive,
                     Outputs& outputs) override = 0;

 protected:
  using Base::context, Base::turns;

  /// `way`: how records are joined, for images.
  JoinOperator(std::string way, JoinKind kind, typename Left::KeyPtr left,
               typename Right::KeyPtr right, Maker maker)
      : Base(std::move(left), std::move(right)),
        rows_(std::move(maker)),
        way_(std::move(way)),
        kind_(kind) {}

  JoinKind kind() const { return kind_; }
  JoinedRows<Out, Maker>& rows() { return rows_; }
  /// Records of that side have a row when they are without a partner.
  bool keeps(int side) const { return side == 0 ? keeps_left(kind_) : keeps_right(kind_); }

  /// How records are joined, and those that wait for their turn; false: it has been refused.
  bool save_waiting(StateWriter& writer) {
    writer.task_part(kJoinPart) = way_;
    auto& left = this->template side<0>().records();
    auto& right = this->template side<1>().records();
    if ((!kStoresRecords<L> && left.figures().count() > 0) ||
        (!kStoresRecords<R> && right.figures().count() > 0)) {
      refuse_records(writer);
      return false;
    }
    JoinImages waiting;
    this->each_waiting([&](int side, const JoinKept& kept) {
      const auto add = [&](const auto&, std::uint64_t hash) { waiting[side].add(hash, kept); };
      side == 0 ? this->template side<0>().with_key(kept.slot, nullptr, add)
                : this->template side<1>().with_key(kept.slot, nullptr, add);
    });
    waiting[0].save(writer, 0, left);
    waiting[1].save(writer, 1, right);
    return true;
  }
  /// Writes the records that wait for their turn, and, in time, what `keys` hold: each(of_key, use)
  /// calls use(side, kept) for the records of a key, those of a side in their order. `keys` and
  /// what `each` refers to outlive the writer.
  template <class K, class V, class Each>
  void save_keys(StateWriter& writer, KeyedTables<K, V>& keys, Each each) {
    if (!save_waiting(writer)) return;
    const ImageChain chain = chain_of_keys<K>(writer);
    if (keys.size() == 0 && chain.epoch == 0) return;
    writer.later(std::make_unique<JoinParts<K, V, L, R, Each>>(keys, part_side<0>(), part_side<1>(),
                                                               std::move(each), chain));
  }
  /// The same for a join whose tasks do not share keys: what the sides keep as parts of this task.
  void save_task(StateWriter& writer, std::array<std::vector<JoinKept>, 2>& kept) {
    writer.task_part(kJoinPart) = way_;
    this->each_waiting([&](int side, const JoinKept& one) { kept[side].push_back(one); });
    save_kept(writer, kJoinParts[0], kept[0], this->template side<0>().records());
    save_kept(writer, kJoinParts[1], kept[1], this->template side<1>().records());
  }
  /// A side, as those ask for it who write what is kept of keys.
  template <int kSide>
  auto part_side() {
    return JoinPartsSide<typename Base::template RecordOf<kSide>>{
        this->template side<kSide>().records(), input_rows(kSide)};
  }
  /// Calls take(side as a constant, key, hash, kept) for each record of an image but those that
  /// wait for their turn.
  template <class Take>
  void restore_images(StateReader& reader, Take&& take) {
    const auto all = [](int, const StatePart&) { return true; };
    restore_wanted(reader, all, std::forward<Take>(take));
  }
  /// The same of the parts for which wanted(side, part) holds.
  template <class Wanted, class Take>
  void restore_wanted(StateReader& reader, const Wanted& wanted, Take&& take) {
    reader.each(kJoinPart, [&](const StatePart& part) {
      if (part.bytes != way_)
        reader.refuse(part, "it is of another join, by " + part.bytes + ", not by " + way_);
    });
    if (!reader.status().ok()) return;
    restore_side(reader, std::integral_constant<int, 0>(), wanted, take);
    restore_side(reader, std::integral_constant<int, 1>(), wanted, take);
  }

  void emit(std::uint64_t left, std::uint64_t right, Time time, const Arrival& place,
            Outputs& outputs) {
    decltype(auto) l = this->template side<0>().records().record(left);
    decltype(auto) r = this->template side<1>().records().record(right);
    rows_.add(
        &l, &r, time, place, [&] { return "[" + text_of<0>(left) + "," + text_of<1>(right) + "]"; },
        context(), outputs);
  }
  template <int kSide>
  void emit_alone(std::uint64_t slot, Time time, const Arrival& place, Outputs& outputs) {
    decltype(auto) record = this->template side<kSide>().records().record(slot);
    const auto describe = [&] { return text_of<kSide>(slot); };
    if constexpr (kSide == 0) {
      rows_.add(&record, static_cast<const R*>(nullptr), time, place, describe, context(), outputs);
    } else {
      rows_.add(static_cast<const L*>(nullptr), &record, time, place, describe, context(), outputs);
    }
  }

 private:
  /// What the rows of an input are; null where they are other records.
  const RowSchema* input_rows(int side) {
    static_assert((!std::is_same_v<L, RowRef> && !std::is_same_v<R, RowRef>) || requires {
      rows_.maker().input(side);
    }, "who makes rows of rows knows what these are");
    if constexpr (requires { rows_.maker().input(side); }) return rows_.maker().input(side);
    return nullptr;
  }
  template <int kSide>
  std::string text_of(std::uint64_t slot) {
    return batch_type<typename Base::template RecordOf<kSide>>().describe(
        this->template side<kSide>().records().batch(slot), static_cast<std::uint32_t>(slot));
  }
  template <int kSide, class Wanted, class Take>
  void restore_side(StateReader& reader, std::integral_constant<int, kSide> constant,
                    const Wanted& wanted, const Take& take) {
    auto& side = this->template side<kSide>();
    using K = typename std::decay_t<decltype(side)>::K;
    const auto is_wanted = [&](const StatePart& part) { return wanted(kSide, part); };
    restore_join_side<K>(
        reader, kSide, input_rows(kSide), side.records(), is_wanted,
        [&](const auto& part, const auto& kept) {
          side.with_key(kept.slot, nullptr, [&](const auto& key, std::uint64_t hash) {
            if (part.owner == PartOwner::key_group && key_group(hash) != part.number)
              return reader.refuse(part, kKeyMisplaced);
            if (kept.mark != JoinMark::waiting) return take(constant, key, hash, kept);
            this->start_turns();  // also where nobody breaks ties any more
            turns()->push(kSide, kept.time, kept.slot);
          });
        });
  }

  JoinedRows<Out, Maker> rows_;
  std::string way_;
  JoinKind kind_;
};

}  // namespace millrace::detail
