// Aggregates as values, for several in one pass: aggregate(max(&Trade::price).as(&Bar::high), ...).
#pragma once

#include <tuple>
#include <type_traits>
#include <utility>

#include "operator/several.hpp"
#include "operator/value_kernels.hpp"

namespace millrace {

/// An aggregate that goes into a member of the row.
template <class Spec, class Row_, class M>
struct NamedAggregate {
  using Row = Row_;
  Spec spec;
  M Row::* member;

  /// Internal.
  template <class T>
  auto part() const {
    using Kernel = decltype(spec.template kernel<T>());
    using Value = typename Kernel::Value;
    static_assert(detail::kHolds<M, Value>,
                  "millrace: as() needs a member that holds the aggregate's value: std::int64_t "
                  "for count, distinct and sums of integers, double for mean and sums of reals, "
                  "the member's own type for min, max, first and last, a std::vector of it for "
                  "list and set");
    return detail::Part<Kernel, Row, M>{spec.template kernel<T>(), member};
  }
};

/// An aggregate of a function of the record; as() says where its result goes.
template <template <class T, class... Fs> class Kernel, class... Fs>
class AggregateSpec {
 public:
  explicit AggregateSpec(Fs... functions) : fs_(std::move(functions)...) {}

  /// Puts the result into a member of a plain struct, the row that aggregate() emits.
  template <class Row, class M>
  NamedAggregate<AggregateSpec, Row, M> as(M Row::* member) const {
    return {*this, member};
  }

  /// Internal.
  template <class T>
  auto kernel() const {
    static_assert((std::is_invocable_v<const Fs&, const T&> && ...),
                  "millrace: an aggregate takes members or functions of this stream's records");
    return std::apply([](const Fs&... f) { return Kernel<T, Fs...>{f...}; }, fs_);
  }

 private:
  std::tuple<Fs...> fs_;
};

/// The same of one with options, which the kernel holds before the functions.
template <template <class T, class... Fs> class Kernel, class Options, class... Fs>
class TunedAggregate {
 public:
  explicit TunedAggregate(Options options, Fs... functions)
      : options_(std::move(options)), fs_(std::move(functions)...) {}

  template <class Row, class M>
  NamedAggregate<TunedAggregate, Row, M> as(M Row::* member) const {
    return {*this, member};
  }

  /// Internal.
  template <class T>
  auto kernel() const {
    static_assert((std::is_invocable_v<const Fs&, const T&> && ...),
                  "millrace: an aggregate takes members or functions of this stream's records");
    return std::apply([this](const Fs&... f) { return Kernel<T, Fs...>{options_, f...}; }, fs_);
  }

 private:
  Options options_;
  std::tuple<Fs...> fs_;
};

namespace detail {
template <class T>
using CountOf = CountKernel;

/// What verbs of an aggregate do: `kind` is also what its value is called.
template <class T, class Verbs, class Spec>
auto apply_spec(const Verbs& verbs, const char* kind, const Spec& spec) {
  auto kernel = spec.template kernel<T>();
  Status problem = problem_of(kernel);
  return verbs.apply(kind, kind, std::move(kernel), std::move(problem));
}
}  // namespace detail

/// The number of records.
inline AggregateSpec<detail::CountOf> count() { return AggregateSpec<detail::CountOf>(); }
/// The sum of a number: integers and Decimals in 64 bits, reals in double; see KeyedStream::sum.
template <class F>
AggregateSpec<detail::SumKernel, F> sum(F number) {
  return AggregateSpec<detail::SumKernel, F>(std::move(number));
}
/// The least value; see KeyedStream::min.
template <class F>
AggregateSpec<detail::MinKernel, F> min(F value) {
  return AggregateSpec<detail::MinKernel, F>(std::move(value));
}
/// The greatest value; see KeyedStream::max.
template <class F>
AggregateSpec<detail::MaxKernel, F> max(F value) {
  return AggregateSpec<detail::MaxKernel, F>(std::move(value));
}
/// The mean of a number, in double.
template <class F>
AggregateSpec<detail::MeanKernel, F> mean(F number) {
  return AggregateSpec<detail::MeanKernel, F>(std::move(number));
}
/// The mean of a number weighted by another, as a volume-weighted price: NaN where the weights sum
/// to 0.
template <class F, class W>
AggregateSpec<detail::WeightedMeanKernel, F, W> mean(F number, W weight) {
  return AggregateSpec<detail::WeightedMeanKernel, F, W>(std::move(number), std::move(weight));
}
/// How many different values, or combinations of values, there are; exact.
template <class... Fs>
AggregateSpec<detail::DistinctKernel, Fs...> distinct(Fs... values) {
  static_assert(sizeof...(Fs) > 0, "millrace: distinct needs a member or function of the record");
  return AggregateSpec<detail::DistinctKernel, Fs...>(std::move(values)...);
}
/// The value of the earliest record by event time; see KeyedStream::first.
template <class F>
AggregateSpec<detail::FirstKernel, F> first(F value) {
  return AggregateSpec<detail::FirstKernel, F>(std::move(value));
}
/// The value of the latest record by event time; see KeyedStream::first.
template <class F>
AggregateSpec<detail::LastKernel, F> last(F value) {
  return AggregateSpec<detail::LastKernel, F>(std::move(value));
}

/// An aggregate of one's own: a class with `init()`, which returns an accumulator that can be
/// copied; `add(Accumulator&, const Record&) const`; `result(const Accumulator&) const`; and, so
/// that windows share panes and records are combined before they are shuffled, `merge(Accumulator&,
/// const Accumulator&) const`, associative and commutative.
///
/// A record at which add throws is a dead letter; unless add is noexcept it works on a copy of the
/// accumulator. A key whose result throws has no row; that is a dead letter too. A merge that
/// throws ends the run.
template <class A>
class OwnAggregate {
 public:
  explicit OwnAggregate(A own) : own_(std::move(own)) {}

  template <class Row, class M>
  NamedAggregate<OwnAggregate, Row, M> as(M Row::* member) const {
    return {*this, member};
  }

  /// Internal.
  template <class T>
  auto kernel() const {
    return detail::OwnKernel<T, A>{own_};
  }

 private:
  A own_;
};
template <class A>
OwnAggregate<A> own(A aggregate) {
  return OwnAggregate<A>(std::move(aggregate));
}

}  // namespace millrace
