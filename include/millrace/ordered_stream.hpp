// OrderedStream: records in the order of their event times, and those that came too late for it.
#pragma once

#include "millrace/stream.hpp"
#include "operator/order_restore.hpp"

namespace millrace {

/// What restore_order makes: a stream, and beside it the late records.
template <class T>
class OrderedStream : public Stream<T> {
 public:
  explicit OrderedStream(Stream<T> ordered) : Stream<T>(std::move(ordered)) {}

  OrderedStream named(std::string name) const {
    Stream<T>::rename(std::move(name));
    return *this;
  }
  OrderedStream parallel(int tasks) const {
    Stream<T>::fix_tasks(tasks);
    return *this;
  }
  /// The records that came behind the watermark of their own source partition, as they came. They
  /// count as late whether or not somebody reads them.
  Stream<T> late() const {
    std::vector<detail::Upstream> from;
    for (const detail::Upstream& at : this->from()) from.push_back({at.node, 1});
    return Stream<T>(this->declaration(), std::move(from), this->names());
  }
};

namespace detail {

/// `grouping`: to one task, or by key.
template <class T>
OrderedStream<T> restored(const Stream<T>& stream, const Grouping& grouping) {
  Node node =
      operator_node<OrderRestore<T>>("restore_order", stream.inputs(grouping), grouping.hash);
  if (grouping.kind == GroupingKind::global)
    node.tasks_are_fixed = "one task puts the records of all in order";
  node.needs_time = true;
  node.breaks_ties = true;
  node.row_places = RowPlaces::of_record;
  node.output = &batch_type<T>();
  const NodeId id = stream.declaration().graph.add(std::move(node));
  return OrderedStream<T>(Stream<T>(stream.declaration(), {{id, 0}}, stream.names()));
}

}  // namespace detail

template <class T>
OrderedStream<T> Stream<T>::restore_order() const {
  return detail::restored(*this, {detail::GroupingKind::global, nullptr});
}

}  // namespace millrace
