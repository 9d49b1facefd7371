// Stream<T>: a typed handle to an edge of the topology, and the verbs that build the graph from it.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/running_picks.hpp"
#include "millrace/time_verbs.hpp"
#include "operator/broadcast_process.hpp"

namespace millrace {

/// The record itself as a key: `key_by(self)`.
inline constexpr auto self = [](const auto& record) -> const auto& { return record; };

template <class T, class Key>
class KeyedStream;
template <class T, class Key>
class WindowedStream;
template <class K, class V>
class WindowAggregates;
template <class T>
class OrderedStream;
template <class R>
class BroadcastStream;
template <class T, class R>
class Connection;
template <class T, class Key>
class GlobalTable;

/// A stream of T. Cheap to copy; valid as long as its Topology. Verbs only declare: nothing runs
/// before run().
///
/// Functions given to verbs are copied into every task and called by that task's thread only.
template <class T>
class Stream : public TimeVerbs<T>, public detail::VerbsThatNeedMore {
 public:
  using Record = T;

  Stream(detail::Declaration& declaration, std::vector<detail::Upstream> from,
         detail::RowNames names = {})
      : TimeVerbs<T>(declaration, std::move(from), std::move(names)) {}

  /// Names the component that makes this stream: 1 to 64 characters, unique. On the page, in logs
  /// and metrics.
  Stream named(std::string name) const {
    this->rename(std::move(name));
    return *this;
  }
  /// Fixes the number of tasks of the component that makes this stream, 1 to 128; else it has as
  /// many as its input, or behind key_by and shuffle the run's parallelism. Errors: 2008 for a
  /// source, event_time, top, and a number out of range.
  Stream parallel(int tasks) const {
    this->fix_tasks(tasks);
    return *this;
  }

  /// All records in the order of their event times, equal times by place in the input (source,
  /// partition, offset): each goes when the watermark lies beyond it, so event_time's out_of_order
  /// is how long it waits and how far it is put right. Those behind the watermark go to .late().
  /// One task; of each key apart: key_by(...).restore_order().
  OrderedStream<T> restore_order() const;

  /// This stream and others as one. Order is kept per sender.
  template <class... Others>
  Stream merge(const Others&... others) const {
    static_assert((std::is_base_of_v<Stream, Others> && ...),
                  "millrace: merge joins streams of one record type: map them first");
    std::vector<detail::Upstream> from = this->from();
    (from.insert(from.end(), others.from().begin(), others.from().end()), ...);
    return Stream(this->declaration(), std::move(from), this->names());
  }

  /// The latest record of each span of event time, sample(every(10s)); see KeyedVerbs::sample. One
  /// task; of each key apart: key_by(...).sample(every(10s)).
  Stream sample(const EarlyTrigger& every) const {
    const auto one = [](const T&) { return std::int32_t{0}; };
    using Key = detail::KeyFn<T, std::decay_t<decltype(one)>>;
    const auto key = std::make_shared<const detail::TypedKeyHash<T, Key>>(Key(one));
    return detail::sampled<T, Key>(*this, key, every, true);
  }
  using RecordVerbs<T>::sample;

  /// This stream as one whose records go to all tasks of the component that it is connected to:
  /// rules, prices, settings. With `by_event_time` one of time t holds for records of times from t
  /// on, whatever the schedule; both streams then need event times. See connected_stream.hpp.
  BroadcastStream<T> broadcast(BroadcastOrder order = as_it_comes) const;
  /// This stream beside a broadcast one: events.connect(rules.broadcast()).process(Matcher{}).
  template <class R>
  Connection<T, R> connect(BroadcastStream<R> broadcast) const {
    return {*this, std::move(broadcast)};
  }
  /// Refused with a sentence.
  template <class Other>
  void connect(const Other&) const {
    static_assert(detail::kNever<Other>,
                  "millrace: streams are connected by key: put key_by(...) behind both, or give a "
                  "bolt of the inputs without keys, Bolt<Inputs<A, B>, Out>");
  }

  /// Each record with the row of a global table whose key it names, by a member, several, or a
  /// function: orders.join(customers.table().global(), &Order::customer).left(f). As of the
  /// record's event time, as with a table by key (see AsOf): .inner(f) or .left(f), .within(d),
  /// .allowed_lateness(d). An optional that is absent names nothing.
  template <class R, class RKey, class... Named>
  auto join(const GlobalTable<R, RKey>& table, Named... named) const;

  /// Refused with a sentence.
  template <class First, class... Others>
  void join(const First&, const Others&...) const {
    static_assert(detail::kNever<First>,
                  "millrace: join needs a key on both sides: put key_by(...) before it, or join "
                  "with a global table, customers.table().global(), by what the records name");
  }

  /// Groups by a member, several members, or a function of the record.
  template <class... Parts>
  auto key_by(Parts... parts) const {
    static_assert(sizeof...(Parts) > 0 && (std::is_invocable_v<const Parts&, const T&> && ...),
                  "millrace: key_by needs members or functions of this stream's records");
    using Key = detail::KeyFn<T, Parts...>;
    auto hash = std::make_shared<const detail::TypedKeyHash<T, Key>>(Key(parts...));
    return KeyedStream<T, Key>(*this, std::move(hash),
                               detail::key_names<T>(this->names(), parts...));
  }
};

}  // namespace millrace

#include "millrace/ordered_stream.hpp"  // what restore_order returns; needs Stream

#include "millrace/keyed_stream.hpp"  // what key_by returns; needs both

#include "millrace/connected_stream.hpp"  // what connect returns; needs all
