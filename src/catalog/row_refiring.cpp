// Aggregates of rows by windows and sessions that wait for late rows or emit more than once.
#include "catalog/row_aggregate_by.hpp"

namespace millrace::detail {
namespace {

/// Rows, or what ranks the final ones, and beside them the stream `late`.
template <class Keyed, class Spec>
MadeStreams rows_of_windows(const Keyed& keyed, const Spec& spec, const RowAggregate& what) {
  const auto rows = named_as(keyed.window(spec).apply(what.kind, what.values.front().name,
                                                      std::get<RowKernel>(what.kernel)),
                             what);
  const Stream<RowRef> late = rows.late();
  MadeStreams made = [&] {
    if constexpr (std::is_same_v<Spec, FinalWindows>) {  // of sessions no two keys have the same
      return ranked_or_rows(rows, what, true);
    } else {
      return rows_of(rows, what, true);
    }
  }();
  made.streams.emplace("late", row_stream(late, keyed.stream().names().rows));
  return made;
}

}  // namespace

MadeStreams refiring_by_fields(const Stream<RowRef>& rows, const RowAggregate& aggregate) {
  std::vector<std::string> names;
  for (const ColumnInfo& info : aggregate.key_fields) names.push_back(info.name);
  const auto keyed = keyed_rows(rows, KeyFields(aggregate.key), std::move(names));
  return std::visit(
      [&](const auto& windows) {
        if constexpr (kRefires<std::decay_t<decltype(windows)>>) {
          return rows_of_windows(keyed, windows, aggregate);
        } else {
          return MadeStreams::none();  // aggregate_by makes these
        }
      },
      *aggregate.windows);
}

}  // namespace millrace::detail
