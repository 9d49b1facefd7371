// What moves on the earth: distances, bearings, cells of a grid, areas, and who enters and leaves
// them.
#pragma once

#include <memory>
#include <utility>

#include "millrace/event_stream.hpp"
#include "millrace/keyed_stream.hpp"
#include "operator/geofence.hpp"

namespace millrace {

namespace detail {

/// A component that runs a FenceStep or another step with its state, and emits Out. `ordered`: the
/// records of each key in the order of event time.
template <class Out, class T, class Key, class Step>
Stream<Out> fenced(const Stream<T>& ordered, const KeyedStream<T, Key>& keyed, Step step,
                   Status problem) {
  using Op = KeyedStep<T, Key, FenceSide, Out, Step>;
  Node node;
  node.kind = "geofence";
  node.problem = std::move(problem);
  node.inputs = ordered.inputs({GroupingKind::fields, keyed.key()});
  node.make_operator = [key = keyed.key(), step = std::move(step)] {
    return std::make_unique<Op>(key, step);
  };
  node.output = &batch_type<Out>();
  mark_helper(ordered, "order");
  Declaration& declaration = ordered.declaration();
  const NodeId id = declaration.graph.add(std::move(node));
  return Stream<Out>(declaration, {{id, 0}}, {keyed.key_names(), "value", false});
}

}  // namespace detail

/// A Crossing whenever a key enters a fence's area or leaves it, by members or functions of the
/// record that give latitude and longitude in degrees:
/// crossings(flights.key_by(&Flight::aircraft), {circle({49.01, 2.55}, 30'000)},
/// &Flight::latitude, &Flight::longitude). Keys start outside, so the first position inside enters.
/// Positions that are absent or no number are passed over.
///
/// Positions of a key are taken in the order of event time, equal times by place in the input, when
/// the watermark has passed them: so crossings depend on the inputs alone; those behind the
/// watermark of their own partition go to late(). Memory: the records of the bound, one byte a key.
/// Cost: those of restore_order, and one look-up a record. Errors: 2010 for an area that is none,
/// or a negative margin.
template <class T, class Key, class Latitude, class Longitude>
EventStream<T, Crossing<typename Key::View>> crossings(const KeyedStream<T, Key>& keyed,
                                                       Geofence fence, Latitude latitude,
                                                       Longitude longitude) {
  using K = typename Key::View;
  static_assert(std::is_invocable_v<const Latitude&, const T&> &&
                    std::is_invocable_v<const Longitude&, const T&>,
                "millrace: crossings needs two members or functions of the record: its latitude "
                "and its longitude");
  Status problem = detail::validate(fence);
  using Step = detail::FenceStep<T, K, Latitude, Longitude>;
  const OrderedStream<T> ordered = keyed.restore_order();
  return {
      detail::fenced<Crossing<K>>(static_cast<const Stream<T>&>(ordered), keyed,
                                  Step{std::move(fence), std::move(latitude), std::move(longitude)},
                                  std::move(problem)),
      ordered};
}

}  // namespace millrace
