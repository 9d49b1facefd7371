// aggregate_by: the component of an aggregate for one kind of key; instantiated once a kind.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "catalog/entry.hpp"
#include "catalog/row_aggregate.hpp"
#include "catalog/row_keys.hpp"

namespace millrace::detail {

/// The results of a component as rows.
template <class Results>
MadeStreams rows_of(const Results& results, const RowAggregate& what, bool encoded) {
  const RowSchemaPtr schema = schema_of(what, false);
  const NodeId id = results.from().front().node;
  emit_rows<std::decay_t<typename Results::Record>>(results.declaration(), id, schema, encoded);
  return MadeStreams::of(row_stream(results.declaration(), {{id, 0}}, schema));
}

template <class K, class V>
RowStream top_of(const WindowAggregates<K, V>& aggregates, const RowAggregate& what, bool encoded,
                 std::size_t n, std::size_t by) {
  const auto ranked = [&] {
    if constexpr (std::is_same_v<V, RowValues>) {
      return aggregates.top(n, [by](const V& values) -> const Value& { return values[by]; });
    } else if constexpr (std::is_same_v<V, Trend>) {
      return aggregates.top(n, [by](const Trend& trend) {
        return by == 0 ? trend.value : by == 1 ? trend.expected : trend.score;
      });
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

template <class K, class V>
MadeStreams ranked_or_rows(const WindowAggregates<K, V>& aggregates, const RowAggregate& what,
                           bool encoded);

/// Whether the values of an aggregate are of one number that adds up, so that trend compares them.
template <class V>
bool adds_up(const RowAggregate& what) {
  return std::is_arithmetic_v<V> || what.kind == "count" || what.kind == "sum";
}

/// What of `aggregates` can be ranked.
template <class K, class V>
RankedBy ranked_by(const WindowAggregates<K, V>& aggregates, const RowAggregate& what,
                   bool encoded) {
  RankedBy ranked;
  ranked.schema = schema_of(what, false);
  ranked.top = [aggregates, what, encoded](std::size_t n, std::size_t by) {
    return top_of(aggregates, what, encoded, n, by);
  };
  if (!adds_up<V>(what)) return ranked;
  if constexpr (TrendNumber<V>::kIs) {
    ranked.trend = [aggregates, what, encoded](const TrendOptions& options, const Making& making) {
      RowAggregate trend = what;
      trend.id = making.text.id;
      trend.tasks = making.text.parallelism;
      trend.only_ranked = making.only_tops;
      trend.values.clear();
      for (const char* const name : {"value", "expected", "score"}) {
        trend.values.push_back({name, ColumnType::real});
      }
      return ranked_or_rows(named_as(aggregates.trend(options), trend), trend, encoded);
    };
  }
  return ranked;
}

/// Its rows, or, where only verbs that rank it read it, what they need.
template <class K, class V>
MadeStreams ranked_or_rows(const WindowAggregates<K, V>& aggregates, const RowAggregate& what,
                           bool encoded) {
  if (!what.only_ranked) return rows_of(aggregates, what, encoded);
  MadeStreams outlets = MadeStreams::end();
  outlets.ranked = std::make_shared<const RankedBy>(ranked_by(aggregates, what, encoded));
  return outlets;
}

/// The aggregate of all rows of `windows`, or of the last ones alone (by encoded keys);
/// use(the results).
template <bool kEncoded, class Windowed, class Kernel, class Use>
MadeStreams aggregated(const Windowed& windows, const RowAggregate& what, const Kernel& kernel,
                       Use&& use) {
  const std::string& value = what.values.front().name;
  if constexpr (kEncoded && std::is_same_v<Kernel, RowKernel>) {
    if (what.last) {
      const NewestStream<Windowed, RowRef> newest(windows, *what.last);
      return use(named_as(newest.apply(what.kind, value, kernel), what));
    }
  }
  return use(named_as(windows.apply(what.kind, value, kernel), what));
}

/// The aggregates of windows that all keys share.
template <bool kEncoded, class Keyed, class Kernel>
MadeStreams windowed(const Keyed& keyed, const Windows& spec, const RowAggregate& what,
                     const Kernel& kernel) {
  return aggregated<kEncoded>(keyed.window(spec), what, kernel, [&](const auto& aggregates) {
    if (!what.last) set_ties(aggregates.declaration(), aggregates.from().front().node, kernel);
    return ranked_or_rows(aggregates, what, kEncoded);
  });
}

/// The aggregates of windows that every key has of its own; its keys are encoded.
template <class Keyed, class Spec>
MadeStreams own_windowed(const Keyed& keyed, const Spec& spec, const RowAggregate& what,
                         const RowKernel& kernel) {
  constexpr bool kCut = requires { keyed.window(spec); };
  if constexpr (!kCut) {
    const auto rows =
        named_as(keyed.over(spec).apply(what.kind, what.values.front().name, kernel), what);
    return rows_of(rows, what, true);
  } else {
    return aggregated<true>(keyed.window(spec), what, kernel, [&](const auto& rows) {
      // Windows by records are ordered whatever the kernel is, and so are the last of any.
      if (!std::is_same_v<Spec, CountWindows> && !what.last)
        set_ties(rows.declaration(), rows.from().front().node, kernel);
      return rows_of(rows, what, true);
    });
  }
}

/// The new value for every row.
template <class Keyed, class Kernel>
MadeStreams running(const Keyed& keyed, const RowAggregate& what, const Kernel& kernel,
                    bool encoded) {
  const auto rows = named_as(keyed.apply(what.kind, what.values.front().name, kernel), what);
  set_ties(rows.declaration(), rows.from().front().node, kernel);
  return rows_of(rows, what, encoded);
}

template <bool kEncoded, class Keyed, class Kernel>
MadeStreams with_kernel(const Keyed& keyed, const RowAggregate& what, const Kernel& kernel) {
  if (!what.windows) return running(keyed, what, kernel, kEncoded);
  return std::visit(
      [&](const auto& windows) {
        using Spec = std::decay_t<decltype(windows)>;
        if constexpr (std::is_same_v<Spec, Windows>) {
          return windowed<kEncoded>(keyed, windows, what, kernel);
        } else if constexpr (kEncoded && !kRefires<Spec> && std::is_same_v<Kernel, RowKernel>) {
          return own_windowed(keyed, windows, what, kernel);
        } else {
          // refiring_by_fields makes these; or the kernel is always a RowKernel, and the keys are
          // encoded
          return MadeStreams::none();
        }
      },
      *what.windows);
}

template <class Field>
MadeStreams aggregate_by(const Stream<RowRef>& rows, const RowAggregate& what, const Field& field) {
  constexpr bool kEncoded = std::is_same_v<Field, KeyFields>;
  std::vector<std::string> names;
  for (const ColumnInfo& info : what.key_fields) names.push_back(info.name);
  const auto keyed = keyed_rows(rows, field, names);
  return std::visit([&](const auto& kernel) { return with_kernel<kEncoded>(keyed, what, kernel); },
                    what.kernel);
}

}  // namespace millrace::detail
