// Bolts by name that take records one by one: filter, select, tokens, split.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "catalog/entry.hpp"
#include "expr/predicate.hpp"
#include "operator/row_verbs.hpp"
#include "operator/split.hpp"

namespace millrace::detail {
namespace {

MadeStreams make_filter(const Making& making) {
  const auto condition = making.condition(*making.settings.node("where"));
  if (!condition) return MadeStreams::none();
  return making.same_rows(making.input->rows.filter(*condition));
}

/// A component that runs an operator made of `args`.
template <class Op, class... Args>
MadeStreams operator_outlet(const Making& making, const char* kind, RowSchemaPtr schema,
                            Args... args) {
  Declaration& declaration = making.input->rows.declaration();
  Node node = operator_node<Op>(kind, making.input->rows.inputs({}), std::move(args)..., schema);
  node.output = &batch_type<RowRef>();
  const NodeId id = declaration.graph.add(std::move(node));
  RowStream stream = row_stream(declaration, {{id, 0}}, schema);
  return MadeStreams::of(row_stream(making.finished(stream.rows), std::move(schema)));
}

MadeStreams make_select(const Making& making) {
  std::vector<std::size_t> fields;
  std::vector<ColumnInfo> infos;
  bool good = true;
  for (const ConfigNode& item : making.settings.node("fields")->items) {
    // A field, or a map with one entry: its new name and the field.
    const bool renamed = item.is_map() && item.entries.size() == 1;
    const ConfigNode& name = renamed ? item.entries.front().value : item;
    if (!name.is_scalar()) {
      making.mistakes.add(item.place, "a field is its name, or {new_name: field}");
      good = false;
      continue;
    }
    const auto field = making.field(name);
    good &= field.has_value();
    if (!field) continue;
    ColumnInfo info = making.input->schema->fields()[*field];
    if (renamed) info.name = item.entries.front().key.text;
    const auto twice = std::find_if(infos.begin(), infos.end(), [&](const ColumnInfo& other) {
      return other.name == info.name;
    });
    if (twice != infos.end()) {
      making.mistakes.add(item.place, fmt::format("two fields are called \"{}\"", info.name));
      good = false;
    }
    fields.push_back(*field);
    infos.push_back(std::move(info));
  }
  if (infos.empty() && good) making.wrong("fields", "select needs at least one field");
  if (!good || infos.empty()) return MadeStreams::none();
  return operator_outlet<RowSelect>(
      making, "select", std::make_shared<const RowSchema>(std::move(infos)), std::move(fields));
}

MadeStreams make_tokens(const Making& making) {
  const auto field = making.field(*making.settings.node("of"));
  if (!field) return MadeStreams::none();
  std::vector<ColumnInfo> infos = making.input->schema->fields();
  if (infos[*field].type != ColumnType::text) {
    making.wrong("of", fmt::format("\"{}\" is of type {}: tokens takes a text apart",
                                   infos[*field].name, column_type_name(infos[*field].type)));
    return MadeStreams::none();
  }
  infos[*field].optional = false;
  if (making.settings.has("as")) infos[*field].name = making.settings.text("as");
  return operator_outlet<RowTokens>(making, "tokens",
                                    std::make_shared<const RowSchema>(std::move(infos)), *field,
                                    making.settings.text("prefix"));
}

MadeStreams make_split(const Making& making) {
  std::vector<Predicate> conditions;
  std::vector<std::string> names;
  bool good = true;
  for (const auto& [name, node] : making.settings.node("cases")->entries) {
    if (name.text == "others") {
      making.mistakes.add(name.place,
                          "the stream \"others\" is there by itself: what no case takes");
      good = false;
    }
    auto condition = making.condition(node);
    good &= condition.has_value();
    if (condition) conditions.push_back(std::move(*condition));
    names.push_back(name.text);
  }
  if (names.empty()) making.wrong("cases", "split needs at least one case");
  if (!good || names.empty()) return MadeStreams::none();
  using Get = FirstOf<Predicate>;
  std::vector<std::int64_t> kinds;
  for (std::size_t at = 0; at < names.size(); ++at) kinds.push_back(static_cast<std::int64_t>(at));
  Declaration& declaration = making.input->rows.declaration();
  Node node = operator_node<SplitOperator<RowRef, Get>>("split", making.input->rows.inputs({}),
                                                        Get{std::move(conditions)}, kinds);
  node.output = &batch_type<RowRef>();
  const NodeId id = declaration.graph.add(std::move(node));
  (void)making.finished(row_stream(declaration, {{id, 0}}, making.input->schema).rows);
  names.push_back("others");
  MadeStreams outlets = MadeStreams::end();
  for (std::uint32_t port = 0; port < names.size(); ++port) {
    outlets.streams.emplace(names[port],
                            row_stream(declaration, {{id, port}}, making.input->schema));
  }
  return outlets;
}

void add(Entries& entries, std::string name, std::string doc, std::vector<ParamInfo> params,
         MadeStreams (*make)(const Making&)) {
  Entry entry{name, EntryRole::verb, std::move(doc), std::move(params), make};
  entries.emplace(std::move(name), std::move(entry));
}

}  // namespace

void add_verb_entries(Entries& entries) {
  add(entries, "filter", "keeps the rows for which a condition is true",
      {{.name = "where",
        .type = ParamType::condition,
        .required = true,
        .doc = "a condition, such as delta < -200 and not is_robot"}},
      make_filter);
  add(entries, "select", "keeps fields, in this order, under new names where given",
      {{.name = "fields",
        .type = ParamType::fields,
        .required = true,
        .doc = "each a field, or {new_name: field}"}},
      make_select);
  add(entries, "tokens", "a row for each word of a text",
      {{.name = "of", .type = ParamType::field, .required = true, .doc = "the text"},
       {.name = "prefix",
        .type = ParamType::text,
        .doc = "only words that begin with it, which is taken off: \"#\" for hashtags"},
       {.name = "as", .type = ParamType::text, .doc = "what the word is called; else as the text"}},
      make_tokens);
  add(entries, "split", "a stream for each case, in which a row goes to the first that is true",
      {{.name = "cases",
        .type = ParamType::conditions,
        .required = true,
        .doc = "name: condition; the rest goes to the stream others"}},
      make_split);
}

}  // namespace millrace::detail
