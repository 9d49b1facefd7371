// RefiringStream: aggregates of windows that emit early and late rows, or one when nothing can come
// any more.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "millrace/keyed_stream.hpp"
#include "operator/refiring_aggregate.hpp"

namespace millrace {

namespace detail {

/// The stream of records that came too late for all windows of an aggregate of `T`s.
template <class T, class Row>
Stream<T> too_late(const Stream<Row>& rows) {
  std::vector<Upstream> from;
  for (const Upstream& at : rows.from()) from.push_back({at.node, 1});
  return Stream<T>(rows.declaration(), std::move(from), {});
}

}  // namespace detail

/// What windows with allowed_lateness or early rows emit, and beside it the records that came too
/// late. A late row carries the watermark that its record was behind, so windows behind it judge it
/// as they would the record.
template <class T, class K, class V>
class WindowUpdates : public Stream<WindowUpdate<K, V>> {
 public:
  using Base = Stream<WindowUpdate<K, V>>;
  explicit WindowUpdates(Base rows) : Base(std::move(rows)) {}

  WindowUpdates named(std::string name) const {
    Base::rename(std::move(name));
    return *this;
  }
  WindowUpdates parallel(int tasks) const {
    Base::fix_tasks(tasks);
    return *this;
  }
  /// The records that came too late for all their windows, as they came. They count as late whether
  /// or not somebody reads them.
  Stream<T> late() const { return detail::too_late<T>(*this); }
};

/// What windows with final_only() emit: it can be ranked as the rows of other windows.
template <class T, class K, class V>
class FinalAggregates : public WindowAggregates<K, V> {
 public:
  using Base = WindowAggregates<K, V>;
  explicit FinalAggregates(Base rows) : Base(std::move(rows)) {}

  FinalAggregates named(std::string name) const {
    Base::rename(std::move(name));
    return *this;
  }
  FinalAggregates parallel(int tasks) const {
    Base::fix_tasks(tasks);
    return *this;
  }
  /// See WindowUpdates::late.
  Stream<T> late() const { return detail::too_late<T>(*this); }
};

/// A keyed stream in windows that emit early or late; made by window(tumbling(...)
/// .allowed_lateness(...)) and the like. `Spec` is RefiringWindows or FinalWindows.
template <class T, class Key, class Spec>
class RefiringStream : public AggregateVerbs<RefiringStream<T, Key, Spec>, T> {
 public:
  using K = typename Key::View;

  RefiringStream(KeyedStream<T, Key> keyed, Spec spec)
      : keyed_(std::move(keyed)), spec_(std::move(spec)) {}

  /// Folds the records of a key and window: add(A&, const T&) or add(A, const T&) -> A, and
  /// merge(A&, const A&) or merge(A, const A&) -> A, associative and commutative. Unless add is
  /// noexcept it works on a copy of the value.
  template <class A, class Add, class Merge = detail::NoMerge>
  auto fold(A initial, Add add, Merge merge = {}) const {
    this->template refuse_borrowing<A>();
    using Kernel = detail::FoldKernel<T, A, Add, Merge>;
    return apply("fold", "value", Kernel{std::move(initial), std::move(add), std::move(merge)});
  }

  // Internal.
  template <class Kernel>
  auto apply(std::string kind, std::string value, Kernel kernel, Status problem = {}) const {
    static_assert(Kernel::kMerges,
                  "millrace: windows that emit early or late join what came in time with what came "
                  "late: give fold a merge as its third argument, or an aggregate of one's own a "
                  "merge(Accumulator&, const Accumulator&) const");
    using V = typename Kernel::Value;
    constexpr bool kFinal = std::is_same_v<Spec, FinalWindows>;
    using Row = std::conditional_t<kFinal, Aggregate<K, V>, WindowUpdate<K, V>>;
    using Made = std::conditional_t<kFinal, FinalAggregates<T, K, V>, WindowUpdates<T, K, V>>;
    detail::Node node;
    node.kind = std::move(kind);
    node.note = spec_.to_string();
    node.problem = problem.ok() ? spec_.validate() : std::move(problem);
    node.needs_time = true;
    node.breaks_ties = true;  // late records count one after the other
    node.inputs = keyed_.stream().inputs({detail::GroupingKind::fields, keyed_.key()});
    node.make_operator = maker(kernel);
    node.outputs = {&detail::batch_type<Row>(), &detail::batch_type<T>()};
    node.output = node.outputs.front();
    auto& declaration = keyed_.stream().declaration();
    const detail::NodeId id = declaration.graph.add(std::move(node));
    const detail::RowNames names{keyed_.key_names(), std::move(value), true};
    return Made(typename Made::Base(Stream<Row>(declaration, {{id, 0}}, names)));
  }

 private:
  template <class Kernel>
  std::function<std::unique_ptr<detail::Operator>()> maker(const Kernel& kernel) const {
    using detail::Refires;
    if constexpr (std::is_same_v<Spec, FinalWindows>) {
      return make<Kernel, Refires::finally>(spec_.refiring(), kernel);
    } else if (spec_.mode() == RefiringWindows::Mode::retracting) {
      return make<Kernel, Refires::retractions>(spec_, kernel);
    } else {
      return make<Kernel, Refires::updates>(spec_, kernel);
    }
  }
  template <class Kernel, detail::Refires kRefires>
  std::function<std::unique_ptr<detail::Operator>()> make(const RefiringWindows& spec,
                                                          const Kernel& kernel) const {
    using Op = detail::RefiringAggregate<T, Key, Kernel, kRefires>;
    return [spec, key = keyed_.key(), kernel]() -> std::unique_ptr<detail::Operator> {
      return std::make_unique<Op>(spec, key, kernel);
    };
  }

  KeyedStream<T, Key> keyed_;
  Spec spec_;
};

}  // namespace millrace
