// RowColumns: records as columns: bitmaps and fixed widths as Arrow lays them out, texts as views.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "record/row_schema.hpp"

namespace millrace {

class RowRef;

namespace detail {

/// Bits, least significant first, as in Arrow's validity bitmaps and boolean arrays.
class Bitmap {
 public:
  bool empty() const { return bytes_.empty(); }
  void clear() { bytes_.clear(); }
  bool at(std::size_t index) const { return (bytes_[index >> 3] >> (index & 7)) & 1; }
  /// Sets bit `index`, which is the next one or one before.
  void put(std::size_t index, bool bit) {
    if (index >> 3 >= bytes_.size()) bytes_.resize((index >> 3) + 1);
    const auto mask = static_cast<std::uint8_t>(1u << (index & 7));
    bytes_[index >> 3] =
        static_cast<std::uint8_t>(bit ? bytes_[index >> 3] | mask : bytes_[index >> 3] & ~mask);
  }
  /// `count` bits that are set.
  void fill(std::size_t count) { bytes_.assign((count + 7) / 8, 0xff); }
  const std::uint8_t* data() const { return bytes_.data(); }

 private:
  std::vector<std::uint8_t> bytes_;
};

/// The values of one field. A null has a zero, or an empty text, in its place.
///
/// Numbers and times (microseconds since 1970) lie side by side in eight bytes each, booleans in a
/// bitmap; where nothing is null there is no validity bitmap: Arrow's layout, to be handed on
/// without a copy. A text is a view, in Arrow's Utf8View with a pointer in place of buffer and
/// offset (as DuckDB and Velox hold them): its bytes lie in the batch's arenas.
class Column {
 public:
  explicit Column(ColumnType type = ColumnType::integer) : type_(type) {}

  ColumnType type() const { return type_; }
  bool has_nulls() const { return !valid_.empty(); }
  bool is_null(std::size_t at) const { return !valid_.empty() && !valid_.at(at); }
  bool boolean(std::size_t at) const { return bits_.at(at); }
  std::int64_t integer(std::size_t at) const { return std::bit_cast<std::int64_t>(words_[at]); }
  double real(std::size_t at) const { return std::bit_cast<double>(words_[at]); }
  std::string_view text(std::size_t at) const { return texts_[at]; }
  /// For loops over a column.
  const std::uint64_t* words() const { return words_.data(); }
  const std::string_view* texts() const { return texts_.data(); }
  const Bitmap& valid() const { return valid_; }

  void reserve(std::size_t rows);
  void clear();
  /// Forgets all but the first `rows`.
  void truncate(std::size_t rows);

  // Each appends value number `at`, which is the number of values that are there.
  void put_null(std::size_t at);
  void put_boolean(std::size_t at, bool value) {
    bits_.put(at, value);
    mark_valid(at);
  }
  void put_integer(std::size_t at, std::int64_t value) {
    words_.push_back(std::bit_cast<std::uint64_t>(value));
    mark_valid(at);
  }
  void put_real(std::size_t at, double value) {
    words_.push_back(std::bit_cast<std::uint64_t>(value));
    mark_valid(at);
  }
  void put_text(std::size_t at, std::string_view value) {
    texts_.push_back(value);
    mark_valid(at);
  }

  /// Puts a text in the place of another.
  void set_text(std::size_t at, std::string_view value) { texts_[at] = value; }

  /// Appends values of `from`, a column of the same type; this one holds `size` values.
  void append(std::size_t size, const Column& from, std::span<const std::uint32_t> picks);
  void append_all(std::size_t size, const Column& from, std::size_t count);
  void append_one(std::size_t size, const Column& from, std::size_t at);
  /// Calls use(std::string_view&) for each text.
  template <class Use>
  void visit_texts(Use&& use) {
    for (std::string_view& text : texts_) use(text);
  }
  /// Adds to every time.
  void shift(std::int64_t micros);

 private:
  void mark_valid(std::size_t at) {
    if (!valid_.empty()) valid_.put(at, true);
  }

  ColumnType type_;
  Bitmap valid_;
  Bitmap bits_;
  std::vector<std::uint64_t> words_;
  std::vector<std::string_view> texts_;
};

/// What a Batch<RowRef> holds in place of a vector of records. One thread at a time.
class RowColumns {
 public:
  const RowSchemaPtr& schema() const { return schema_; }
  std::size_t size() const { return rows_; }
  bool empty() const { return rows_ == 0; }
  const Column& column(std::size_t field) const { return columns_[field]; }
  Column& column(std::size_t field) { return columns_[field]; }
  RowRef operator[](std::size_t at) const;

  /// Walks like a pointer to records.
  class Cursor {
   public:
    explicit Cursor(const RowColumns& rows) : rows_(&rows) {}
    RowRef operator[](std::size_t at) const;

   private:
    const RowColumns* rows_;
  };
  Cursor data() const { return Cursor(*this); }

  /// Says what the rows are, while there are none.
  void begin(const RowSchemaPtr& schema);
  /// Keeps the schema.
  void clear();
  void truncate(std::size_t rows);
  void reserve(std::size_t rows);
  void swap(RowColumns& other) noexcept;
  /// One value was put into each column.
  void end_row() { ++rows_; }
  /// Values for so many rows were put into each column.
  void set_rows(std::size_t rows) { rows_ = rows; }
  /// Appends a row of other columns with the same schema; an empty batch takes that over.
  void push_back(const RowRef& row);
  void append(const RowColumns& from, std::span<const std::uint32_t> picks);
  void append_all(const RowColumns& from);

 private:
  void follow(const RowColumns& from);

  RowSchemaPtr schema_;
  std::vector<Column> columns_;
  std::size_t rows_ = 0;
};

}  // namespace detail

/// One record of a columnar batch: a place in it, not the record itself. Valid while the batch is.
/// Cheap to copy. Reading a field as another type than its own gives what lies there.
class RowRef {
 public:
  RowRef(const detail::RowColumns& rows, std::size_t at)
      : rows_(&rows), at_(static_cast<std::uint32_t>(at)) {}

  const RowSchema& schema() const { return *rows_->schema(); }
  bool is_null(std::size_t field) const { return rows_->column(field).is_null(at_); }
  bool boolean(std::size_t field) const { return rows_->column(field).boolean(at_); }
  std::int64_t integer(std::size_t field) const { return rows_->column(field).integer(at_); }
  double real(std::size_t field) const { return rows_->column(field).real(at_); }
  std::string_view text(std::size_t field) const { return rows_->column(field).text(at_); }
  Timestamp time(std::size_t field) const { return {integer(field)}; }

  // Internal.
  const detail::RowColumns& rows() const { return *rows_; }
  std::size_t at() const { return at_; }

 private:
  const detail::RowColumns* rows_;
  std::uint32_t at_;
};

namespace detail {
inline RowRef RowColumns::operator[](std::size_t at) const { return {*this, at}; }
inline RowRef RowColumns::Cursor::operator[](std::size_t at) const { return {*rows_, at}; }
}  // namespace detail

}  // namespace millrace
