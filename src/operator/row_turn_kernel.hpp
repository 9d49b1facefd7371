// RowTurnKernel: aggregates over the rows of a table by another key, chosen when the program runs.
#pragma once

#include <cstddef>
#include <string_view>
#include <variant>

#include "operator/retracting.hpp"
#include "operator/row_changes.hpp"
#include "operator/row_fields.hpp"
#include "operator/row_parts.hpp"

namespace millrace::detail {

/// A kernel with the field of a turn that comes, and the one that goes.
template <class Kernel>
struct TakesTurns {
  using Inner = Retracting<Kernel>;
  using Acc = typename Inner::Acc;
  using Value = typename Inner::Value;
  Inner comes;
  Inner goes;

  Acc init() const { return comes.init(); }
  Value result(const Acc& acc) const { return comes.result(acc); }
  void put(Acc& acc, const RowRef& turn) const {
    if (TurnSides<RowRef>::goes(turn)) goes.take_back(acc, goes.take(turn, {}));
    if (TurnSides<RowRef>::comes(turn)) comes.put(acc, comes.take(turn, {}));
  }
};

/// One of them with its fields.
template <template <class, class> class Kernel, class Field>
using TurnsOf = TakesTurns<Kernel<RowRef, Field>>;
using RowTurnPart = std::variant<
    TakesTurns<CountKernel>, TurnsOf<SumKernel, MaybeInteger>, TurnsOf<SumKernel, MaybeReal>,
    TurnsOf<SumKernel, MaybeBoolean>, TurnsOf<MeanKernel, MaybeInteger>,
    TurnsOf<MeanKernel, MaybeReal>, TurnsOf<MinKernel, MaybeInteger>, TurnsOf<MinKernel, MaybeReal>,
    TurnsOf<MinKernel, MaybeText>, TurnsOf<MinKernel, MaybeTime>, TurnsOf<MaxKernel, MaybeInteger>,
    TurnsOf<MaxKernel, MaybeReal>, TurnsOf<MaxKernel, MaybeText>, TurnsOf<MaxKernel, MaybeTime>>;

/// What GroupedRows needs of a kernel, of turns that are rows; see RowTurnPlan. Cost: a jump a part
/// and turn, and a block on the heap a group.
struct RowTurnKernel : RowParts<RowTurnPart> {
  static constexpr bool kMerges = false;

  const RowRef& take(const RowRef& turn, const Stamp&) const { return turn; }
  void put(Acc& acc, const RowRef& turn) const {
    each([&](const auto& kernel, auto index, std::size_t at) {
      kernel.put(*std::get_if<index()>(&acc[at]), turn);
      return true;
    });
  }
  /// Bit by bit, as typed values are compared.
  static bool same(const RowValues& left, const RowValues& right);
};

extern template struct RowParts<RowTurnPart>;

/// Part `kind` (count, sum, mean, min, max) of a value of that type at `place` of the turns; it is
/// one that there is.
RowTurnPart turn_part(std::string_view kind, ColumnType type, std::size_t place);

}  // namespace millrace::detail
