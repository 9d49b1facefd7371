// EpochOptions: how often a run makes epochs, and what it does about those that fail.
#pragma once

#include <cstddef>

#include "base/time.hpp"

namespace millrace::detail {

struct EpochOptions {
  /// From the begin of one epoch to that of the next; shorter at first where a run goes on from
  /// one. Greater than 0.
  Duration interval = std::chrono::seconds(10);
  /// At least so long passes from the end of one to the begin of the next. 0: none.
  Duration min_pause = Duration(0);
  /// An epoch that is not complete after this time is given up; what it would have made visible
  /// comes with the next one.
  Duration timeout = std::chrono::minutes(10);
  /// Of its image a task writes at once what about so many slots of tables hold (up to a
  /// millisecond), then it goes on with the stream. Greater than 0.
  std::size_t image_slots = 8192;
  /// So many in a row may fail; one more fails the run.
  int failures_max = 3;
};

}  // namespace millrace::detail
