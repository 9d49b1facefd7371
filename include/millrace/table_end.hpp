// TableSpec: the end of a stream as a table that can be asked while it runs: to(table("users")).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "connector/served_table.hpp"
#include "millrace/sinks.hpp"
#include "operator/change.hpp"
#include "record/packed_values.hpp"

namespace millrace {

class RowRef;

/// What a served table is kept by, and for how long. Columns are named as views name them.
struct ServedSettings {
  /// Columns that tell rows apart, the first of them first in their order. Empty: the key of the
  /// table or aggregate; ranked rows: the rank. Windows tell rows apart besides.
  std::vector<std::string> key = {};
  /// Rows are no longer there when the watermark is so far behind the end of their window, or of
  /// rows without windows behind the event time of their last change. 0: they stay.
  Duration keep{0};
  /// Of sessions that emit more than once without retracting(): a row replaces those of its key
  /// within its bounds.
  bool sessions = false;
};

/// A table at the end of a stream, which anybody on this machine may ask over REST while it runs:
/// docs/guides/how-to-ask-tables.md.
///
/// Of changes (of a table, a join of tables, a group_by) it has the rows that are; of aggregates
/// the newest row of each key, and of each window; of other records, for which `key` is needed, the
/// one that came last. Kept by key in as many tasks as the run's parallelism, and in the
/// checkpoints. Errors: 2010 where no key is known, for a column that is not there or cannot be a
/// key.
struct TableSpec {
  std::string name;
  ServedSettings settings = {};

  // Internal.
  template <class T>
  detail::Node node(std::vector<detail::NodeInput> inputs, const detail::RowNames& names) const;
};
inline TableSpec table(std::string name, ServedSettings settings = {}) {
  return {std::move(name), std::move(settings)};
}

namespace detail {

/// What a record does to the row of its key.
enum class TableTurn { put, take_back, erase };

inline TableTurn turn_of(ChangeKind kind) {
  if (kind == ChangeKind::erase) return TableTurn::erase;
  return kind == ChangeKind::update_before ? TableTurn::take_back : TableTurn::put;
}

/// The row of a record, and what becomes of it.
template <class T>
struct ServedRecord {
  using Row = T;
  static constexpr bool kChanges = false;
  static const T& row(const T& record) { return record; }
  static TableTurn turn(const T& record) {
    return is_retracted<T>(record) ? TableTurn::take_back : TableTurn::put;
  }
};
template <class T>
struct ServedRecord<Change<T>> {
  using Row = T;
  static constexpr bool kChanges = true;
  static const T& row(const Change<T>& change) { return change.record; }
  static TableTurn turn(const Change<T>& change) { return turn_of(change.kind); }
};

template <class T>
class ServedRows {
  using Record = ServedRecord<T>;
  using Shape = RowShape<typename Record::Row>;

 public:
  explicit ServedRows(ServedColumns columns) : columns_(std::move(columns)) {}

  /// Its key, without a window.
  void append_parts(std::string& key, const T& record) const {
    for (const std::size_t wanted : columns_.key) {
      std::size_t at = 0;
      Shape::visit_cells(Record::row(record), [&](const auto& member) {
        if (at++ == wanted) append_ordered(key, member);
      });
    }
  }
  void append_key(std::string& key, const T& record) const {
    append_parts(key, record);
    if (!columns_.windowed) return;
    const auto window = Shape::window(Record::row(record));
    append_window(key, window ? window->first : kTimeMin, window ? window->second : kTimeMax);
  }
  void append_values(std::string& values, const T& record) const {
    std::size_t at = 0;
    Shape::visit_cells(Record::row(record), [&](const auto& member) {
      if (at++ > 0 || !columns_.signs) append_packed(values, member);
    });
  }
  /// nullopt: what is to be its sign is none.
  std::optional<TableTurn> turn(const T& record) const {
    if (!columns_.signs) return Record::turn(record);
    std::optional<TableTurn> found;
    std::size_t at = 0;
    Shape::visit_cells(Record::row(record), [&](const auto& member) {
      if constexpr (TextValue<std::decay_t<decltype(member)>>) {
        for (int kind = 0; at == 0 && kind < 4; ++kind) {
          if (member == change_sign(ChangeKind(kind))) found = turn_of(ChangeKind(kind));
        }
      }
      ++at;
    });
    return found;
  }

 private:
  ServedColumns columns_;
};

/// Rows of one key go to one task.
template <class T>
class ServedKeyHash final : public KeyHash {
 public:
  explicit ServedKeyHash(ServedRows<T> rows) : rows_(std::move(rows)) {}
  void hash(const BatchBase& base, std::vector<std::uint64_t>& hashes) const override {
    const auto& batch = static_cast<const Batch<T>&>(base);
    hashes.resize(batch.values.size());
    std::string key;
    for (std::size_t at = 0; at < hashes.size(); ++at) {
      key.clear();
      rows_.append_parts(key, batch.values[at]);
      hashes[at] = hash_bytes(key);
    }
  }

