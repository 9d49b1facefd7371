// Aggregates of rows that take back, by their names.
#include "operator/row_turn_kernel.hpp"

#include <bit>

namespace millrace::detail {

template struct RowParts<RowTurnPart>;

namespace {

template <template <class, class> class Kernel, class Field>
RowTurnPart part_of(std::size_t place) {
  using Inner = Retracting<Kernel<RowRef, Field>>;
  using Part = TurnsOf<Kernel, Field>;
  const auto of = [](std::size_t field) { return Inner{{Kernel<RowRef, Field>{Field{field}}}}; };
  return Part{of(place), of(place + 1)};
}

template <template <class, class> class Kernel>
RowTurnPart number_part(ColumnType type, std::size_t place) {
  if (type == ColumnType::real) return part_of<Kernel, MaybeReal>(place);
  return part_of<Kernel, MaybeInteger>(place);
}
template <template <class, class> class Kernel>
RowTurnPart ordered_part(ColumnType type, std::size_t place) {
  if (type == ColumnType::text) return part_of<Kernel, MaybeText>(place);
  if (type == ColumnType::timestamp) return part_of<Kernel, MaybeTime>(place);
  return number_part<Kernel>(type, place);
}

bool same_value(const Value& left, const Value& right) {
  const auto* const one = std::get_if<double>(&left);
  const auto* const other = std::get_if<double>(&right);
  if (one == nullptr || other == nullptr) return left == right;
  return std::bit_cast<std::uint64_t>(*one) == std::bit_cast<std::uint64_t>(*other);
}

}  // namespace

bool RowTurnKernel::same(const RowValues& left, const RowValues& right) {
  for (std::size_t at = 0; at < left.size(); ++at) {
    if (!same_value(left[at], right[at])) return false;
  }
  return true;
}

RowTurnPart turn_part(std::string_view kind, ColumnType type, std::size_t place) {
  if (kind == "count") {
    const Retracting<CountKernel> rows{CountKernel{}};
    return TakesTurns<CountKernel>{rows, rows};
  }
  if (kind == "sum" && type == ColumnType::boolean) return part_of<SumKernel, MaybeBoolean>(place);
  if (kind == "sum") return number_part<SumKernel>(type, place);
  if (kind == "mean") return number_part<MeanKernel>(type, place);
  if (kind == "min") return ordered_part<MinKernel>(type, place);
  return ordered_part<MaxKernel>(type, place);
}

}  // namespace millrace::detail
