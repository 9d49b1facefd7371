// HeldRecord<RowRef>: a row as bytes in the state of its key, and a row again; RankedForm: with its
// rank.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "operator/keyed_picks.hpp"
#include "operator/running_top.hpp"
#include "record/row_batch.hpp"

namespace millrace::detail {

/// Field by field: a byte, 0 for a null; then a boolean in a byte, a number in eight, a text behind
/// its length in eight. In the machine's byte order: it never leaves the process.
template <>
struct HeldRecord<RowRef> {
  using State = std::string;

  std::string hold(const RowRef& row) {
    schema_ = row.rows().schema();
    std::string bytes;
    const auto& fields = schema_->fields();
    for (std::size_t field = 0; field < fields.size(); ++field) {
      bytes += row.is_null(field) ? '\0' : '\1';
      if (!row.is_null(field)) append_field(bytes, row, field, fields[field].type);
    }
    return bytes;
  }

  void emit(const std::string& held, Output<RowRef>& out) {
    begin(schema_);
    emit_fields(held, 0, out);
  }
  /// Begins a row of `schema`, whose last fields are those of the held rows.
  RowColumns& begin(const RowSchemaPtr& schema) {
    row_.clear();
    row_.begin(schema);
    return row_;
  }
  /// Fills the fields from `first` on, and emits the row.
  void emit_fields(const std::string& held, std::size_t first, Output<RowRef>& out) {
    std::string_view bytes = held;
    for (std::size_t field = 0; field < schema_->fields().size(); ++field) {
      const bool is_null = take(bytes, 1).front() == '\0';
      if (is_null) {
        row_.column(first + field).put_null(0);
      } else {
        put_field(bytes, row_.column(first + field), out);
      }
    }
    row_.end_row();
    out.emit(row_[0]);
  }

 private:
  static void append_word(std::string& bytes, std::int64_t word) {
    bytes.append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  static void append_field(std::string& bytes, const RowRef& row, std::size_t field,
                           ColumnType type) {
    if (type == ColumnType::boolean) {
      bytes += row.boolean(field) ? '\1' : '\0';
    } else if (lies_as_text(type)) {
      append_word(bytes, static_cast<std::int64_t>(row.text(field).size()));
      bytes += row.text(field);
    } else if (type == ColumnType::real) {
      append_word(bytes, std::bit_cast<std::int64_t>(row.real(field)));
    } else {
      append_word(bytes, row.integer(field));
    }
  }

  static std::string_view take(std::string_view& bytes, std::size_t count) {
    const std::string_view taken = bytes.substr(0, count);
    bytes.remove_prefix(count);
    return taken;
  }
  static std::int64_t take_word(std::string_view& bytes) {
    std::int64_t word = 0;
    std::memcpy(&word, take(bytes, sizeof(word)).data(), sizeof(word));
    return word;
  }
  static void put_field(std::string_view& bytes, Column& column, Output<RowRef>& out) {
    if (column.type() == ColumnType::boolean) {
      column.put_boolean(0, take(bytes, 1).front() != '\0');
    } else if (lies_as_text(column.type())) {
      const auto size = static_cast<std::size_t>(take_word(bytes));
      column.put_text(0, out.intern(take(bytes, size)));
    } else if (column.type() == ColumnType::real) {
      column.put_real(0, std::bit_cast<double>(take_word(bytes)));
    } else {
      column.put_integer(0, take_word(bytes));
    }
  }

  RowSchemaPtr schema_;  ///< of all rows of the stream
  RowColumns row_;       ///< the one that is emitted
};

/// Rows with their rank in front.
template <>
struct RankedForm<RowRef> {
  using Emitted = RowRef;
  using State = std::string;
  std::string hold(const RowRef& row) { return held.hold(row); }
  void emit(const std::string& state, std::uint32_t rank, Output<RowRef>& out) {
    held.begin(schema).column(0).put_integer(0, rank);
    held.emit_fields(state, 1, out);
  }
  RowSchemaPtr schema = {};
  HeldRecord<RowRef> held = {};
};

}  // namespace millrace::detail
