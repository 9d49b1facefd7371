// EventStream: what a verb tells of records in the order of event time, and the records that came
// too late for it.
#pragma once

#include <string>
#include <utility>

#include "millrace/ordered_stream.hpp"

namespace millrace {

/// What watch, watch_rules, notify and crossings make of records T: a stream of `Event`, and beside
/// it the records that none of them tells of.
template <class T, class Event>
class EventStream : public Stream<Event> {
 public:
  // Internal: the events of records that were put in order before.
  EventStream(Stream<Event> events, OrderedStream<T> ordered)
      : Stream<Event>(std::move(events)), ordered_(std::move(ordered)) {}

  EventStream named(std::string name) const {
    Stream<Event>::rename(std::move(name));
    return *this;
  }
  EventStream parallel(int tasks) const {
    Stream<Event>::fix_tasks(tasks);
    return *this;
  }
  /// The records behind the watermark of their own source partition, as they came. They count as
  /// late whether or not somebody reads them.
  Stream<T> late() const { return ordered_.late(); }

 private:
  OrderedStream<T> ordered_;
};

}  // namespace millrace
