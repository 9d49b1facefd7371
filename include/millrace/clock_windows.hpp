// stamped_by_clock: the stream that windows of the wall clock are cut from.
#pragma once

#include <memory>
#include <utility>

#include "millrace/stream.hpp"
#include "operator/clock_time.hpp"
#include "window/by_clock.hpp"

namespace millrace::detail {

/// `stream` with the wall clock's times in place of its own, for `spec`.
template <class T, class Spec>
Stream<T> stamped_by_clock(const Stream<T>& stream, const ByClock<Spec>& spec) {
  Node node;
  node.kind = "by_clock";
  node.note = spec.to_string();
  node.problem = spec.validate();
  node.inputs = stream.inputs({});
  node.tells_clock_time = true;
  node.keeps_state = false;
  node.output = &batch_type<T>();
  node.make_operator = [spec] {
    return std::make_unique<ClockTime<T>>([spec](Time now) { return spec.next_end_after(now); });
  };
  const NodeId id = stream.declaration().graph.add(std::move(node));
  return Stream<T>(stream.declaration(), {{id, 0}}, stream.names());
}

}  // namespace millrace::detail
