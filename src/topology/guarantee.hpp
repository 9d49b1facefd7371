// Guarantee: what a run promises of each record, and how messages are tracked for it.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.hpp"

namespace millrace {

enum class Guarantee {
  at_most_once,   ///< nothing is tracked: a record at which user code throws is set aside
  at_least_once,  ///< Storm's contract: each message is acked, or failed and played again
  /// State and what transactional sinks show are as if each record had been handled once, also
  /// after a crash, as far as sources can be replayed; a record at which user code throws is set
  /// aside.
  exactly_once,
};
inline constexpr Guarantee at_most_once = Guarantee::at_most_once;
inline constexpr Guarantee at_least_once = Guarantee::at_least_once;
inline constexpr Guarantee exactly_once = Guarantee::exactly_once;

/// Of at_least_once.
struct AckOptions {
  /// How often a message is tried in all, 1 to 255; then its record is a dead letter.
  int tries_max = 3;
  /// A message that failed is played again after this time, and after twice as long each further
  /// time, at most 10 s: what it failed at may take a moment to be well again. 0: at once. A spout
  /// that names its messages is told of each failure at once.
  Duration retry_after = std::chrono::milliseconds(100);
  /// How many messages of a source's task may be on their way: beyond it the source waits. What
  /// windows hold does not count. 0: as many as rings and memory hold.
  int pending_max = 0;
  /// A message that a bolt has taken by hand fails when nothing has happened to it for so long;
  /// seen at most a quarter later. Greater than 0.
  Duration timeout = std::chrono::seconds(30);
};

/// Epochs more often than that would cost more than they save.
inline constexpr Duration kEpochIntervalMin = std::chrono::milliseconds(10);

/// Where a run keeps its state, so that a later one goes on from there.
struct StateSettings {
  std::string folder = {};  ///< empty: in memory alone
  /// From one epoch to the next, at least 10 ms.
  Duration interval = std::chrono::seconds(10);
};

}  // namespace millrace
