// Which source waits when memory runs short.
#include "runtime/memory_budget.hpp"

#include <algorithm>

namespace millrace::detail {

bool MemoryBudget::may_poll(const SourceProgress& source) const {
  if (bytes_ == 0) return true;
  const std::uint64_t moving = in_flight.bytes();
  const bool state_is_half = state.bytes() > state_max_bytes() / 2;
  if (moving <= in_flight_max_bytes() / 2 && !state_is_half) return true;
  const bool drains = queued_bytes() > 0 || images.bytes() > 0;
  if (drains && moving > in_flight_max_bytes()) return false;
  if (!drains && !state_is_half) return true;
  return !is_ahead(source);
}

/// Sources without event time and those that have nothing to read are not waited for.
bool MemoryBudget::is_ahead(const SourceProgress& source) const {
  const Time newest = source.newest.load(std::memory_order_relaxed);
  if (newest == kTimeMin) return false;
  return std::any_of(sources_.begin(), sources_.end(), [&](const SourceProgress& other) {
    if (&other == &source || !other.active.load(std::memory_order_relaxed)) return false;
    const Time its = other.newest.load(std::memory_order_relaxed);
    return its != kTimeMin && its < newest;
  });
}

}  // namespace millrace::detail
