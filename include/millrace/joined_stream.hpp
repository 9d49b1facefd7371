// Joins: two keyed streams side by side, by how near their records are in event time or by windows.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/declaration.hpp"
#include "operator/co_group.hpp"
#include "operator/interval_join.hpp"
#include "operator/window_join.hpp"
#include "window/join_interval.hpp"

namespace millrace {

template <class T>
class Stream;
template <class T, class Key>
class KeyedStream;

/// The rows of a join of `L`s and `R`s, and beside them the records that came too late for it.
template <class L, class R, class Row>
class JoinedStream : public Stream<Row> {
 public:
  explicit JoinedStream(Stream<Row> rows) : Stream<Row>(std::move(rows)) {}

  JoinedStream named(std::string name) const {
    Stream<Row>::rename(std::move(name));
    return *this;
  }
  JoinedStream parallel(int tasks) const {
    Stream<Row>::fix_tasks(tasks);
    return *this;
  }
  /// Left records that came behind the watermark of their own source partition, as they came. They
  /// count as late whether or not somebody reads them.
  Stream<L> late_left() const { return port<L>(1); }
  /// The same of the right side.
  Stream<R> late_right() const { return port<R>(2); }

 private:
  template <class T>
  Stream<T> port(std::uint32_t port) const {
    std::vector<detail::Upstream> from;
    for (const detail::Upstream& at : this->from()) from.push_back({at.node, port});
    return Stream<T>(this->declaration(), std::move(from));
  }
};

namespace detail {

/// What is being joined; see Join.
template <class L, class LKey, class R, class RKey>
struct JoinInputs {
  KeyedStream<L, LKey> left;
  KeyedStream<R, RKey> right;
};

/// Adds the component of a join; `make` makes its operator of the keys. `everywhere`: each task has
/// all right records, and left ones stay where they are.
template <class Out, class L, class LKey, class R, class RKey, class Make>
JoinedStream<L, R, Out> joined(const JoinInputs<L, LKey, R, RKey>& inputs, Node node, Make make,
                               bool everywhere = false) {
  using To = Grouping;
  using Op = typename decltype(make(inputs.left.key(), inputs.right.key()))::element_type;
  node.kind = "join";
  node.row_places = Op::kRowPlaces;
  node.inputs =
      inputs.left.stream().inputs(everywhere ? To{} : To{GroupingKind::fields, inputs.left.key()});
  for (NodeInput input : inputs.right.stream().inputs(
           everywhere ? To{GroupingKind::all} : To{GroupingKind::fields, inputs.right.key()})) {
    input.input = 1;
    node.inputs.push_back(std::move(input));
  }
  node.make_operator = [make, left = inputs.left.key(),
                        right = inputs.right.key()]() -> std::unique_ptr<Operator> {
    return make(left, right);
  };
  node.outputs = {&batch_type<Out>(), &batch_type<L>(), &batch_type<R>()};
  node.output = node.outputs.front();
  auto& declaration = inputs.left.stream().declaration();
  const NodeId id = declaration.graph.add(std::move(node));
  return JoinedStream<L, R, Out>(Stream<Out>(declaration, {{id, 0}}));
}

}  // namespace detail

/// What rows a join can emit. `Derived::apply<kind, Out>(maker)` declares it.
///
/// A function that throws for a pair makes its row a dead letter.
template <class Derived, class L, class R>
class JoinVerbs {
 public:
  /// A row for each pair: f(const L&, const R&).
  template <class F>
  auto inner(F f) const {
    static_assert(std::is_invocable_v<const F&, const L&, const R&>,
                  "millrace: inner needs a function of both records: "
                  "inner([](const Order& order, const Shipment& shipment) { ... })");
    return make<detail::JoinKind::inner, std::invoke_result_t<const F&, const L&, const R&>>(
        std::move(f));
  }
  /// And one for each left record without a partner: f(const L&, const R*), where the right one is
  /// null then.
  template <class F>
  auto left(F f) const {
    static_assert(std::is_invocable_v<const F&, const L&, const R*>,
                  "millrace: left needs a function whose right record may be missing: "
                  "left([](const Order& order, const Shipment* shipment) { ... })");
    return make<detail::JoinKind::left, std::invoke_result_t<const F&, const L&, const R*>>(
        std::move(f));
  }
  /// And one for each right record without a partner: f(const L*, const R&).
  template <class F>
  auto right(F f) const {
    static_assert(std::is_invocable_v<const F&, const L*, const R&>,
                  "millrace: right needs a function whose left record may be missing: "
                  "right([](const Order* order, const Shipment& shipment) { ... })");
    return make<detail::JoinKind::right, std::invoke_result_t<const F&, const L*, const R&>>(
        std::move(f));
  }
  /// And one for each record of either side without a partner: f(const L*, const R*), of which one
  /// may be null.
  template <class F>
  auto full(F f) const {
    static_assert(std::is_invocable_v<const F&, const L*, const R*>,
                  "millrace: full needs a function of which either record may be missing: "
                  "full([](const Order* order, const Shipment* shipment) { ... })");
    return make<detail::JoinKind::full, std::invoke_result_t<const F&, const L*, const R*>>(
        std::move(f));
  }

