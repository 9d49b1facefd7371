// GroupedTable: the rows of a table by another key, and aggregates over them that follow each
// change.
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/aggregates.hpp"
#include "millrace/declaration.hpp"
#include "millrace/stream_handle.hpp"
#include "operator/grouped_rows.hpp"

namespace millrace {

template <class T>
class Stream;
template <class T>
class OrderedStream;
template <class T, class Key>
class KeyedStream;

/// The rows of a table by a key of theirs; made by table.group_by(&User::city), or of any changes
/// by group_by(changes, &User::city). Its aggregates are tables again, as changes
/// (Change<Aggregate<K, V>>): +I of a group's first row, -U and +U where the value becomes another
/// one, -D when its last row has gone. A row that changes within its group is one change of it;
/// one that moves to another group leaves the one and comes to the other.
///
/// In the order of event time, when the watermark has passed it: what is emitted never depends on
/// the schedule. A sum that leaves 64 bits has no row until it fits again, and the change that did
/// it is a dead letter. Cost: a shuffle and two look-ups a change. State: an accumulator a group;
/// of min and max an entry for each different value of a group.
template <class T, class... Parts>
class GroupedTable {
  using Turn = detail::RowTurn<T>;
  using Key = detail::KeyFn<Turn, detail::TurnPart<T, Parts>...>;

 public:
  GroupedTable(Stream<Change<T>> changes, Parts... parts)
      : changes_(std::move(changes)), parts_(std::move(parts)...) {}

  /// Number of rows of each group.
  auto count() const { return one("count", millrace::count()); }
  /// Sum of a number; reals are summed exactly and rounded once.
  template <class F>
  auto sum(F number) const {
    return one("sum", millrace::sum(std::move(number)));
  }
  /// Mean of a number. Of optionals, an optional.
  template <class F>
  auto mean(F number) const {
    return one("mean", millrace::mean(std::move(number)));
  }
  /// The least value that is there; when its row goes, the next one.
  template <class F>
  auto min(F value) const {
    return one("min", millrace::min(std::move(value)));
  }
  /// The greatest value that is there.
  template <class F>
  auto max(F value) const {
    return one("max", millrace::max(std::move(value)));
  }
  /// Several of these in one pass, each into a member of one struct, which is the row's value:
  /// aggregate(count().as(&City::users), sum(&User::paid).as(&City::paid)).
  template <class First, class... More>
  auto aggregate(const First& first, const More&... more) const {
    using Row = typename First::Row;
    static_assert((std::is_same_v<Row, typename More::Row> && ...),
                  "millrace: the aggregates of one pass go into members of one struct");
    using Kernel = detail::SeveralKernel<Turn, Row, decltype(part(first)), decltype(part(more))...>;
    return apply("aggregate", "value", Kernel(part(first), part(more)...),
                 detail::check_places(first.member, more.member...));
  }

 private:
  template <class Spec>
  static auto kernel(const Spec& spec) {
    auto of_rows = spec.template kernel<T>();
    return detail::TurnKernel<T, decltype(of_rows)>{detail::Retracting<decltype(of_rows)>{of_rows}};
  }
  template <class Spec, class Row, class M>
  static auto part(const NamedAggregate<Spec, Row, M>& named) {
    using Kernel = decltype(kernel(named.spec));
    static_assert(detail::kHolds<M, typename Kernel::Value>,
                  "millrace: as() needs a member that holds the aggregate's value: std::int64_t "
                  "for count and sums of integers, double for mean and sums of reals, the member's "
                  "own type for min and max");
    return detail::Part<Kernel, Row, M>{kernel(named.spec), named.member};
  }
  template <class Spec>
  auto one(const char* kind, const Spec& spec) const {
    return apply(kind, kind, kernel(spec), Status());
  }

  /// The changes as turns of rows, by the new key and in the order of event time.
  OrderedStream<Turn> turns(
      const std::shared_ptr<const detail::TypedKeyHash<Turn, Key>>& key) const {
    using Op = detail::ChangeTurns<T, Parts...>;
    detail::Node node = detail::operator_node<Op>("group_by", changes_.inputs({}), parts_);
    node.output = &detail::batch_type<Turn>();
    node.helps = "changes";
    detail::Declaration& declaration = changes_.declaration();
    const detail::NodeId id = declaration.graph.add(std::move(node));
    const Stream<Turn> turned(declaration, {{id, 0}}, changes_.names());
    const OrderedStream<Turn> ordered = KeyedStream<Turn, Key>(turned, key, {}).restore_order();
    detail::mark_helper(ordered, "order");
    return ordered;
  }

  template <class Kernel>
  auto apply(std::string kind, std::string value, Kernel kernel, Status problem) const {
    using Op = detail::GroupedRows<Turn, Key, Kernel>;
    using Row = typename Op::Row;
    const auto key = std::apply(
        [](const Parts&... part) {
          return std::make_shared<const detail::TypedKeyHash<Turn, Key>>(
              Key(detail::TurnPart<T, Parts>{part}...));
        },
        parts_);
    detail::Node node = detail::operator_node<Op>(
        std::move(kind), turns(key).inputs({detail::GroupingKind::fields, key}), key, kernel);
    node.note = "of a table";
    node.problem = std::move(problem);
    node.needs_time = true;
    node.output = &detail::batch_type<Row>();
    std::vector<std::string> names = std::apply(
        [this](const Parts&... part) { return detail::key_names<T>(changes_.names(), part...); },
        parts_);
    detail::Declaration& declaration = changes_.declaration();
    const detail::NodeId id = declaration.graph.add(std::move(node));
    return Stream<Row>(declaration, {{id, 0}}, {std::move(names), std::move(value), false});
  }

  Stream<Change<T>> changes_;
  std::tuple<Parts...> parts_;
};

/// The rows of a table that is given as its changes, by a member, several members or a function of
/// them: group_by(users.table().join(cities.table()).inner(f), &Row::country).count().
template <class T, class... Parts>
GroupedTable<T, Parts...> group_by(const Stream<Change<T>>& changes, Parts... parts) {
  static_assert(sizeof...(Parts) > 0 && (std::is_invocable_v<const Parts&, const T&> && ...),
                "millrace: group_by needs members or functions of the table's records");
  return {changes, std::move(parts)...};
}

}  // namespace millrace

#include "millrace/keyed_stream.hpp"  // what is grouped; at its end it needs all of this
