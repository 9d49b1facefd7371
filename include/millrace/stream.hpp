// Stream<T>: a typed handle to an edge of the topology, and the verbs that build the graph from it.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/sinks.hpp"
#include "operator/event_time.hpp"
#include "operator/row_shape.hpp"
#include "operator/stateless.hpp"
#include "operator/top.hpp"
#include "operator/two_phase.hpp"
#include "topology/topology_graph.hpp"

namespace millrace {

/// The record itself as a key: `key_by(self)`.
inline constexpr auto self = [](const auto& record) -> const auto& { return record; };

template <class T, class Key>
class KeyedStream;
template <class T, class Key>
class WindowedStream;
template <class K, class V>
class WindowAggregates;

namespace detail {

/// Where a stream comes from: an output port of a component.
struct Upstream {
  NodeId node;
  std::uint32_t port;
};

/// What a topology owns while it is declared; streams point to it.
struct Declaration {
  explicit Declaration(std::string name) : graph(std::move(name)) {}
  Graph graph;
  std::vector<std::shared_ptr<View>> views;
};

template <class F>
struct CallTraits : CallTraits<decltype(&F::operator())> {};
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

template <class T, class... Parts>
std::vector<std::string> key_names(const Parts&... parts) {
  std::vector<std::string> names;
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

}  // namespace detail

/// A stream of T. Cheap to copy; valid as long as its Topology. Verbs only declare: nothing runs
/// before run().
///
/// Functions given to verbs are copied into every task and called by that task's thread only.
template <class T>
class Stream {
 public:
  using Record = T;

  Stream(detail::Declaration& declaration, std::vector<detail::Upstream> from,
         detail::RowNames names = {})
      : declaration_(&declaration), from_(std::move(from)), names_(std::move(names)) {}

  /// Names the component that makes this stream: 1 to 64 characters, unique. On the page, in logs
  /// and metrics.
  Stream named(std::string name) const {
    rename(std::move(name));
    return *this;
  }

  /// Takes each record's event time from a member (Timestamp, or integer microseconds) or a
  /// function, and says how far out of order records may come. Must stand in the source's chain,
  /// before any shuffle or merge (2007).
  template <class Get>
  Stream event_time(Get get, EventTimeOptions options = {}) const {
    detail::Node node = operator_node<detail::EventTime<T, Get>>("event_time", get, options);
    node.originates_time = true;
    node.output = &detail::batch_type<T>();
    if (options.out_of_order < Duration(0)) {
      node.problem =
          Status(Code::parameter_invalid, "out_of_order is negative: give a duration of 0 or more");
    }
    return derive<T>(std::move(node));
  }

  /// One record for each: f(const T&) -> U.
  template <class F>
  auto map(F f) const {
    static_assert(std::is_invocable_v<F&, const T&>,
                  "millrace: map needs a function that takes this stream's records");
    using U = std::decay_t<std::invoke_result_t<F&, const T&>>;
    static_assert(
        !std::is_void_v<U>,
        "millrace: map's function returns nothing: return the new record, or use flat_map");
    detail::Node node = operator_node<detail::MapOperator<T, U, F>>("map", f);
    node.output = &detail::batch_type<U>();
    return derive<U>(std::move(node));
  }

  /// Any number of records for each: f(const T&, Output<U>&), or f(const T&) -> a range of U.
  template <class F>
  auto flat_map(F f) const {
    if constexpr (detail::EmitsThroughOutput<F>) {
      return emitter<typename detail::CallTraits<F>::Emitted>("flat_map", std::move(f));
    } else {
      static_assert(
          detail::ReturnsRange<F, T>,
          "millrace: flat_map needs f(const T&, Output<U>&), or f(const T&) that returns a range");
      using U = std::decay_t<decltype(*std::declval<F&>()(std::declval<const T&>()).begin())>;
      return emitter<U>("flat_map", detail::EmitRange<F>{std::move(f)});
    }
  }

  /// Keeps the records for which the predicate holds.
  template <class F>
  Stream filter(F predicate) const {
    static_assert(
        std::is_invocable_r_v<bool, F&, const T&>,
        "millrace: filter needs a predicate that takes this stream's records and returns bool");
    using Op = detail::SelectOperator<T, false, F>;
    detail::Node node = operator_node<Op>("filter", std::tuple<F>(std::move(predicate)));
    node.output = &detail::batch_type<T>();
    return derive<T>(std::move(node));
  }

