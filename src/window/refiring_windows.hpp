// RefiringWindows: windows that emit more than once: early, on time, and again for late records.
#pragma once

#include <cstdint>
#include <numeric>
#include <string>

#include "window/refire_rules.hpp"
#include "window/window.hpp"

namespace millrace {

class FinalWindows;

/// Windows that emit early, on time, and again for each late record, made by
/// tumbling(1min).allowed_lateness(10s) and tumbling(1h).early(every(1min)). Their rows are
/// WindowUpdates.
///
/// Cost: a look-up a record, as of other windows; a merge for each key and pane, window and late
/// record. With early rows by clock or by records a look-up and a merge a record and window.
/// Memory: an accumulator a key and window until end + lateness, and one a late record that waits.
class RefiringWindows : public RefireVerbs<RefiringWindows> {
 public:
  constexpr explicit RefiringWindows(Windows windows) : windows_(windows) {}

  /// One row a key and window, at end + lateness, when nothing can change it any more.
  constexpr FinalWindows final_only() const;
  constexpr RefiringWindows offset(Duration offset) const {
    RefiringWindows changed = *this;
    changed.windows_ = windows_.offset(offset);
    return changed;
  }

  /// The same windows of the wall clock: see Windows::by_clock. Early rows by spans come up to
  /// 100 ms after their times, with what came before those. 2005 with allowed_lateness.
  constexpr ByClock<RefiringWindows> by_clock() const;

  constexpr const Windows& windows() const { return windows_; }
  constexpr bool is_global() const { return windows_.is_global(); }
  /// See Windows.
  constexpr Time next_end_after(Time watermark) const { return windows_.next_end_after(watermark); }
  /// Length of the slices between all ends of windows and early rows.
  constexpr std::int64_t pane_us() const {
    const std::int64_t slice = rules_.early().slice_us();
    if (windows_.is_global()) return slice > 0 ? slice : 1;
    return std::gcd(windows_.pane_us(), slice);
  }

  /// When no window takes a record of `time` any more.
  constexpr Time gone(Time time) const {
    return windows_.is_global() ? kTimeMax : rules_.closes(windows_.last_end(time));
  }

  /// The last multiple of `span` up to `time` in the window that begins at `start`.
  constexpr Time last_tick(Time start, Time time, std::int64_t span) const {
    const auto length = static_cast<std::uint64_t>(span);
    const std::uint64_t past =  // unsigned: bounds may lie at the ends of time
        windows_.is_global()
            ? detail::past_multiple(time, length)
            : (static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(start)) % length;
    return saturating_add(time, -static_cast<std::int64_t>(past));
  }

  /// 2005 where the windows are wrong, lateness is negative, a trigger cannot be, or global() has
  /// no early rows or is to have late ones.
  Status validate() const;
  /// "tumbling(1min).allowed_lateness(10s).early(every(10s)).retracting()".
  std::string to_string() const { return windows_.to_string() + rules_.to_string(); }

 private:
  Windows windows_;
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
constexpr ByClock<RefiringWindows> RefiringWindows::by_clock() const { return {*this}; }

constexpr RefiringWindows Windows::allowed_lateness(Duration lateness) const {
  return RefiringWindows(*this).allowed_lateness(lateness);
}
constexpr RefiringWindows Windows::early(EarlyTrigger trigger) const {
  return RefiringWindows(*this).early(trigger);
}

}  // namespace millrace
