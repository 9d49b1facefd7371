// Connected streams: several keyed streams that share the states of their keys, and records beside
// a broadcast stream, whose records each task has alike.
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/keyed_stream.hpp"
#include "operator/broadcast_process.hpp"
#include "operator/connected_process.hpp"

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

namespace detail {

template <class T, class... Ts>
inline constexpr bool kAllDiffer = (!std::is_same_v<T, Ts> && ...) && kAllDiffer<Ts...>;
template <class T>
inline constexpr bool kAllDiffer<T> = true;

/// Says what a class that is to read all of `Ts` by a key `K` lacks.
template <class P, class K, class First, class... Ts>
constexpr void check_connected() {
  static_assert(kAllDiffer<First, Ts...>,
                "millrace: connected streams whose records are of one type cannot be told apart: "
                "map one to a struct of its own, or merge them");
  static_assert(ProcessesRecord<P, First, K> && (ProcessesRecord<P, Ts, K> && ...),
                "millrace: a class that reads connected streams has process(const Record&, "
                "KeyedContext<Key>&, Output<Result>&) for the records of each of them, with the "
                "types written out: of texts the key is std::string_view, of several members a "
                "std::tuple");
  using U = typename ProcessOf<P, First, K>::Emitted;
  static_assert((std::is_same_v<U, typename ProcessOf<P, Ts, K>::Emitted> && ...),
                "millrace: the methods process of a connected class emit different records: give "
                "all the same Output");
  static_assert(
      !requires { &P::on_timer; } || HasOnTimer<P, K, U>,
      "millrace: on_timer of a connected class takes (Time, KeyedContext<Key>&, "
      "Output<Result>&) with the types of its methods process");
  static_assert(
      !requires { &P::on_clock; } || HasOnClock<P, K, U>,
      "millrace: on_clock of a connected class takes (Time, KeyedContext<Key>&, "
      "Output<Result>&) with the types of its methods process");
}

}  // namespace detail

/// Keyed streams whose records reach one object, made by
/// orders.key_by(&Order::id).connect(payments.key_by(&Payment::order)).
template <class First, class... Others>
class ConnectedStreams {
 public:
  using K = typename First::K;

  explicit ConnectedStreams(First first, Others... others)
      : streams_(std::move(first), std::move(others)...) {}

  /// Records, and timers between them, in the order of event time, of equal times those of the
  /// stream named first and then by place: what the object sees, and in which order, depends on the
  /// input alone. A record is handled when the watermark of all streams lies beyond it; late ones
  /// stand at the watermark that they are behind. Without it they come as they arrive: each stream
  /// in its order, but which of two streams is ahead depends on the schedule. Errors: 2005 without
  /// event time.
  ConnectedStreams by_event_time() const {
    ConnectedStreams changed = *this;
    changed.by_time_ = true;
    return changed;
  }

  /// An object of a class as for key_by(...).process, with a method process(const Record&,
  /// KeyedContext<Key>&, Output<Result>&) for the records of each of the streams, which share the
  /// states and timers of the key. All streams move the watermark: where one is quiet, give it
  /// idle_after. Errors: 2005 without event time where timers or times to live need it.
  template <class P>
  auto process(P processor) const {
    detail::check_connected<P, K, typename First::Record, typename Others::Record...>();
    using Traits =
        detail::ConnectedTraits<P, K, typename First::Record, typename Others::Record...>;
    using Caller = detail::ProcessorCaller<K, P, Traits>;
    using Op = detail::ConnectedProcess<Caller, InputOf<First>, InputOf<Others>...>;
    using U = typename Traits::Emitted;
    detail::Node node;
    node.kind = "connect";
    node.note = by_time_ ? "by event time" : "";
    node.needs_time = by_time_ || Caller::kOnTimer || detail::lives_by_event_time(processor);
    node.breaks_ties = by_time_;
    node.inputs = inputs();
    const auto keys =
        std::apply([](const auto&... keyed) { return std::tuple(keyed.key()...); }, streams_);
    node.make_operator = [by_time = by_time_, keys, processor] {
      return std::make_unique<Op>(by_time, keys, processor);
    };
    node.output = &detail::batch_type<U>();
    auto& declaration = std::get<0>(streams_).stream().declaration();
    return Stream<U>(declaration, {{declaration.graph.add(std::move(node)), 0}});
  }

 private:
  template <class Keyed>
  using InputOf = detail::KeyedInput<typename Keyed::Record, typename Keyed::KeyType>;

  std::vector<detail::NodeInput> inputs() const {
    std::vector<detail::NodeInput> inputs;
    std::uint32_t number = 0;
    const auto add = [&](const auto& keyed) {
      for (detail::NodeInput input :
           keyed.stream().inputs({detail::GroupingKind::fields, keyed.key()})) {
        input.input = number;
        inputs.push_back(std::move(input));
      }
      ++number;
    };
    std::apply([&add](const auto&... keyed) { (add(keyed), ...); }, streams_);
    return inputs;
  }

  std::tuple<First, Others...> streams_;
  bool by_time_ = false;
};

template <class T>
BroadcastStream<T> Stream<T>::broadcast(BroadcastOrder order) const {
  return BroadcastStream<T>(*this, order);
}

}  // namespace millrace
