// Running rankings and samples by time: verbs of keyed streams, and of streams as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/declaration.hpp"
#include "operator/keyed_process.hpp"
#include "operator/running_top.hpp"
#include "window/early_trigger.hpp"

namespace millrace {

template <class T>
class Stream;

namespace detail {

/// A component that runs `processor` by `key`.
template <class T, class Key, class P, class KeyPtr>
Node processor_node(std::string kind, const Stream<T>& stream, const KeyPtr& key, P processor) {
  using Op = KeyedProcess<T, Key, P>;
  Node node;
  node.kind = std::move(kind);
  node.needs_time = Op::kOnTimer || lives_by_event_time(processor);
  node.inputs = stream.inputs({GroupingKind::fields, key});
  node.make_operator = [key, processor] { return std::make_unique<Op>(key, processor); };
  node.output = &batch_type<typename Op::Emitted>();
  return node;
}

/// The n best records of each key; `names` are those of the key, `form` is how they are emitted.
template <class T, class Key, class KeyPtr, class Score, class Item>
auto running_top(const Stream<T>& stream, const KeyPtr& key, const std::vector<std::string>& names,
                 std::size_t n, Score score, Item item, RankedForm<T> form = {}) {
  static_assert(std::is_invocable_v<const Score&, const T&>,
                "millrace: top's second argument is a member or function of the record");
  using P = RunningTop<T, typename Key::View, Score, Item>;
  using Emitted = typename P::Emitted;
  Node node = processor_node<T, Key>("top", stream, key,
                                     P{n, std::move(score), std::move(item), std::move(form)});
  node.note = "top " + std::to_string(n);
  if (n == 0)
    node.problem = Status(Code::parameter_invalid, "top(0) keeps nothing: ask for at least 1");
  RowNames rows = stream.names();
  rows.row_keys = {"rank"};
  rows.row_keys.insert(rows.row_keys.end(), names.begin(), names.end());
  const NodeId id = stream.declaration().graph.add(std::move(node));
  return Stream<Emitted>(stream.declaration(), {{id, 0}}, std::move(rows));
}

/// The latest record of each key and span; `of_all`: of all records, whose key is one.
template <class T, class Key, class KeyPtr>
Stream<T> sampled(const Stream<T>& stream, const KeyPtr& key, const EarlyTrigger& every,
                  bool of_all) {
  using P = KeepSample<T, typename Key::View>;
  Node node = processor_node<T, Key>("sample", stream, key, P{every.span_us()});
  node.note = "every " + format_duration(Duration(every.span_us()));
  if (of_all) {
    node.tasks = 1;
    node.tasks_are_fixed = "one task chooses among the records of all";
  }
  if (every.span_us() <= 0) {
    node.problem = Status(Code::parameter_invalid,
                          "sample by time needs a span of event time greater than 0: "
                          "sample(every(10s)); a share of the records is sample(one_in(100))");
  }
  const NodeId id = stream.declaration().graph.add(std::move(node));
  return Stream<T>(stream.declaration(), {{id, 0}}, stream.names());
}

}  // namespace detail
}  // namespace millrace
