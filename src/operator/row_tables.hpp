// Tables of rows: their changes have the field "change" in front, "+I", "-U", "+U" or "-D".
#pragma once

#include <string>

#include "operator/row_pairs.hpp"
#include "operator/row_picks.hpp"
#include "operator/table_step.hpp"

namespace millrace::detail {

/// Rows with the sign of their change in front.
template <>
struct ChangeForm<RowRef> {
  using Emitted = RowRef;
  using State = std::string;
  std::string hold(const RowRef& row) { return held.hold(row); }
  void emit(ChangeKind kind, const RowRef& row, Output<Emitted>& out) {
    emit_held(kind, held.hold(row), out);
  }
  void emit_held(ChangeKind kind, const State& state, Output<Emitted>& out) {
    held.begin(schema).column(0).put_text(0, change_sign(kind));
    held.emit_fields(state, 1, out);
  }
  RowSchemaPtr schema = {};  ///< of the changes
  HeldRecord<RowRef> held = {};
};

/// The changes of a join of tables; the schema of `pairs` begins with the sign.
struct RowChangePairs {
  RowPairs pairs;
  ChangeKind kind = ChangeKind::insert;  ///< of the next one

  /// Who reads changes may take both as one.
  bool awaits_another() const { return kind == ChangeKind::update_before; }

  const RowSchema* input(int side) const { return pairs.input(side); }
  void operator()(RowBatch& out, const RowRef* l, const RowRef* r) const {
    if (out.values.empty()) out.values.begin(pairs.schema);
    out.values.column(0).put_text(out.values.size(), change_sign(kind));
    pairs.put_both(out.values, 1, l, r);
    out.values.end_row();
  }
};

/// A row deletes where that field is true; null is not.
struct DeletesByField {
  std::size_t field;
  bool operator()(const RowRef& row) const { return !row.is_null(field) && row.boolean(field); }
};

}  // namespace millrace::detail
