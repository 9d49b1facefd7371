// MemoryBudget: the one number of bytes a run may hold, what uses it, and which source has to wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>

#include "base/memory_meter.hpp"
#include "base/time.hpp"

namespace millrace::detail {

/// What a source's task tells the others. Written by its thread, read by any.
struct SourceProgress {
  std::atomic<Time> newest{kTimeMin};  ///< event time read so far; kTimeMin: it has none
  std::atomic<bool> active{true};      ///< false: it has nothing now, or has ended
  std::atomic<bool> held{false};       ///< it waits for memory
};

/// A quarter of the budget is for what is on its way (texts, open batches, rings, images that wait
/// for their disk), the rest for keyed state; the process itself and what the allocator cannot give
/// back must find room in what the two leave. Any thread. Cost: one look at a counter a poll, while
/// there is no pressure.
class MemoryBudget {
 public:
  /// `bytes`: the budget; 0: none, everything is counted only.
  explicit MemoryBudget(std::uint64_t bytes)
      : in_flight(nullptr),
        arenas(&in_flight),
        images(&in_flight),
        state(nullptr, bytes - bytes / 4),
        bytes_(bytes) {}

  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t in_flight_max_bytes() const { return bytes_ / 4; }
  std::uint64_t state_max_bytes() const { return state.limit_bytes(); }
  /// Records in open batches and rings, without the texts that they share.
  std::uint64_t queued_bytes() const {
    const std::uint64_t all = in_flight.bytes();
    const std::uint64_t others = arenas.bytes() + images.bytes();
    return all > others ? all - others : 0;
  }

  /// Before anything runs; the reference is valid as long as this.
  SourceProgress& add_source() { return sources_.emplace_back(); }
  const std::deque<SourceProgress>& sources() const { return sources_; }

  /// Whether `source` may read on. Over the share of what is on its way none may, until some of it
  /// is worked off; from half of it on (or of the state's) only those that are not ahead of another
  /// in event time. With empty rings and no image that waits every source may, whatever else is
  /// held: so a run never stands still. (Images go on, or are let go of, without any source.)
  bool may_poll(const SourceProgress& source) const;

  MemoryMeter in_flight;  ///< arenas, queues and images
  MemoryMeter arenas;     ///< texts of records, and arenas kept to be used again
  MemoryMeter images;     ///< what waits for a slow disk, beyond a few megabytes
  MemoryMeter state;      ///< keyed state of all tasks; refuses what is beyond its share

 private:
  bool is_ahead(const SourceProgress& source) const;

  std::uint64_t bytes_;
  std::deque<SourceProgress> sources_;
};

}  // namespace millrace::detail
