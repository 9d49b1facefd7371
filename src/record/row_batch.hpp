// Batch<RowRef>: rows as a batch that every operator, ring and router can take.
#pragma once

#include <algorithm>
#include <string>

#include "record/batch_type.hpp"
#include "record/row_columns.hpp"

namespace millrace {

/// Rows borrow their texts from their batch; their fields are told by their RowSchema.
template <>
struct Schema<RowRef> {
  static constexpr bool kBorrows = true;
};

namespace detail {

template <>
class Batch<RowRef> final : public BatchBase {
 public:
  std::size_t size() const override { return values.size(); }
  RowColumns values;

 protected:
  void clear_records() override { values.clear(); }
};

using RowBatch = Batch<RowRef>;

inline void truncate(RowColumns& rows, std::size_t size) { rows.truncate(size); }

template <>
inline constexpr bool kKnowsTexts<RowRef> = true;
inline void rehome_last(RowColumns& rows, Arena& arena) {
  const std::size_t last = rows.size() - 1;
  for (std::size_t field = 0; field < rows.schema()->fields().size(); ++field) {
    Column& column = rows.column(field);
    if (lies_as_text(column.type())) column.set_text(last, arena.intern(column.text(last)));
  }
}

/// Bytes of the texts that the rows borrow.
inline std::size_t text_bytes(const RowColumns& rows) {
  std::size_t bytes = 0;
  for (std::size_t field = 0; field < rows.schema()->fields().size(); ++field) {
    const Column& column = rows.column(field);
    if (!lies_as_text(column.type())) continue;
    for (std::size_t at = 0; at < rows.size(); ++at) bytes += column.text(at).size();
  }
  return bytes;
}

/// Appends a row as a JSON object, fields that are null with null.
void append_row_json(std::string& out, const RowRef& row);

template <>
class BatchTypeOf<RowRef> final : public BatchType {
 public:
  BatchPtr make() const override { return std::make_unique<RowBatch>(); }
  void append(BatchBase& to, const BatchBase& from,
              std::span<const std::uint32_t> picks) const override;
  void append_all(BatchBase& to, const BatchBase& from) const override;
  void swap(BatchBase& a, BatchBase& b) const override;
  void rehome(BatchBase& batch) const override;
  /// Of a row with about eight fields: the schema is not known here.
  std::size_t record_bytes() const override { return 64; }
  std::size_t heap_bytes(const BatchBase&, std::size_t) const override { return 0; }
  std::string describe(const BatchBase& batch, std::size_t index) const override;
};

}  // namespace detail
}  // namespace millrace
