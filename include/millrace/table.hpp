// Table: a stream read as a table by key, its changes, and joins with it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/as_of_stream.hpp"
#include "millrace/grouped_table.hpp"
#include "millrace/joined_stream.hpp"
#include "millrace/ordered_stream.hpp"
#include "millrace/table_end.hpp"
#include "operator/as_of_join.hpp"
#include "operator/reference_join.hpp"
#include "operator/table_join.hpp"
#include "operator/table_step.hpp"

namespace millrace {

template <class T, class Key>
class Table;

/// The changes of a table, and beside them the records that came too late for it.
template <class T, class Row>
class ChangeStream : public Stream<Row> {
 public:
  ChangeStream(Stream<Row> changes, OrderedStream<T> ordered, std::vector<std::string> key)
      : Stream<Row>(std::move(changes)), ordered_(std::move(ordered)), key_(std::move(key)) {}

  ChangeStream named(std::string name) const {
    Stream<Row>::rename(std::move(name));
    return *this;
  }
  ChangeStream parallel(int tasks) const {
    Stream<Row>::fix_tasks(tasks);
    return *this;
  }
  /// The records that came behind the watermark of their own source partition, as they came. They
  /// change nothing, and count as late whether or not somebody reads them.
  Stream<T> late() const { return ordered_.late(); }

  using Stream<Row>::to;
  /// Ends the changes in a table that can be asked, by the table's own key where none is given.
  Ending to(TableSpec spec) const {
    if (spec.settings.key.empty()) spec.settings.key = key_;
    return Stream<Row>::to(std::move(spec));
  }

  // Internal.
  /// The component that puts the records in order.
  detail::NodeId order() const { return ordered_.from().front().node; }

 private:
  OrderedStream<T> ordered_;
  std::vector<std::string> key_;  ///< its columns; a function's is none of them
};

namespace detail {

/// The changes of the table that `keyed` is, as `form` emits them.
template <class T, class Key>
auto table_changes(const KeyedStream<T, Key>& keyed, DeletesRow<T> deletes,
                   ChangeForm<T> form = {}) {
  using Step = TableStep<T, typename Key::View>;
  using Emitted = typename Step::Emitted;
  const OrderedStream<T> ordered = keyed.restore_order();
  const Stream<T>& stream = ordered;
  Node node =
      processor_node<T, Key>("table", stream, keyed.key(), Step{std::move(deletes), form, {}});
  node.needs_time = true;
  node.row_places = RowPlaces::of_record;
  mark_helper(stream, "order");
  const NodeId id = stream.declaration().graph.add(std::move(node));
  return ChangeStream<T, Emitted>(Stream<Emitted>(stream.declaration(), {{id, 0}}, stream.names()),
                                  ordered, keyed.key_names());
}

/// What two tables are joined by.
template <class L, class LKey, class R, class RKey>
struct TableInputs {
  JoinInputs<L, LKey, R, RKey> streams;
  DeletesRow<L> deletes_left;
  DeletesRow<R> deletes_right;
  Duration lateness{0};
};

/// What a record names of a global table: a member or function of it, perhaps an optional.
template <class T, class Named>
class NamedPart {
  using Value = std::decay_t<std::invoke_result_t<const Named&, const T&>>;

 public:
  static constexpr bool kMayBeAbsent = requires(const Value& value) { *value, value.has_value(); };

  explicit NamedPart(Named named) : named_(std::move(named)) {}

  /// Anything where it is absent.
  decltype(auto) operator()(const T& record) const {
    if constexpr (kMayBeAbsent) {
      using Present = std::decay_t<decltype(*std::declval<const Value&>())>;
      return std::invoke(named_, record).value_or(Present{});
    } else {
      return std::invoke(named_, record);
    }
  }
  bool is_absent([[maybe_unused]] const T& record) const {
    if constexpr (kMayBeAbsent) {
      return !std::invoke(named_, record).has_value();
    } else {
      return false;
    }
  }

 private:
  Named named_;
};

/// Adds the component that joins two tables. `Out` are its changes.
template <class Out, class L, class LKey, class R, class RKey, class Maker>
JoinedStream<L, R, Out> joined_tables(const TableInputs<L, LKey, R, RKey>& inputs, JoinKind kind,
                                      Maker maker) {
  using Op = TableJoin<L, LKey, R, RKey, Out, Maker>;
  Node node;
  node.note = "of tables";
  node.needs_time = true;
  node.breaks_ties = true;
  if (inputs.lateness < Duration(0)) {
    node.problem = Status(Code::parameter_invalid,
                          "a join of tables: allowed_lateness is negative: give 0 or more");
  }
  const typename Op::Rules rules{kind, inputs.lateness, inputs.deletes_left, inputs.deletes_right};
  return joined<Out>(inputs.streams, std::move(node),
                     [rules, maker](const auto& left, const auto& right) {
                       return std::make_unique<Op>(rules, left, right, maker);
                     });
}

}  // namespace detail

/// The rows of two tables with equal keys; made by users.table().join(addresses.table()). Say which
/// rows: .inner(f), .left(f), .right(f), .full(f), where f makes the row. They are changes
/// (Change<Row>) in the order of event time: all of them applied are the join of both tables as
/// they are. What is taken back is made anew of the records that were there, so f must give the
/// same row for the same records.
template <class L, class LKey, class R, class RKey>
class JoinedTables : public JoinVerbs<JoinedTables<L, LKey, R, RKey>, L, R> {
 public:
  explicit JoinedTables(detail::TableInputs<L, LKey, R, RKey> inputs)
      : inputs_(std::move(inputs)) {}

