// Fields of rows as JSON objects, for who is asked about them.
#include "operator/row_calls.hpp"

#include "operator/row_cells.hpp"

namespace millrace::detail {

RowAsJson::RowAsJson(const RowSchema& schema, std::vector<std::size_t> fields)
    : fields_(std::move(fields)) {
  std::vector<ColumnInfo> infos;
  for (const std::size_t field : fields_) infos.push_back(schema.fields()[field]);
  schema_ = std::make_shared<const RowSchema>(std::move(infos));
}

std::string RowAsJson::operator()(const RowRef& row) {
  row_.clear();
  row_.begin(schema_);
  for (std::size_t at = 0; at < fields_.size(); ++at) {
    row_.column(at).append_one(0, row.rows().column(fields_[at]), row.at());
  }
  row_.end_row();
  std::string text;
  append_row_json(text, row_[0]);
  return text;
}

RowValues values_of_row(const RowRef& row) {
  RowValues values;
  RowShape<RowRef>::visit_cells(row,
                                [&values](const auto& cell) { values.push_back(value_of(cell)); });
  return values;
}

}  // namespace millrace::detail
