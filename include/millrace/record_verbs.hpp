// Verbs that handle each record by itself.
#pragma once

#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/call_verbs.hpp"
#include "operator/split.hpp"
#include "operator/stateless.hpp"

namespace millrace {

/// A fraction for sample: one_in(100) is 0.01.
constexpr double one_in(std::uint64_t records) { return 1.0 / static_cast<double>(records); }

/// The verbs of Stream that handle each record by itself.
template <class T>
class RecordVerbs : public CallVerbs<T> {
 public:
  using CallVerbs<T>::CallVerbs;

  /// One record for each: f(const T&) -> U.
  template <class F>
  auto map(F f) const {
    static_assert(std::is_invocable_v<F&, const T&>,
                  "millrace: map needs a function that takes this stream's records");
    using U = std::decay_t<std::invoke_result_t<F&, const T&>>;
    static_assert(
        !std::is_void_v<U>,
        "millrace: map's function returns nothing: return the new record, or use flat_map");
    detail::Node node =
        detail::operator_node<detail::MapOperator<T, U, F>>("map", this->inputs({}), f);
    node.output = &detail::batch_type<U>();
    return this->template derive<U>(std::move(node));
  }

  /// Any number of records for each: f(const T&, Output<U>&), or f(const T&) -> a range of U.
  template <class F>
  auto flat_map(F f) const {
    if constexpr (detail::EmitsThroughOutput<F>) {
      return this->template emitter<typename detail::CallTraits<F>::Emitted>("flat_map",
                                                                             std::move(f));
    } else {
      static_assert(
          detail::ReturnsRange<F, T>,
          "millrace: flat_map needs f(const T&, Output<U>&), or f(const T&) that returns a range");
      using U = std::decay_t<decltype(*std::declval<F&>()(std::declval<const T&>()).begin())>;
      return this->template emitter<U>("flat_map", detail::EmitRange<F>{std::move(f)});
    }
  }

  /// The same as flat_map through an Output, for code that does more than map: f(const T&,
  /// Output<U>&), a function, or an object of a class, of which each task has a copy.
  template <class F>
  auto process(F f) const {
    static_assert(detail::EmitsThroughOutput<F>,
                  "millrace: process needs a function or class called with (const Record&, "
                  "Output<Result>&), with the types written out");
    return this->template emitter<typename detail::CallTraits<F>::Emitted>("process", std::move(f));
  }

  /// Calls f(const T&) for each record and hands it on unchanged. A record at which it throws is a
  /// dead letter.
  template <class F>
  Stream<T> peek(F f) const {
    static_assert(std::is_invocable_v<F&, const T&>,
                  "millrace: peek needs a function that takes this stream's records");
    using Op = detail::SelectOperator<T, false, detail::PeekCall<F>>;
    return this->same(detail::operator_node<Op>("peek", this->inputs({}),
                                                std::tuple(detail::PeekCall<F>{std::move(f)})));
  }

  /// Keeps each record with the same probability: 0.01, or `one_in(100)`. Which ones, depends only
  /// on `seed` and on their places in the inputs: not on parallelism or schedule. Errors: 2010
  /// unless 0 < fraction <= 1.
  Stream<T> sample(double fraction, std::uint64_t seed = 1) const {
    detail::Node node = detail::operator_node<detail::SampleOperator<T>>("sample", this->inputs({}),
                                                                         fraction, seed);
    node.breaks_ties = true;
    if (!(fraction > 0 && fraction <= 1)) {
      node.problem = Status(Code::parameter_invalid,
                            "sample keeps a fraction of the records: give more than 0, at most 1");
    }
    return this->same(std::move(node));
  }

  /// The dead letters of the component that makes this stream: what it could not handle, with the
  /// reason. They are counted and shown all the same. They have no event time.
  template <class Letter = DeadLetter>
  Stream<Letter> errors() const {
    std::vector<detail::Upstream> from;
    for (const detail::Upstream& at : this->from()) from.push_back({at.node, detail::kErrorsPort});
    return Stream<Letter>(this->declaration(), std::move(from));
  }

  /// Spreads the records by load over the tasks of the next component, as the grouping shuffle: the
  /// run's parallelism, or those of parallel(). Order is kept from each task to each task, and
  /// nowhere else.
  Stream<T> shuffle() const {
    std::vector<detail::Upstream> spread = this->from();
    for (detail::Upstream& from : spread) from.grouping = {detail::GroupingKind::shuffle};
    return Stream<T>(this->declaration(), std::move(spread), this->names());
  }

  /// Keeps the records for which the predicate holds.
  template <class F>
  Stream<T> filter(F predicate) const {
    static_assert(
        std::is_invocable_r_v<bool, F&, const T&>,
        "millrace: filter needs a predicate that takes this stream's records and returns bool");
    using Op = detail::SelectOperator<T, false, F>;
    return this->same(
        detail::operator_node<Op>("filter", this->inputs({}), std::tuple<F>(std::move(predicate))));
  }
};

}  // namespace millrace
