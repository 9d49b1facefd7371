// The bolts `table` and `join_tables`: streams of rows read as tables, as changes.
#include <utility>
#include <vector>

#include "catalog/row_joins.hpp"
#include "millrace/table.hpp"

namespace millrace::detail {
namespace {

MadeStreams make_table(const Making& making) {
  const auto deletes = deleted_by(making, "deleted", *making.input);
  const RowSchemaPtr schema = changes_schema(making, making.input->schema->fields());
  if (!deletes || !schema) return MadeStreams::none();
  return with_keyed_rows(*making.input, making.key, [&](const auto& keyed, bool) {
    const auto changes = table_changes(keyed, *deletes, ChangeForm<RowRef>{schema, {}});
    MadeStreams made = MadeStreams::of(row_stream(making.finished(changes), schema));
    made.streams.emplace("late", row_stream(changes.late(), making.input->schema));
    return made;
  });
}

MadeStreams make_join_tables(const Making& making) {
  const auto left = deleted_by(making, "left_deleted", *making.input);
  const auto right = deleted_by(making, "right_deleted", *making.right);
  if (!left || !right) return MadeStreams::none();
  const JoinKind kind = join_kind(making);
  return with_row_join(making, kind, [&]<class Key>(RowJoin<Key> join) {
    join.pairs.schema = changes_schema(making, join.pairs.schema->fields());
    if (!join.pairs.schema) return MadeStreams::none();
    using Op = TableJoin<RowRef, Key, RowRef, Key, RowRef, RowChangePairs>;
    const typename Op::Rules rules{kind, making.settings.duration("allowed_lateness"), *left,
                                   *right};
    Node node;
    node.note = "of tables";
    node.breaks_ties = true;
    const auto make = [rules](const RowJoin<Key>& of, const auto& lefts, const auto& rights) {
      return std::make_unique<Op>(rules, lefts, rights, RowChangePairs{of.pairs});
    };
    return finish_join(making, join, std::move(node), make);
  });
}

Entry table_entry() {
  Entry entry{"table",
              EntryRole::verb,
              "the rows read as a table, of each key the newest by event time: a row for each "
              "change, with change (+I, -U, +U, -D) in front; those that come too late go to the "
              "stream late",
              {join_deleted_param("deleted", "the rows")},
              make_table};
  entry.keyed = Keyed::needed;
  return entry;
}
Entry join_tables_entry() {
  Entry entry{
      "join_tables",
      EntryRole::verb,
      "the rows of two tables with equal keys, kept up to date: a row for each change, with change "
      "(+I, -U, +U, -D) in front; those that come too late go to the streams late_left and "
      "late_right",
      {join_left_param(),
       {.name = "kind",
        .type = ParamType::choice,
        .standard = "inner",
        .doc = "inner: pairs; left, right, full: and rows of that side, or of both, without a "
               "partner",
        .choices = {"inner", "left", "right", "full"}},
       join_deleted_param("left_deleted", "the left side"),
       join_deleted_param("right_deleted", "the right side"),
       join_lateness_param(),
       join_prefix_param()},
      make_join_tables};
  entry.keyed = Keyed::needed;
  entry.joins = true;
  return entry;
}

}  // namespace

void add_table_entries(Entries& entries) {
  entries.emplace("table", table_entry());
  entries.emplace("join_tables", join_tables_entry());
}

}  // namespace millrace::detail
