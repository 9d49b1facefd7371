// NoticeForm<RowRef>: notices of rows are the rows with how many more there were, and since when.
#pragma once

#include <cstdint>
#include <string>

#include "operator/notify.hpp"
#include "operator/row_picks.hpp"

namespace millrace::detail {

/// `schema` ends with held and since. `of_notices`: the rows do so already, and add up.
template <>
struct NoticeForm<RowRef> {
  using Emitted = RowRef;
  using State = std::string;

  std::int64_t told(const RowRef& row) const {
    return of_notices ? row.integer(held_column()) + 1 : 1;
  }
  Time since(const RowRef& row, Time time) const {
    return of_notices ? row.time(held_column() + 1).micros : time;
  }
  /// With the key in the same fields as a row that came.
  static const RowRef& record(const RowRef& notice) { return notice; }
  std::string hold(const RowRef& row) { return held.hold(row); }
  void emit_now(const RowRef& row, Time time, Output<RowRef>& out) {
    emit(held.hold(row), told(row) - 1, since(row, time), out);
  }
  void emit(const std::string& state, std::int64_t more, Time since, Output<RowRef>& out) {
    RowColumns& row = held.begin(schema);
    row.column(held_column()).put_integer(0, more);
    row.column(held_column() + 1).put_integer(0, since);
    held.fill(state, 0, held_column(), out);
    held.emit_row(out);
  }

  RowSchemaPtr schema = {};
  bool of_notices = false;
  HeldRecord<RowRef> held = {};

 private:
  std::size_t held_column() const { return schema->fields().size() - 2; }
};

}  // namespace millrace::detail
