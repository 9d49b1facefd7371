// What joins of rows have in common.
#include "catalog/row_joins.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace millrace::detail {

const std::vector<std::string>& join_kinds() {
  static const std::vector<std::string> kKinds = {"inner", "left", "right", "full", "semi", "anti"};
  return kKinds;
}
JoinKind join_kind(const Making& making) {
  const auto at = std::ranges::find(join_kinds(), making.settings.text("kind"));
  return static_cast<JoinKind>(at - join_kinds().begin());
}

ParamInfo join_left_param() {
  return {.name = "left",
          .type = ParamType::text,
          .required = true,
          .doc =
              "the component whose rows are the left side; what other components send is the "
              "right one. Of a component that is joined with itself the first stream is the "
              "left"};
}
ParamInfo join_prefix_param() {
  return {.name = "prefix",
          .type = ParamType::text,
          .standard = "right_",
          .doc = "in front of fields of the right side that the left one has too"};
}
ParamInfo join_lateness_param() {
  return {.name = "allowed_lateness",
          .type = ParamType::duration,
          .standard = "0s",
          .doc = "so far behind their watermark rows still count"};
}

ParamInfo join_deleted_param(std::string name, std::string of) {
  return {.name = std::move(name),
          .type = ParamType::field,
          .doc = "a bool of " + of + ": a row where it is true deletes the one of its key"};
}

std::optional<DeletesRow<RowRef>> deleted_by(const Making& making, std::string_view parameter,
                                             const RowStream& rows) {
  const ConfigNode* const node = making.settings.node(parameter);
  if (node == nullptr) return DeletesRow<RowRef>();
  const auto field = rows.schema->find(node->text);
  if (!field) {
    making.wrong(parameter, no_such_field(node->text, *rows.schema));
    return std::nullopt;
  }
  const ColumnInfo& info = rows.schema->fields()[*field];
  if (info.type == ColumnType::boolean) return DeletesByField{*field};
  making.wrong(parameter, fmt::format("it says whether a row deletes: \"{}\" is of type {}, give a "
                                      "field of type bool",
                                      info.name, column_type_name(info.type)));
  return std::nullopt;
}

RowSchemaPtr changes_schema(const Making& making, const std::vector<ColumnInfo>& fields) {
  std::vector<ColumnInfo> all = {{kChangeColumn, ColumnType::text}};
  all.insert(all.end(), fields.begin(), fields.end());
  if (std::string twice = repeated_field(all); !twice.empty()) {
    making.mistakes.add(making.text.type_place, std::move(twice));
    return nullptr;
  }
  return std::make_shared<const RowSchema>(std::move(all));
}

RowSchemaPtr join_schema(const Making& making, JoinKind kind) {
  if (!makes_pairs(kind)) return making.input->schema;
  std::vector<ColumnInfo> fields = making.input->schema->fields();
  for (ColumnInfo& field : fields) field.optional |= keeps_right(kind);
  for (ColumnInfo field : making.right->schema->fields()) {
    if (making.input->schema->find(field.name))
      field.name = making.settings.text("prefix") + field.name;
    field.optional |= keeps_left(kind);
    fields.push_back(std::move(field));
  }
  if (std::string twice = repeated_field(fields); !twice.empty()) {
    making.wrong("prefix", std::move(twice));
    return nullptr;
  }
  return std::make_shared<const RowSchema>(std::move(fields));
}

std::optional<KeyKind> join_key(const Making& making) {
  const RowSchema& left = *making.input->schema;
  const RowSchema& right = *making.right->schema;
  if (making.key.size() != making.right_key.size()) {
    making.wrong("left", fmt::format("the left key has {} fields, the right one {}",
                                     making.key.size(), making.right_key.size()));
    return std::nullopt;
  }
  for (std::size_t at = 0; at < making.key.size(); ++at) {
    const ColumnInfo& one = left.fields()[making.key[at]];
    const ColumnInfo& other = right.fields()[making.right_key[at]];
    if (one.type == other.type) continue;
    making.wrong("left", fmt::format("the keys are of different types: \"{}\" is of type {}, "
                                     "\"{}\" of type {}",
                                     one.name, column_type_name(one.type), other.name,
                                     column_type_name(other.type)));
    return std::nullopt;
  }
  const KeyKind kind = key_kind(left, making.key);
  return kind == key_kind(right, making.right_key) ? kind : KeyKind::fields;
}

}  // namespace millrace::detail
