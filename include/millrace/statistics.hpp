// Statistics as aggregates: variance, exact sums; as values for several in one pass, and as verbs
// of a keyed stream.
#pragma once

#include <utility>

#include "millrace/aggregates.hpp"
#include "operator/number_kernels.hpp"

namespace millrace {

/// The variance of a sample: squared deviations from the mean, divided by n - 1, in double. NaN of
/// fewer than two, of NaN and infinities, and beyond the range of a double. Of optionals, an
/// optional. Sources: state/moments.hpp.
template <class F>
AggregateSpec<detail::VarianceOfSample, F> variance(F number) {
  return AggregateSpec<detail::VarianceOfSample, F>(std::move(number));
}
/// The variance of all there is: divided by n; 0 of one. SQL's VAR_POP.
template <class F>
AggregateSpec<detail::VarianceOfAll, F> var_pop(F number) {
  return AggregateSpec<detail::VarianceOfAll, F>(std::move(number));
}
/// The standard deviation of a sample: the root of variance().
template <class F>
AggregateSpec<detail::DeviationOfSample, F> stddev(F number) {
  return AggregateSpec<detail::DeviationOfSample, F>(std::move(number));
}
/// The standard deviation of all there is: the root of var_pop().
template <class F>
AggregateSpec<detail::DeviationOfAll, F> stddev_pop(F number) {
  return AggregateSpec<detail::DeviationOfAll, F>(std::move(number));
}
/// The sum of reals rounded once, at the end: the same whatever the order of the records, the
/// schedule and the number of tasks. It may leave the range of a double on its way. Cost: O(1) a
/// number, more than that of sum. Memory: state/exact_sum.hpp.
template <class F>
AggregateSpec<detail::ExactSumKernel, F> exact_sum(F number) {
  return AggregateSpec<detail::ExactSumKernel, F>(std::move(number));
}

/// The same as verbs, with and without windows; see AggregateVerbs.
template <class Derived, class T>
class StatisticVerbs {
 public:
  /// See millrace::variance.
  template <class F>
  auto variance(F number) const {
    return statistic("variance", millrace::variance(std::move(number)));
  }
  template <class F>
  auto var_pop(F number) const {
    return statistic("var_pop", millrace::var_pop(std::move(number)));
  }
  template <class F>
  auto stddev(F number) const {
    return statistic("stddev", millrace::stddev(std::move(number)));
  }
  template <class F>
  auto stddev_pop(F number) const {
    return statistic("stddev_pop", millrace::stddev_pop(std::move(number)));
  }
  /// See millrace::exact_sum.
  template <class F>
  auto exact_sum(F number) const {
    return statistic("exact_sum", millrace::exact_sum(std::move(number)));
  }

 private:
  template <class Spec>
  auto statistic(const char* kind, const Spec& spec) const {
    return detail::apply_spec<T>(static_cast<const Derived&>(*this), kind, spec);
  }
};

}  // namespace millrace
