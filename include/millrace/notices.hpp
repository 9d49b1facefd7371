// Notices: few of many events: a cool-down, grouping and a cap, and a count of what was held back.
#pragma once

#include <memory>
#include <utility>

#include "millrace/event_stream.hpp"
#include "millrace/keyed_stream.hpp"
#include "operator/notify_operator.hpp"

namespace millrace {

namespace detail {

/// `ordered`: the records of each key in the order of event time.
template <class T, class Key, class Form>
Stream<typename Form::Emitted> notified(const Stream<T>& ordered, const KeyedStream<T, Key>& keyed,
                                        const NotifyOptions& options, Form form) {
  using Step = NotifyStep<T, typename Key::View, Form>;
  const Step step{options, std::move(form)};
  Node node = processor_node<T, Key>("notify", ordered, keyed.key(), step);
  node.make_operator = [key = keyed.key(), step] {
    return std::make_unique<NotifyOperator<T, Key, Step>>(key, step);
  };
  node.problem = validate(options);
  node.note = to_string(options);
  node.row_places = RowPlaces::of_key;
  mark_helper(ordered, "order");
  const NodeId id = ordered.declaration().graph.add(std::move(node));
  return Stream<typename Form::Emitted>(ordered.declaration(), {{id, 0}}, ordered.names());
}

}  // namespace detail

/// Few notices of many records: the key is the group.
/// notify(alarms.key_by(&Alarm::sensor), {.cool_down = 5min, .group_wait = 10s})
///
/// The first record of a quiet group is told when `group_wait` is over, with all up to and with
/// then. For `cool_down` behind each notice the group's records are held back; when it is over one
/// notice tells of all of them, up to and with then, and it begins anew; if there were none, the
/// group is quiet, and forgotten. A cap makes that pause longer. A Notice has the latest record and
/// the number of the others: nothing is left out untold. The end of input is the end of time.
///
/// Notices by another key add up, so that a second one caps what a person gets:
/// notify(notices.key_by(owner_of), {.cap = {20, 1h}}).
///
/// By event time alone: records are taken in its order, equal times by place in the input, when the
/// watermark has passed them. A notice has the event time at which it goes; for a sink its
/// idempotency key is made of group and time. Memory: the records of the bound; of a group that is
/// not quiet a record and about 100 bytes, of a cap 8 bytes a notice of its span. Cost: those of
/// restore_order, and a look-up and a copy a record. Errors: 2010 for options that cannot be.
template <class T, class Key>
auto notify(const KeyedStream<T, Key>& keyed, const NotifyOptions& options) {
  using Form = detail::NoticeForm<T>;
  const OrderedStream<T> ordered = keyed.restore_order();
  return EventStream<T, typename Form::Emitted>(
      detail::notified(static_cast<const Stream<T>&>(ordered), keyed, options, Form{}), ordered);
}

}  // namespace millrace
