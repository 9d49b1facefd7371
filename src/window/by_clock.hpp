// ByClock: windows that are cut and fired by the wall clock, whatever times the records have.
#pragma once

#include <string>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace {

/// Windows of the wall clock; made by tumbling(1s).by_clock(), session(30s).by_clock(),
/// tumbling(1min).early(every(10s)).by_clock(), last(5min).by_clock() and the like.
template <class Spec>
struct ByClock {
  Spec windows;

  /// Internal: 2005 where the windows are wrong, global(), or to take late records.
  Status validate() const {
    if constexpr (requires { windows.is_global(); }) {
      if (windows.is_global()) {
        return {
            Code::window_invalid,
            "window global().by_clock(): it fires at the end of input, whatever the clock says: "
            "take .by_clock() away, or give a tumbling window"};
      }
    }
    if constexpr (requires { windows.rules(); }) {
      if (windows.rules().lateness_us() > 0) {
        return {Code::window_invalid,
                "window " + to_string() +
                    ": by the wall clock nothing is late: take allowed_lateness away"};
      }
    }
    return windows.validate();
  }
  /// Internal: the next instant behind `now` at which a window ends; kTimeMax where records decide.
  Time next_end_after(Time now) const {
    if constexpr (requires { windows.next_end_after(now); }) {
      return validate().ok() ? windows.next_end_after(now) : kTimeMax;
    } else {
      return kTimeMax;
    }
  }
  std::string to_string() const { return windows.to_string() + ".by_clock()"; }
};

}  // namespace millrace
