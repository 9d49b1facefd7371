// RowStream: a stream of rows with its schema, and what a component made by name gives.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/topology.hpp"
#include "operator/row_cells.hpp"
#include "operator/row_fields.hpp"

namespace millrace::detail {

/// A stream of rows and what they are.
struct RowStream {
  RowSchemaPtr schema;
  Stream<RowRef> rows;
};

inline RowStream row_stream(Declaration& declaration, std::vector<Upstream> from,
                            RowSchemaPtr schema) {
  RowNames names = names_of(schema);
  return {std::move(schema), Stream<RowRef>(declaration, std::move(from), std::move(names))};
}
/// `rows` under a schema: verbs lose it where they change the record.
inline RowStream row_stream(const Stream<RowRef>& rows, RowSchemaPtr schema) {
  return row_stream(rows.declaration(), rows.from(), std::move(schema));
}

struct Making;
struct MadeStreams;

/// An aggregate of windows as the verbs that rank it see it.
struct RankedBy {
  RowSchemaPtr schema;  ///< of its rows
  /// The n greatest by value number `by` of the row's values.
  std::function<RowStream(std::size_t n, std::size_t by)> top;
  /// Its trend; null where the aggregate is no count or sum.
  std::function<MadeStreams(const TrendOptions& options, const Making& making)> trend;
};

/// The output streams of a component by name; "" is the default one. A component that has none, or
/// that could not be made, has no streams.
struct MadeStreams {
  std::map<std::string, RowStream> streams;
  std::shared_ptr<const RankedBy> ranked = nullptr;  ///< in place of streams
  bool made = false;
  /// Components that it consists of, beside those that the streams leave.
  std::vector<NodeId> made_by = {};

  static MadeStreams none() { return {}; }
  static MadeStreams end() { return {{}, nullptr, true, {}}; }
  static MadeStreams of(RowStream stream) {
    MadeStreams outlets = end();
    outlets.streams.emplace("", std::move(stream));
    return outlets;
  }
};

}  // namespace millrace::detail
