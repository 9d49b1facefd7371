// CallOptions: how calls to an outside store or function are made, and for how long.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace {

struct CallOptions {
  /// Records of a task whose calls are under way or whose results wait for their turn. Further ones
  /// wait, and while any does the task reads nothing.
  std::size_t in_flight_max = 100;
  /// Of one try, from when it is made; with a blocking function the wait for a thread is part of
  /// it.
  Duration time_out = std::chrono::seconds(1);
  /// How often a record is tried, 1 or more.
  int tries = 1;
  /// Between the first try and the second; twice as long before each further one, up to a minute.
  Duration back_off = std::chrono::milliseconds(100);
  /// Of all tries of a record together, from when it came; 0: none.
  Duration deadline{0};
  /// Results leave in the order of the records; else as they come, but none passes a watermark.
  bool ordered = true;
  /// That a blocking function is called by, a task.
  std::size_t threads = 8;
};

namespace detail {

/// 2010 for what cannot be, with the verb's name.
Status check_call_options(const CallOptions& options, const char* verb);

/// "1s", "ordered" and such, for explain.
std::string call_note(const CallOptions& options);

}  // namespace detail
}  // namespace millrace
