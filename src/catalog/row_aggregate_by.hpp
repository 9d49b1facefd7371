// aggregate_by: the component of an aggregate for one kind of key; instantiated once a kind.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "catalog/row_aggregate.hpp"

namespace millrace::detail {

/// Lets the aggregates of a component leave it as rows.
template <class In>
void emit_rows(Declaration& declaration, NodeId id, const RowSchemaPtr& schema, bool encoded) {
  Node& node = declaration.graph.node(id);
  const auto wrapped = [schema, encoded](std::function<std::unique_ptr<Operator>()> inner) {
    return [schema, encoded, inner = std::move(inner)]() -> std::unique_ptr<Operator> {
      return std::make_unique<EmitsRows<In>>(inner(), RowMaker<In>(schema, encoded));
    };
  };
  node.make_operator = wrapped(node.make_operator);
  if (node.two_phase) node.two_phase->merge = wrapped(node.two_phase->merge);
  node.output = &batch_type<RowRef>();
}

template <class K, class V>
RowStream top_of(const WindowAggregates<K, V>& aggregates, const RowAggregate& what, bool encoded,
                 std::size_t n, std::size_t by) {
  const auto ranked = [&] {
    if constexpr (std::is_same_v<V, RowValues>) {
      return aggregates.top(n, [by](const V& values) -> const Value& { return values[by]; });
    } else {
      return aggregates.top(n);
    }
  }();
  const RowSchemaPtr schema = schema_of(what, true);
  emit_rows<Ranked<K, V>>(ranked.declaration(), ranked.from().front().node, schema, encoded);
  return row_stream(ranked.declaration(), ranked.from(), schema);
}

template <class Aggregated>
Aggregated named_as(const Aggregated& stream, const RowAggregate& what) {
  const Aggregated named = stream.named(what.id);
  if (what.tasks) (void)named.parallel(*what.tasks);
  return named;
}

/// Of kernels that may break ties, whether this one does.
template <class Kernel>
void set_ties(Declaration& declaration, NodeId id, const Kernel& kernel) {
  if constexpr (std::is_same_v<Kernel, RowKernel>) {
    declaration.graph.node(id).breaks_ties = kernel.ordered();
  }
}

template <class Keyed, class Kernel>
MadeStreams windowed(const Keyed& keyed, const RowAggregate& what, const Kernel& kernel,
                     bool encoded) {
  const auto aggregates = named_as(
      keyed.window(*what.windows).apply(what.kind, what.values.front().name, kernel), what);
  using In = typename std::decay_t<decltype(aggregates)>::Base::Record;
  Declaration& declaration = aggregates.declaration();
  const NodeId id = aggregates.from().front().node;
  set_ties(declaration, id, kernel);
  const RowSchemaPtr schema = schema_of(what, false);
  if (!what.only_ranked) {
    emit_rows<In>(declaration, id, schema, encoded);
    return MadeStreams::of(row_stream(declaration, {{id, 0}}, schema));
  }
  MadeStreams outlets = MadeStreams::end();
  outlets.ranked = std::make_shared<const RankedBy>(
      RankedBy{schema, [aggregates, what, encoded](std::size_t n, std::size_t by) {
                 return top_of(aggregates, what, encoded, n, by);
               }});
  return outlets;
}

template <class Field>
MadeStreams aggregate_by(const Stream<RowRef>& rows, const RowAggregate& what, const Field& field) {
  using Key = KeyFn<RowRef, Field>;
  constexpr bool kEncoded = std::is_same_v<Field, KeyFields>;
  std::vector<std::string> names;
  for (const ColumnInfo& info : what.key_fields) names.push_back(info.name);
  const KeyedStream<RowRef, Key> keyed(
      rows, std::make_shared<const TypedKeyHash<RowRef, Key>>(Key(field)), names);
  return std::visit(
      [&](const auto& kernel) {
        if (what.windows) return windowed(keyed, what, kernel, kEncoded);
        const auto running =
            named_as(keyed.apply(what.kind, what.values.front().name, kernel), what);
        using In = typename std::decay_t<decltype(running)>::Record;
        const NodeId id = running.from().front().node;
        set_ties(running.declaration(), id, kernel);
        const RowSchemaPtr schema = schema_of(what, false);
        emit_rows<In>(running.declaration(), id, schema, kEncoded);
        return MadeStreams::of(row_stream(running.declaration(), {{id, 0}}, schema));
      },
      what.kernel);
}

}  // namespace millrace::detail
