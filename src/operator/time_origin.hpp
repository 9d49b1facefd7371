// TimeOrigin: what an operator that makes watermarks is told of its source, besides the records.
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace millrace::detail {

class Outputs;

/// All calls by the task's thread, between calls of process().
class TimeOrigin {
 public:
  virtual ~TimeOrigin() = default;
  /// The source reads that many partitions. Before the first record.
  virtual void set_partitions(std::uint32_t partitions) = 0;
  /// The partition has no more records.
  virtual void partition_ended(std::uint32_t partition, Outputs& out) = 0;
  /// The source promises that no record of the partition with a time before `watermark` follows.
  virtual void partition_reached(std::uint32_t partition, Time watermark, Outputs& out) = 0;

  /// True when partitions may fall idle: then the next two are called.
  virtual bool counts_quiet_time() const { return false; }
  /// The source has looked at a partition; what it found there has been handed on.
  virtual void looked(std::uint32_t /*partition*/, std::int64_t /*now_ns*/, Outputs&) {}
  /// The source is not read now, until the next look: idleness must not count this time.
  virtual void not_read(std::int64_t /*now_ns*/) {}
  /// The same of one partition; it counts anew from its next look.
  virtual void not_read_one(std::uint32_t /*partition*/) {}
  /// While every partition is idle: the others are at `watermark`, and so is it.
  virtual void follow(Time /*watermark*/, Outputs&) {}
  /// Records before `from` and not before `until` are passed over. Before the first record.
  virtual void set_range(Time /*from*/, Time /*until*/) {}
  /// It holds records of the partition that are not due.
  virtual bool holds(std::uint32_t /*partition*/) const { return false; }
  /// The source has been asked for all it may be asked for now: what is held is let go in the order
  /// of time. True when that changes when the next is due.
  virtual bool all_read() { return false; }
  /// How far its source may be ahead of others; 0: any distance.
  virtual Duration align_within() const { return Duration(0); }
};

}  // namespace millrace::detail
