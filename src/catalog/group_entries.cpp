// The rows of a table by another key: count, sum, mean, min and max that follow each change.
#include "catalog/group_entries.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "catalog/row_joins.hpp"
#include "catalog/window_words.hpp"
#include "millrace/grouped_table.hpp"
#include "operator/row_turn_kernel.hpp"

namespace millrace::detail {
namespace {

const std::vector<std::string> kFollowing = {"count", "sum", "mean", "min", "max"};

/// What is made of the values of a group.
struct GroupValues {
  std::vector<std::string> kinds;
  std::vector<TurnValue> read;     ///< what each reads of a row
  std::vector<ColumnInfo> inputs;  ///< of these
  std::vector<ColumnInfo> results;

  void add(std::string kind, TurnValue value, ColumnInfo input, ColumnInfo result) {
    kinds.push_back(std::move(kind));
    read.push_back(std::move(value));
    inputs.push_back(std::move(input));
    results.push_back(std::move(result));
  }
};

/// Why `kind` cannot be had of such a field; empty: it can.
std::string refusal(const std::string& kind, const ColumnInfo& info) {
  const ColumnType type = info.type;
  const bool number = type == ColumnType::integer || type == ColumnType::real;
  const bool counts = kind == "sum" && type == ColumnType::boolean;
  const bool ordered = kind == "min" || kind == "max";
  if (number || counts || (ordered && type != ColumnType::boolean && type != ColumnType::object))
    return "";
  return fmt::format("{} needs {}, \"{}\" is of type {}", kind,
                     ordered ? "values with an order" : "a number", info.name,
                     column_type_name(type));
}

/// What `kind` gives of such a field.
ColumnInfo result_of(const std::string& kind, const ColumnInfo& info, std::string name) {
  if (kind == "mean") return {std::move(name), ColumnType::real, info.optional};
  if (kind != "sum") return {std::move(name), info.type, info.optional};
  const bool real = info.type == ColumnType::real;
  return {std::move(name), real ? ColumnType::real : ColumnType::integer};
}

/// Takes "sum(price)", "count()" or "count(condition)"; false: a mistake.
bool take_value(const Making& making, const std::string& name, const ConfigNode& node,
                GroupValues& values) {
  constexpr std::string_view kCount = "count(";
  if (node.text.starts_with(kCount) && node.text.ends_with(')')) {
    ColumnInfo one{name, ColumnType::integer};
    if (node.text == "count()") {
      values.add("count", {}, making.input->schema->fields().front(), std::move(one));
      return true;
    }
    ConfigNode inner = node;
    inner.text = node.text.substr(kCount.size(), node.text.size() - kCount.size() - 1);
    inner.place = node.place_of(kCount.size());
    inner.quoted = false;
    auto condition = making.condition(inner);
    if (condition) values.add("sum", {0, std::move(*condition)}, one, one);
    return condition.has_value();
  }
  const auto call = node.is_scalar() ? parse_call(node.text) : std::nullopt;
  if (!call || std::ranges::find(kFollowing, call->name) == kFollowing.end() ||
      call->args.size() != 1) {
    making.mistakes.add(node.place,
                        fmt::format("\"{}\" is one of count(), count(condition), sum(field), "
                                    "mean(field), min(field) and max(field), which can follow "
                                    "rows that change, found {}",
                                    name, node.is_scalar() ? node.text : node.words()));
    return false;
  }
  ConfigNode arg = node;
  arg.text = call->args.front();
  const auto field = making.field(arg);
  if (!field) return false;
  const ColumnInfo& info = making.input->schema->fields()[*field];
  if (std::string why = refusal(call->name, info); !why.empty()) {
    making.mistakes.add(node.place, std::move(why));
    return false;
  }
  values.add(call->name, {*field}, info, result_of(call->name, info, name));
  return true;
}

/// The rows are changes of a table; else a mistake.
bool are_changes(const Making& making) {
  const ColumnInfo& first = making.input->schema->fields().front();
  if (first.name == kChangeColumn && first.type == ColumnType::text) return true;
  making.mistakes.add(making.text.type_place,
                      fmt::format("group_by reads changes of a table, whose first field is \"{}\": "
                                  "put the bolt table, join_tables or join_foreign_key before it",
                                  kChangeColumn));
  return false;
}

/// The fields of a group: its key and its values.
RowSchemaPtr group_schema(const Making& making, const GroupValues& values) {
  std::vector<ColumnInfo> fields;
  for (const std::size_t field : making.key)
    fields.push_back(making.input->schema->fields()[field]);
  fields.insert(fields.end(), values.results.begin(), values.results.end());
  return std::make_shared<const RowSchema>(std::move(fields),
                                           RowRole{false, false, making.key.size()});
}

/// The changes as turns of rows, and how each part reads them.
RowStream turns_of(const Making& making, const RowTurnPlan& plan) {
  Node node = operator_node<RowChangeTurns>("turns", making.input->rows.inputs({}), plan);
  node.output = &batch_type<RowRef>();
  node.helps = "turns";
  Declaration& declaration = making.input->rows.declaration();
  const NodeId id = declaration.graph.add(std::move(node));
  return row_stream(declaration, {{id, 0}}, plan.schema);
}

template <class Key>
MadeStreams grouped(const Making& making, const KeyedStream<RowRef, Key>& turns,
                    const RowTurnKernel& kernel, const RowSchemaPtr& groups, bool encoded) {
  using Op = GroupedRows<RowRef, Key, RowTurnKernel>;
  const RowSchemaPtr changes = changes_schema(making, groups->fields());
  if (!changes) return MadeStreams::none();
  const OrderedStream<RowRef> ordered = turns.restore_order();
  mark_helper(ordered, "order");
  Node node = operator_node<Op>("group_by", ordered.inputs({GroupingKind::fields, turns.key()}),
                                turns.key(), kernel);
  node.note = "of a table";
  node.needs_time = true;
  node.output = &batch_type<typename Op::Row>();
  Declaration& declaration = ordered.declaration();
  const NodeId id = declaration.graph.add(std::move(node));
  emit_rows<typename Op::Row>(declaration, id, groups, encoded, changes);
  MadeStreams made = MadeStreams::of(
      row_stream(making.finished(row_stream(declaration, {{id, 0}}, changes).rows), changes));
  made.made_by = {ordered.from().front().node};
  return made;
}

MadeStreams make_group_by(const Making& making) {
  GroupValues values;
  bool good = are_changes(making);
  for (const auto& [name, node] : making.settings.node("values")->entries)
    good &= take_value(making, name.text, node, values);
  if (good && values.kinds.empty()) making.wrong("values", "group_by needs at least one value");
  if (!good || values.kinds.empty()) return MadeStreams::none();
  const RowTurnPlan plan =
      plan_turns(*making.input->schema, making.key, values.read, values.inputs);
  RowTurnKernel kernel;
  for (std::size_t at = 0; at < values.kinds.size(); ++at) {
    kernel.parts.push_back(turn_part(values.kinds[at], values.inputs[at].type, plan.place_of(at)));
  }
  const RowStream turns = turns_of(making, plan);
  std::vector<std::size_t> key(making.key.size());
  for (std::size_t at = 0; at < key.size(); ++at) key[at] = RowTurnPlan::kKey + at;
  const RowSchemaPtr groups = group_schema(making, values);
  MadeStreams made = with_keyed_rows(turns, key, [&](const auto& keyed, bool encoded) {
    return grouped(making, keyed, kernel, groups, encoded);
  });
  made.made_by.push_back(turns.rows.from().front().node);
  return made;
}

}  // namespace

void add_group_entries(Entries& entries) {
  Entry entry{"group_by",
              EntryRole::verb,
              "the rows of a table by another key, with aggregates that follow each change: reads "
              "the changes of a table; a row for each change of a group, with change (+I, -U, +U, "
              "-D) in front",
              {{.name = "values",
                .type = ParamType::aggregates,
                .required = true,
                .doc = "name: aggregate, of count(), count(condition), sum(field), mean(field), "
                       "min(field) and max(field)"}},
              make_group_by};
  entry.keyed = Keyed::or_global;
  entries.emplace("group_by", std::move(entry));
}

}  // namespace millrace::detail
