// RowKernel: any aggregates of rows in one pass, chosen when the program runs, of the kernels that
// typed records use.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "expr/predicate.hpp"
#include "operator/row_fields.hpp"
#include "operator/row_parts.hpp"
#include "operator/sketch_kernels.hpp"
#include "operator/value_kernels.hpp"

namespace millrace::detail {

/// 1 for rows for which a condition is true, else 0.
struct ConditionField {
  Predicate condition;
  std::int64_t operator()(const RowRef& row) const { return condition(row) ? 1 : 0; }
};

/// One aggregate with the field it is of.
using RowPart = std::variant<
    CountKernel, SumKernel<RowRef, ConditionField>, SumKernel<RowRef, MaybeBoolean>,
    SumKernel<RowRef, MaybeInteger>, SumKernel<RowRef, MaybeReal>, MinKernel<RowRef, MaybeInteger>,
    MinKernel<RowRef, MaybeReal>, MinKernel<RowRef, MaybeText>, MinKernel<RowRef, MaybeTime>,
    MaxKernel<RowRef, MaybeInteger>, MaxKernel<RowRef, MaybeReal>, MaxKernel<RowRef, MaybeText>,
    MaxKernel<RowRef, MaybeTime>, MeanKernel<RowRef, MaybeInteger>, MeanKernel<RowRef, MaybeReal>,
    WeightedMeanKernel<RowRef, AnyNumber, AnyNumber>, DistinctKernel<RowRef, MaybeInteger>,
    DistinctKernel<RowRef, MaybeReal>, DistinctKernel<RowRef, MaybeText>,
    DistinctKernel<RowRef, MaybeTime>, DistinctKernel<RowRef, MaybeBoolean>,
    DistinctKernel<RowRef, KeyFields>, FirstKernel<RowRef, MaybeInteger>,
    FirstKernel<RowRef, MaybeReal>, FirstKernel<RowRef, MaybeText>, FirstKernel<RowRef, MaybeTime>,
    FirstKernel<RowRef, MaybeBoolean>, LastKernel<RowRef, MaybeInteger>,
    LastKernel<RowRef, MaybeReal>, LastKernel<RowRef, MaybeText>, LastKernel<RowRef, MaybeTime>,
    LastKernel<RowRef, MaybeBoolean>, ExactSumKernel<RowRef, MaybeReal>,
    VarianceOfSample<RowRef, MaybeNumber>, VarianceOfAll<RowRef, MaybeNumber>,
    DeviationOfSample<RowRef, MaybeNumber>, DeviationOfAll<RowRef, MaybeNumber>,
    QuantileKernel<RowRef, MaybeNumber>, DistinctApproxKernel<RowRef, MaybeInteger>,
    DistinctApproxKernel<RowRef, MaybeReal>, DistinctApproxKernel<RowRef, MaybeText>,
    DistinctApproxKernel<RowRef, MaybeTime>, DistinctApproxKernel<RowRef, MaybeBoolean>,
    DistinctApproxKernel<RowRef, KeyFields>, QuantilesKernel<RowRef, MaybeNumber>,
    ListKernel<RowRef, MaybeInteger>, ListKernel<RowRef, MaybeReal>, ListKernel<RowRef, MaybeText>,
    ListKernel<RowRef, MaybeTime>, SetKernel<RowRef, MaybeInteger>, SetKernel<RowRef, MaybeReal>,
    SetKernel<RowRef, MaybeText>, SetKernel<RowRef, MaybeTime>,
    TopValuesKernel<RowRef, MaybeInteger>, TopValuesKernel<RowRef, MaybeReal>,
    TopValuesKernel<RowRef, MaybeText>, TopValuesKernel<RowRef, MaybeTime>,
    TopValuesApproxKernel<RowRef, MaybeInteger>, TopValuesApproxKernel<RowRef, MaybeReal>,
    TopValuesApproxKernel<RowRef, MaybeText>, TopValuesApproxKernel<RowRef, MaybeTime>>;

/// An aggregate of a batch's rows whose parts are told when it is made. Cost: a jump a part and
/// record, and a block on the heap a key.
struct RowKernel : RowParts<RowPart> {
  static constexpr bool kMerges = true;
  static constexpr bool kStaged = false;
  static constexpr bool kNothrow = true;  // fields throw nothing
  static constexpr bool kOrdered = true;

  void add(Acc& acc, const RowRef& record, const Stamp& stamp) const;
  void merge(Acc& acc, const Acc& other) const;
  /// Whether a part looks at what breaks ties.
  bool ordered() const;
};

extern template struct RowParts<RowPart>;

}  // namespace millrace::detail