  /// Records up to `lateness` behind the watermark of their own source partition still count;
  /// changes, and what stands behind, wait so much longer. 0 or more.
  JoinedTables allowed_lateness(Duration lateness) const {
    JoinedTables changed = *this;
    changed.inputs_.lateness = lateness;
    return changed;
  }

  // Internal.
  template <detail::JoinKind kKind, class Out, class Maker>
  auto apply(Maker maker) const {
    using Changes = detail::ChangeMaker<Maker>;
    return detail::joined_tables<Change<Out>>(inputs_, kKind, Changes{std::move(maker)});
  }

 private:
  detail::TableInputs<L, LKey, R, RKey> inputs_;
};

/// The rows of a table with those that they name by the key of another one; made by
/// orders.table().join(customers.table(), &Order::customer). Say which rows: .inner(f), or .left(f)
/// with those that name what is not there. They are changes (Change<Row>) in the order of event
/// time, of each left row at most one row. A left row that changes what it names leaves with -D and
/// comes with +I. A right row that changes changes all rows that name it. What they name may be an
/// optional: where it is absent, a row has no partner.
///
/// Cost: a shuffle of the left table's changes and two look-ups each; a row for each left row that
/// names a right one that changes. f must give the same row for the same records.
template <class L, class LKey, class Named, class R, class RKey>
class ReferencedTables : public JoinVerbs<ReferencedTables<L, LKey, Named, R, RKey>, L, R> {
  using Part = detail::NamedPart<L, Named>;
  using Key = detail::KeyFn<Change<L>, detail::ChangedPart<Part>>;

 public:
  ReferencedTables(Table<L, LKey> left, Named named, Table<R, RKey> right)
      : left_(std::move(left)), named_(std::move(named)), right_(std::move(right)) {}

  // Internal.
  template <detail::JoinKind kKind, class Out, class Maker>
  auto apply(Maker maker) const {
    static_assert(kKind == detail::JoinKind::inner || kKind == detail::JoinKind::left,
                  "millrace: a join by what rows name is inner or left: a right row that nobody "
                  "names has no row");
    using Pairs = detail::ChangeMaker<detail::ReferencePairs<Maker>>;
    using Op = detail::ReferenceJoin<L, LKey, Key, R, RKey, Change<Out>, Pairs>;
    detail::Node node;
    node.note = "by what rows name";
    node.needs_time = true;
    node.breaks_ties = true;
    return detail::joined<Change<Out>>(
        detail::JoinInputs<Change<L>, Key, R, RKey>{moves(), right_.keyed()}, std::move(node),
        [rules = typename Op::Rules{kKind, left_.keyed().key(), right_.deletes(), names_nothing()},
         maker](const auto& left, const auto& right) {
          return std::make_unique<Op>(rules, left, right, Pairs{{maker}});
        });
  }

 private:
  /// The changes of the left table by what its rows name.
  KeyedStream<Change<L>, Key> moves() const {
    using Op = detail::ChangeMoves<L, Named>;
    const Stream<Change<L>> changes = left_.changes();
    detail::mark_helper(changes, "table");
    detail::Node node =
        detail::operator_node<Op>("references", changes.inputs({}), std::tuple<Named>(named_));
    node.output = &detail::batch_type<Change<L>>();
    node.helps = "references";
    const detail::NodeId id = changes.declaration().graph.add(std::move(node));
    return {Stream<Change<L>>(changes.declaration(), {{id, 0}}, changes.names()),
            std::make_shared<const detail::TypedKeyHash<Change<L>, Key>>(Key({Part(named_)})),
            {}};
  }
  detail::DeletesRow<L> names_nothing() const {
    if constexpr (Part::kMayBeAbsent) {
      return [part = Part(named_)](const L& row) { return part.is_absent(row); };
    } else {
      return {};
    }
  }

  Table<L, LKey> left_;
  Named named_;
  Table<R, RKey> right_;
};

/// A table of which each task of a join has all rows; made by customers.table().global(). What is
/// joined with it names its key by a member or function and stays where it is: no shuffle, and any
/// number of joins by different members. Memory: a copy of the table in every task.
template <class T, class Key>
class GlobalTable {
 public:
  explicit GlobalTable(Table<T, Key> table) : table_(std::move(table)) {}

  // Internal.
  const Table<T, Key>& table() const { return table_; }

