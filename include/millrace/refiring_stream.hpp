// RefiringStream: aggregates of windows that emit early and late rows, or one when nothing can come
// any more.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "millrace/keyed_stream.hpp"
#include "operator/refiring_aggregate.hpp"
#include "operator/refiring_session_aggregate.hpp"
#include "operator/session_aggregate.hpp"

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

/// Rows of windows over `T`s, and beside them the records that came too late.
template <class T, class Row>
class RowsAndLate : public Stream<Row> {
 public:
  using Base = Stream<Row>;
  explicit RowsAndLate(Base rows) : Base(std::move(rows)) {}

  RowsAndLate named(std::string name) const {
    Base::rename(std::move(name));
    return *this;
  }
  RowsAndLate parallel(int tasks) const {
    Base::fix_tasks(tasks);
    return *this;
  }
  /// The records that came too late for all their windows, as they came. They count as late whether
  /// or not somebody reads them.
  Stream<T> late() const { return detail::too_late<T>(*this); }
};

/// What windows and sessions with allowed_lateness or early rows emit. A late row carries the
/// watermark that its record was behind, so windows behind it judge it as they would the record.
template <class T, class K, class V>
using WindowUpdates = RowsAndLate<T, WindowUpdate<K, V>>;

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
  /// See RowsAndLate::late.
  Stream<T> late() const { return detail::too_late<T>(*this); }
};

namespace detail {

/// What a kind of windows emits, and the operator it runs on.
template <class Spec>
struct RefiringOf;
template <>
struct RefiringOf<RefiringWindows> {
  template <class T, class K, class V>
  using Rows = WindowUpdates<T, K, V>;
  template <class T, class Key, class Kernel, bool kRetracts>
  using Op = RefiringAggregate<T, Key, Kernel, kRetracts ? Refires::retractions : Refires::updates>;
  static constexpr bool kFinal = false;
};
template <>
struct RefiringOf<FinalWindows> {
  template <class T, class K, class V>
  using Rows = FinalAggregates<T, K, V>;
  template <class T, class Key, class Kernel, bool>
  using Op = RefiringAggregate<T, Key, Kernel, Refires::finally>;
  static constexpr bool kFinal = true;
};
template <class Gap>
struct RefiringOf<RefiringSessions<Gap>> {
  template <class T, class K, class V>
  using Rows = WindowUpdates<T, K, V>;
  template <class T, class Key, class Kernel, bool kRetracts>
  using Op = RefiringSessionAggregate<T, Key, Kernel, Gap, kRetracts>;
  static constexpr bool kFinal = false;
};
template <class Gap>
struct RefiringOf<FinalSessions<Gap>> {
  template <class T, class K, class V>
  using Rows = RowsAndLate<T, Aggregate<K, V>>;  // not ranked: no two keys have the same sessions
  template <class T, class Key, class Kernel, bool>
  using Op = SessionAggregate<T, Key, Kernel, Gap>;
  static constexpr bool kFinal = true;
};

inline bool is_global(const RefiringWindows& spec) { return spec.windows().is_global(); }
template <class Spec>
bool is_global(const Spec&) {
  return false;
}
/// global() needs event time for early rows by it alone.
template <class Spec>
bool needs_time(const Spec& spec) {
  if constexpr (RefiringOf<Spec>::kFinal) {
    return true;
  } else {
    return !is_global(spec) || spec.rules().early().uses(EarlyTrigger::Kind::event_time);
  }
}
/// Early rows hold what has come till then.
template <class Spec>
bool goes_by_arrival(const Spec& spec) {
  if constexpr (RefiringOf<Spec>::kFinal) {
    return false;
  } else {
    return spec.rules().by_arrival();
  }
}

}  // namespace detail

/// A keyed stream in windows that emit early or late; made by window(tumbling(...)
/// .allowed_lateness(...)) and the like. `Spec` is RefiringWindows, FinalWindows, RefiringSessions
/// or FinalSessions.
template <class T, class Key, class Spec>
class RefiringStream : public AggregateVerbs<RefiringStream<T, Key, Spec>, T> {
 public:
  using K = typename Key::View;

  RefiringStream(KeyedStream<T, Key> keyed, Spec spec)
      : keyed_(std::move(keyed)), spec_(std::move(spec)) {}

  // Internal.
  template <class Kernel>
  auto apply(std::string kind, std::string value, Kernel kernel, Status problem = {}) const {
    static_assert(Kernel::kMerges,
                  "millrace: windows that emit early or late join what came in time with what came "
                  "late: give fold a merge as its third argument, or an aggregate of one's own a "
                  "merge(Accumulator&, const Accumulator&) const");
    using V = typename Kernel::Value;
    using Row = std::conditional_t<Of::kFinal, Aggregate<K, V>, WindowUpdate<K, V>>;
    using Made = typename Of::template Rows<T, K, V>;
    detail::Node node;
    node.kind = std::move(kind);
    node.note = spec_.to_string();
    node.problem = problem.ok() ? spec_.validate() : std::move(problem);
    node.needs_time = detail::needs_time(spec_);
    node.breaks_ties = true;  // late records count one after the other
    node.row_places = Of::kFinal ? detail::RowPlaces::of_key : detail::RowPlaces::of_key_in_turn;
    if (detail::goes_by_arrival(spec_))
      node.why_no_places =
          "early rows by records or by the clock follow the order of arrival in the windows";
    node.inputs = keyed_.stream().inputs({detail::GroupingKind::fields, keyed_.key()});
    node.make_operator = maker(kernel);
    node.outputs = {&detail::batch_type<Row>(), &detail::batch_type<T>()};
    node.output = node.outputs.front();
    auto& declaration = keyed_.stream().declaration();
    const detail::NodeId id = declaration.graph.add(std::move(node));
    const detail::RowNames names{keyed_.key_names(), std::move(value), !detail::is_global(spec_)};
    return Made(typename Made::Base(Stream<Row>(declaration, {{id, 0}}, names)));
  }

 private:
  using Of = detail::RefiringOf<Spec>;

  template <class Kernel>
  std::function<std::unique_ptr<detail::Operator>()> maker(const Kernel& kernel) const {
    if constexpr (!Of::kFinal) {
      if (spec_.rules().mode() == RefireMode::retracting) return make<Kernel, true>(kernel);
    }
    return make<Kernel, false>(kernel);
  }
  template <class Kernel, bool kRetracts>
  std::function<std::unique_ptr<detail::Operator>()> make(const Kernel& kernel) const {
    using Op = typename Of::template Op<T, Key, Kernel, kRetracts>;
    return [spec = spec_, key = keyed_.key(), kernel]() -> std::unique_ptr<detail::Operator> {
      return std::make_unique<Op>(spec, key, kernel);
    };
  }

  KeyedStream<T, Key> keyed_;
  Spec spec_;
};

}  // namespace millrace
