// Spout and Bolt: the Storm style of writing components, as classes of one's own.
#pragma once

#include "operator/output.hpp"

namespace millrace {

/// A source of records written by the user. Derive, implement next(), pass an instance to
/// Topology::spout().
///
/// Each task owns a copy of the instance it was declared with; its thread alone calls it.
template <class Out>
class Spout {
 public:
  using Record = Out;
  virtual ~Spout() = default;

  /// Called once before the first next(): `task` of `tasks`, 0-based.
  virtual void open(int /*task*/, int /*tasks*/) {}
  /// Emits zero or more records (a few; it is called again at once) and returns true, or returns
  /// false when there will never be more. Nothing emitted: asked again after at most half a
  /// millisecond. Must not block for long. What it throws ends the topology with that text.
  virtual bool next(Output<Out>& out) = 0;
};

/// A step written by the user. Derive, implement process(), pass an instance to Topology::bolt().
///
/// Each task owns a copy of the instance it was declared with; its thread alone calls it. Plain
/// members keep their values from record to record of a task, but no checkpoint holds them.
template <class In, class Out>
class Bolt {
 public:
  using Input = In;
  using Record = Out;
  virtual ~Bolt() = default;

  /// Called once before the first record: `task` of `tasks`, 0-based.
  virtual void prepare(int /*task*/, int /*tasks*/) {}
  /// Handles one record and emits any number, which take its event time. When it throws, what it
  /// emitted for this record is withdrawn, the record goes to the dead letters with the text, and
  /// the next record is handled.
  virtual void process(const In& record, Output<Out>& out) = 0;
};

}  // namespace millrace