 private:
  template <detail::JoinKind kKind, class Result, class F>
  auto make(F f) const {
    using Out = std::decay_t<Result>;
    static_assert(!std::is_void_v<Out> && !std::is_pointer_v<Out>,
                  "millrace: the function of a join returns the row that it makes, by value");
    return static_cast<const Derived&>(*this).template apply<kKind, Out>(
        detail::PairMaker<kKind, F>{std::move(f)});
  }
};

/// Pairs of records that are near each other in event time; made by join(...).within(...).
template <class L, class LKey, class R, class RKey>
class IntervalJoined : public JoinVerbs<IntervalJoined<L, LKey, R, RKey>, L, R> {
 public:
  IntervalJoined(detail::JoinInputs<L, LKey, R, RKey> inputs, JoinInterval interval)
      : inputs_(std::move(inputs)), interval_(interval) {}

  /// A right record exactly `before` earlier is no partner.
  IntervalJoined exclusive_lower() const {
    IntervalJoined changed = *this;
    changed.interval_.exclusive_lower = true;
    return changed;
  }
  /// A right record exactly `after` later is no partner.
  IntervalJoined exclusive_upper() const {
    IntervalJoined changed = *this;
    changed.interval_.exclusive_upper = true;
    return changed;
  }
  /// Records up to `lateness` behind the watermark of their own source partition still count; rows
  /// of records without a partner, and what stands behind, wait so much longer. 0 or more.
  IntervalJoined allowed_lateness(Duration lateness) const {
    IntervalJoined changed = *this;
    changed.interval_.lateness = lateness;
    return changed;
  }

  // Internal.
  template <detail::JoinKind kKind, class Out, class Maker>
  auto apply(Maker maker) const {
    using Op = detail::IntervalJoin<L, LKey, R, RKey, Out, Maker>;
    detail::Node node;
    node.note = interval_.to_string();
    node.problem = interval_.validate();
    node.needs_time = true;
    return detail::joined<Out>(inputs_, std::move(node),
                               [interval = interval_, maker](const auto& left, const auto& right) {
                                 return std::make_unique<Op>(interval, kKind, left, right, maker);
                               });
  }

 private:
  detail::JoinInputs<L, LKey, R, RKey> inputs_;
  JoinInterval interval_;
};

/// Pairs of records that lie in the same window; made by join(...).window(...).
template <class L, class LKey, class R, class RKey>
class WindowJoined : public JoinVerbs<WindowJoined<L, LKey, R, RKey>, L, R> {
 public:
  WindowJoined(detail::JoinInputs<L, LKey, R, RKey> inputs, Windows windows)
      : inputs_(std::move(inputs)), windows_(std::move(windows)) {}

  /// A window waits until its end + `lateness` for records that come late, and so long do its rows
  /// and what stands behind. 0 or more.
  WindowJoined allowed_lateness(Duration lateness) const {
    WindowJoined changed = *this;
    changed.lateness_ = lateness;
    return changed;
  }

  /// Of each window the left records that have a partner in it, once.
  auto semi() const { return apply<detail::JoinKind::semi, L>(detail::LeftMaker{}); }
  /// Of each window the left records that have none.
  auto anti() const { return apply<detail::JoinKind::anti, L>(detail::LeftMaker{}); }

  /// f(const CoGroup<K, L, R>&), which returns a row, or f(const CoGroup<K, L, R>&, Output<Row>&),
  /// which emits any number: once for each key and window with all records of both sides, of which
  /// one may have none. The records stand in the order of event time, equal times by place in the
  /// input. When it throws, the group has no rows and is a dead letter.
  template <class F>
  auto co_group(F f) const {
    using Group = CoGroup<typename LKey::View, L, R>;
    if constexpr (detail::EmitsThroughOutput<F>) {
      using Out = typename detail::CallTraits<F>::Emitted;
      static_assert(std::is_invocable_v<const F&, const Group&, Output<Out>&>,
                    "millrace: co_group needs a function of a group, CoGroup<Key, Left, Right>, "
                    "and an Output: co_group([](const CoGroup<std::int64_t, Order, Shipment>& "
                    "group, Output<Row>& out) { ... })");
      return groups<Out>(std::move(f));
    } else {
      static_assert(std::is_invocable_v<const F&, const Group&>,
                    "millrace: co_group needs a function of a group, CoGroup<Key, Left, Right>: "
                    "co_group([](const CoGroup<std::int64_t, Order, Shipment>& group) { ... })");
      using Out = std::decay_t<std::invoke_result_t<const F&, const Group&>>;
      static_assert(!std::is_void_v<Out> && !std::is_pointer_v<Out>,
                    "millrace: the function of co_group returns a row by value, or emits rows "
                    "through an Output<Row>&");
      return groups<Out>(std::move(f));
    }
  }

