// How rows and their fields become bytes, and rows again.
#include "operator/stored_rows.hpp"

#include <bit>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "record/stored_value.hpp"

namespace millrace::detail {
namespace {

struct StoredField {
  std::string name;
  std::uint8_t type = 0;
  bool optional = false;
};
struct StoredSchema {
  std::vector<StoredField> fields;
  bool windowed = false;
  bool ranked = false;
  bool updates = false;
  std::uint64_t keys = 0;
  std::vector<std::string> row_keys;
};

}  // namespace

std::string rows_shape(const RowSchema& schema) {
  std::string shape;
  for (const ColumnInfo& field : schema.fields()) {
    shape += shape.empty() ? '{' : ',';
    append_shape_name(shape, field.name);
    shape += ':';
    shape += field.type == ColumnType::object ? "object" : column_type_name(field.type);
    if (field.optional) shape += '?';
  }
  return shape + "}";
}

void store_rows_schema(std::string& out, const RowSchema& schema) {
  const RowRole& role = schema.role();
  StoredSchema stored{{}, role.windowed, role.ranked, role.updates, role.keys, role.row_keys};
  for (const ColumnInfo& field : schema.fields()) {
    stored.fields.push_back({field.name, static_cast<std::uint8_t>(field.type), field.optional});
  }
  store_value(out, stored);
}

RowSchemaPtr load_rows_schema(BytesCursor& in) {
  StoredSchema stored;
  if (!load_value(in, stored)) return nullptr;
  std::vector<ColumnInfo> fields;
  for (StoredField& field : stored.fields) {
    if (field.type > static_cast<std::uint8_t>(ColumnType::object)) return nullptr;
    fields.push_back({std::move(field.name), static_cast<ColumnType>(field.type), field.optional});
  }
  RowRole role;
  role.windowed = stored.windowed;
  role.ranked = stored.ranked;
  role.updates = stored.updates;
  role.keys = stored.keys;
  role.row_keys = std::move(stored.row_keys);
  return std::make_shared<const RowSchema>(std::move(fields), std::move(role));
}

void store_row(std::string& out, const RowRef& row) {
  const auto& fields = row.schema().fields();
  for (std::size_t field = 0; field < fields.size(); ++field) {
    out += row.is_null(field) ? '\0' : '\1';
    if (row.is_null(field)) continue;
    if (fields[field].type == ColumnType::boolean) {
      out += row.boolean(field) ? '\1' : '\0';
    } else if (lies_as_text(fields[field].type)) {
      store_value(out, row.text(field));
    } else if (fields[field].type == ColumnType::real) {
      put_number(out, row.real(field));
    } else {
      put_number(out, row.integer(field));
    }
  }
}

bool load_field(BytesCursor& in, Column& column, std::size_t at) {
  if (in.number<std::uint8_t>() == 0) {
    column.put_null(at);
  } else if (column.type() == ColumnType::boolean) {
    column.put_boolean(at, in.number<std::uint8_t>() != 0);
  } else if (lies_as_text(column.type())) {
    column.put_text(at, in.take(in.varint()));
  } else if (column.type() == ColumnType::real) {
    column.put_real(at, in.number<double>());
  } else {
    column.put_integer(at, in.number<std::int64_t>());
  }
  return in.ok();
}

bool load_row(BytesCursor& in, RowColumns& to) {
  for (std::size_t field = 0; field < to.schema()->fields().size(); ++field) {
    if (!load_field(in, to.column(field), to.size())) return false;
  }
  to.end_row();
  return true;
}

}  // namespace millrace::detail
