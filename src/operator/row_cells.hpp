// RowShape<RowRef>: how rows are shown and written, by their schema.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "operator/row_shape.hpp"
#include "record/row_batch.hpp"

namespace millrace::detail {

template <>
struct RowShape<RowRef> {
  static std::vector<ColumnInfo> columns(const RowNames& names) {
    const auto& fields = names.rows->fields();
    return {fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(names.rows->shown())};
  }
  static const RowRole& role(const RowNames& names) { return names.rows->role(); }
  /// Calls visit(value) for each field that is shown; an empty optional for a null.
  template <class Visit>
  static void visit_cells(const RowRef& row, const Visit& visit) {
    const std::size_t shown = row.schema().shown();
    for (std::size_t field = 0; field < shown; ++field) {
      if (row.is_null(field)) {
        visit(std::optional<std::int64_t>());
        continue;
      }
      switch (row.schema().fields()[field].type) {
        case ColumnType::boolean:
          visit(row.boolean(field));
          break;
        case ColumnType::real:
          visit(row.real(field));
          break;
        case ColumnType::text:
          visit(row.text(field));
          break;
        case ColumnType::object:
          visit(JsonText{row.text(field)});
          break;
        case ColumnType::timestamp:
          visit(row.time(field));
          break;
        default:
          visit(row.integer(field));
      }
    }
  }
  /// A row that takes one back which was sent before.
  static bool retracted(const RowRef& row) {
    return row.schema().role().updates && row.boolean(row.schema().shown() - 1);
  }
  static std::optional<std::pair<Time, Time>> window(const RowRef& row) {
    const RowSchema& schema = row.schema();
    const std::size_t start = schema.shown();
    if (!schema.role().windowed || row.is_null(start)) return std::nullopt;
    return std::pair(row.integer(start), row.integer(start + 1));
  }
};

/// What a stream of such rows passes on to what shows or writes it.
inline RowNames names_of(RowSchemaPtr schema) {
  RowNames names;
  names.windowed = schema->role().windowed;
  names.row_keys = schema->role().row_keys;
  names.rows = std::move(schema);
  return names;
}

}  // namespace millrace::detail
