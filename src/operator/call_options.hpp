// CallOptions: how calls to an outside store or function are made, and for how long.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
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
  /// Results leave in the order of the records, behind key_by in that of each key's; else as they
  /// come. None passes a watermark.
  bool ordered = true;
  /// That a blocking function is called by, a task.
  std::size_t threads = 8;
  /// Of call behind key_by: records of a key that are called for at once, 1 or more. Further ones
  /// wait until a call is over, with all its tries.
  std::size_t key_in_flight_max = 1;
};

struct LookupOptions {
  /// How the store is asked. In flight are loads, of batch_max keys at most.
  CallOptions calls = {};
  /// Keys whose values a task keeps, the most recently used ones; 0: none.
  std::size_t cache_max = 10'000;
  /// How long a value is kept from when it came; 0: for ever.
  Duration expire{0};
  /// That the store has nothing for a key is kept too.
  bool keep_missing = true;
  /// Keys that are asked for at once, by a function that takes several.
  std::size_t batch_max = 100;
  /// What could not be had is missing, in place of a dead letter.
  bool missing_on_failure = false;
};

namespace detail {

/// 2010 for what cannot be, with the verb's name; `takes_turns`: it calls by key.
Status check_call_options(const CallOptions& options, const char* verb, bool takes_turns = false);

Status check_lookup_options(const LookupOptions& options);

/// Nanoseconds behind so many tries, 1 or more.
std::int64_t pause_before_next(const CallOptions& options, int tries);

/// For explain: "ordered, 100 in flight, time-out 1s"; behind key_by "ordered by key".
std::string call_note(const CallOptions& options, bool by_key = false);

}  // namespace detail
}  // namespace millrace
