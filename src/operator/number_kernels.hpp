// Kernels of statistics of a number: variance and standard deviation, exact sums of reals.
#pragma once

#include <cmath>

#include "operator/value_kernels.hpp"
#include "state/exact_sum.hpp"
#include "state/moments.hpp"

namespace millrace::detail {

/// What the kernels of a number have in common: absent optionals are passed over, the number goes
/// into an accumulator with add(double) and merge().
template <class T, class F, class Sum>
struct NumberKernel {
  using Taken = TakenOf<T, F>;
  using Number = typename InnerOf<std::decay_t<Taken>>::type;
  using Acc = Sum;
  static constexpr bool kMerges = true;
  static constexpr bool kStaged = true;
  static constexpr bool kNothrow = kTakesNothrow<T, F>;
  static constexpr bool kOrdered = false;
  F f;
  Acc init() const { return {}; }
  Taken take(const T& record, const Stamp&) const { return std::invoke(f, record); }
  void put(Acc& acc, const std::decay_t<Taken>& number) const {
    if_present(number, [&acc](const auto& present) {
      if constexpr (Summable<Number>) acc.add(real_of(present));
    });
  }
  void merge(Acc& acc, const Acc& other) const { acc.merge(other); }
};

/// The variance of a number, or its root; `kLess` as Moments::variance takes it. In double: other
/// numbers are taken as the double next to them.
template <class T, class F, int kLess, bool kRoot>
struct VarianceKernel : NumberKernel<T, F, Moments> {
  using Base = NumberKernel<T, F, Moments>;
  static_assert(Summable<typename Base::Number>,
                "millrace: variance and stddev need a number: give a numeric member or a function "
                "that returns one");
  using Value = ValueLike<typename Base::Taken, double>;
  Value result(const Moments& moments) const {
    if constexpr (kIsOptional<Value>) {
      if (moments.count() == 0) return {};
    }
    const double variance = moments.variance(kLess);
    return kRoot ? std::sqrt(variance) : variance;
  }
};
template <class T, class F>
using VarianceOfSample = VarianceKernel<T, F, 1, false>;
template <class T, class F>
using VarianceOfAll = VarianceKernel<T, F, 0, false>;
template <class T, class F>
using DeviationOfSample = VarianceKernel<T, F, 1, true>;
template <class T, class F>
using DeviationOfAll = VarianceKernel<T, F, 0, true>;

/// The sum of reals, rounded once; 0 where all are absent.
template <class T, class F>
struct ExactSumKernel : NumberKernel<T, F, ExactSum> {
  static_assert(std::is_floating_point_v<typename NumberKernel<T, F, ExactSum>::Number>,
                "millrace: exact_sum is for reals: of integers and Decimals sum is exact already");
  using Value = double;
  Value result(const ExactSum& sum) const { return sum.value(); }
};

}  // namespace millrace::detail
