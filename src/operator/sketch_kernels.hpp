// Kernels of sketches: distinct values and quantiles in bounded memory.
#pragma once

#include <vector>

#include "operator/frequent_kernels.hpp"
#include "operator/number_kernels.hpp"
#include "state/distinct_sketch.hpp"
#include "state/quantile_sketch.hpp"

namespace millrace::detail {

/// About how many different values, or combinations of values, there are; what counts as different
/// is DistinctKernel's.
template <class T, class... Fs>
struct DistinctApproxKernel {
  using Exact = DistinctKernel<T, Fs...>;
  using Taken = typename Exact::Taken;
  using Acc = DistinctSketch;
  using Value = std::int64_t;
  static constexpr bool kMerges = true;
  static constexpr bool kStaged = true;
  static constexpr bool kNothrow = Exact::kNothrow;
  static constexpr bool kOrdered = false;

  explicit DistinctApproxKernel(Fs... functions) : exact(std::move(functions)...) {}
  Acc init() const { return {}; }
  Taken take(const T& record, const Stamp& stamp) const { return exact.take(record, stamp); }
  void put(Acc& acc, const std::decay_t<Taken>& value) const {
    if_present(value, [&acc](const auto& present) { acc.insert(spread_hash(present)); });
  }
  void merge(Acc& acc, const Acc& other) const { acc.merge(other); }
  Value result(const Acc& acc) const { return acc.count(); }

  Exact exact;
};

/// 2010 unless all are in [0, 1], and there is one.
Status check_shares(const std::vector<double>& shares);

/// The quantiles of a number at each of `shares`.
template <class T, class F>
struct QuantilesKernel : NumberKernel<T, F, QuantileSketch> {
  using Base = NumberKernel<T, F, QuantileSketch>;
  static_assert(Summable<typename Base::Number>,
                "millrace: quantile needs a number: give a numeric member or a function that "
                "returns one");
  using Value = ValueLike<typename Base::Taken, std::vector<double>>;
  QuantilesKernel(std::vector<double> given, F function)
      : Base{std::move(function)}, shares(std::move(given)) {}

  Status problem() const { return check_shares(shares); }
  Value result(const QuantileSketch& sketch) const {
    if constexpr (kIsOptional<Value>) {
      if (sketch.count() == 0) return {};
    }
    return sketch.quantiles(shares);
  }

  std::vector<double> shares;
};

/// One of them.
template <class T, class F>
struct QuantileKernel : QuantilesKernel<T, F> {
  using Base = QuantilesKernel<T, F>;
  using Value = ValueLike<typename Base::Taken, double>;
  QuantileKernel(double share, F function) : Base({share}, std::move(function)) {}

  Value result(const QuantileSketch& sketch) const {
    if constexpr (kIsOptional<Value>) {
      if (sketch.count() == 0) return {};
    }
    return sketch.quantiles(this->shares).front();
  }
};

}  // namespace millrace::detail
