// HeldRecord<RowRef>: a row as bytes in the state of its key, and a row again; RankedForm: with its
// rank.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "operator/keyed_picks.hpp"
#include "operator/running_top.hpp"
#include "operator/stored_rows.hpp"
#include "record/row_batch.hpp"
#include "state/stored_tables.hpp"

namespace millrace::detail {

/// As an image stores it: see stored_rows.hpp. All rows of a stream have the same fields.
template <>
struct HeldRecord<RowRef> {
  using State = std::string;

  std::string hold(const RowRef& row) {
    if (schema_ != row.rows().schema()) follow(row.rows().schema());
    std::string bytes;
    store_row(bytes, row);
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
    fill(held, first, schema_->fields().size(), out);
    emit_row(out);
  }
  /// Fills so many fields from `first` on.
  void fill(const std::string& held, std::size_t first, std::size_t count, Output<RowRef>& out) {
    BytesCursor in(held);
    for (std::size_t field = 0; field < count; ++field) {
      Column& column = row_.column(first + field);
      (void)load_field(in, column, 0);
      if (lies_as_text(column.type())) column.set_text(0, out.intern(column.text(0)));
    }
  }
  void emit_row(Output<RowRef>& out) {
    row_.end_row();
    out.emit(row_[0]);
  }

  void save(StateWriter& writer) const {
    if (schema_) store_rows_schema(writer.task_part(kFormPart, rows_shape(*schema_)), *schema_);
  }
  void restore(StateReader& reader) {
    reader.each(kFormPart, [&](const StatePart& part) {
      BytesCursor in(part.bytes);
      schema_ = load_rows_schema(in);
      if (!schema_) reader.refuse(part, kBytesDoNotFit);
    });
  }

 private:
  /// Those that an image held may have been others.
  void follow(const RowSchemaPtr& schema) {
    if (schema_ && rows_shape(*schema_) != rows_shape(*schema)) {
      throw std::runtime_error("the rows that were restored have the fields " +
                               rows_shape(*schema_) + ", this one has " + rows_shape(*schema) +
                               ": give the component another name to begin without them");
    }
    schema_ = schema;
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
