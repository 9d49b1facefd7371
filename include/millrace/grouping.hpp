// Groupings as values: how the records of a stream choose the tasks that receive them.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/direct_stream.hpp"
#include "millrace/stream.hpp"
#include "operator/chooser.hpp"
#include "operator/field_hash.hpp"

namespace millrace {

/// A stream with the way its records choose the receiving task: an input of a bolt, or the input
/// of a verb: `partial_key(posts, &Post::author).stream().map(...)`.
///
/// Whatever the grouping, what one task sends to another arrives in the order in which it was sent;
/// between other records there is no order.
template <class T>
class Grouped {
 public:
  Grouped(const Stream<T>& stream, const detail::Grouping& grouping)
      : stream_(stream.declaration(), regrouped(stream.from(), grouping), stream.names()) {}

  /// The stream whose next verb or sink gets its records by this grouping.
  const Stream<T>& stream() const { return stream_; }

 private:
  static std::vector<detail::Upstream> regrouped(std::vector<detail::Upstream> from,
                                                 const detail::Grouping& grouping) {
    for (detail::Upstream& one : from) one.grouping = grouping;
    return from;
  }

  Stream<T> stream_;
};

/// Spreads records by load: each batch goes first to the tasks with the shortest queues, in equal
/// shares where they are equally long. A task that falls behind gets less, an idle one always gets
/// its share.
template <class T>
Grouped<T> shuffle(const Stream<T>& stream) {
  return {stream, {detail::GroupingKind::shuffle}};
}
/// Sends records to tasks that the sender's own thread steps, so that they need not cross to
/// another, as long as one of those keeps up; else, or where there is none, as shuffle.
template <class T>
Grouped<T> local_or_shuffle(const Stream<T>& stream) {
  return {stream, {detail::GroupingKind::local_or_shuffle}};
}
/// Leaves the choice to the engine: task i to task i where both have equally many, fused into one
/// task without a queue between; else as shuffle, or to the one task.
template <class T>
Grouped<T> none(const Stream<T>& stream) {
  return {stream, {}};
}

namespace detail {
template <class T, class... Parts>
Grouping grouping_by(GroupingKind kind, Parts... parts) {
  static_assert(sizeof...(Parts) > 0 && (std::is_invocable_v<const Parts&, const T&> && ...),
                "millrace: fields and partial_key need members or functions of the stream's "
                "records");
  return {kind, std::make_shared<const FieldsHash<T, Parts...>>(std::move(parts)...)};
}
}  // namespace detail

/// Sends records with equal fields to one task: members or functions of the record, of any type
/// that a record may have.
template <class T, class... Parts>
Grouped<T> fields(const Stream<T>& stream, Parts... parts) {
  return {stream, detail::grouping_by<T>(detail::GroupingKind::fields, std::move(parts)...)};
}
/// Sends records with equal fields to one of two tasks, the one that this sender has sent fewer
/// records: for skewed keys whose partial results are merged behind. With one task, to that.
template <class T, class... Parts>
Grouped<T> partial_key(const Stream<T>& stream, Parts... parts) {
  return {stream, detail::grouping_by<T>(detail::GroupingKind::partial_key, std::move(parts)...)};
}
/// Sends all records to task 0.
template <class T>
Grouped<T> global(const Stream<T>& stream) {
  return {stream, {detail::GroupingKind::global}};
}
/// Sends every record to every task.
template <class T>
Grouped<T> all(const Stream<T>& stream) {
  return {stream, {detail::GroupingKind::all}};
}
/// Sends each record to the task that its sender named with emit_to().
template <class T>
Grouped<T> direct(const DirectStream<T>& stream) {
  return {stream.stream(), {detail::GroupingKind::direct}};
}
/// Sends records to the tasks that a class of one's own chooses; see CustomGrouping.
template <class T, class G>
Grouped<T> custom(const Stream<T>& stream, G grouping) {
  static_assert(std::is_base_of_v<CustomGrouping<T>, G>,
                "millrace: a custom grouping is a class derived from CustomGrouping<T>, T being "
                "the stream's records");
  return {stream, {detail::GroupingKind::custom, nullptr, [grouping] {
                     return std::make_unique<detail::TypedChooser<T, G>>(grouping);
                   }}};
}

}  // namespace millrace