  // Internal.
  Status problem() const {
    if (windows_.is_global()) {
      return {Code::window_invalid,
              "a join over global() would keep everything to the end: use windows of time, or "
              "within(before, after)"};
    }
    if (lateness_.count() < 0) {
      return {Code::window_invalid, "window " + windows_.to_string() +
                                        ": allowed_lateness is negative: give a duration of 0 or "
                                        "more"};
    }
    return windows_.validate();
  }
  template <detail::JoinKind kKind, class Out, class Maker>
  auto apply(Maker maker) const {
    return joined<kKind, Out>(std::move(maker), false);
  }

 private:
  template <detail::JoinKind kKind, class Out, class Maker>
  auto joined(Maker maker, bool in_order) const {
    using Op = detail::WindowJoin<L, LKey, R, RKey, Out, Maker>;
    detail::Node node;
    node.note = note();
    node.problem = problem();
    node.needs_time = true;
    node.breaks_ties = in_order;
    return detail::joined<Out>(
        inputs_, std::move(node),
        [windows = windows_, lateness = lateness_, maker](const auto& left, const auto& right) {
          return std::make_unique<Op>(windows, lateness, kKind, left, right, maker);
        });
  }
  template <class Out, class F>
  auto groups(F f) const {
    return joined<detail::JoinKind::full, Out>(detail::GroupMaker<Out, F>{std::move(f)}, true);
  }
  std::string note() const {
    std::string text = windows_.to_string();
    if (lateness_.count() > 0)
      text += ".allowed_lateness(" + detail::format_duration(lateness_) + ")";
    return text;
  }
  detail::JoinInputs<L, LKey, R, RKey> inputs_;
  Windows windows_;
  Duration lateness_{0};
};

/// Two keyed streams whose records with equal keys are to be joined; made by
/// orders.key_by(&Order::id).join(shipments.key_by(&Shipment::order)).
template <class L, class LKey, class R, class RKey>
class Join {
 public:
  Join(KeyedStream<L, LKey> left, KeyedStream<R, RKey> right)
      : inputs_{std::move(left), std::move(right)} {}

  /// Pairs whose right record's time is in [left's - before, left's + after], both bounds included;
  /// either may be negative: within(-1h, 2h) are one to two hours after. Then say which rows:
  /// .inner(f), .left(f), .right(f), .full(f). A pair is emitted when both records are there and
  /// has the later one's time; a record without a partner when none can come any more, with its own
  /// time. Both streams need event time. Errors: 2010 where before + after is negative.
  IntervalJoined<L, LKey, R, RKey> within(Duration before, Duration after) const {
    return {inputs_, JoinInterval{.before = before, .after = after}};
  }
  /// Pairs of records in the same window, emitted when the watermark has passed its end, with the
  /// time end - 1 µs. Then say which rows: .inner(f), .left(f), .right(f), .full(f), .semi(),
  /// .anti(), or .co_group(f) for all records of a key and window at once. Both streams need event
  /// time. Errors: 2005 for windows that cannot be and for
  /// global().
  WindowJoined<L, LKey, R, RKey> window(Windows windows) const { return {inputs_, windows}; }
  /// Refused with a sentence.
  template <class Other>
  void window(Other) const {
    static_assert(detail::kNever<Other>,
                  "millrace: a join takes windows of event time, and its lateness behind them: "
                  "window(tumbling(1min)).allowed_lateness(10s)");
  }

 private:
  detail::JoinInputs<L, LKey, R, RKey> inputs_;
};

}  // namespace millrace

#include "millrace/as_of_stream.hpp"  // what as_of(...) returns; needs JoinVerbs
#include "millrace/keyed_stream.hpp"  // what is joined; at its end it needs all of this

namespace millrace {

template <class T, class Key>
template <class R, class RKey>
Join<T, Key, R, RKey> KeyedStream<T, Key>::join(const KeyedStream<R, RKey>& right) const {
  static_assert(std::is_same_v<K, typename RKey::View>,
                "millrace: both sides of a join need keys of the same type: make one like the "
                "other, key_by([](const Shipment& s) { return std::int64_t{s.order}; })");
  return {*this, right};
}

}  // namespace millrace
