// What the entries of joins share: the fields of their rows, their keys, and how they are put
// together.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/entry.hpp"
#include "catalog/row_keys.hpp"
#include "operator/row_pairs.hpp"
#include "operator/row_tables.hpp"

namespace millrace::detail {

/// "inner", "left" and so on, as `kind` says it.
const std::vector<std::string>& join_kinds();
JoinKind join_kind(const Making& making);

/// The parameters that every join has.
ParamInfo join_left_param();
ParamInfo join_prefix_param();
ParamInfo join_lateness_param();

/// The parameter of a join that names the field by which rows of a table delete.
ParamInfo join_deleted_param(std::string name, std::string of);
/// Takes the field that a parameter names, one of `rows`: which of them delete. Empty where it is
/// not given; nullopt: a mistake.
std::optional<DeletesRow<RowRef>> deleted_by(const Making& making, std::string_view parameter,
                                             const RowStream& rows);
/// `fields` of a table as those of its changes; null: a mistake.
RowSchemaPtr changes_schema(const Making& making, const std::vector<ColumnInfo>& fields);

/// The fields of both sides, those of the right one that the left one has too with the prefix; of
/// semi and anti the left ones. Null: a mistake.
RowSchemaPtr join_schema(const Making& making, JoinKind kind);
/// How the keys of both sides are taken; nullopt: they do not fit, which is a mistake.
std::optional<KeyKind> join_key(const Making& making);

/// Two keyed streams and what is made of their rows.
template <class Key>
struct RowJoin {
  JoinInputs<RowRef, Key, RowRef, Key> inputs;
  JoinKind kind;
  RowPairs pairs;
};

/// Declares the component: `make_operator(join, left key, right key)`. `everywhere`: each of its
/// tasks has all right rows.
template <class Key, class MakeOperator>
MadeStreams finish_join(const Making& making, const RowJoin<Key>& join, Node node,
                        MakeOperator make_operator, bool everywhere = false) {
  node.needs_time = true;
  const auto make = [join, make_operator](const auto& left, const auto& right) {
    return make_operator(join, left, right);
  };
  const JoinedStream<RowRef, RowRef, RowRef> rows =
      joined<RowRef>(join.inputs, std::move(node), make, everywhere);
  MadeStreams made = MadeStreams::of(row_stream(
      making.finished(rows), join.pairs.schema ? join.pairs.schema : making.input->schema));
  made.streams.emplace("late_left", row_stream(rows.late_left(), making.input->schema));
  made.streams.emplace("late_right", row_stream(rows.late_right(), making.right->schema));
  return made;
}

/// Calls use(RowJoin) -> MadeStreams, unless a mistake was noted.
template <class Use>
MadeStreams with_row_join(const Making& making, JoinKind kind, Use&& use) {
  const auto key = join_key(making);
  const RowSchemaPtr schema = join_schema(making, kind);
  if (!key || !schema) return MadeStreams::none();
  const RowPairs pairs{makes_pairs(kind) ? schema : nullptr, making.input->schema,
                       making.right->schema};
  const auto with = [&](const auto& left, const auto& right) {
    const auto lefts = keyed_rows(making.input->rows, left, {});
    using Key = typename decltype(lefts)::KeyType;
    return use(RowJoin<Key>{{lefts, keyed_rows(making.right->rows, right, {})}, kind, pairs});
  };
  switch (*key) {
    case KeyKind::integer:
      return with(IntegerField{making.key.front()}, IntegerField{making.right_key.front()});
    case KeyKind::text:
      return with(TextField{making.key.front()}, TextField{making.right_key.front()});
    default:
      return with(JoinKeyFields{KeyFields(making.key), '\2'},
                  JoinKeyFields{KeyFields(making.right_key), '\3'});
  }
}

}  // namespace millrace::detail