  /// Splits: each record goes to the first stream whose predicate holds, or to the last one, the
  /// rest.
  template <class... Fs>
  std::array<Stream, sizeof...(Fs) + 1> branch(Fs... predicates) const {
    static_assert(
        (std::is_invocable_r_v<bool, Fs&, const T&> && ...),
        "millrace: branch needs predicates that take this stream's records and return bool");
    using Op = detail::SelectOperator<T, true, Fs...>;
    detail::Node node = operator_node<Op>("branch", std::tuple<Fs...>(std::move(predicates)...));
    node.output = &detail::batch_type<T>();
    const detail::NodeId id = declaration_->graph.add(std::move(node));
    return ports(id, std::make_index_sequence<sizeof...(Fs) + 1>{});
  }

  /// This stream and others as one. Order is kept per sender.
  template <class... Others>
  Stream merge(const Others&... others) const {
    static_assert((std::is_base_of_v<Stream, Others> && ...),
                  "millrace: merge joins streams of one record type: map them first");
    Stream merged = *this;
    (merged.from_.insert(merged.from_.end(), others.from_.begin(), others.from_.end()), ...);
    return merged;
  }

  /// Groups by a member, several members, or a function of the record.
  template <class... Parts>
  auto key_by(Parts... parts) const {
    static_assert(sizeof...(Parts) > 0 && (std::is_invocable_v<const Parts&, const T&> && ...),
                  "millrace: key_by needs members or functions of this stream's records");
    using Key = detail::KeyFn<T, Parts...>;
    auto hash = std::make_shared<const detail::TypedKeyHash<T, Key>>(Key(parts...));
    return KeyedStream<T, Key>(*this, std::move(hash), detail::key_names<T>(parts...));
  }

  /// Ends the stream in a view of the page.
  void to(ViewSpec view) const {
    auto shown = detail::make_view<T>(view, names_);
    declaration_->views.push_back(shown);
    add_sink("view", view.name, view.name,
             [shown] { return std::make_unique<detail::ViewSink<T>>(shown); });
  }
  /// Ends the stream in a file or on standard output, one JSON object a line.
  void to(LogSpec log) const {
    add_sink("log", log.path == "-" ? "stdout" : log.path, "",
             [log, names = names_] { return detail::make_log_sink<T>(log, names); });
  }
  /// Ends the stream in a function.
  template <class F>
  void to(EachSpec<F> each) const {
    static_assert(std::is_invocable_v<F&, const T&>,
                  "millrace: each needs a function that takes this stream's records");
    add_sink("each", "", "", [each] { return std::make_unique<detail::EachSink<T, F>>(each.f); });
  }

  // Verbs that need something first. The sentences are the compiler's answer to a wrong wiring.
  template <class W>
  void window(W) const {
    static_assert(detail::kNever<W>,
                  "millrace: window needs a key: put key_by(&Record::member) before it");
  }
  template <class U = T>
  void count() const {
    static_assert(detail::kNever<U>,
                  "millrace: count needs a key: put key_by(&Record::member) before it");
  }
  template <class F>
  void sum(F) const {
    static_assert(detail::kNever<F>,
                  "millrace: sum needs a key: put key_by(&Record::member) before it");
  }
  template <class A, class... Fs>
  void fold(A, Fs...) const {
    static_assert(detail::kNever<A>,
                  "millrace: fold needs a key: put key_by(&Record::member) before it");
  }
  template <class N, class... Fs>
  void top(N, Fs...) const {
    static_assert(detail::kNever<N>,
                  "millrace: top ranks the aggregates of windows: put key_by, window and count or "
                  "fold before it");
  }

  // Internal.
  detail::Declaration& declaration() const { return *declaration_; }
  const std::vector<detail::Upstream>& from() const { return from_; }
  const detail::RowNames& names() const { return names_; }

  std::vector<detail::NodeInput> inputs(const detail::Grouping& grouping) const {
    std::vector<detail::NodeInput> list;
    for (const detail::Upstream& from : from_) list.push_back({from.node, from.port, grouping});
    return list;
  }

 protected:
  void rename(std::string name) const {
    if (from_.size() != 1) return;
    declaration_->graph.rename(from_.front().node, std::move(name));
  }

 private:
  template <class Op, class... Args>
  detail::Node operator_node(std::string kind, Args... args) const {
    detail::Node node;
    node.kind = std::move(kind);
    node.inputs = inputs({});
    node.make_operator = [args...] { return std::make_unique<Op>(args...); };
    return node;
  }

  template <class U>
  Stream<U> derive(detail::Node node) const {
    const detail::NodeId id = declaration_->graph.add(std::move(node));
    detail::RowNames names;
    if constexpr (std::is_same_v<T, U>) names = names_;
    return Stream<U>(*declaration_, {{id, 0}}, std::move(names));
  }

