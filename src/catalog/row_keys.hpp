// Rows by key: the keyed stream that the fields of a grouping make, and results that leave as rows.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catalog/row_stream.hpp"
#include "operator/row_convert.hpp"

namespace millrace::detail {

/// Lets the results of a component leave it as rows; a RowMaker is made of `args`.
template <class In, class... Args>
void emit_rows(Declaration& declaration, NodeId id, const Args&... args) {
  Node& node = declaration.graph.node(id);
  const auto wrapped = [args...](std::function<std::unique_ptr<Operator>()> inner) {
    return [args..., inner = std::move(inner)]() -> std::unique_ptr<Operator> {
      return std::make_unique<EmitsRows<In>>(inner(), RowMaker<In>(args...));
    };
  };
  node.make_operator = wrapped(node.make_operator);
  if (node.two_phase) node.two_phase->merge = wrapped(node.two_phase->merge);
  node.output = &batch_type<RowRef>();
  if (!node.outputs.empty()) node.outputs.front() = node.output;
}

/// `rows` keyed by what `field` takes of them.
template <class Field>
auto keyed_rows(const Stream<RowRef>& rows, const Field& field, std::vector<std::string> names) {
  using Key = KeyFn<RowRef, Field>;
  return KeyedStream<RowRef, Key>(
      rows, std::make_shared<const TypedKeyHash<RowRef, Key>>(Key(field)), std::move(names));
}

/// How the fields of a key are taken: one that is a simple key as it is, others (or none, the key
/// of all rows) encoded.
enum class KeyKind { integer, text, fields };
inline KeyKind key_kind(const RowSchema& schema, const std::vector<std::size_t>& key) {
  if (key.empty()) return KeyKind::fields;
  const ColumnInfo& first = schema.fields()[key.front()];
  if (key.size() > 1 || first.optional) return KeyKind::fields;
  if (first.type == ColumnType::boolean || first.type == ColumnType::real) return KeyKind::fields;
  return first.type == ColumnType::text ? KeyKind::text : KeyKind::integer;
}

/// Calls use(keyed stream, whether its keys are encoded).
template <class Use>
auto with_keyed_rows(const RowStream& rows, const std::vector<std::size_t>& key, Use&& use) {
  std::vector<std::string> names;
  for (const std::size_t field : key) names.push_back(rows.schema->fields()[field].name);
  switch (key_kind(*rows.schema, key)) {
    case KeyKind::integer:
      return use(keyed_rows(rows.rows, IntegerField{key.front()}, std::move(names)), false);
    case KeyKind::text:
      return use(keyed_rows(rows.rows, TextField{key.front()}, std::move(names)), false);
    default:
      return use(keyed_rows(rows.rows, KeyFields(key), std::move(names)), true);
  }
}

}  // namespace millrace::detail
