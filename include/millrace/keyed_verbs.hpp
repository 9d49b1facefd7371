// KeyedVerbs: what a keyed stream does with the records of each key: state and timers, order,
// picks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "millrace/running_picks.hpp"
#include "millrace/stream_handle.hpp"
#include "operator/keyed_picks.hpp"
#include "operator/keyed_process.hpp"

namespace millrace {

template <class T>
class Stream;
template <class T>
class OrderedStream;
template <class R>
class BroadcastStream;
template <class T, class Key, class R>
class KeyedConnection;
template <class First, class... Others>
class ConnectedStreams;
template <class T, class Key>
class KeyedStream;
template <class T>
class Pattern;
template <class T, class Key>
class Matches;
template <class T, class Key>
class Table;

namespace detail {
template <class T>
OrderedStream<T> restored(const Stream<T>& stream, const Grouping& grouping);
}  // namespace detail

/// A base of KeyedStream.
template <class Derived, class T, class Key>
class TableVerbs {
 public:
  /// This stream read as a table: of each key its newest record by event time, of equal times the
  /// last one by place in the source. What can be done with it: table.hpp.
  Table<T, Key> table() const { return Table<T, Key>(static_cast<const Derived&>(*this), {}); }
  /// The same; a record for which `deletes`, a member or function of it, holds deletes the row of
  /// its key: users.key_by(&User::id).table(&User::has_left). A record at which it throws is a dead
  /// letter and changes nothing.
  template <class F>
  Table<T, Key> table(F deletes) const {
    static_assert(std::is_invocable_r_v<bool, const F&, const T&>,
                  "millrace: table's argument is a member or function of the record that says "
                  "whether it deletes the row of its key");
    return Table<T, Key>(static_cast<const Derived&>(*this), [deletes](const T& record) {
      return static_cast<bool>(std::invoke(deletes, record));
    });
  }
};

/// A base of KeyedStream.
template <class Derived, class T, class Key>
class ConnectVerbs {
 public:
  /// This stream beside a broadcast one: events.key_by(&E::user).connect(rules.broadcast())
  /// .process(Matcher{}), where Matcher has states and timers for each key, too.
  template <class R>
  KeyedConnection<T, Key, R> connect(BroadcastStream<R> broadcast) const {
    return {derived().stream(), derived().key(), std::move(broadcast)};
  }
  /// This stream and others by the same key, for one object that reads them all:
  /// orders.key_by(&Order::id).connect(payments.key_by(&Payment::order)).process(Matcher{}), where
  /// Matcher has a method process for the records of each. See ConnectedStreams.
  template <class R, class RKey, class... Rs, class... RKeys>
  auto connect(const KeyedStream<R, RKey>& other, const KeyedStream<Rs, RKeys>&... more) const {
    static_assert(std::is_same_v<typename Key::View, typename RKey::View> &&
                      (std::is_same_v<typename Key::View, typename RKeys::View> && ...),
                  "millrace: connected streams need keys of the same type: make one like the "
                  "other, key_by([](const Payment& p) { return std::int64_t{p.order}; })");
    return ConnectedStreams<Derived, KeyedStream<R, RKey>, KeyedStream<Rs, RKeys>...>(
        derived(), other, more...);
  }
  /// Refused with a sentence.
  template <class First, class... Others>
  void connect(const First&, const Others&...) const {
    static_assert(detail::kNever<First>,
                  "millrace: a keyed stream is connected to keyed ones, put key_by(...) behind "
                  "each, or to a broadcast one, rules.broadcast()");
  }

 private:
  const Derived& derived() const { return static_cast<const Derived&>(*this); }
};

/// A base of KeyedStream.
template <class Derived, class T, class Key>
class KeyedVerbs {
 public:
  using K = typename Key::View;

  /// An object of a class with process(const T&, KeyedContext<Key>&, Output<Result>&), whose
  /// members ValueState, ListState, MapState... hold what belongs to the key at hand; with
  /// on_timer(Time, KeyedContext<Key>&, Output<Result>&) it has timers in event time, with on_clock
  /// in wall time. A call that throws leaves no trace in states, timers and output. How-to:
  /// how-to-keep-state.md.
  ///
  /// Or f(const T&, Output<U>&) as Stream::process, with all records of a key at one task: a class
  /// may keep what it likes in plain members, which are the task's and not undone.
  template <class F>
  auto process(F f) const {
    if constexpr (detail::KeyedProcessor<F>) {
      return with_state(std::move(f));
    } else {
      return without_state(std::move(f));
    }
  }

  /// The records of each key in the order of their event times; see Stream::restore_order.
  OrderedStream<T> restore_order() const {
    return detail::restored(derived().stream(), {detail::GroupingKind::fields, derived().key()});
  }

  /// The matches of a pattern in the records of each key, in the order of event time:
  /// logins.key_by(&Login::user).match(pattern<Login>("failed").where(is_wrong).times(3)
  /// .within(1min)).select(f). See matched_stream.hpp and how-to-match-patterns.md.
  Matches<T, Key> match(const Pattern<T>& pattern) const;

