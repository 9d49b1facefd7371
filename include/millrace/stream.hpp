// Stream<T>: a typed handle to an edge of the topology, and the verbs that build the graph from it.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/declaration.hpp"
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

/// A stream of T. Cheap to copy; valid as long as its Topology. Verbs only declare: nothing runs
/// before run().
///
/// Functions given to verbs are copied into every task and called by that task's thread only.
template <class T>
class Stream : public detail::VerbsThatNeedMore {
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
    detail::Node node =
        detail::operator_node<detail::EventTime<T, Get>>("event_time", inputs({}), get, options);
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
    detail::Node node = detail::operator_node<detail::MapOperator<T, U, F>>("map", inputs({}), f);
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
    detail::Node node =
        detail::operator_node<Op>("filter", inputs({}), std::tuple<F>(std::move(predicate)));
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
    detail::Node node = detail::operator_node<Op>("branch", inputs({}),
                                                  std::tuple<Fs...>(std::move(predicates)...));
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
    detail::Node node = detail::sink_node(
        "view", "", inputs({}), [shown] { return std::make_unique<detail::ViewSink<T>>(shown); });
    node.name = view.name;
    declaration_->graph.add(std::move(node));
  }
  /// Ends the stream as text in a file or on standard output: log(...), csv(...).
  template <detail::TextEnd Spec>
  void to(Spec spec) const {
    declaration_->graph.add(detail::text_node<T>(spec, inputs({}), names_));
  }
  /// Ends the stream in a function.
  template <class F>
  void to(EachSpec<F> each) const {
    static_assert(std::is_invocable_v<F&, const T&>,
                  "millrace: each needs a function that takes this stream's records");
    declaration_->graph.add(detail::sink_node("each", "", inputs({}), [each] {
      return std::make_unique<detail::EachSink<T, F>>(each.f);
    }));
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
  template <class U>
  Stream<U> derive(detail::Node node) const {
    const detail::NodeId id = declaration_->graph.add(std::move(node));
    detail::RowNames names;
    if constexpr (std::is_same_v<T, U>) names = names_;
    return Stream<U>(*declaration_, {{id, 0}}, std::move(names));
  }

  template <class U, class Each>
  Stream<U> emitter(std::string kind, Each each) const {
    detail::Node node = detail::operator_node<detail::EmitOperator<T, U, Each>>(
        std::move(kind), inputs({}), std::move(each));
    node.output = &detail::batch_type<U>();
    return derive<U>(std::move(node));
  }

  template <std::size_t... I>
  std::array<Stream, sizeof...(I)> ports(detail::NodeId id, std::index_sequence<I...>) const {
    return {Stream(*declaration_, {{id, static_cast<std::uint32_t>(I)}}, names_)...};
  }

  detail::Declaration* declaration_;
  std::vector<detail::Upstream> from_;
  detail::RowNames names_;
};

}  // namespace millrace

#include "millrace/keyed_stream.hpp"  // what key_by returns; needs Stream
