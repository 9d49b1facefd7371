// Showing what is held of rows.
#include "operator/held_rows.hpp"

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "operator/row_cells.hpp"
#include "operator/row_fields.hpp"
#include "operator/stored_rows.hpp"
#include "record/arena.hpp"
#include "record/record_json.hpp"

namespace millrace::detail {
namespace {

std::string shown_key(const RowSchema& schema, std::string_view encoded) {
  const std::size_t keys = schema.role().keys;
  const auto first = schema.fields().begin();
  RowColumns columns;
  columns.begin(std::make_shared<const RowSchema>(
      std::vector<ColumnInfo>(first, first + static_cast<std::ptrdiff_t>(keys))));
  ArenaPool pool(1u << 10);
  const ArenaRef arena = pool.take();
  put_key_fields(encoded, columns, 0, keys, *arena);
  columns.end_row();
  std::string text;
  RowShape<RowRef>::visit_cells(columns[0], [&](const auto& cell) {
    if constexpr (std::is_same_v<std::decay_t<decltype(cell)>, std::string_view>) {
      if (keys == 1) {
        text = cell;
        return;
      }
    }
    if (!text.empty()) text += ',';
    append_json_value(text, cell);
  });
  return keys == 1 ? text : "[" + text + "]";
}

}  // namespace

void save_key_fields(StateWriter& writer, const RowSchema& schema) {
  store_rows_schema(writer.task_part(kKeyFieldsPart, rows_shape(schema)), schema);
}

bool append_key_fields(std::string& out, const RowSchema& schema, std::string_view encoded) {
  const std::size_t keys = schema.role().keys;
  if (!key_fields_fit(encoded, schema, keys)) return false;
  const std::string text = shown_key(schema, encoded);
  const bool is_text = keys == 1 && lies_as_text(schema.fields()[0].type) && encoded[0] != '\0';
  if (is_text) {
    append_json_string(out, text);
  } else {
    out += text;
  }
  return true;
}

void show_as_row(const RowSchemaPtr& schema, bool encoded, HeldAggregate& held) {
  const std::size_t keys = schema->role().keys;
  if (encoded) held.key = shown_key(*schema, held.key);
  const std::size_t values = std::min(held.values.size(), schema->fields().size() - keys);
  for (std::size_t at = 0; at < values; ++at) {
    const auto* const whole = std::get_if<std::int64_t>(&held.values[at]);
    if (whole != nullptr && schema->fields()[keys + at].type == ColumnType::boolean)
      held.values[at] = *whole != 0;
  }
}

}  // namespace millrace::detail