  /// The first record of each key, then none at times < its own + `within`: duplicates are dropped,
  /// and count as processed. 0: for all time. In the order of arrival; restore_order() before it
  /// makes it the order of time. Errors: 2010 for a negative span.
  Stream<T> deduplicate(Duration within = Duration(0)) const {
    Status problem;
    if (within < Duration(0))
      problem = Status(Code::parameter_invalid, "deduplicate: within is negative: give 0 or more");
    return picked("deduplicate",
                  detail::KeepFirst<T, K>{ValueState<bool>{{.ttl = within, .name = "kept"}}},
                  std::move(problem));
  }

  /// The latest record of each key and span: a span begins with a record at some time and ends
  /// before that time + `span`. When it is over, the record with the latest time (of equal ones the
  /// last to come) goes, with the event time of the span's last microsecond. Errors: 2010 unless
  /// the span is greater than 0.
  Stream<T> latest(Duration span) const {
    Status problem;
    if (span <= Duration(0))
      problem = Status(Code::parameter_invalid, "latest needs a span greater than 0");
    using State = typename detail::HeldRecord<T>::State;
    return picked("latest",
                  detail::KeepLast<T, K>{span.count(), ValueState<State>{{.name = "last"}},
                                         ValueState<Time>{{.name = "seen"}}},
                  std::move(problem));
  }

  /// The latest record of each key and span, sample(every(10s)): spans begin at multiples of
  /// theirs. When one is over, the record with the latest time (of equal ones the last to come)
  /// goes, with the event time of the span's last microsecond. Late records are passed over.
  /// Errors: 2010 for a span that is not of event time and above 0.
  Stream<T> sample(const EarlyTrigger& every) const {
    return detail::sampled<T, Key>(derived().stream(), derived().key(), every, false);
  }

  /// The n records of each key that are greatest by a member or function of theirs, kept up to
  /// date: a RankedRecord for each place that another record holds from now on, at once. Whoever
  /// keeps the last row of each key and rank has the ranking; ranks never become empty. Equal ones
  /// by event time, then in the order of arrival.
  /// Memory: n records a key. Errors: 2010 for n = 0.
  template <class Score>
  auto top(std::size_t n, Score score) const {
    return detail::running_top<T, Key>(derived().stream(), derived().key(), derived().key_names(),
                                       n, std::move(score), detail::EachRecord{});
  }
  /// The same of items, by a further member or function: of each item only its latest record (by
  /// event time; of equal times the last to come) ranks, so that one may fall. Equal ones by item
  /// ascending. Memory: one record a key and item, all of which are kept.
  template <class Score, class Item>
  auto top(std::size_t n, Score score, Item item) const {
    return detail::running_top<T, Key>(derived().stream(), derived().key(), derived().key_names(),
                                       n, std::move(score), std::move(item));
  }

  /// At most `limit` records of each key in any span `per` of event time: a record passes while
  /// fewer passed at times in (its own - per, its own]. What does not counts as processed. Errors:
  /// 2010 unless both are greater than 0.
  Stream<T> throttle(std::uint32_t limit, Duration per) const {
    Status problem;
    if (limit == 0 || per <= Duration(0)) {
      problem = Status(Code::parameter_invalid,
                       "throttle lets nothing through: give at least 1 record per span, and a span "
                       "greater than 0");
    }
    return picked(
        "throttle",
        detail::Throttle<T, K>{limit, per.count(), ListState<Time>{{.ttl = per, .name = "passed"}}},
        std::move(problem));
  }

 private:
  const Derived& derived() const { return static_cast<const Derived&>(*this); }
  detail::Declaration& declaration() const { return derived().stream().declaration(); }
  auto inputs() const {
    return derived().stream().inputs({detail::GroupingKind::fields, derived().key()});
  }

  template <class F>
  auto without_state(F f) const {
    static_assert(detail::EmitsThroughOutput<F>,
                  "millrace: process needs a function or class called with (const Record&, "
                  "Output<Result>&), or a class with process(const Record&, KeyedContext<Key>&, "
                  "Output<Result>&), with the types written out");
    using U = typename detail::CallTraits<F>::Emitted;
    detail::Node node =
        detail::operator_node<detail::EmitOperator<T, U, F>>("process", inputs(), std::move(f));
    node.output = &detail::batch_type<U>();
    return Stream<U>(declaration(), {{declaration().graph.add(std::move(node)), 0}});
  }
  template <class P>
  auto with_state(P processor) const {
    using Op = detail::KeyedProcess<T, Key, P>;
    using U = typename Op::Emitted;
    static_assert(std::is_same_v<typename Op::Traits::Record, T>,
                  "millrace: process takes another record than this stream's");
    static_assert(std::is_same_v<typename Op::Traits::Key, K>,
                  "millrace: the KeyedContext is of another key than key_by's: texts are "
                  "std::string_view, several members a std::tuple");
    detail::Node node = detail::processor_node<T, Key>("process", derived().stream(),
                                                       derived().key(), std::move(processor));
    return Stream<U>(declaration(), {{declaration().graph.add(std::move(node)), 0}});
  }
  /// The records of this stream that `processor` lets through.
  template <class P>
  Stream<T> picked(std::string kind, P processor, Status problem) const {
    detail::Node node = detail::processor_node<T, Key>(std::move(kind), derived().stream(),
                                                       derived().key(), std::move(processor));
    node.problem = std::move(problem);
    const detail::NodeId id = declaration().graph.add(std::move(node));
    return Stream<T>(declaration(), {{id, 0}}, derived().stream().names());
  }
};

}  // namespace millrace
