// Lists of tables, and pages of their rows, as JSON.
#include "service/table_answers.hpp"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "base/text.hpp"
#include "connector/table_query.hpp"
#include "record/packed_values.hpp"
#include "service/json_writer.hpp"

namespace millrace::detail {
namespace {

void write_columns(JsonWriter& json, const ServedShape& shape) {
  json_array(json, "columns", shape.columns, [](JsonWriter& to, const ColumnInfo& column) {
    to.open('{');
    to.member("name", column.name);
    to.member("type", column_type_name(column.type));
    to.close('}');
  });
}

void write_table(JsonWriter& json, const ServedTable& table) {
  const ServedShape& shape = table.shape();
  const auto figures = table.figures();
  json.open('{');
  json.member("name", table.name());
  json_array(json, "key", shape.key,
             [](JsonWriter& to, const KeyPart& part) { to.value(part.name); });
  json.member("windowed", shape.windowed);
  json.key("keep_ms");
  shape.keep > Duration(0) ? json.value(shape.keep.count() / 1000) : json.null();
  write_columns(json, shape);
  json.maybe_member("rows", figures ? std::optional(figures->rows) : std::nullopt);
  json.maybe_member("bytes", figures ? std::optional(figures->bytes) : std::nullopt);
  json.time_member("watermark", figures ? std::optional(figures->watermark) : std::nullopt);
  json.close('}');
}

void write_row(JsonWriter& json, const ServedShape& shape, const ServedRow& row) {
  BytesCursor values(row.values);
  json.open('{');
  for (const ColumnInfo& column : shape.columns) {
    json.key(column.name);
    std::visit(
        [&json](const auto& value) {
          if constexpr (std::is_same_v<decltype(value), const JsonText&>) {
            json.raw(value.json);
          } else {
            json.value(value);
          }
        },
        take_packed(values));
  }
  if (shape.windowed) {
    json.time_member("window_start", window_start_of(row.key));
    json.time_member("window_end", window_end_of(row.key));
  }
  json.close('}');
}

std::string no_such_table(const ServedTables& tables, std::string_view name) {
  std::vector<std::string> names;
  for (const auto& table : tables) names.push_back(table->name());
  if (names.empty()) {
    return fmt::format("there is no table \"{}\": this topology serves none", name);
  }
  const std::string near = nearest_word(name, names);
  return fmt::format("there is no table \"{}\"{}", name,
                     near.empty() ? fmt::format("; there are {}", fmt::join(names, ", "))
                                  : fmt::format(": did you mean \"{}\"?", near));
}

}  // namespace

std::string tables_json(const ServedTables& tables) {
  JsonWriter json;
  json.open('{');
  json_array(json, "tables", tables,
             [](JsonWriter& to, const auto& table) { write_table(to, *table); });
  json.close('}');
  return json.take() + "\n";
}

PageAnswer answer_table(const ServedTables& tables, std::string_view name, const PageQuery& query) {
  const auto found = std::ranges::find(
      tables, name, [](const auto& table) -> const std::string& { return table->name(); });
  if (found == tables.end()) return {404, no_such_table(tables, name)};
  const ServedTable& table = **found;
  const TableQuery asked = read_table_query(table, query);
  if (!asked.wrong.empty()) return {400, asked.wrong};
  const auto answer = table.ask(asked.question);
  if (!answer) {
    return {503, fmt::format("the table \"{}\" is being restored: ask again in a moment", name)};
  }
  JsonWriter json;
  json.open('{');
  json.member("table", table.name());
  json.time_member("watermark", answer->watermark);
  json_array(json, "rows", answer->rows,
             [&table](JsonWriter& to, const ServedRow& row) { write_row(to, table.shape(), row); });
  json.key("next");
  answer->next ? json.value(page_token(*answer->next)) : json.null();
  json.close('}');
  return {200, json.take() + "\n"};
}

}  // namespace millrace::detail
