// How verbs become nodes of the graph, and what a topology owns while it is declared.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "connector/view.hpp"
#include "millrace/unkeyed_statistics.hpp"
#include "operator/output.hpp"
#include "operator/row_shape.hpp"
#include "record/schema.hpp"
#include "topology/topology_graph.hpp"

namespace millrace {

namespace detail {

/// Where a stream comes from: an output port of a component, and how its next reader gets the
/// records unless it needs a grouping of its own.
struct Upstream {
  NodeId node;
  std::uint32_t port;
  Grouping grouping = {};
};

/// The inputs of a reader that needs `grouping`; one that does not care (forward) takes what the
/// stream was given.
inline std::vector<NodeInput> inputs_from(const std::vector<Upstream>& streams,
                                          const Grouping& grouping) {
  const bool own = grouping.kind != GroupingKind::forward;
  std::vector<NodeInput> inputs;
  for (const Upstream& from : streams) {
    inputs.push_back({from.node, from.port, own ? grouping : from.grouping});
  }
  return inputs;
}

/// What a topology owns while it is declared; streams point to it.
struct Declaration {
  explicit Declaration(std::string name) : graph(std::move(name)) {}
  Graph graph;
  std::vector<std::shared_ptr<View>> views;
};

/// What a callable f(record, Output<U>&) emits: U, where it can be read off its type.
template <class F>
struct CallTraits {};
template <class F>
  requires requires { &F::operator(); }
struct CallTraits<F> : CallTraits<decltype(&F::operator())> {};
template <class R, class In, class U>
struct CallTraits<R (*)(In, Output<U>&)> {
  using Emitted = U;
};
template <class C, class R, class In, class U>
struct CallTraits<R (C::*)(In, Output<U>&) const> {
  using Emitted = U;
};
template <class C, class R, class In, class U>
struct CallTraits<R (C::*)(In, Output<U>&)> {
  using Emitted = U;
};

/// True for callables f(record, Output<U>&) whose U can be read off.
template <class F>
concept EmitsThroughOutput = requires { typename CallTraits<F>::Emitted; };

template <class F, class T>
concept ReturnsRange = requires(F& f, const T& record) {
  f(record).begin();
  f(record).end();
};

/// Adapts a function that returns a range to one that emits through an Output.
template <class F>
struct EmitRange {
  F f;
  template <class In, class Out>
  void operator()(const In& record, Output<Out>& out) {
    for (auto&& item : f(record)) out.emit(Out(std::forward<decltype(item)>(item)));
  }
};

/// The keys' names in a stream whose columns are named `from`.
template <class T, class... Parts>
std::vector<std::string> key_names(const RowNames& from, const Parts&... parts) {
  std::vector<std::string> names;
  if constexpr (sizeof...(Parts) == 1 && requires(const T& row) {
                  row.key;
                  row.windowed();
                }) {
    // The key of an aggregate is called what it was called there.
    if constexpr ((std::is_same_v<Parts, decltype(&T::key)> && ...)) {
      if (!from.keys.empty()) return from.keys;
    }
  }
  const auto name = [&names](const auto& part) {
    if constexpr (std::is_member_object_pointer_v<std::decay_t<decltype(part)>> && Described<T>) {
      names.push_back(member_name(part));
    } else {
      names.push_back(sizeof...(Parts) == 1 ? "key" : "key" + std::to_string(names.size() + 1));
    }
  };
  (name(parts), ...);
  return names;
}

template <class>
inline constexpr bool kNever = false;

/// Verbs that a plain stream does not have: calling one is the compiler's answer to a wrong wiring.
class VerbsThatNeedMore : public StatisticsThatNeedAKey {
 public:
  template <class W>
  void window(W) const {
    static_assert(kNever<W>, "millrace: window needs a key: put key_by(&Record::member) before it");
  }
  template <class U = void>
  void count() const {
    static_assert(kNever<U>, "millrace: count needs a key: put key_by(&Record::member) before it");
  }
  template <class F>
  void sum(F) const {
    static_assert(kNever<F>, "millrace: sum needs a key: put key_by(&Record::member) before it");
  }
  template <class F>
  void min(F) const {
    static_assert(kNever<F>, "millrace: min needs a key: put key_by(&Record::member) before it");
  }
  template <class F>
  void max(F) const {
    static_assert(kNever<F>, "millrace: max needs a key: put key_by(&Record::member) before it");
  }
  template <class F>
  void first(F) const {
    static_assert(kNever<F>, "millrace: first needs a key: put key_by(&Record::member) before it");
  }
  template <class F>
  void last(F) const {
    static_assert(kNever<F>, "millrace: last needs a key: put key_by(&Record::member) before it");
  }
  template <class F, class... Fs>
  void mean(F, Fs...) const {
    static_assert(kNever<F>, "millrace: mean needs a key: put key_by(&Record::member) before it");
  }
  template <class F, class... Fs>
  void distinct(F, Fs...) const {
    static_assert(kNever<F>,
                  "millrace: distinct needs a key: put key_by(&Record::member) before it");
  }
  template <class F, class... Fs>
  void aggregate(F, Fs...) const {
    static_assert(kNever<F>,
                  "millrace: aggregate needs a key: put key_by(&Record::member) before it");
  }
  template <class A, class... Fs>
  void fold(A, Fs...) const {
    static_assert(kNever<A>, "millrace: fold needs a key: put key_by(&Record::member) before it");
  }
  template <class N, class... Fs>
  void top(N, Fs...) const {
    static_assert(kNever<N>,
                  "millrace: top ranks the aggregates of windows: put key_by, window and count or "
                  "fold before it");
  }
};

/// Verbs that keyed and windowed streams do not have.
class VerbsThatNeedAggregates {
 public:
  template <class S>
  void to(S) const {
    static_assert(kNever<S>,
                  "millrace: a keyed stream has no rows to show or write: put count(), sum(...) or "
                  "another aggregate before to");
  }
  template <class N, class... Fs>
  void top(N, Fs...) const {
    static_assert(kNever<N>,
                  "millrace: top ranks the aggregates of windows: put window and count or another "
                  "aggregate before it");
  }
};

/// True for operators that add something to the image of an epoch.
template <class Op>
constexpr bool kSavesState = !requires {
  requires std::is_same_v<decltype(&Op::save_state), void (Operator::*)(StateWriter&)>;
};

/// A node that runs `Op`, made of `args` anew for every task.
template <class Op, class... Args>
Node operator_node(std::string kind, std::vector<NodeInput> inputs, Args... args) {
  Node node;
  node.kind = std::move(kind);
  node.inputs = std::move(inputs);
  node.make_operator = [args...] { return std::make_unique<Op>(args...); };
  node.by_record = requires { Op::kByRecord; };
  node.keeps_state = kSavesState<Op>;
  return node;
}

/// A node that ends a stream; one task, so that a view or a file sees all of it.
inline Node sink_node(std::string kind, std::string note, std::vector<NodeInput> inputs,
                      std::function<std::unique_ptr<Sink>()> make) {
  Node node;
  node.kind = std::move(kind);
  node.note = std::move(note);
  node.inputs = std::move(inputs);
  node.tasks = 1;
  node.make_sink = std::move(make);
  return node;
}

}  // namespace detail

}  // namespace millrace
