// Columns of rows: what is appended, picked and forgotten.
#include "record/row_columns.hpp"

namespace millrace::detail {

void Column::reserve(std::size_t rows) {
  if (lies_as_text(type_)) {
    texts_.reserve(rows);
  } else if (type_ != ColumnType::boolean) {
    words_.reserve(rows);
  }
}

void Column::clear() {
  valid_.clear();
  bits_.clear();
  words_.clear();
  texts_.clear();
}

void Column::truncate(std::size_t rows) {
  if (words_.size() > rows) words_.resize(rows);
  if (texts_.size() > rows) texts_.resize(rows);
}

void Column::put_null(std::size_t at) {
  if (valid_.empty()) valid_.fill(at);
  valid_.put(at, false);
  switch (type_) {
    case ColumnType::boolean:
      bits_.put(at, false);
      break;
    case ColumnType::text:
    case ColumnType::object:
      texts_.emplace_back();
      break;
    default:
      words_.push_back(0);
  }
}

void Column::append_one(std::size_t size, const Column& from, std::size_t at) {
  if (from.is_null(at)) return put_null(size);
  switch (type_) {
    case ColumnType::boolean:
      return put_boolean(size, from.boolean(at));
    case ColumnType::text:
    case ColumnType::object:
      return put_text(size, from.text(at));
    default:
      return put_integer(size, from.integer(at));
  }
}

void Column::append(std::size_t size, const Column& from, std::span<const std::uint32_t> picks) {
  if (has_nulls() || from.has_nulls() || type_ == ColumnType::boolean) {
    for (const std::uint32_t pick : picks) append_one(size++, from, pick);
    return;
  }
  if (lies_as_text(type_)) {
    texts_.resize(size + picks.size());
    for (std::size_t i = 0; i < picks.size(); ++i) texts_[size + i] = from.texts_[picks[i]];
  } else {
    words_.resize(size + picks.size());
    for (std::size_t i = 0; i < picks.size(); ++i) words_[size + i] = from.words_[picks[i]];
  }
}

void Column::append_all(std::size_t size, const Column& from, std::size_t count) {
  if (has_nulls() || from.has_nulls() || type_ == ColumnType::boolean) {
    for (std::size_t at = 0; at < count; ++at) append_one(size + at, from, at);
  } else if (lies_as_text(type_)) {
    texts_.insert(texts_.end(), from.texts_.begin(), from.texts_.end());
  } else {
    words_.insert(words_.end(), from.words_.begin(), from.words_.end());
  }
}

void Column::shift(std::int64_t micros) {
  for (std::uint64_t& word : words_) {
    word = std::bit_cast<std::uint64_t>(saturating_add(std::bit_cast<std::int64_t>(word), micros));
  }
}

void RowColumns::begin(const RowSchemaPtr& schema) {
  if (schema_ == schema) return;
  schema_ = schema;
  columns_.clear();
  if (!schema_) return;
  for (const ColumnInfo& field : schema_->fields()) columns_.emplace_back(field.type);
}

void RowColumns::clear() {
  for (Column& column : columns_) column.clear();
  rows_ = 0;
}

void RowColumns::truncate(std::size_t rows) {
  for (Column& column : columns_) column.truncate(rows);
  rows_ = std::min(rows_, rows);
}

void RowColumns::reserve(std::size_t rows) {
  for (Column& column : columns_) column.reserve(rows);
}

void RowColumns::swap(RowColumns& other) noexcept {
  schema_.swap(other.schema_);
  columns_.swap(other.columns_);
  std::swap(rows_, other.rows_);
}

void RowColumns::follow(const RowColumns& from) {
  if (rows_ == 0) begin(from.schema_);
}

void RowColumns::push_back(const RowRef& row) {
  follow(row.rows());
  for (std::size_t field = 0; field < columns_.size(); ++field) {
    columns_[field].append_one(rows_, row.rows().column(field), row.at());
  }
  ++rows_;
}

void RowColumns::append(const RowColumns& from, std::span<const std::uint32_t> picks) {
  follow(from);
  for (std::size_t field = 0; field < columns_.size(); ++field) {
    columns_[field].append(rows_, from.columns_[field], picks);
  }
  rows_ += picks.size();
}

void RowColumns::append_all(const RowColumns& from) {
  follow(from);
  for (std::size_t field = 0; field < columns_.size(); ++field) {
    columns_[field].append_all(rows_, from.columns_[field], from.rows_);
  }
  rows_ += from.rows_;
}

}  // namespace millrace::detail