 private:
  Table<T, Key> table_;
};

/// A stream read as a table: of each key its newest record by event time, of equal times the last
/// one by place in the source (partition, offset), unless that record deletes. Made by
/// users.key_by(&User::id).table(). Needs event time: what a table holds is a function of the input
/// and never of the schedule.
template <class T, class Key>
class Table {
 public:
  Table(KeyedStream<T, Key> keyed, detail::DeletesRow<T> deletes)
      : keyed_(std::move(keyed)), deletes_(std::move(deletes)) {}

  /// The table as its changes, in the order of event time, when the watermark has passed them: +I
  /// of a key's first record, -U and +U (the row before and the new one) of a further one, also
  /// where both are equal, -D of one that deletes. A record that deletes what is not there changes
  /// nothing. All have the time of the record that made them.
  ChangeStream<T, Change<T>> changes() const { return detail::table_changes(keyed_, deletes_); }

  /// Ends the table as one that can be asked while it runs, to(table("users")): its changes(),
  /// which are called "users changes".
  Ending to(TableSpec spec) const {
    return changes().named(spec.name + " changes").to(std::move(spec));
  }

  /// The rows by another key, for aggregates that follow each change: the rows of a city are those
  /// whose newest record says so. See grouped_table.hpp.
  template <class... Parts>
  auto group_by(Parts... parts) const {
    const Stream<Change<T>> rows = changes();
    detail::mark_helper(rows, "table");
    return millrace::group_by<T>(rows, std::move(parts)...);
  }

  /// This table and another one, by equal keys.
  template <class R, class RKey>
  JoinedTables<T, Key, R, RKey> join(const Table<R, RKey>& right) const {
    static_assert(std::is_same_v<typename Key::View, typename RKey::View>,
                  "millrace: both tables of a join need keys of the same type: make one like the "
                  "other, key_by([](const Address& a) { return std::int64_t{a.user}; })");
    return JoinedTables<T, Key, R, RKey>(
        {{keyed_, right.keyed()}, deletes_, right.deletes(), Duration(0)});
  }

  /// This table and another one, whose key the rows of this one name (a foreign key).
  template <class R, class RKey, class Named>
  ReferencedTables<T, Key, Named, R, RKey> join(const Table<R, RKey>& right, Named named) const {
    static_assert(
        std::is_invocable_v<const Named&, const T&>,
        "millrace: join needs a member or function of the left table's records that names "
        "a key of the right one: orders.join(customers, &Order::customer)");
    using Name = detail::KeyFn<T, detail::NamedPart<T, Named>>;
    static_assert(std::is_same_v<typename Name::View, typename RKey::View>,
                  "millrace: what the rows of the left table name, and the key of the right one, "
                  "need to be of the same type");
    return {*this, std::move(named), right};
  }

  /// This table for every task of what is joined with it: orders.join(customers.table().global(),
  /// &Order::customer). For tables that fit into memory once a task.
  GlobalTable<T, Key> global() const { return GlobalTable<T, Key>(*this); }

  // Internal.
  const KeyedStream<T, Key>& keyed() const { return keyed_; }
  const detail::DeletesRow<T>& deletes() const { return deletes_; }

 private:
  KeyedStream<T, Key> keyed_;
  detail::DeletesRow<T> deletes_;
};

template <class T, class Key>
template <class R, class RKey>
AsOf<T, Key, R, RKey> KeyedStream<T, Key>::join(const Table<R, RKey>& table) const {
  static_assert(std::is_same_v<K, typename RKey::View>,
                "millrace: a stream and a table that are joined need keys of the same type: make "
                "one like the other, key_by([](const Order& o) { return std::int64_t{o.user}; })");
  return AsOf<T, Key, R, RKey>({*this, table.keyed()}, {.deletes = table.deletes()});
}

template <class T>
template <class R, class RKey, class... Named>
auto Stream<T>::join(const GlobalTable<R, RKey>& table, Named... named) const {
  static_assert(sizeof...(Named) > 0 && (std::is_invocable_v<const Named&, const T&> && ...),
                "millrace: a join with a global table needs members or functions of this stream's "
                "records that name its key: orders.join(customers.table().global(), "
                "&Order::customer)");
  const auto lefts = this->key_by(detail::NamedPart<T, Named>{std::move(named)}...);
  using Key = typename decltype(lefts)::KeyType;
  static_assert(std::is_same_v<typename Key::View, typename RKey::View>,
                "millrace: what the records of a stream name, and the key of the global table, "
                "need to be of the same type");
  detail::AsOfTable<T, R> as_of{.deletes = table.table().deletes(),
                                .reach = detail::TableReach::everywhere};
  if constexpr ((detail::NamedPart<T, Named>::kMayBeAbsent || ...)) {
    as_of.names_nothing = [named...](const T& record) {
      return (detail::NamedPart<T, Named>{named}.is_absent(record) || ...);
    };
  }
  return AsOf<T, Key, R, RKey>({lefts, table.table().keyed()}, std::move(as_of));
}

}  // namespace millrace
