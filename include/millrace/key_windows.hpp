// KeyWindows: aggregates of windows that every key has of its own, such as
// sessions, so many records, or the last ones before each.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "millrace/keyed_stream.hpp"
#include "operator/record_aggregate.hpp"
#include "operator/session_aggregate.hpp"

namespace millrace {

namespace detail {

/// The operator that a kind of windows runs on, and what the graph must know of it.
template <class Spec>
struct KeyWindowsOf {
  template <class T, class Key, class Kernel>
  using Op = RecordAggregate<T, Key, Kernel, Spec>;
  static constexpr RowPlaces kRowPlaces = RowPlaces::of_record;
  static constexpr bool kNeedsTime = std::is_same_v<Spec, LastSpan>;
  static constexpr bool kOrders = true;
  /// False: a row a record, of which each is as new as the last.
  static constexpr bool kWindowed = std::is_same_v<Spec, CountWindows>;
};

template <class Gap>
struct KeyWindowsOf<Sessions<Gap>> {
  template <class T, class Key, class Kernel>
  using Op = SessionAggregate<T, Key, Kernel, Gap>;
  static constexpr RowPlaces kRowPlaces = RowPlaces::of_key;
  static constexpr bool kNeedsTime = true;
  static constexpr bool kOrders = false;
  static constexpr bool kWindowed = true;
};

}  // namespace detail

/// The windows of each key, made by window(session(...)), window(count_window(...)) and over(...).
/// Aggregates as of other windows; they are not ranked by top, since no two keys have the same
/// windows.
template <class T, class Key, class Spec>
class KeyWindows : public AggregateVerbs<KeyWindows<T, Key, Spec>, T> {
 public:
  using K = typename Key::View;

  KeyWindows(KeyedStream<T, Key> keyed, Spec spec)
      : keyed_(std::move(keyed)), spec_(std::move(spec)) {}

  // Internal.
  template <class Kernel>
  auto apply(std::string kind, std::string value, Kernel kernel, Status problem = {}) const {
    using Of = detail::KeyWindowsOf<Spec>;
    static_assert(Kernel::kMerges,
                  "millrace: these windows grow together: give fold a merge as its third argument, "
                  "or an aggregate of one's own a merge(Accumulator&, const Accumulator&) const");
    using Op = typename Of::template Op<T, Key, Kernel>;
    using Row = Aggregate<K, typename Kernel::Value>;
    detail::Node node;
    node.kind = std::move(kind);
    node.note = spec_.to_string();
    node.problem = problem.ok() ? spec_.validate() : std::move(problem);
    node.needs_time = Of::kNeedsTime;
    node.breaks_ties = Kernel::kOrdered || Of::kOrders;
    node.row_places = Of::kRowPlaces;
    node.inputs = keyed_.stream().inputs({detail::GroupingKind::fields, keyed_.key()});
    node.make_operator = [spec = spec_, key = keyed_.key(), kernel] {
      return std::make_unique<Op>(spec, key, kernel);
    };
    node.output = &detail::batch_type<Row>();
    auto& declaration = keyed_.stream().declaration();
    const detail::NodeId id = declaration.graph.add(std::move(node));
    return Stream<Row>(declaration, {{id, 0}},
                       {keyed_.key_names(), std::move(value), Of::kWindowed});
  }

 private:
  KeyedStream<T, Key> keyed_;
  Spec spec_;
};

}  // namespace millrace
