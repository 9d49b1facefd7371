// RowPairs: the rows that a join makes of rows: the fields of both sides, one behind the other.
#pragma once

#include <cstddef>
#include <string>

#include "operator/row_fields.hpp"
#include "record/row_batch.hpp"

namespace millrace::detail {

/// Of a side without a partner the fields are null.
struct RowPairs {
  RowSchemaPtr schema;  ///< null: the left row as it is
  RowSchemaPtr left;    ///< of the inputs
  RowSchemaPtr right;
  std::size_t left_from = 0;  ///< so many fields of a left row are none of the pair's

  const RowSchema* input(int side) const { return (side == 0 ? left : right).get(); }
  void operator()(RowBatch& out, const RowRef* l, const RowRef* r) const {
    if (!schema) return out.values.push_back(*l);
    if (out.values.empty()) out.values.begin(schema);
    put_both(out.values, 0, l, r);
    out.values.end_row();
  }
  /// The fields of both sides, from `first` on.
  void put_both(RowColumns& rows, std::size_t first, const RowRef* l, const RowRef* r) const {
    const std::size_t rights = first + left->fields().size() - left_from;
    put(rows, first, rights, l, left_from);
    put(rows, rights, schema->fields().size(), r, 0);
  }

 private:
  static void put(RowColumns& rows, std::size_t from, std::size_t to, const RowRef* row,
                  std::size_t first) {
    const std::size_t at = rows.size();
    for (std::size_t field = from; field < to; ++field) {
      Column& column = rows.column(field);
      if (row == nullptr) {
        column.put_null(at);
      } else {
        column.append_one(at, row->rows().column(first + field - from), row->at());
      }
    }
  }
};

/// The key of one side of a join. A row with a null in its key meets no row of the other side: its
/// key is one that the other side does not have.
struct JoinKeyFields {
  KeyFields fields;
  char side;  ///< 2: left, 3: right; keys begin with 0 or 1

  std::string operator()(const RowRef& row) const {
    for (const std::size_t field : fields.fields()) {
      if (row.is_null(field)) return side + fields(row);
    }
    return fields(row);
  }
};

}  // namespace millrace::detail
