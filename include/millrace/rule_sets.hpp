// Rules as data: they are added, changed and removed while the topology runs.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "millrace/connected_stream.hpp"
#include "millrace/event_stream.hpp"
#include "operator/rule_set_process.hpp"
#include "operator/rule_set_watch.hpp"
#include "operator/value_pattern.hpp"

namespace millrace {

namespace detail {

/// `ordered`: the records of each key, none of them late.
template <class Form, class T, class Key, class F>
Stream<typename Form::Emitted> watched_by(const Stream<T>& ordered,
                                          const KeyedStream<T, Key>& keyed, F number,
                                          const Stream<RuleText>& rules,
                                          const RuleWhere<T>& where) {
  using P = RuleSetWatch<T, typename Key::View, F, Form>;
  using Op = BroadcastProcess<T, RuleSetProcess<T, Key, P>, P>;
  Node node;
  node.kind = "watch";
  node.note = "rules of a stream";
  node.needs_time = true;
  node.breaks_ties = true;
  mark_helper(ordered, "order");
  mark_helper(rules, "rules");
  node.inputs = ordered.inputs({GroupingKind::fields, keyed.key()});
  for (NodeInput input : rules.inputs({GroupingKind::all})) {
    input.input = 1;
    node.inputs.push_back(std::move(input));
  }
  node.make_operator = [key = keyed.key(), processor = P(std::move(number), where)] {
    return std::make_unique<Op>(BroadcastOrder::by_event_time, key, processor);
  };
  node.output = &batch_type<typename Form::Emitted>();
  const NodeId id = ordered.declaration().graph.add(std::move(node));
  return Stream<typename Form::Emitted>(ordered.declaration(), {{id, 0}},
                                        {keyed.key_names(), "value", false});
}

}  // namespace detail

/// A RuleSetEvent whenever a rule of a stream of rules begins to hold for a key, and when it ends:
/// watch_rules(readings.key_by(&Reading::sensor), &Reading::celsius, rules)
///
/// A RuleText is upserted by its id, or removed where it has no text. It holds for the records with
/// times from its own event time on (rules of a time come before records of it) until another one
/// of its id comes; so events depend on the inputs alone. One that is as before changes nothing.
/// One that is changed, or removed, ends at that time what it began, with an event that says why;
/// what takes its place begins anew, as for a key that it has seen nothing of. A rule behind the
/// watermark of its own partition holds from that watermark on. Rules that cannot be read are dead
/// letters with the reason. Rules are rare: give their stream idle_after, or records wait for them.
///
/// All is held in the image of an epoch. Memory: the records of the bound, twice; for a key and
/// rule about 130 bytes, of thresholds only while they are met, and what watch() says. Cost: each
/// rule is asked for each record; a rule that changes or goes looks at each key.
template <class T, class Key, class F>
EventStream<T, RuleSetEvent<typename Key::View>> watch_rules(const KeyedStream<T, Key>& keyed,
                                                             F number,
                                                             const Stream<RuleText>& rules,
                                                             detail::RuleWhere<T> where) {
  static_assert(std::is_invocable_v<const F&, const T&>,
                "millrace: watch_rules needs a member or function of the record that gives a "
                "number");
  using Form = detail::SetEventForm<typename Key::View>;
  const OrderedStream<T> ordered = keyed.restore_order();
  const Stream<RuleText> read = rules.map(detail::ReadRules<T>{where});
  return {detail::watched_by<Form>(static_cast<const Stream<T>&>(ordered), keyed, std::move(number),
                                   read, where),
          ordered};
}
/// The same with rules for some of the records: applies(const T&, std::string_view where) says
/// whether RuleText::where, not empty, means a record.
template <class T, class Key, class F, class Applies>
  requires std::is_invocable_r_v<bool, const Applies&, const T&, std::string_view>
EventStream<T, RuleSetEvent<typename Key::View>> watch_rules(const KeyedStream<T, Key>& keyed,
                                                             F number,
                                                             const Stream<RuleText>& rules,
                                                             Applies applies) {
  return watch_rules(keyed, std::move(number), rules,
                     detail::RuleWhere<T>([applies](const std::string& where) {
                       return detail::RuleFilter<T>(
                           [applies, where](const T& record) { return applies(record, where); });
                     }));
}
/// The same; a rule that has a `where` is a dead letter.
template <class T, class Key, class F>
EventStream<T, RuleSetEvent<typename Key::View>> watch_rules(const KeyedStream<T, Key>& keyed,
                                                             F number,
                                                             const Stream<RuleText>& rules) {
  return watch_rules(keyed, std::move(number), rules, detail::RuleWhere<T>([](const std::string&) {
                       return std::string(
                           "nothing says what it means here: give watch_rules a function of the "
                           "record and this text");
                     }));
}

}  // namespace millrace
