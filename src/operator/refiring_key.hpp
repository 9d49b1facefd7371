// RefiringKey: the sessions of one key that emit more than once, and when to look at them next.
#pragma once

#include <algorithm>
#include <cstdint>

#include "window/open_sessions.hpp"
#include "window/refire_rules.hpp"

namespace millrace::detail {

/// A record's place among sessions: it belongs together with all of [time, last].
struct Reach {
  Time time;
  Time last;
  Time turn;  ///< when it counts: its time, or the watermark that it is behind
};

/// A record alone, up to the last instant that belongs together with it.
template <class Acc>
struct Reaching {
  Acc acc;
  Time last;
};

/// Times are the last instant before something happens: it does when the watermark is greater.
template <class Cell>
struct RefiringKey {
  OpenSessions<Cell> sessions;
  Time early = kTimeMax;  ///< of the next early rows

  /// After a record that counted at `turn`: a row at the next multiple of `span`, unless its
  /// session, up to `last`, ends before.
  void expect_early(Time turn, Time last, std::int64_t span) {
    const auto past = static_cast<Time>(past_multiple(turn, static_cast<std::uint64_t>(span)));
    const Time next = saturating_add(turn, span - 1 - past);
    if (next < last) early = std::min(early, next);
  }
  /// Forgets the sessions that no record can touch any more once the watermark has passed `when`.
  /// True: none is left.
  bool forget(Time when, const RefireRules& rules) {
    return sessions.close(saturating_add(when, 1 - rules.lateness_us()), [](const auto&) {});
  }
  /// When, after `when`, to look next.
  Time next_look(Time when, const RefireRules& rules) {
    const Time closes = rules.closes(sessions.first_over());
    Time next = std::min(early, std::max(closes, saturating_add(when, 1)));
    sessions.from_newest([&next](const auto& session) {
      if (!session.acc.over) next = std::min(next, session.last);
      return !session.acc.over;
    });
    return next;
  }
};

}  // namespace millrace::detail
