// refiring_by: aggregates of windows and sessions that emit early or late, for one kind of key.
#pragma once

#include "catalog/row_aggregate_by.hpp"

namespace millrace::detail {

/// Rows, or what ranks the final ones, and beside them the stream `late`.
template <class Keyed, class Spec>
MadeStreams refiring_rows(const Keyed& keyed, const Spec& spec, const RowAggregate& what,
                          bool encoded) {
  const auto rows = named_as(keyed.window(spec).apply(what.kind, what.values.front().name,
                                                      std::get<RowKernel>(what.kernel)),
                             what);
  const Stream<RowRef> late = rows.late();
  MadeStreams made = [&] {
    if constexpr (std::is_same_v<Spec, FinalWindows>) {  // of sessions no two keys have the same
      return ranked_or_rows(rows, what, encoded);
    } else {
      return rows_of(rows, what, encoded);
    }
  }();
  made.streams.emplace("late", row_stream(late, keyed.stream().names().rows));
  return made;
}

template <class Field>
MadeStreams refiring_by(const Stream<RowRef>& rows, const RowAggregate& what, const Field& field) {
  constexpr bool kEncoded = std::is_same_v<Field, KeyFields>;
  std::vector<std::string> names;
  for (const ColumnInfo& info : what.key_fields) names.push_back(info.name);
  const auto keyed = keyed_rows(rows, field, std::move(names));
  return std::visit(
      [&](const auto& windows) {
        if constexpr (kRefires<std::decay_t<decltype(windows)>>) {
          return refiring_rows(keyed, windows, what, kEncoded);
        } else {
          return MadeStreams::none();  // aggregate_by makes these
        }
      },
      *what.windows);
}

}  // namespace millrace::detail
