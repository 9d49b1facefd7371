// RowShape<T>: how a stream's records are shown: the names of their columns, their cells and their
// window.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "operator/keyed.hpp"
#include "record/field_value.hpp"
#include "record/record_json.hpp"
#include "record/row_schema.hpp"
#include "record/schema.hpp"

namespace millrace::detail {

/// What the types of aggregates cannot say: what their keys and their value are called.
struct RowNames {
  std::vector<std::string> keys;
  std::string value = "value";
  bool windowed = false;
  RowSchemaPtr rows = {};  ///< of streams of rows
  /// Columns that tell rows apart: a row takes the place of the one that is equal there.
  std::vector<std::string> row_keys = {};
};

/// Columns and cells of any described record.
template <class T>
struct RowShape {
  static_assert(Described<T>,
                "millrace: this stream's records cannot be shown: make the record a plain struct "
                "of described members");
  static std::vector<ColumnInfo> columns(const RowNames&) { return Schema<T>::columns(); }
  /// Calls visit(member) for each column.
  template <class Visit>
  static void visit_cells(const T& record, const Visit& visit) {
    Schema<T>::for_each(record, [&visit](std::string_view, const auto& member) { visit(member); });
  }
  static std::optional<std::pair<Time, Time>> window(const T&) { return std::nullopt; }
};

template <class V>
void append_described_columns(std::vector<ColumnInfo>& columns,
                              const std::vector<std::string>& names) {
  std::size_t at = 0;
  for (ColumnInfo column : Schema<V>::columns()) {
    const bool named =
        Schema<V>::columns().front().name == "value" || Schema<V>::columns().front().name == "key1";
    if (named && at < names.size()) column.name = names[at];
    columns.push_back(std::move(column));
    ++at;
  }
}

/// Appends the columns of a part of a row: a struct's members under their own names, a scalar or an
/// optional one or a list under the first of `names`.
template <class V>
void append_part_columns(std::vector<ColumnInfo>& columns, const std::vector<std::string>& names) {
  if constexpr (kIsOptional<V>) {
    append_part_columns<typename V::value_type>(columns, names);
    columns.back().optional = true;
  } else if constexpr (kIsList<V>) {
    columns.push_back({names.front(), ColumnType::object});
  } else {
    append_described_columns<V>(columns, names);
  }
}

/// Calls visit(member) for each column of a part of a row.
template <class V, class Visit>
void visit_part(const V& part, const Visit& visit) {
  if constexpr (kIsOptional<V> || kIsList<V>) {
    visit(part);
  } else {
    Schema<V>::for_each(part, [&visit](std::string_view, const auto& member) { visit(member); });
  }
}

template <class K, class V>
struct RowShape<millrace::Aggregate<K, V>> {
  using T = millrace::Aggregate<K, V>;
  static std::vector<ColumnInfo> columns(const RowNames& names) {
    std::vector<ColumnInfo> columns;
    append_part_columns<K>(columns, names.keys);
    append_part_columns<V>(columns, {names.value});
    return columns;
  }
  template <class Visit>
  static void visit_cells(const T& row, const Visit& visit) {
    visit_part(row.key, visit);
    visit_part(row.value, visit);
  }
  static std::optional<std::pair<Time, Time>> window(const T& row) {
    if (!row.windowed()) return std::nullopt;
    return std::pair(row.window_start, row.window_end);
  }
};

template <class K, class V>
struct RowShape<Ranked<K, V>> {
  using T = Ranked<K, V>;
  static std::vector<ColumnInfo> columns(const RowNames& names) {
    std::vector<ColumnInfo> columns = {{"rank", ColumnType::integer}};
    append_part_columns<K>(columns, names.keys);
    append_part_columns<V>(columns, {names.value});
    return columns;
  }
  template <class Visit>
  static void visit_cells(const T& row, const Visit& visit) {
    visit(std::int64_t{row.rank});
    visit_part(row.key, visit);
    visit_part(row.value, visit);
  }
  static std::optional<std::pair<Time, Time>> window(const T& row) {
    if (!row.windowed()) return std::nullopt;
    return std::pair(row.window_start, row.window_end);
  }
};

template <class K, class V>
struct RowShape<WindowUpdate<K, V>> {
  using T = WindowUpdate<K, V>;
  static std::vector<ColumnInfo> columns(const RowNames& names) {
    std::vector<ColumnInfo> columns;
    append_part_columns<K>(columns, names.keys);
    append_part_columns<V>(columns, {names.value});
    columns.push_back({"firing", ColumnType::text});
    columns.push_back({"retracted", ColumnType::boolean});
    return columns;
  }
  template <class Visit>
  static void visit_cells(const T& row, const Visit& visit) {
    visit_part(row.key, visit);
    visit_part(row.value, visit);
    visit(row.firing);
    visit(row.retracted);
  }
  static std::optional<std::pair<Time, Time>> window(const T& row) {
    return std::pair(row.window_start, row.window_end);
  }
};

/// Appends a cell for each column of a row.
template <class T>
void append_cells(std::vector<Value>& cells, const T& row) {
  RowShape<T>::visit_cells(row,
                           [&cells](const auto& member) { cells.push_back(value_of(member)); });
}

}  // namespace millrace::detail
