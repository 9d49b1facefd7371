// What the runtime does with batches of rows.
#include "record/row_batch.hpp"

#include "record/record_json.hpp"

namespace millrace::detail {
namespace {

RowColumns& rows_of(BatchBase& batch) { return static_cast<RowBatch&>(batch).values; }
const RowColumns& rows_of(const BatchBase& batch) {
  return static_cast<const RowBatch&>(batch).values;
}

void append_field_json(std::string& out, const RowRef& row, std::size_t field, ColumnType type) {
  if (row.is_null(field)) {
    out += "null";
  } else if (type == ColumnType::boolean) {
    append_json_value(out, row.boolean(field));
  } else if (type == ColumnType::real) {
    append_json_value(out, row.real(field));
  } else if (type == ColumnType::text) {
    append_json_value(out, row.text(field));
  } else if (type == ColumnType::object) {
    out += row.text(field);
  } else if (type == ColumnType::timestamp) {
    append_json_value(out, row.time(field));
  } else {
    append_json_value(out, row.integer(field));
  }
}

}  // namespace

void append_row_json(std::string& out, const RowRef& row) {
  const auto& fields = row.schema().fields();
  for (std::size_t field = 0; field < fields.size(); ++field) {
    out += field == 0 ? '{' : ',';
    append_json_string(out, fields[field].name);
    out += ':';
    append_field_json(out, row, field, fields[field].type);
  }
  out += '}';
}

void BatchTypeOf<RowRef>::append(BatchBase& to, const BatchBase& from,
                                 std::span<const std::uint32_t> picks) const {
  if (picks.empty()) return;
  append_marks(to, from, picks);
  rows_of(to).append(rows_of(from), picks);
}

void BatchTypeOf<RowRef>::append_all(BatchBase& to, const BatchBase& from) const {
  if (rows_of(from).empty()) return;
  append_all_marks(to, from);
  rows_of(to).append_all(rows_of(from));
}

void BatchTypeOf<RowRef>::swap(BatchBase& a, BatchBase& b) const {
  rows_of(a).swap(rows_of(b));
  swap_marks(a, b);
}

void BatchTypeOf<RowRef>::rehome(BatchBase& batch) const {
  if (batch.arenas.empty()) return;
  RowColumns& rows = rows_of(batch);
  const std::size_t fields = rows.schema() ? rows.schema()->fields().size() : 0;
  std::size_t bytes = 0;
  for (std::size_t field = 0; field < fields; ++field) {
    rows.column(field).visit_texts([&](const std::string_view& text) { bytes += text.size(); });
  }
  ArenaRef arena = ArenaRef::make(std::max<std::size_t>(bytes, 1));
  for (std::size_t field = 0; field < fields; ++field) {
    rows.column(field).visit_texts([&](std::string_view& text) { text = arena->intern(text); });
  }
  batch.arenas.assign(1, std::move(arena));
}

std::string BatchTypeOf<RowRef>::describe(const BatchBase& batch, std::size_t index) const {
  std::string text;
  append_row_json(text, rows_of(batch)[index]);
  return text;
}

}  // namespace millrace::detail
