// Aggregates that keep values: a list, a set; as values for several in one pass, and as verbs of a
// keyed stream.
#pragma once

#include <cstddef>
#include <utility>

#include "millrace/aggregates.hpp"
#include "operator/collect_kernels.hpp"

namespace millrace {

/// The values of the earliest `most` records by event time, of equal times by place in the input,
/// in that order: a std::vector, of texts as std::string. Without event time: of the first to reach
/// the task. Absent optionals are passed over. Memory: up to `most` values a key and pane.
/// Errors: 2010 when `most` is 0.
template <class F>
auto list(F value, std::size_t most) {
  return TunedAggregate<detail::ListKernel, std::size_t, F>(most, std::move(value));
}
/// The different values, ascending, at most the `most` least of them: a std::vector. Numbers by
/// size (one zero; one NaN, behind all), texts by their bytes. Absent optionals are passed over.
/// Memory: up to `most` values a key and pane. Errors: 2010 when `most` is 0.
template <class F>
auto set(F value, std::size_t most) {
  return TunedAggregate<detail::SetKernel, std::size_t, F>(most, std::move(value));
}

/// The same as verbs, with and without windows; see AggregateVerbs.
template <class Derived, class T>
class CollectingVerbs {
 public:
  /// See millrace::list.
  template <class F>
  auto list(F value, std::size_t most) const {
    return detail::apply_spec<T>(derived(), "list", millrace::list(std::move(value), most));
  }
  /// See millrace::set.
  template <class F>
  auto set(F value, std::size_t most) const {
    return detail::apply_spec<T>(derived(), "set", millrace::set(std::move(value), most));
  }

 private:
  const Derived& derived() const { return static_cast<const Derived&>(*this); }
};

}  // namespace millrace
