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
#include "record/schema.hpp"

namespace millrace::detail {

/// What the types of aggregates cannot say: what their keys and their value are called.
struct RowNames {
  std::vector<std::string> keys;
  std::string value = "value";
  bool windowed = false;
};

/// Columns and cells of any described record.
template <class T>
struct RowShape {
  static_assert(Described<T>,
                "millrace: this stream's records cannot be shown: make the record a plain struct "
                "of described members");
  static std::vector<ColumnInfo> columns(const RowNames&) { return Schema<T>::columns(); }
  static void append_cells(std::vector<Value>& cells, const T& record) {
    append_values(cells, record);
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
/// optional one under `name`.
template <class V>
void append_part_columns(std::vector<ColumnInfo>& columns, const std::vector<std::string>& names) {
  if constexpr (kIsOptional<V>) {
    append_part_columns<typename V::value_type>(columns, names);
    columns.back().optional = true;
  } else {
    append_described_columns<V>(columns, names);
  }
}

template <class V>
void append_part_cells(std::vector<Value>& cells, const V& part) {
  if constexpr (kIsOptional<V>) {
    cells.push_back(value_of(part));
  } else {
    append_values(cells, part);
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
  static void append_cells(std::vector<Value>& cells, const T& row) {
    append_part_cells(cells, row.key);
    append_part_cells(cells, row.value);
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
  static void append_cells(std::vector<Value>& cells, const T& row) {
    cells.push_back(std::int64_t{row.rank});
    append_part_cells(cells, row.key);
    append_part_cells(cells, row.value);
  }
  static std::optional<std::pair<Time, Time>> window(const T& row) {
    if (!row.windowed()) return std::nullopt;
    return std::pair(row.window_start, row.window_end);
  }
};

}  // namespace millrace::detail
