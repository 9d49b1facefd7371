// RefiringWindows: windows that emit more than once: early, on time, and again for late records.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "window/window.hpp"

namespace millrace {

/// When a window emits before its end; made by every().
class EarlyTrigger {
 public:
  enum class Kind { event_time, clock, records };
  constexpr EarlyTrigger(Kind kind, std::int64_t amount) : kind_(kind), amount_(amount) {}

  /// The span is one of the wall clock: it begins with the first change since the last row, so that
  /// a row is at most so old. What such a row holds depends on what has arrived.
  constexpr EarlyTrigger by_clock() const {
    return {kind_ == Kind::event_time ? Kind::clock : kind_, amount_};
  }

  constexpr Kind kind() const { return kind_; }
  /// Microseconds, or records.
  constexpr std::int64_t amount() const { return amount_; }
  std::string to_string() const;

 private:
  Kind kind_;
  std::int64_t amount_;
};

/// Early rows at start + span, start + 2 * span, ... of each window, when the watermark has reached
/// it: what the window holds up to there, whatever the schedule. Only of keys that have changed.
constexpr EarlyTrigger every(Duration span) {
  return {EarlyTrigger::Kind::event_time, span.count()};
}
/// An early row after every `records` of a key and window, at once and in the order of arrival.
constexpr EarlyTrigger every(std::size_t records) {
  return {EarlyTrigger::Kind::records, static_cast<std::int64_t>(records)};
}

class FinalWindows;

/// Windows that emit early, on time, and again for each late record, made by
/// tumbling(1min).allowed_lateness(10s) and tumbling(1h).early(every(1min)). Their rows are
/// WindowUpdates.
///
/// Cost: a look-up a record, as of other windows; a merge for each key and pane, window and late
/// record. With early rows by clock or by records a look-up and a merge a record and window.
/// Memory: an accumulator a key and window until end + lateness, and one a late record that waits.
class RefiringWindows {
 public:
  /// What a row holds: all of the window so far (accumulating), or what came since the row before
  /// (discarding); retracting ones also send the row before once more, to be taken back.
  enum class Mode { accumulating, discarding, retracting };

  constexpr explicit RefiringWindows(Windows windows) : windows_(windows) {}

  /// A record counts in a window while end + lateness > the watermark that it is behind, and one
  /// behind its end makes a further row at once. 0 by default.
  constexpr RefiringWindows allowed_lateness(Duration lateness) const {
    RefiringWindows changed = *this;
    changed.lateness_ = lateness.count();
    return changed;
  }
  /// Emits early rows too. Called twice, at whichever comes first; every(span) of event time stands
  /// alone.
  constexpr RefiringWindows early(EarlyTrigger trigger) const {
    RefiringWindows changed = *this;
    const bool zero = trigger.amount() <= 0;
    changed.early_[static_cast<std::size_t>(trigger.kind())] = zero ? -1 : trigger.amount();
    return changed;
  }
  /// Each row holds all of its window so far: the default.
  constexpr RefiringWindows accumulating() const { return in_mode(Mode::accumulating); }
  /// Each row holds what came since the one before; keys to which nothing came have none.
  constexpr RefiringWindows discarding() const { return in_mode(Mode::discarding); }
  /// Before each further row of a key and window comes the one that it replaces, with `retracted`
  /// set: sums and joins behind can take it back.
  constexpr RefiringWindows retracting() const { return in_mode(Mode::retracting); }
  /// One row a key and window, at end + lateness, when nothing can change it any more.
  constexpr FinalWindows final_only() const;
  constexpr RefiringWindows offset(Duration offset) const {
    RefiringWindows changed = *this;
    changed.windows_ = windows_.offset(offset);
    return changed;
  }

  constexpr const Windows& windows() const { return windows_; }
  constexpr Mode mode() const { return mode_; }
  constexpr std::int64_t lateness_us() const { return lateness_; }
  /// What early(...) was given of that kind; 0: not, below 0: nothing that is above 0.
  constexpr std::int64_t early(EarlyTrigger::Kind kind) const {
    return early_[static_cast<std::size_t>(kind)];
  }
  /// Early rows come as records do, or by the clock.
  constexpr bool by_arrival() const {
    return early(EarlyTrigger::Kind::clock) != 0 || early(EarlyTrigger::Kind::records) != 0;
  }
  constexpr bool has_early() const {
    return by_arrival() || early(EarlyTrigger::Kind::event_time) != 0;
  }
  /// Length of the slices between all ends of windows and early rows.
  constexpr std::int64_t pane_us() const {
    return std::gcd(windows_.pane_us(), early(EarlyTrigger::Kind::event_time));
  }
  /// When a window that ends at `end` takes nothing more.
  constexpr Time closes(Time end) const { return saturating_add(end, lateness_); }

  /// 2005 where the windows are wrong or global(), lateness is negative, or a trigger cannot be.
  Status validate() const;
  /// "tumbling(1min).allowed_lateness(10s).early(every(10s)).retracting()".
  std::string to_string() const;

 private:
  constexpr RefiringWindows in_mode(Mode mode) const {
    RefiringWindows changed = *this;
    changed.mode_ = mode;
    return changed;
  }

  Windows windows_;
  std::int64_t lateness_ = 0;
  std::int64_t early_[3] = {0, 0, 0};  ///< by kind
  Mode mode_ = Mode::accumulating;
};

/// Windows that emit one row a key, when end + lateness has passed; made by final_only(). What
/// stands behind them sees the watermark as much later.
class FinalWindows {
 public:
  constexpr explicit FinalWindows(RefiringWindows refiring) : refiring_(refiring) {}
  constexpr const RefiringWindows& refiring() const { return refiring_; }
  /// 2005 also where early rows, or a mode of further ones, were asked for.
  Status validate() const;
  std::string to_string() const { return refiring_.to_string() + ".final_only()"; }

 private:
  RefiringWindows refiring_;
};

constexpr FinalWindows RefiringWindows::final_only() const { return FinalWindows(*this); }

constexpr RefiringWindows Windows::allowed_lateness(Duration lateness) const {
  return RefiringWindows(*this).allowed_lateness(lateness);
}
constexpr RefiringWindows Windows::early(EarlyTrigger trigger) const {
  return RefiringWindows(*this).early(trigger);
}

}  // namespace millrace
