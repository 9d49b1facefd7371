// Groupings as values: how the records of a stream choose the tasks that receive them.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "millrace/stream.hpp"

namespace millrace {

/// A stream with the way its records choose the receiving task: an input of a bolt.
template <class T>
struct Grouped {
  Stream<T> stream;
  detail::Grouping grouping;
};

/// Spreads records evenly over the tasks.
template <class T>
Grouped<T> shuffle(const Stream<T>& stream) {
  return {stream, {detail::GroupingKind::shuffle, nullptr}};
}
/// Sends records with equal keys to one task: members or functions of the record.
template <class T, class... Parts>
Grouped<T> fields(const Stream<T>& stream, Parts... parts) {
  static_assert(sizeof...(Parts) > 0 && (std::is_invocable_v<const Parts&, const T&> && ...),
                "millrace: fields needs members or functions of the stream's records");
  using Key = detail::KeyFn<T, Parts...>;
  return {stream,
          {detail::GroupingKind::fields,
           std::make_shared<const detail::TypedKeyHash<T, Key>>(Key(parts...))}};
}
/// Sends all records to task 0.
template <class T>
Grouped<T> global(const Stream<T>& stream) {
  return {stream, {detail::GroupingKind::global, nullptr}};
}
/// Sends every record to every task.
template <class T>
Grouped<T> all(const Stream<T>& stream) {
  return {stream, {detail::GroupingKind::all, nullptr}};
}

}  // namespace millrace
