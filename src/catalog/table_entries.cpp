// The bolts `table`, `join_tables` and `join_foreign_key`: rows read as tables, as changes.
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "catalog/group_entries.hpp"
#include "catalog/row_joins.hpp"
#include "millrace/table.hpp"
#include "operator/row_changes.hpp"

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
    made.made_by = {changes.order()};
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

/// The fields of the left rows that name the right ones; nullopt: they do not fit its key, which is
/// a mistake.
std::optional<std::vector<std::size_t>> foreign_key(const Making& making) {
  const std::vector<ColumnInfo>& rights = making.right->schema->fields();
  const std::vector<ConfigNode>& names = making.settings.node("foreign_key")->items;
  if (names.size() != making.right_key.size()) {
    making.wrong("foreign_key", fmt::format("the foreign key has {} fields, the right key {}",
                                            names.size(), making.right_key.size()));
    return std::nullopt;
  }
  std::vector<std::size_t> fields;
  for (std::size_t at = 0; at < names.size(); ++at) {
    const auto field = making.field(names[at]);
    if (!field) return std::nullopt;
    const ColumnInfo& one = making.input->schema->fields()[*field];
    const ColumnInfo& other = rights[making.right_key[at]];
    if (one.type != other.type) {
      making.mistakes.add(names[at].place,
                          fmt::format("\"{}\" is of type {}, the key \"{}\" that it names of "
                                      "type {}",
                                      one.name, column_type_name(one.type), other.name,
                                      column_type_name(other.type)));
      return std::nullopt;
    }
    fields.push_back(*field);
  }
  return fields;
}

/// Fields of rows where they stand in the changes of these: behind the sign.
std::vector<std::size_t> in_changes(std::vector<std::size_t> fields) {
  for (std::size_t& field : fields) ++field;
  return fields;
}

/// Changes by what their rows name: an update that names another row is a move.
Stream<RowRef> moves_of(const Stream<RowRef>& changes, const std::vector<std::size_t>& named) {
  mark_helper(changes, "table");
  Node node = operator_node<RowChangeMoves>("references", changes.inputs({}), named);
  node.output = &batch_type<RowRef>();
  node.helps = "references";
  const NodeId id = changes.declaration().graph.add(std::move(node));
  return Stream<RowRef>(changes.declaration(), {{id, 0}}, changes.names());
}

MadeStreams make_join_foreign_key(const Making& making) {
  const auto left_deletes = deleted_by(making, "left_deleted", *making.input);
  const auto right_deletes = deleted_by(making, "right_deleted", *making.right);
  const auto named = foreign_key(making);
  const JoinKind kind = join_kind(making);
  const RowSchemaPtr pairs = named ? join_schema(making, kind) : nullptr;
  const RowSchemaPtr lefts = changes_schema(making, making.input->schema->fields());
  const RowSchemaPtr made = pairs ? changes_schema(making, pairs->fields()) : nullptr;
  if (!left_deletes || !right_deletes || !lefts || !made) return MadeStreams::none();
  const auto joined_with = [&](const auto& changes) {
    using Key = KeyFn<RowRef, JoinKeyFields>;
    using RowKey = KeyFn<RowRef, KeyFields>;
    using Op = ReferenceJoin<RowRef, RowKey, Key, RowRef, Key, RowRef, RowChangePairs>;
    const auto moved = moves_of(row_stream(changes, lefts).rows, in_changes(*named));
    const auto key = [](std::vector<std::size_t> fields, char side) {
      return JoinKeyFields{KeyFields(std::move(fields)), side};
    };
    const RowJoin<Key> join{{keyed_rows(moved, key(in_changes(*named), '\2'), {}),
                             keyed_rows(making.right->rows, key(making.right_key, '\3'), {})},
                            kind,
                            RowPairs{made, lefts, making.right->schema, 1}};
    Node node;
    node.note = "by a foreign key";
    node.breaks_ties = true;
    const auto rows = std::make_shared<const TypedKeyHash<RowRef, RowKey>>(
        RowKey(KeyFields(in_changes(making.key))));
    const typename Op::Rules rules{kind, rows, *right_deletes};
    const auto make = [rules](const RowJoin<Key>& of, const auto& left, const auto& right) {
      return std::make_unique<Op>(rules, left, right, RowChangePairs{of.pairs});
    };
    MadeStreams streams = finish_join(making, join, std::move(node), make);
    streams.made_by = {changes.order(), changes.from().front().node,
                       join.inputs.left.stream().from().front().node};
    streams.streams.insert_or_assign("late_left", row_stream(changes.late(), making.input->schema));
    return streams;
  };
  return with_keyed_rows(*making.input, making.key, [&](const auto& keyed, bool) {
    return joined_with(table_changes(keyed, *left_deletes, ChangeForm<RowRef>{lefts, {}}));
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

Entry join_foreign_key_entry() {
  Entry entry{"join_foreign_key",
              EntryRole::verb,
              "the rows of a table with those of another one that they name by its key, kept up to "
              "date: a row for each change, with change (+I, -U, +U, -D) in front; those that come "
              "too late go to the streams late_left and late_right",
              {join_left_param(),
               {.name = "foreign_key",
                .type = ParamType::fields,
                .required = true,
                .doc = "the fields of the left side that name the key of the right one"},
               {.name = "kind",
                .type = ParamType::choice,
                .standard = "inner",
                .doc = "inner: left rows that name one that is there; left: all of them",
                .choices = {"inner", "left"}},
               join_deleted_param("left_deleted", "the left side"),
               join_deleted_param("right_deleted", "the right side"),
               join_prefix_param()},
              make_join_foreign_key};
  entry.keyed = Keyed::needed;
  entry.joins = true;
  return entry;
}

}  // namespace

void add_table_entries(Entries& entries) {
  entries.emplace("table", table_entry());
  entries.emplace("join_tables", join_tables_entry());
  entries.emplace("join_foreign_key", join_foreign_key_entry());
  add_group_entries(entries);
}

}  // namespace millrace::detail
