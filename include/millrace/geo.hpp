// What moves on the earth: distances, bearings, cells of a grid, areas, and who enters and leaves
// them.
#pragma once

#include <memory>
#include <utility>

#include "millrace/keyed_stream.hpp"
#include "operator/geofence.hpp"

namespace millrace {

namespace detail {

/// A component that runs a FenceStep or another step with its state, and emits Out.
template <class Out, class T, class Key, class Step>
Stream<Out> fence_component(const KeyedStream<T, Key>& keyed, Step step, Status problem) {
  using Op = KeyedStep<T, Key, FenceSide, Out, Step>;
  Node node;
  node.kind = "geofence";
  node.problem = std::move(problem);
  node.inputs = keyed.stream().inputs({GroupingKind::fields, keyed.key()});
  node.make_operator = [key = keyed.key(), step = std::move(step)] {
    return std::make_unique<Op>(key, step);
  };
  node.output = &batch_type<Out>();
  Declaration& declaration = keyed.stream().declaration();
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
/// In the order of arrival; restore_order() before it makes it the order of time. State: one byte a
/// key. Errors: 2010 for an area that is none, or a negative margin.
template <class T, class Key, class Latitude, class Longitude>
Stream<Crossing<typename Key::View>> crossings(const KeyedStream<T, Key>& keyed, Geofence fence,
                                               Latitude latitude, Longitude longitude) {
  using K = typename Key::View;
  static_assert(std::is_invocable_v<const Latitude&, const T&> &&
                    std::is_invocable_v<const Longitude&, const T&>,
                "millrace: crossings needs two members or functions of the record: its latitude "
                "and its longitude");
  Status problem = detail::validate(fence);
  using Step = detail::FenceStep<T, K, Latitude, Longitude>;
  return detail::fence_component<Crossing<K>>(
      keyed, Step{std::move(fence), std::move(latitude), std::move(longitude)}, std::move(problem));
}

}  // namespace millrace
