// Connected streams: records beside a broadcast stream, whose records each task has alike.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/keyed_stream.hpp"
#include "operator/broadcast_process.hpp"

namespace millrace {

/// What Stream::broadcast makes: to be connected to another stream.
template <class R>
class BroadcastStream {
 public:
  BroadcastStream(Stream<R> stream, BroadcastOrder order)
      : stream_(std::move(stream)), order_(order) {}

  // Internal.
  const Stream<R>& stream() const { return stream_; }
  BroadcastOrder order() const { return order_; }

 private:
  Stream<R> stream_;
  BroadcastOrder order_;
};

namespace detail {

/// Adds a component over both streams; `args` make the operator.
template <class Op, class U, class R, class... Args>
Stream<U> connected(Declaration& declaration, std::vector<NodeInput> inputs, bool needs_time,
                    const BroadcastStream<R>& broadcast, Args... args) {
  Node node;
  node.kind = "connect";
  const bool by_time = broadcast.order() == BroadcastOrder::by_event_time;
  node.needs_time = needs_time || by_time;
  node.breaks_ties = by_time;
  node.inputs = std::move(inputs);
  for (NodeInput input : broadcast.stream().inputs({GroupingKind::all})) {
    input.input = 1;
    node.inputs.push_back(std::move(input));
  }
  node.make_operator = [order = broadcast.order(), args...] {
    return std::make_unique<Op>(order, args...);
  };
  node.output = &batch_type<U>();
  return Stream<U>(declaration, {{declaration.graph.add(std::move(node)), 0}});
}

template <class P, class R, class U>
constexpr void check_broadcast() {
  static_assert(HasOnBroadcast<P>,
                "millrace: a class that is connected to a broadcast stream needs "
                "on_broadcast(const Rule&, BroadcastContext&, Output<Result>&), with the types "
                "written out");
  if constexpr (HasOnBroadcast<P>) {
    using Traits = BroadcastTraits<decltype(&P::on_broadcast)>;
    static_assert(std::is_same_v<typename Traits::Record, R>,
                  "millrace: on_broadcast takes another record than the broadcast stream's");
    static_assert(std::is_same_v<typename Traits::Emitted, U>,
                  "millrace: on_broadcast and process emit different records: give both the same "
                  "Output");
  }
}

}  // namespace detail

/// Records by key beside a broadcast stream.
template <class T, class Key, class R>
class KeyedConnection {
 public:
  using K = typename Key::View;
  using KeyPtr = std::shared_ptr<const detail::TypedKeyHash<T, Key>>;

  KeyedConnection(Stream<T> stream, KeyPtr key, BroadcastStream<R> broadcast)
      : stream_(std::move(stream)), key_(std::move(key)), broadcast_(std::move(broadcast)) {}

  /// An object of a class as for key_by(...).process, with states and timers of the key at hand,
  /// whose on_broadcast(const R&, BroadcastContext&, Output<Result>&) is called in every task for
  /// every broadcast record and writes its BroadcastStates, which the other methods read. What
  /// on_broadcast emits comes once from each task. Both streams move the watermark: where rules are
  /// rare, give them idle_after. Errors: 2005 without event time where timers, times to live or
  /// by_event_time need it.
  template <class P>
  auto process(P processor) const {
    static_assert(detail::KeyedProcessor<P>,
                  "millrace: behind key_by a connected class has process(const Record&, "
                  "KeyedContext<Key>&, Output<Result>&), with the types written out");
    using Main = detail::KeyedProcess<T, Key, P>;
    using U = typename Main::Emitted;
    static_assert(std::is_same_v<typename Main::Traits::Record, T>,
                  "millrace: process takes another record than this stream's");
    static_assert(std::is_same_v<typename Main::Traits::Key, K>,
                  "millrace: the KeyedContext is of another key than key_by's: texts are "
                  "std::string_view, several members a std::tuple");
    detail::check_broadcast<P, R, U>();
    return detail::connected<detail::BroadcastProcess<T, Main, P>, U>(
        stream_.declaration(), stream_.inputs({detail::GroupingKind::fields, key_}),
        Main::kOnTimer || detail::lives_by_event_time(processor), broadcast_, key_, processor);
  }

 private:
  Stream<T> stream_;
  KeyPtr key_;
  BroadcastStream<R> broadcast_;
};

/// Records beside a broadcast stream.
template <class T, class R>
class Connection {
 public:
  Connection(Stream<T> stream, BroadcastStream<R> broadcast)
      : stream_(std::move(stream)), broadcast_(std::move(broadcast)) {}

  /// An object of a class with process(const T&, Output<Result>&), which reads BroadcastStates, and
  /// on_broadcast, which writes them: see KeyedConnection. As many tasks as this stream has.
  template <class P>
  auto process(P processor) const {
    using Traits = detail::CallTraits<decltype(&P::process)>;
    static_assert(
        requires { typename Traits::Emitted; },
        "millrace: without key_by a connected class has process(const Record&, "
        "Output<Result>&), with the types written out");
    using U = typename Traits::Emitted;
    detail::check_broadcast<P, R, U>();
    return detail::connected<detail::BroadcastProcess<T, detail::UnkeyedProcess<T, U, P>, P>, U>(
        stream_.declaration(), stream_.inputs({}), false, broadcast_, processor);
  }

 private:
  Stream<T> stream_;
  BroadcastStream<R> broadcast_;
};

template <class T>
BroadcastStream<T> Stream<T>::broadcast(BroadcastOrder order) const {
  return BroadcastStream<T>(*this, order);
}

}  // namespace millrace