 private:
  ServedRows<T> rows_;
};

/// Takes records as rows, a batch under one lock.
template <class T>
class TableSink final : public ServedSink {
 public:
  TableSink(std::shared_ptr<ServedTable> table, ServedRows<T> rows)
      : ServedSink(std::move(table)), rows_(std::move(rows)) {}

  Status write(const BatchBase& base) override {
    const auto& batch = static_cast<const Batch<T>&>(base);
    const auto lock = shard().lock();
    for (std::size_t at = 0; at < batch.values.size(); ++at) {
      const auto& record = batch.values[at];
      const auto turn = rows_.turn(record);
      if (!turn) {
        context().dead_letters->add("its change is none of +I, -U, +U and -D", "",
                                    batch_type<T>().describe(base, at));
        continue;
      }
      key_.clear();
      rows_.append_key(key_, record);
      take(*turn, record, batch.has_times() ? batch.times[at] : kTimeMin);
    }
    shard().sweep(2 * batch.values.size());
    return {};
  }

 private:
  void take(TableTurn turn, const T& record, Time time) {
    if (turn == TableTurn::erase) return shard().erase(key_);
    if (turn == TableTurn::take_back) return shard().take_back(key_, behind_marks(time));
    values_.clear();
    rows_.append_values(values_, record);
    shard().put(key_, values_, time);
  }

  ServedRows<T> rows_;
  std::string key_;
  std::string values_;
};

/// What is known of each column of a T that can be part of a key.
template <class T>
std::vector<KeyPart> key_parts(const std::vector<ColumnInfo>& columns) {
  std::vector<KeyPart> parts;
  if constexpr (std::is_same_v<T, RowRef>) {  // by their schema
    static constexpr KeyPartKind kKinds[] = {KeyPartKind::flag, KeyPartKind::integer,
                                             KeyPartKind::real, KeyPartKind::text,
                                             KeyPartKind::time, KeyPartKind::none};
    for (const ColumnInfo& column : columns)
      parts.push_back({column.name, kKinds[static_cast<std::size_t>(column.type)]});
  } else {
    RowShape<T>::visit_cells(T{}, [&](const auto& member) {
      using M = std::decay_t<decltype(member)>;
      parts.push_back({columns[parts.size()].name, key_part_kind<M>(), key_part_scale<M>()});
    });
  }
  return parts;
}

/// The names of the key's columns where nobody said them; empty: none are known.
template <class T>
std::vector<std::string> own_key(const RowNames& names, const std::vector<ColumnInfo>& columns) {
  if (!names.row_keys.empty()) return names.row_keys;
  const RowFacts facts = row_facts<T>(names);
  if (facts.ranked) return {"rank"};
  std::vector<std::string> key;
  for (std::size_t at = 0; at < facts.keys && at < columns.size(); ++at)
    key.push_back(columns[at].name);
  return key;
}

}  // namespace detail

template <class T>
detail::Node TableSpec::node(std::vector<detail::NodeInput> inputs,
                             const detail::RowNames& names) const {
  using Row = typename detail::ServedRecord<T>::Row;
  detail::ServedShape shape;
  detail::ServedColumns columns;
  shape.columns = detail::RowShape<Row>::columns(names);
  const std::vector<detail::KeyPart> parts = detail::key_parts<Row>(shape.columns);
  columns.signs = std::is_same_v<Row, RowRef> && !parts.empty() &&
                  parts.front().name == detail::kChangeColumn &&
                  parts.front().kind == detail::KeyPartKind::text;
  shape.windowed = columns.windowed =
      detail::row_facts<Row>(names).windowed || requires(const Row& row) { row.retracted; };
  shape.keep = settings.keep;
  shape.sessions = settings.sessions && shape.windowed;
  const bool is_own = settings.key.empty();
  const Status problem = settle_key(
      parts, is_own ? detail::own_key<Row>(names, shape.columns) : settings.key, shape, columns);
  if (columns.signs) shape.columns.erase(shape.columns.begin());
  const detail::ServedRows<T> rows(columns);
  const auto hash = std::make_shared<const detail::ServedKeyHash<T>>(rows);
  for (detail::NodeInput& input : inputs) input.grouping = {detail::GroupingKind::fields, hash};
  auto served = std::make_shared<detail::ServedTable>(name, std::move(shape));
  detail::Node node = detail::sink_node("serve_table", "", std::move(inputs), [served, rows] {
    return std::make_unique<detail::TableSink<T>>(served, rows);
  });
  node.tasks = 0;
  node.name = name;
  node.needs_time = settings.keep > Duration(0);
  node.problem = problem;
  if (settings.keep < Duration(0) && problem.ok())
    node.problem = {Code::parameter_invalid, "keep is negative: give a time, or 0 for ever"};
  return node;
}

}  // namespace millrace
