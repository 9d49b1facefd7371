// The face of `window`: pure functions of event time: which windows hold a time, which panes
// windows share.
#pragma once

#include <chrono>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.hpp"
#include "base/time.hpp"
#include "window/by_clock.hpp"
#include "window/calendar.hpp"

namespace millrace {

class EarlyTrigger;
class RefiringWindows;

/// How a keyed stream is cut into windows of event time, which hold [start, end). They are aligned
/// to 1970-01-01T00:00:00Z, or those of a calendar to midnight in its time zone, plus an offset.
class Windows {
 public:
  enum class Kind { tumbling, sliding, cumulating, global, calendar };

  static constexpr Windows of(Kind kind, Duration size, Duration slide) {
    return {kind, size, slide};
  }
  static Windows of(detail::Calendar calendar);

  /// The same windows, all moved by `offset`, which may be negative: tumbling(24h).offset(-2h) are
  /// the days of UTC+2. Those of a calendar are moved in local time: days of
  /// daily("Europe/Berlin").offset(6h) begin when clocks there show six. 2005 for global().
  constexpr Windows offset(Duration offset) const {
    Windows moved = *this;
    moved.offset_ = offset.count();
    return moved;
  }

  /// The same windows, which take records up to `lateness` late and then emit again: see
  /// RefiringWindows.
  constexpr RefiringWindows allowed_lateness(Duration lateness) const;
  /// The same windows, which also emit before their end: see every().
  constexpr RefiringWindows early(EarlyTrigger trigger) const;

  /// The same windows of the wall clock, of records with and without event times: they fire when
  /// the clock reaches their ends, and what is left at the end of input. Behind them, time is the
  /// clock's. 2005 for global().
  constexpr ByClock<Windows> by_clock() const;

  /// Internal: the same windows in slices that begin every `span` from the start of each; 0: whole.
  constexpr Windows in_slices(Duration span) const {
    Windows cut = *this;
    cut.slide_ = span.count();
    return cut;
  }

  constexpr Kind kind() const { return kind_; }
  constexpr bool is_global() const { return kind_ == Kind::global; }
  /// Length of the longest window; of a calendar, of most.
  constexpr std::int64_t size_us() const { return size_; }
  /// From one window's end to the next one's.
  constexpr std::int64_t slide_us() const { return slide_; }
  constexpr std::int64_t offset_us() const { return offset_; }
  /// Length of the slices that all windows are made of: the greatest common divisor of size and
  /// slide. A window of a calendar is one slice.
  constexpr std::int64_t pane_us() const { return std::gcd(size_, slide_); }
  /// True when a record lies in several windows.
  constexpr bool overlap() const { return kind_ == Kind::sliding || kind_ == Kind::cumulating; }

  /// 2005 unless 0 < slide <= size, and of cumulating windows size is a multiple of slide; of a
  /// calendar where there is no such time zone.
  Status validate() const;
  /// "tumbling(5min)", "sliding(6h, 15min)", "cumulating(1d, 1h).offset(-2h)", "global()".
  std::string to_string() const;

  /// The pane that holds `time`.
  constexpr detail::Period pane_of(Time time) const {
    if (kind_ == Kind::calendar) return slice_of(time);
    const Time start = aligned(time, pane_us());
    return {start, saturating_add(start, pane_us())};
  }
  /// End of the earliest window that holds `time`.
  constexpr Time first_end(Time time) const {
    if (kind_ == Kind::calendar) return period_of(time).end;
    if (kind_ == Kind::cumulating) return saturating_add(aligned(time, slide_), slide_);
    return next_end_after(time);
  }
  /// End of the latest window that holds `time`.
  constexpr Time last_end(Time time) const {
    if (kind_ == Kind::calendar) return period_of(time).end;
    return saturating_add(aligned(time, kind_ == Kind::cumulating ? size_ : slide_), size_);
  }
  /// The least window end that is greater than `watermark`.
  constexpr Time next_end_after(Time watermark) const {
    if (kind_ == Kind::calendar) return period_of(watermark).end;
    const std::int64_t length = kind_ == Kind::cumulating ? slide_ : size_;
    return saturating_add(watermark, slide_ - past(watermark, slide_, length));
  }
  /// Start of the window that ends at `end`.
  constexpr Time start_of(Time end) const {
    if (kind_ == Kind::calendar) return period_of(saturating_add(end, -1)).start;
    if (kind_ == Kind::cumulating) return aligned(saturating_add(end, -1), size_);
    return saturating_add(end, -size_);
  }

 private:
  constexpr Windows(Kind kind, Duration size, Duration slide)
      : kind_(kind), size_(size.count()), slide_(slide.count()) {}

  detail::Period period_of(Time time) const { return calendar_->period_of(time, offset_); }
  detail::Period slice_of(Time time) const;

  /// How far `time` lies behind the last of the times offset + phase + n * step: 0 at one of them.
  /// By remainders, so that nothing overflows.
  constexpr std::int64_t past(Time time, std::int64_t step, std::int64_t phase = 0) const {
    const std::int64_t left = (time % step - offset_ % step) % step - phase % step;
    return left - detail::floor_div(left, step) * step;
  }
  constexpr Time aligned(Time time, std::int64_t step) const {
    return saturating_add(time, -past(time, step));
  }

  Kind kind_;
  std::int64_t size_;
  std::int64_t slide_;
  std::int64_t offset_ = 0;
  detail::CalendarRef calendar_;
};

/// Windows of `size` side by side.
constexpr Windows tumbling(Duration size) {
  return Windows::of(Windows::Kind::tumbling, size, size);
}
/// Windows of `size` that begin every `slide`; a record belongs to all that hold its time.
constexpr Windows sliding(Duration size, Duration slide) {
  return Windows::of(Windows::Kind::sliding, size, slide);
}
/// Windows that all begin every `size` and end `step`, 2 * `step`, ..., `size` later: what the day
/// has brought up to each hour is cumulating(24h, 1h). `size` is a multiple of `step`.
constexpr Windows cumulating(Duration size, Duration step) {
  return Windows::of(Windows::Kind::cumulating, size, step);
}
/// The days of a time zone, from midnight to midnight: of 23 and 25 hours where clocks are changed.
/// `zone` is a name of the IANA database, such as "Europe/Berlin" or "UTC"; the data are the
/// system's (Debian: tzdata), and neither its own zone nor the variable TZ has a say. What clocks
/// do in the years to come follows the zone's rule of today. Errors: 2005 where there is no such
/// zone.
Windows daily(std::string_view zone);
/// Its weeks, which begin on Mondays, or on another day: weekly("Asia/Tokyo", std::chrono::Sunday).
Windows weekly(std::string_view zone, std::chrono::weekday first = std::chrono::Monday);
/// Its months, quarters (from January, April, July and October on) and years.
Windows monthly(std::string_view zone);
Windows quarterly(std::string_view zone);
Windows yearly(std::string_view zone);
/// One window over everything, fired at the end of input. Needs no event time.
constexpr Windows global() { return Windows::of(Windows::Kind::global, Duration(1), Duration(1)); }

constexpr ByClock<Windows> Windows::by_clock() const { return {*this}; }

namespace detail {

/// Calls use(end) for every window that holds `time`, in order.
template <class Use>
void each_end(const Windows& windows, Time time, Use&& use) {
  if (windows.is_global()) return use(kTimeMax);
  const Time last = windows.last_end(time);
  for (Time end = windows.first_end(time);; end = saturating_add(end, windows.slide_us())) {
    use(end);
    if (end >= last) return;
  }
}

}  // namespace detail

}  // namespace millrace