  template <class U, class Each>
  Stream<U> emitter(std::string kind, Each each) const {
    detail::Node node =
        operator_node<detail::EmitOperator<T, U, Each>>(std::move(kind), std::move(each));
    node.output = &detail::batch_type<U>();
    return derive<U>(std::move(node));
  }

  template <std::size_t... I>
  std::array<Stream, sizeof...(I)> ports(detail::NodeId id, std::index_sequence<I...>) const {
    return {Stream(*declaration_, {{id, static_cast<std::uint32_t>(I)}}, names_)...};
  }

  void add_sink(std::string kind, std::string note, std::string name,
                std::function<std::unique_ptr<detail::Sink>()> make) const {
    detail::Node node;
    node.kind = std::move(kind);
    node.note = std::move(note);
    node.name = std::move(name);
    node.inputs = inputs({});
    node.tasks = 1;
    node.make_sink = std::move(make);
    declaration_->graph.add(std::move(node));
  }

  detail::Declaration* declaration_;
  std::vector<detail::Upstream> from_;
  detail::RowNames names_;
};

/// Running aggregates and windows of a keyed stream.
template <class T, class Key>
class KeyedStream {
 public:
  using K = typename Key::View;
  using KeyPtr = std::shared_ptr<const detail::TypedKeyHash<T, Key>>;

  KeyedStream(Stream<T> stream, KeyPtr key, std::vector<std::string> names)
      : stream_(std::move(stream)), key_(std::move(key)), names_(std::move(names)) {}

  /// Cuts into windows of event time, or one over everything.
  WindowedStream<T, Key> window(Windows windows) const { return {*this, windows}; }

  /// Number of records of each key so far, emitted for every record.
  auto count() const { return running("count", "count", detail::CountKernel{}); }
  /// Sum of a number of each record so far, emitted for every record. Integers in 64 bits, reals in
  /// double.
  template <class F>
  auto sum(F number) const {
    return running("sum", "sum", detail::SumKernel<T, F>{std::move(number)});
  }
  /// Folds each key's records into a value that starts as `initial`: add(A&, const T&), or add(A,
  /// const T&) -> A; emitted for every record. When add throws, the value is as before.
  template <class A, class Add>
  auto fold(A initial, Add add) const {
    using Kernel = detail::FoldKernel<T, A, Add, detail::NoMerge>;
    return running("fold", "value", Kernel{std::move(initial), std::move(add), {}});
  }

  // Internal.
  const Stream<T>& stream() const { return stream_; }
  const KeyPtr& key() const { return key_; }
  const std::vector<std::string>& key_names() const { return names_; }

 private:
  template <class Kernel>
  auto running(std::string kind, std::string value, Kernel kernel) const {
    using Op = detail::RunningAggregate<T, Key, Kernel>;
    using Row = typename Op::Row;
    detail::Node node;
    node.kind = std::move(kind);
    node.inputs = stream_.inputs({detail::GroupingKind::fields, key_});
    node.make_operator = [key = key_, kernel] { return std::make_unique<Op>(key, kernel); };
    node.output = &detail::batch_type<Row>();
    const detail::NodeId id = stream_.declaration().graph.add(std::move(node));
    return Stream<Row>(stream_.declaration(), {{id, 0}}, {names_, std::move(value), false});
  }

  Stream<T> stream_;
  KeyPtr key_;
  std::vector<std::string> names_;
};

/// Aggregates of the windows of a keyed stream; emitted when the watermark passes a window's end.
template <class T, class Key>
class WindowedStream {
 public:
  using K = typename Key::View;

  WindowedStream(KeyedStream<T, Key> keyed, Windows windows)
      : keyed_(std::move(keyed)), windows_(windows) {}

  /// Number of records a key and window.
  auto count() const { return aggregate("count", "count", detail::CountKernel{}); }
  /// Sum of a number of each record a key and window.
  template <class F>
  auto sum(F number) const {
    return aggregate("sum", "sum", detail::SumKernel<T, F>{std::move(number)});
  }
  /// Folds the records of a key and window: add(A&, const T&) or add(A, const T&) -> A. With
  /// merge(A&, const A&) or merge(A, const A&) -> A (associative and commutative), sliding windows
  /// share panes and records are combined before they are shuffled.
  template <class A, class Add, class Merge = detail::NoMerge>
  auto fold(A initial, Add add, Merge merge = {}) const {
    if constexpr (Described<A>) {
      static_assert(!Schema<A>::kBorrows,
                    "millrace: a fold's value outlives the records it is made of: hold "
                    "std::string, not std::string_view");
    }
    using Kernel = detail::FoldKernel<T, A, Add, Merge>;
    return aggregate("fold", "value", Kernel{std::move(initial), std::move(add), std::move(merge)});
  }

