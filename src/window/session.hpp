// Sessions: how a keyed stream is cut into sessions, with one gap or with one of each record.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "base/status.hpp"
#include "base/time.hpp"
#include "window/by_clock.hpp"

namespace millrace {

class EarlyTrigger;
template <class Gap>
class RefiringSessions;

/// How a keyed stream is cut into sessions; made by session(). `Gap` is a Duration, or a function
/// of the record that returns one.
template <class Gap>
struct Sessions {
  Gap gap;

  /// The same sessions, which take records up to `lateness` late and then emit again: see
  /// RefiringSessions.
  RefiringSessions<Gap> allowed_lateness(Duration lateness) const;
  /// The same sessions, which also emit before their end: see every().
  RefiringSessions<Gap> early(EarlyTrigger trigger) const;
  /// The same sessions of the wall clock; see Windows::by_clock. One fires up to 100 ms after the
  /// clock has passed its last record's time + gap.
  ByClock<Sessions> by_clock() const { return {*this}; }

  /// Internal: 2005 for a gap that is not longer than 0.
  Status validate() const {
    if constexpr (std::is_same_v<Gap, Duration>) {
      if (gap <= Duration(0)) {
        return {Code::window_invalid,
                "window session(" + detail::format_duration(gap) +
                    "): the gap must be longer than 0: give a positive duration"};
      }
    }
    if constexpr (requires { gap.validate(); }) return gap.validate();
    return {};
  }
  /// Internal: "session(30min)".
  std::string to_string() const {
    if constexpr (std::is_same_v<Gap, Duration>) {
      return "session(" + detail::format_duration(gap) + ")";
    } else if constexpr (requires { gap.to_string(); }) {
      return gap.to_string();
    } else {
      return "session(a gap of each record)";
    }
  }
  /// Internal: throws where the function gives no gap.
  template <class T>
  Duration gap_of(const T& record) const {
    if constexpr (std::is_same_v<Gap, Duration>) {
      return gap;
    } else {
      const Duration own = std::invoke(gap, record);
      if (own <= Duration(0)) {
        throw std::invalid_argument("the gap of its session is not longer than 0");
      }
      return own;
    }
  }
};

/// Sessions of each key: records belong together while each follows the one before it within
/// `gap`; exactly `gap` still counts. 2005 unless gap > 0.
inline Sessions<Duration> session(Duration gap) { return {gap}; }
/// The same with a gap of each record, gap(record) -> Duration: a record belongs together with all
/// up to its time + gap, both included. A gap that is not above 0 makes it a dead letter.
template <class Gap>
  requires(!std::is_convertible_v<Gap, Duration>)
Sessions<Gap> session(Gap gap) {
  return {std::move(gap)};
}

}  // namespace millrace
