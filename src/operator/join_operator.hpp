// JoinOperator: what joins of two keyed inputs share: their sides, and how rows are made of
// records.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "operator/join_images.hpp"
#include "operator/join_side.hpp"
#include "operator/joined_rows.hpp"

namespace millrace::detail {

/// Input 0 is the left side, input 1 the right one; late records leave by ports 1 and 2.
template <class L, class LKey, class R, class RKey, class Out, class Maker>
class JoinOperator : public Operator {
 public:
  using Left = JoinSide<L, LKey>;
  using Right = JoinSide<R, RKey>;

  void open(const OperatorContext& context) override {
    Operator::open(context);
    side<0>().records().count_with(context.state);
    side<1>().records().count_with(context.state);
  }
  void process(BatchBase& batch, bool exclusive, Outputs& outputs) override {
    process_input(0, batch, exclusive, outputs);
  }
  void process_input(std::uint32_t input, BatchBase& batch, bool exclusive,
                     Outputs& outputs) override = 0;

 protected:
  template <int kSide>
  using RecordOf = std::conditional_t<kSide == 0, L, R>;

  JoinOperator(JoinKind kind, typename Left::KeyPtr left, typename Right::KeyPtr right, Maker maker)
      : rows_(std::move(maker)), kind_(kind), sides_(std::move(left), std::move(right)) {}

  template <int kSide>
  auto& side() {
    return std::get<kSide>(sides_);
  }
  JoinKind kind() const { return kind_; }
  JoinedRows<Out, Maker>& rows() { return rows_; }
  /// Records of that side have a row when they are without a partner.
  bool keeps(int side) const { return side == 0 ? keeps_left(kind_) : keeps_right(kind_); }

  /// Calls use(key, hash) -> whether the record stays in state. A key that throws makes it a dead
  /// letter.
  template <int kSide, class Use>
  void handle(std::uint64_t slot, std::size_t place, Use&& use) {
    auto& records = side<kSide>().records();
    bool stays = false;
    const auto at = static_cast<std::uint32_t>(slot);
    const auto one = [&](std::size_t) {
      side<kSide>().with_key(slot, place,
                             [&](const auto& key, std::uint64_t hash) { stays = use(key, hash); });
    };
    const std::size_t failed =
        guarded_loop(at, at + std::size_t{1}, records.batch(slot), batch_type<RecordOf<kSide>>(),
                     *context().dead_letters, one, [](std::size_t) {});
    tally().processed += 1 - failed;
    tally().dead_lettered += failed;
    if (!stays) records.gone(slot);
  }

  /// Reads a side of an image: calls take(key, hash, kept) for each record, which stays.
  template <int kSide, class Take>
  void restore_side(StateReader& reader, Take&& take) {
    const RowSchema* rows = nullptr;
    if constexpr (requires { rows_.maker().input(kSide); }) rows = rows_.maker().input(kSide);
    auto& records = side<kSide>().records();
    restore_join_side(reader, kSide, rows, records, [&](const StatePart& part, const auto& kept) {
      side<kSide>().with_key(kept.slot, Left::kNoPlace, [&](const auto& key, std::uint64_t hash) {
        if (key_group(hash) != part.number) return reader.refuse(part, kKeyMisplaced);
        take(key, hash, kept);
      });
    });
  }

  void emit(std::uint64_t left, std::uint64_t right, Time time, const Arrival& place,
            Outputs& outputs) {
    decltype(auto) l = side<0>().records().record(left);
    decltype(auto) r = side<1>().records().record(right);
    rows_.add(
        &l, &r, time, place, [&] { return "[" + text_of<0>(left) + "," + text_of<1>(right) + "]"; },
        context(), outputs);
  }
  template <int kSide>
  void emit_alone(std::uint64_t slot, Time time, const Arrival& place, Outputs& outputs) {
    decltype(auto) record = side<kSide>().records().record(slot);
    const auto describe = [&] { return text_of<kSide>(slot); };
    if constexpr (kSide == 0) {
      rows_.add(&record, static_cast<const R*>(nullptr), time, place, describe, context(), outputs);
    } else {
      rows_.add(static_cast<const L*>(nullptr), &record, time, place, describe, context(), outputs);
    }
  }

 private:
  template <int kSide>
  std::string text_of(std::uint64_t slot) {
    return batch_type<RecordOf<kSide>>().describe(side<kSide>().records().batch(slot),
                                                  static_cast<std::uint32_t>(slot));
  }
  JoinedRows<Out, Maker> rows_;
  JoinKind kind_;
  std::tuple<Left, Right> sides_;
};

}  // namespace millrace::detail
