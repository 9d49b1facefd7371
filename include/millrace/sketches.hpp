// Aggregates of bounded memory and known error: distinct values, quantiles, the most frequent
// values; as values for several in one pass, and as verbs of a keyed stream.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "millrace/aggregates.hpp"
#include "operator/sketch_kernels.hpp"

namespace millrace {

/// About how many different values, or combinations of values, there are: exact up to 256, then
/// with a standard error of 1.63 %. The same whatever the order and the number of tasks. Memory: at
/// most 4 KiB a key and pane. Source: state/distinct_sketch.hpp.
template <class... Fs>
AggregateSpec<detail::DistinctApproxKernel, Fs...> distinct_approx(Fs... values) {
  static_assert(sizeof...(Fs) > 0,
                "millrace: distinct_approx needs a member or function of the record");
  return AggregateSpec<detail::DistinctApproxKernel, Fs...>(std::move(values)...);
}

/// The value that a share of all, 0 to 1, does not exceed, in double: 0.5 is the median, 0 the
/// least, 1 the greatest. Exact up to 400 values; beyond, a value whose rank is within 1 % of all
/// in 99 of 100 cases, and which one may depend on the number of tasks. A NaN makes it NaN; absent
/// optionals are passed over, and the result is optional. Memory: at most 20 KiB a key and pane.
/// Errors: 2010 for a share outside of 0 to 1. Source: state/quantile_sketch.hpp.
template <class F>
auto quantile(F number, double share) {
  return TunedAggregate<detail::QuantileKernel, double, F>(share, std::move(number));
}
/// Several quantiles from one sketch: a std::vector<double> in the order of `shares`.
template <class F>
auto quantiles(F number, std::vector<double> shares) {
  return TunedAggregate<detail::QuantilesKernel, std::vector<double>, F>(std::move(shares),
                                                                         std::move(number));
}
/// quantile(number, 0.5).
template <class F>
auto median(F number) {
  return quantile(std::move(number), 0.5);
}

/// The k most frequent values with their counts, exactly; of equal counts the lesser value first: a
/// std::vector<Frequent<V>>, of texts with std::string. Fewer where there are fewer. Absent
/// optionals are passed over. Memory: each different value once a key and pane. Errors: 2010 when k
/// is 0.
template <class F>
auto top_k(F value, std::size_t k) {
  return TunedAggregate<detail::TopValuesKernel, std::size_t, F>(k, std::move(value));
}
/// The same in a fixed number of counters: of n values each count is at most n / counters too high
/// (`error` says by how much at most) and never too low, and a value that came more often than that
/// has a counter. Exact while there are no more different values than counters. Memory: about 100
/// bytes a counter, and the texts. Errors: 2010 when k is 0 or there are fewer counters. Source:
/// state/space_saving.hpp.
template <class F>
auto top_k_approx(F value, std::size_t k, std::size_t counters = 1000) {
  return TunedAggregate<detail::TopValuesApproxKernel, detail::TopOptions, F>(
      detail::TopOptions{k, counters}, std::move(value));
}

/// The same as verbs, with and without windows; see AggregateVerbs.
template <class Derived, class T>
class SketchVerbs {
 public:
  /// See millrace::distinct_approx.
  template <class... Fs>
  auto distinct_approx(Fs... values) const {
    return apply("distinct_approx", millrace::distinct_approx(std::move(values)...));
  }
  /// See millrace::quantile.
  template <class F>
  auto quantile(F number, double share) const {
    return apply("quantile", millrace::quantile(std::move(number), share));
  }
  template <class F>
  auto quantiles(F number, std::vector<double> shares) const {
    return apply("quantiles", millrace::quantiles(std::move(number), std::move(shares)));
  }
  template <class F>
  auto median(F number) const {
    return apply("median", millrace::median(std::move(number)));
  }
  /// See millrace::top_k.
  template <class F>
  auto top_k(F value, std::size_t k) const {
    return apply("top_k", millrace::top_k(std::move(value), k));
  }
  /// See millrace::top_k_approx.
  template <class F>
  auto top_k_approx(F value, std::size_t k, std::size_t counters = 1000) const {
    return apply("top_k_approx", millrace::top_k_approx(std::move(value), k, counters));
  }

 private:
  template <class Spec>
  auto apply(const char* kind, const Spec& spec) const {
    return detail::apply_spec<T>(static_cast<const Derived&>(*this), kind, spec);
  }
};

}  // namespace millrace
