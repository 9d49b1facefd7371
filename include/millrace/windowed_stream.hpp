// WindowedStream: aggregates of the windows of a keyed stream, and what ranks them.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "millrace/keyed_stream.hpp"
#include "operator/top.hpp"
#include "operator/two_phase.hpp"

namespace millrace {

/// Aggregates of the windows of a keyed stream; emitted when the watermark passes a window's end.
template <class T, class Key>
class WindowedStream : public AggregateVerbs<WindowedStream<T, Key>, T> {
 public:
  using K = typename Key::View;

  WindowedStream(KeyedStream<T, Key> keyed, Windows windows)
      : keyed_(std::move(keyed)), windows_(windows) {}

  // Internal.
  template <class Kernel>
  auto apply(std::string kind, std::string value, Kernel kernel, Status problem = {}) const {
    using Op = detail::WindowAggregate<T, Key, Kernel>;
    using V = typename Kernel::Value;
    using Row = Aggregate<K, V>;
    const auto& key = keyed_.key();
    detail::Node node;
    node.kind = std::move(kind);
    node.note = windows_.to_string();
    node.problem = problem.ok() ? windows_.validate() : std::move(problem);
    node.needs_time = !windows_.is_global();
    node.breaks_ties = Kernel::kOrdered;
    node.row_places = detail::RowPlaces::of_key;
    node.inputs = keyed_.stream().inputs({detail::GroupingKind::fields, key});
    node.make_operator = [windows = windows_, key, kernel] {
      return std::make_unique<Op>(windows, key, kernel);
    };
    if constexpr (Kernel::kMerges) node.two_phase = two_phase(kernel);
    node.output = &detail::batch_type<Row>();
    auto& declaration = keyed_.stream().declaration();
    const detail::NodeId id = declaration.graph.add(std::move(node));
    return WindowAggregates<K, V>(Stream<Row>(
        declaration, {{id, 0}}, {keyed_.key_names(), std::move(value), !windows_.is_global()}));
  }

 private:
  template <class Kernel>
  detail::TwoPhase two_phase(const Kernel& kernel) const {
    using Acc = typename Kernel::Acc;
    detail::TwoPhase phases;
    phases.combine = [windows = windows_, key = keyed_.key(),
                      kernel]() -> std::unique_ptr<detail::Operator> {
      return std::make_unique<detail::WindowCombine<T, Key, Kernel>>(windows, key, kernel);
    };
    phases.merge = [windows = windows_, kernel]() -> std::unique_ptr<detail::Operator> {
      return std::make_unique<detail::WindowMerge<K, Kernel>>(windows, kernel);
    };
    phases.between = &detail::batch_type<detail::Partial<K, Acc>>();
    phases.grouping = {detail::GroupingKind::fields,
                       std::make_shared<detail::PartialKeyHash<K, Acc>>()};
    return phases;
  }

  KeyedStream<T, Key> keyed_;
  Windows windows_;
};
/// The aggregates that windows emit: a stream that can also be ranked.
template <class K, class V>
class WindowAggregates : public Stream<Aggregate<K, V>> {
 public:
  using Base = Stream<Aggregate<K, V>>;
  explicit WindowAggregates(Base stream) : Base(std::move(stream)) {}

  WindowAggregates named(std::string name) const {
    Base::rename(std::move(name));
    return *this;
  }
  WindowAggregates parallel(int tasks) const {
    Base::fix_tasks(tasks);
    return *this;
  }

  /// How far each window's value lies above what its key was used to, in standard deviations:
  /// `.trend().top(10, &Trend::score)`. For counts and sums; emits nothing for the first windows.
  /// Cost: one look-up for each row of the aggregate. Errors: 2010 for options that are not above
  /// 0, or without windows of time.
  WindowAggregates<K, Trend> trend(TrendOptions options = {}) const {
    static_assert(detail::TrendNumber<V>::kIs,
                  "millrace: trend scores numbers: count or sum first");
    using Row = Aggregate<K, V>;
    using Key = detail::KeyFn<Row, K Row::*>;
    const auto key = std::make_shared<const detail::TypedKeyHash<Row, Key>>(Key(&Row::key));
    detail::Node node;
    node.kind = "trend";
    node.note = "half-life " + detail::format_duration(options.half_life);
    node.problem = detail::validate(options);
    if (!Base::names().windowed) {
      node.problem = Status(Code::parameter_invalid,
                            "trend compares windows with those before: use tumbling or sliding "
                            "windows, not global()");
    }
    node.inputs = Base::inputs({detail::GroupingKind::fields, key});
    node.inputs.push_back({begin_of_windows(), 0, {detail::GroupingKind::all}, 1});
    node.make_operator = [key, options] {
      return std::make_unique<detail::TrendOperator<K, V>>(key, options);
    };
    node.output = &detail::batch_type<Aggregate<K, Trend>>();
    const detail::NodeId id = Base::declaration().graph.add(std::move(node));
    return WindowAggregates<K, Trend>(
        Stream<Aggregate<K, Trend>>(Base::declaration(), {{id, 0}}, Base::names()));
  }

  /// The n greatest of each window, ranked from 1; equal ones by key ascending (texts by their
  /// bytes).
  Stream<Ranked<K, V>> top(std::size_t n) const {
    static_assert(
        detail::Summable<V>,
        "millrace: top(n) ranks numbers: after fold say by which, top(n, &Value::member)");
    return ranked(n, [](const V& value) { return value; });
  }
  /// The n greatest by a member or function of the aggregate's value.
  template <class Score>
  Stream<Ranked<K, V>> top(std::size_t n, Score score) const {
    static_assert(std::is_invocable_v<const Score&, const V&>,
                  "millrace: top's second argument is a member or function of the folded value");
    return ranked(n, std::move(score));
  }

 private:
  detail::NodeId begin_of_windows() const {
    detail::Node node;
    node.kind = "begin";
    node.note = "of the first window";
    node.inputs = Base::inputs({});
    node.make_operator = [] { return std::make_unique<detail::BeginOfWindows<Aggregate<K, V>>>(); };
    node.keeps_state = false;
    node.output = &detail::batch_type<detail::StreamBegin>();
    return Base::declaration().graph.add(std::move(node));
  }
  template <class Score>
  Stream<Ranked<K, V>> ranked(std::size_t n, Score score) const {
    detail::Node node;
    node.kind = "top";
    node.note = "top " + std::to_string(n);
    node.tasks_are_fixed = "one task merges the best rows of all";
    if (n == 0)
      node.problem = Status(Code::parameter_invalid, "top(0) keeps nothing: ask for at least 1");
    node.inputs = Base::inputs({detail::GroupingKind::global, nullptr});
    node.make_operator = [n, score] {
      return std::make_unique<detail::TopOperator<K, V, Score, true>>(n, score);
    };
    detail::TwoPhase phases;
    phases.combine = [n, score]() -> std::unique_ptr<detail::Operator> {
      return std::make_unique<detail::TopOperator<K, V, Score, false>>(n, score);
    };
    phases.merge = node.make_operator;
    phases.between = &detail::batch_type<Aggregate<K, V>>();
    phases.grouping = {detail::GroupingKind::global, nullptr};
    node.two_phase = std::move(phases);
    node.row_places = detail::RowPlaces::of_key;
    node.output = &detail::batch_type<Ranked<K, V>>();
    const detail::NodeId id = Base::declaration().graph.add(std::move(node));
    return Stream<Ranked<K, V>>(Base::declaration(), {{id, 0}}, Base::names());
  }
};

}  // namespace millrace