 private:
  template <class Kernel>
  auto aggregate(std::string kind, std::string value, Kernel kernel) const {
    using Op = detail::WindowAggregate<T, Key, Kernel>;
    using V = typename Kernel::Value;
    using Row = Aggregate<K, V>;
    const auto& key = keyed_.key();
    detail::Node node;
    node.kind = std::move(kind);
    node.note = windows_.to_string();
    node.problem = windows_.validate();
    node.needs_time = !windows_.is_global();
    node.inputs = keyed_.stream().inputs({detail::GroupingKind::fields, key});
    node.make_operator = [windows = windows_, key, kernel] {
      return std::make_unique<Op>(windows, key, kernel);
    };
    if constexpr (Kernel::kMerges) node.two_phase = two_phase(kernel);
    node.output = &detail::batch_type<Row>();
    auto& declaration = keyed_.stream().declaration();
    const detail::NodeId id = declaration.graph.add(std::move(node));
    return WindowAggregates<K, V>(Stream<Row>(
        declaration, {{id, 0}}, {keyed_.key_names(), std::move(value), !windows_.is_global()}));
  }

  template <class Kernel>
  detail::TwoPhase two_phase(const Kernel& kernel) const {
    using Acc = typename Kernel::Acc;
    detail::TwoPhase phases;
    phases.combine = [windows = windows_, key = keyed_.key(),
                      kernel]() -> std::unique_ptr<detail::Operator> {
      return std::make_unique<detail::WindowCombine<T, Key, Kernel>>(windows, key, kernel);
    };
    phases.merge = [windows = windows_, kernel]() -> std::unique_ptr<detail::Operator> {
      return std::make_unique<detail::WindowMerge<K, Kernel>>(windows, kernel);
    };
    phases.between = &detail::batch_type<detail::Partial<K, Acc>>();
    phases.grouping = {detail::GroupingKind::fields,
                       std::make_shared<detail::PartialKeyHash<K, Acc>>()};
    return phases;
  }

  KeyedStream<T, Key> keyed_;
  Windows windows_;
};

/// The aggregates that windows emit: a stream that can also be ranked.
template <class K, class V>
class WindowAggregates : public Stream<Aggregate<K, V>> {
 public:
  using Base = Stream<Aggregate<K, V>>;
  explicit WindowAggregates(Base stream) : Base(std::move(stream)) {}

  WindowAggregates named(std::string name) const {
    Base::rename(std::move(name));
    return *this;
  }

  /// The n greatest of each window, ranked from 1; equal ones by key ascending (texts by their
  /// bytes).
  Stream<Ranked<K, V>> top(std::size_t n) const {
    static_assert(
        std::is_arithmetic_v<V>,
        "millrace: top(n) ranks numbers: after fold say by which, top(n, &Value::member)");
    return ranked(n, [](const V& value) { return value; });
  }
  /// The n greatest by a member or function of the aggregate's value.
  template <class Score>
  Stream<Ranked<K, V>> top(std::size_t n, Score score) const {
    static_assert(std::is_invocable_v<const Score&, const V&>,
                  "millrace: top's second argument is a member or function of the folded value");
    return ranked(n, std::move(score));
  }

 private:
  template <class Score>
  Stream<Ranked<K, V>> ranked(std::size_t n, Score score) const {
    detail::Node node;
    node.kind = "top";
    node.note = "top " + std::to_string(n);
    if (n == 0)
      node.problem = Status(Code::parameter_invalid, "top(0) keeps nothing: ask for at least 1");
    node.inputs = Base::inputs({detail::GroupingKind::global, nullptr});
    node.make_operator = [n, score] {
      return std::make_unique<detail::TopOperator<K, V, Score, true>>(n, score);
    };
    detail::TwoPhase phases;
    phases.combine = [n, score]() -> std::unique_ptr<detail::Operator> {
      return std::make_unique<detail::TopOperator<K, V, Score, false>>(n, score);
    };
    phases.merge = node.make_operator;
    phases.between = &detail::batch_type<Aggregate<K, V>>();
    phases.grouping = {detail::GroupingKind::global, nullptr};
    node.two_phase = std::move(phases);
    node.output = &detail::batch_type<Ranked<K, V>>();
    const detail::NodeId id = Base::declaration().graph.add(std::move(node));
    return Stream<Ranked<K, V>>(Base::declaration(), {{id, 0}}, Base::names());
  }
};

}  // namespace millrace
