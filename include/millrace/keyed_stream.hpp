// KeyedStream, WindowedStream, WindowAggregates: what a stream becomes by key_by, window and an
// aggregate.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "millrace/aggregates.hpp"
#include "millrace/collections.hpp"
#include "millrace/keyed_call_verbs.hpp"
#include "millrace/keyed_verbs.hpp"
#include "millrace/sketches.hpp"
#include "millrace/statistics.hpp"
#include "millrace/stream.hpp"
#include "operator/alert.hpp"
#include "operator/top.hpp"
#include "operator/trend.hpp"
#include "operator/two_phase.hpp"
#include "window/by_clock.hpp"
#include "window/record_windows.hpp"
#include "window/refiring_sessions.hpp"
#include "window/refiring_windows.hpp"
#include "window/session.hpp"

namespace millrace {

template <class T, class Key>
class WindowedStream;
template <class K, class V>
class WindowAggregates;
template <class T, class Key, class Spec>
class KeyWindows;
template <class T, class Key, class Spec>
class RefiringStream;
template <class Windowed, class T>
class NewestStream;
template <class L, class LKey, class R, class RKey>
class AsOf;
template <class L, class LKey, class R, class RKey>
class Join;

namespace detail {
template <class Stream>
inline constexpr bool kHasNoWindow = false;
template <class T, class Key>
inline constexpr bool kHasNoWindow<KeyedStream<T, Key>> = true;

/// What millrace::last() takes: a number of records, or a span.
template <class N>
concept SaysHowFarBack = std::integral<N> || std::convertible_to<N, Duration>;

template <class T, class Spec>
Stream<T> stamped_by_clock(const Stream<T>& stream, const ByClock<Spec>& spec);
}  // namespace detail

/// The aggregates of a keyed stream: without a window the new value is emitted for every record,
/// with one once a key when the window fires.
///
/// Values are members or functions of the record. A record at which a function throws is a dead
/// letter and changes nothing. Optionals that are absent are passed over.
template <class Derived, class T>
class AggregateVerbs : public detail::VerbsThatNeedAggregates,
                       public StatisticVerbs<Derived, T>,
                       public CollectingVerbs<Derived, T>,
                       public SketchVerbs<Derived, T> {
 public:
  /// Number of records of each key.
  auto count() const { return derived().apply("count", "count", detail::CountKernel{}); }
  /// Sum of a number of each record. Integers and Decimals in 64 bits: a sum that leaves their
  /// range is refused, its row (without a window: each further record of the key) a dead letter.
  /// Reals in double.
  template <class F>
  auto sum(F number) const {
    return apply("sum", millrace::sum(std::move(number)));
  }
  /// The least value: of numbers, Decimals, enums, texts (by bytes) or Timestamps. A NaN among them
  /// makes it NaN. Of optionals, an optional.
  template <class F>
  auto min(F value) const {
    return apply("min", millrace::min(std::move(value)));
  }
  /// The greatest value; see min.
  template <class F>
  auto max(F value) const {
    return apply("max", millrace::max(std::move(value)));
  }
  /// The mean of a number, in double; integers and Decimals are summed exactly. Of optionals, an
  /// optional.
  template <class F>
  auto mean(F number) const {
    return apply("mean", millrace::mean(std::move(number)));
  }
  /// The mean of a number weighted by another: NaN where the weights sum to 0.
  template <class F, class W>
  auto mean(F number, W weight) const {
    return apply("mean", millrace::mean(std::move(number), std::move(weight)));
  }
  /// How many different values, or combinations of values, there are. Exact: each is kept once a
  /// key and pane.
  template <class... Fs>
  auto distinct(Fs... values) const {
    return apply("distinct", millrace::distinct(std::move(values)...));
  }
  /// The value of the earliest record by event time; of equal times, by place in the input (source,
  /// partition, offset), whatever the schedule. Without event time: of the first to reach the task.
  template <class F>
  auto first(F value) const {
    return apply("first", millrace::first(std::move(value)));
  }
  /// The value of the latest record; see first.
  template <class F>
  auto last(F value) const {
    if constexpr (detail::SaysHowFarBack<F>) {
      return newest(millrace::last(value));
    } else {
      return apply("last", millrace::last(std::move(value)));
    }
  }
  /// Folds the records of a key into a value that starts as `initial`: add(A&, const T&), or add(A,
  /// const T&) -> A. With merge(A&, const A&) or merge(A, const A&) -> A, associative and
  /// commutative, sliding windows share panes and records are combined before they are shuffled;
  /// windows that grow together, or emit early or late, need it. Without a window there is nothing
  /// to merge. When add throws, the value is as before: unless it is noexcept it works on a copy of
  /// the value, so declare it so where values are large.
  template <class A, class Add, class Merge = detail::NoMerge>
  auto fold(A initial, Add add, Merge merge = {}) const {
    if constexpr (Described<A>) {
      static_assert(!Schema<A>::kBorrows,
                    "millrace: a fold's value outlives the records it is made of: hold "
                    "std::string, not std::string_view");
    }
    static_assert(!detail::kHasNoWindow<Derived> || std::is_same_v<Merge, detail::NoMerge>,
                  "millrace: without a window nothing is merged: leave out fold's third argument, "
                  "or put window before it");
    using Kernel = detail::FoldKernel<T, A, Add, Merge>;
    return derived().apply("fold", "value",
                           Kernel{std::move(initial), std::move(add), std::move(merge)});
  }
  /// Several aggregates in one pass, each into a member of one plain struct, which is the row's
  /// value: aggregate(max(&Trade::price).as(&Bar::high), count().as(&Bar::trades)). Or one of one's
  /// own: aggregate(own(Spread{})).
  template <class... Aggregates>
  auto aggregate(Aggregates... aggregates) const {
    static_assert(sizeof...(Aggregates) > 0,
                  "millrace: aggregate needs at least one: aggregate(count().as(&Row::records))");
    if constexpr ((requires { typename Aggregates::Row; } && ...)) {
      return several(aggregates...);
    } else {
      static_assert(sizeof...(Aggregates) == 1,
                    "millrace: of several aggregates each needs its place: "
                    "aggregate(count().as(&Row::records), max(&Trade::price).as(&Row::high))");
      return apply("aggregate", aggregates...);
    }
  }

 private:
  const Derived& derived() const { return static_cast<const Derived&>(*this); }

  auto newest(HowFarBack last) const {
    static_assert(!detail::kHasNoWindow<Derived>,
                  "millrace: last(100) and last(5min) say which records of a window count: put "
                  "window before it, or use over(last(100))");
    return NewestStream<Derived, T>(derived(), last);
  }

  template <class Spec>
  auto apply(const char* kind, const Spec& spec) const {
    const char* value = std::string_view(kind) == "aggregate" ? "value" : kind;
    return derived().apply(kind, value, spec.template kernel<T>());
  }

  template <class First, class... More>
  auto several(const First& first, const More&... more) const {
    using Row = typename First::Row;
    static_assert((std::is_same_v<Row, typename More::Row> && ...),
                  "millrace: the aggregates of one pass go into members of one struct");
    detail::SeveralKernel<T, Row, decltype(first.template part<T>()),
                          decltype(more.template part<T>())...>
    kernel(first.template part<T>(), more.template part<T>()...);
    Status problem = detail::check_places(first.member, more.member...);
    if (problem.ok()) problem = kernel.problem();
    return derived().apply("aggregate", "value", std::move(kernel), std::move(problem));
  }
};

/// Running aggregates and windows of a keyed stream.
template <class T, class Key>
class KeyedStream : public AggregateVerbs<KeyedStream<T, Key>, T>,
                    public KeyedVerbs<KeyedStream<T, Key>, T, Key>,
                    public KeyedCallVerbs<KeyedStream<T, Key>, T, Key>,
                    public ConnectVerbs<KeyedStream<T, Key>, T, Key>,
                    public TableVerbs<KeyedStream<T, Key>, T, Key> {
 public:
  using Record = T;
  using K = typename Key::View;
  using KeyType = Key;
  using KeyPtr = std::shared_ptr<const detail::TypedKeyHash<T, Key>>;

  KeyedStream(Stream<T> stream, KeyPtr key, std::vector<std::string> names)
      : stream_(std::move(stream)), key_(std::move(key)), names_(std::move(names)) {}

  /// Cuts into windows of event time, or one over everything.
  WindowedStream<T, Key> window(Windows windows) const { return {*this, windows}; }
  /// Cuts by the wall clock, whatever times the records have: window(tumbling(1s).by_clock()).
  template <class Spec>
  auto window(ByClock<Spec> spec) const {
    return KeyedStream(detail::stamped_by_clock(stream_, spec), key_, names_).window(spec.windows);
  }
  /// Cuts into windows that also emit early or for late records, or only when nothing can come any
  /// more: window(tumbling(1min).allowed_lateness(10s).early(every(10s))).
  RefiringStream<T, Key, RefiringWindows> window(RefiringWindows windows) const {
    return {*this, windows};
  }
  RefiringStream<T, Key, FinalWindows> window(FinalWindows windows) const {
    return {*this, windows};
  }
  /// Cuts into sessions: see session().
  template <class Gap>
  KeyWindows<T, Key, Sessions<Gap>> window(Sessions<Gap> sessions) const {
    return {*this, std::move(sessions)};
  }
  /// Cuts into sessions that also emit early or for late records, or only when nothing can join
  /// them any more: window(session(30min).allowed_lateness(10min).retracting()).
  template <class Gap>
  RefiringStream<T, Key, RefiringSessions<Gap>> window(RefiringSessions<Gap> sessions) const {
    return {*this, std::move(sessions)};
  }
  template <class Gap>
  RefiringStream<T, Key, FinalSessions<Gap>> window(FinalSessions<Gap> sessions) const {
    return {*this, std::move(sessions)};
  }
  /// Cuts into windows of so many records of a key, in the order of event time and of places in the
  /// input; without event time in that in which they reach the task. See count_window().
  KeyWindows<T, Key, CountWindows> window(CountWindows windows) const { return {*this, windows}; }

  /// For each record a row over the last ones of its key, itself among them: over(last(100)), or
  /// over(last(5min)). With event time in its order, when the watermark has passed the record.
  KeyWindows<T, Key, LastRecords> over(LastRecords records) const { return {*this, records}; }
  KeyWindows<T, Key, LastSpan> over(LastSpan span) const { return {*this, span}; }
  auto over(ByClock<LastSpan> spec) const {
    return KeyedStream(detail::stamped_by_clock(stream_, spec), key_, names_).over(spec.windows);
  }
  template <class Other>
  KeyWindows<T, Key, LastRecords> over(Other) const {
    static_assert(detail::kNever<Other>,
                  "millrace: over() looks back by a number of records or a span of time: "
                  "over(last(100)) or over(last(5min))");
  }

  /// This stream and another one, to be joined by equal keys: orders.key_by(&Order::id)
  /// .join(shipments.key_by(&Shipment::order)).within(0s, 1h).inner(f). See joined_stream.hpp.
  template <class R, class RKey>
  Join<T, Key, R, RKey> join(const KeyedStream<R, RKey>& right) const;
  /// Each record with what a table holds of its key at the record's event time:
  /// orders.key_by(&Order::user).join(users.key_by(&User::id).table()).left(f). See table.hpp.
  template <class R, class RKey>
  AsOf<T, Key, R, RKey> join(const Table<R, RKey>& table) const;
  /// Each record with the newest one of another stream that was there at its event time:
  /// trades.key_by(&Trade::symbol).as_of(quotes.key_by(&Quote::symbol)).left(f).
  template <class R, class RKey>
  AsOf<T, Key, R, RKey> as_of(const KeyedStream<R, RKey>& right) const;

  /// Alerts of each key by a member or function of the record that gives a number: raised after
  /// `samples` values above `high` in a row, cleared by the first below `low`. Emits only when an
  /// alert is raised or cleared. Errors: 2010 when low > high or samples is 0.
  template <class F>
  Stream<Alert<K>> alert(F number, AlertLimits limits) const {
    return alerts(
        std::move(number), [limits](const T&) { return limits; }, detail::validate(limits));
  }
  /// The same with limits that depend on the record: limits(const T&) -> AlertLimits.
  template <class F, class Limits>
    requires std::is_invocable_r_v<AlertLimits, const Limits&, const T&>
  Stream<Alert<K>> alert(F number, Limits limits) const {
    return alerts(std::move(number), std::move(limits), {});
  }

  using KeyedVerbs<KeyedStream<T, Key>, T, Key>::top;
  /// Refused with a sentence.
  template <class N>
  void top(N n) const {
    detail::VerbsThatNeedAggregates::top(n);
  }

  // Internal.
  const Stream<T>& stream() const { return stream_; }
  const KeyPtr& key() const { return key_; }
  const std::vector<std::string>& key_names() const { return names_; }

  template <class Kernel>
  auto apply(std::string kind, std::string value, Kernel kernel, Status problem = {}) const {
    using Op = detail::RunningAggregate<T, Key, Kernel>;
    using Row = typename Op::Row;
    detail::Node node;
    node.kind = std::move(kind);
    node.problem = std::move(problem);
    node.breaks_ties = Kernel::kOrdered;
    node.inputs = stream_.inputs({detail::GroupingKind::fields, key_});
    node.make_operator = [key = key_, kernel] { return std::make_unique<Op>(key, kernel); };
    node.output = &detail::batch_type<Row>();
    const detail::NodeId id = stream_.declaration().graph.add(std::move(node));
    return Stream<Row>(stream_.declaration(), {{id, 0}}, {names_, std::move(value), false});
  }

 private:
  template <class F, class Limits>
  Stream<Alert<K>> alerts(F number, Limits limits, Status problem) const {
    static_assert(std::is_invocable_v<const F&, const T&>,
                  "millrace: alert needs a member or function of the record that gives a number");
    using Step = detail::AlertStep<T, K, F, Limits>;
    using Op = detail::KeyedStep<T, Key, Hysteresis, Alert<K>, Step>;
    detail::Node node;
    node.kind = "alert";
    node.problem = std::move(problem);
    node.inputs = stream_.inputs({detail::GroupingKind::fields, key_});
    node.make_operator = [key = key_, step = Step{std::move(number), std::move(limits)}] {
      return std::make_unique<Op>(key, step);
    };
    node.output = &detail::batch_type<Alert<K>>();
    const detail::NodeId id = stream_.declaration().graph.add(std::move(node));
    return Stream<Alert<K>>(stream_.declaration(), {{id, 0}}, {names_, "value", false});
  }

  Stream<T> stream_;
  KeyPtr key_;
  std::vector<std::string> names_;
};

}  // namespace millrace

#include "millrace/clock_windows.hpp"    // what window(....by_clock()) is cut from
#include "millrace/joined_stream.hpp"    // what join(...) and as_of(...) return
#include "millrace/key_windows.hpp"      // what window(session(...)) returns; needs KeyedStream
#include "millrace/matched_stream.hpp"   // what match(...) returns
#include "millrace/newest_stream.hpp"    // what window(...).last(100) returns
#include "millrace/refiring_stream.hpp"  // what window(tumbling(...).early(...)) returns
#include "millrace/table.hpp"            // what table() returns
#include "millrace/windowed_stream.hpp"  // what window(...) returns
