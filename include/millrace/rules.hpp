// Rules over the numbers of each key: thresholds with hysteresis, for a time, changes, silence, and
// what is unusual.
#pragma once

#include <utility>

#include "millrace/event_stream.hpp"
#include "millrace/keyed_stream.hpp"
#include "operator/rule_watch.hpp"

namespace millrace {

namespace detail {

/// `ordered`: the records of each key in the order of event time.
template <class Form, class T, class Key, class F>
Stream<typename Form::Emitted> watched(const Stream<T>& ordered, const KeyedStream<T, Key>& keyed,
                                       F number, const Rule& rule) {
  using P = RuleWatch<T, typename Key::View, F, Form>;
  Node node = processor_node<T, Key>("watch", ordered, keyed.key(), P{rule, std::move(number)});
  node.problem = rule.validate();
  node.note = rule.to_string();
  mark_helper(ordered, "order");
  const NodeId id = ordered.declaration().graph.add(std::move(node));
  return Stream<typename Form::Emitted>(ordered.declaration(), {{id, 0}},
                                        {keyed.key_names(), "value", false});
}

}  // namespace detail

/// A RuleEvent whenever a rule begins to hold for a key, and when it ends, by a member or function
/// of the record that gives a number:
/// watch(readings.key_by(&Reading::sensor), &Reading::celsius, above(90).until_below(80)).
///
/// Records of a key are taken in the order of event time, equal times by place in the input, when
/// the watermark has passed them: so events depend on the inputs alone; those behind the watermark
/// of their own partition go to late(). Numbers that are absent or NaN are passed over. The end of
/// input is the end of time: what lasts then, lasts; what is silent
/// then, is.
///
/// Memory: the records of the bound; of a key about 150 bytes, 16 for each value of the span of
/// rises_by and falls_by, 32 for each part of the day. Cost: those of restore_order, and one
/// look-up a record. Errors: 2010 for a rule that cannot be.
template <class T, class Key, class F>
EventStream<T, RuleEvent<typename Key::View>> watch(const KeyedStream<T, Key>& keyed, F number,
                                                    const Rule& rule) {
  static_assert(std::is_invocable_v<const F&, const T&>,
                "millrace: watch needs a member or function of the record that gives a number");
  using Form = detail::EventForm<typename Key::View>;
  const OrderedStream<T> ordered = keyed.restore_order();
  return {detail::watched<Form>(ordered, keyed, std::move(number), rule), ordered};
}

}  // namespace millrace
