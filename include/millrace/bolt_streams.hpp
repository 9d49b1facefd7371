// What the inputs of a bolt are made of, and the handle of what a bolt or spout emits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/acking_bolt.hpp"
#include "millrace/bolt.hpp"
#include "millrace/direct_stream.hpp"
#include "millrace/grouping.hpp"
#include "operator/streams.hpp"

namespace millrace {

namespace detail {

template <class T>
struct GroupedRecord {
  using type = void;
};
template <class T>
struct GroupedRecord<Grouped<T>> {
  using type = T;
};

template <class T, class... In>
constexpr std::size_t position_in(std::tuple<In*...>*) {
  std::size_t at = 0;
  (void)((std::is_same_v<T, In> ? true : (++at, false)) || ...);
  return at;
}

/// What Topology::bolt takes as the inputs of a B: each a grouping of a stream of one of its types.
template <class B>
struct BoltInputs {
  static_assert(
      requires { typename B::Input; } &&
          (std::is_base_of_v<Bolt<typename B::Input, typename B::Record>, B> ||
           std::is_base_of_v<AckingBolt<typename B::Input, typename B::Record>, B>),
      "millrace: a bolt is a class derived from Bolt<In, Out> or AckingBolt<In, Out>");
  static_assert(BoltCheck<B, typename B::Input>::kComplete,
                "millrace: the bolt lacks an overload process(const T&, Output<...>&) for one of "
                "the types in its Inputs<...>");

  template <class... G>
    requires(!std::is_same_v<G, BoltInputs> && ...)
  BoltInputs(const G&... groupings) {  // NOLINT: implicit, so that a grouping alone is an input
    (add(groupings), ...);
  }

  std::vector<NodeInput> inputs;
  std::vector<std::uint8_t> types;  ///< by declared input: which of the bolt's types it has

 private:
  template <class G>
  void add(const G& grouped) {
    using T = typename GroupedRecord<G>::type;
    using Pointers = typename InputTypes<typename B::Input>::Pointers;
    static_assert(!std::is_void_v<T>,
                  "millrace: a bolt reads a grouping of a stream: shuffle(stream), "
                  "fields(stream, key), ...");
    if constexpr (!std::is_void_v<T>) {
      constexpr std::size_t kType = position_in<T>(static_cast<Pointers*>(nullptr));
      static_assert(kType < std::tuple_size_v<Pointers>,
                    "millrace: this bolt does not take the records of that stream");
      for (NodeInput input : grouped.stream().inputs({})) {
        input.input = static_cast<std::uint32_t>(types.size());
        inputs.push_back(std::move(input));
      }
      types.push_back(static_cast<std::uint8_t>(kType));
    }
  }
};

}  // namespace detail

/// Handle of the streams of a bolt or spout: `sorted.stream<"people">()`. When the first of
/// Streams<...> is unnamed, the handle is that Stream as well.
template <class... S>
class StreamsHandle {
 public:
  StreamsHandle(detail::Declaration& declaration, detail::NodeId node)
      : declaration_(&declaration), node_(node) {}

  /// The stream `Name`: a Stream, or a DirectStream.
  template <detail::StreamName Name>
  auto stream() const {
    using Port = detail::NamedPort<Name, S...>;
    using T = typename Port::Record;
    Stream<T> stream(*declaration_, {{node_, static_cast<std::uint32_t>(Port::kIndex)}});
    if constexpr (Port::Spec::kDirect) {
      return DirectStream<T>(std::move(stream));
    } else {
      return stream;
    }
  }

 private:
  detail::Declaration* declaration_;
  detail::NodeId node_;
};

template <class First, class... S>
  requires(!detail::StreamSpec<First>::kNamed)
class StreamsHandle<First, S...> : public Stream<First> {
 public:
  StreamsHandle(detail::Declaration& declaration, detail::NodeId node)
      : Stream<First>(declaration, {{node, 0}}) {}

  template <detail::StreamName Name>
  auto stream() const {
    using Port = detail::NamedPort<Name, First, S...>;
    using T = typename Port::Record;
    Stream<T> stream(this->declaration(),
                     {{this->from().front().node, static_cast<std::uint32_t>(Port::kIndex)}});
    if constexpr (Port::Spec::kDirect) {
      return DirectStream<T>(std::move(stream));
    } else {
      return stream;
    }
  }
};

namespace detail {

/// Adds the node of a bolt or spout and makes the handle of what it emits.
template <class Emitted>
struct EmitterAdder {
  static Stream<Emitted> add(Declaration& declaration, Node node) {
    node.output = &batch_type<Emitted>();
    return Stream<Emitted>(declaration, {{declaration.graph.add(std::move(node)), 0}});
  }
};
template <class... S>
struct EmitterAdder<Streams<S...>> {
  static StreamsHandle<S...> add(Declaration& declaration, Node node) {
    node.outputs = {&batch_type<typename StreamSpec<S>::Record>()...};
    node.streams = {std::string(StreamSpec<S>::kName)...};
    node.output = node.outputs.front();
    return {declaration, declaration.graph.add(std::move(node))};
  }
};
template <class Emitted>
auto add_emitter(Declaration& declaration, Node node) {
  return EmitterAdder<Emitted>::add(declaration, std::move(node));
}

}  // namespace detail
}  // namespace millrace
