// RowAggregate: an aggregate of rows that was asked for by name, and how it becomes a component.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "catalog/row_stream.hpp"
#include "catalog/window_words.hpp"
#include "operator/row_convert.hpp"
#include "operator/row_kernels.hpp"

namespace millrace::detail {

/// Which kernel computes it: simple ones alone have kernels of their own, which need no block on
/// the heap a key.
using RowAggregateKernel = std::variant<CountKernel, SumKernel<RowRef, IntegerField>,
                                        SumKernel<RowRef, RealField>, RowKernel>;

struct RowAggregate {
  std::string id;
  std::string kind;  ///< shown: "count", "max"
  std::vector<std::size_t> key;
  std::optional<RowWindows> windows;
  std::optional<HowFarBack> last = {};  ///< which rows of a window count
  RowAggregateKernel kernel;
  std::vector<ColumnInfo> key_fields;
  std::vector<ColumnInfo> values;
  std::optional<int> tasks;
  bool only_ranked = false;  ///< only verbs that rank it read it: it need not emit rows
};

/// Its rows have the fields window_start and window_end.
bool has_bounds(const RowAggregate& aggregate);
/// Its rows have the fields firing and retracted.
bool has_updates(const RowAggregate& aggregate);
/// The schema of its rows; `ranked` as top emits them.
RowSchemaPtr schema_of(const RowAggregate& aggregate, bool ranked);

/// Adds it to the topology, keyed by one field of the simple kinds, or by any fields. Windows that
/// each key has of its own, and the last rows of windows, are made by any fields alone.
MadeStreams aggregate_by_integer(const Stream<RowRef>& rows, const RowAggregate& aggregate);
MadeStreams aggregate_by_text(const Stream<RowRef>& rows, const RowAggregate& aggregate);
MadeStreams aggregate_by_fields(const Stream<RowRef>& rows, const RowAggregate& aggregate);
/// The same of windows and sessions that wait for late rows or emit more than once.
MadeStreams refiring_by_fields(const Stream<RowRef>& rows, const RowAggregate& aggregate);

}  // namespace millrace::detail
