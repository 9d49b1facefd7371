// The face of `window`: pure functions of event time: which windows hold a time, which panes
// windows share.
#pragma once

#include <cstdint>
#include <numeric>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace {

class EarlyTrigger;
class RefiringWindows;

/// How a keyed stream is cut into windows of event time. Windows are aligned to
/// 1970-01-01T00:00:00Z plus an offset and hold [start, end).
class Windows {
 public:
  enum class Kind { tumbling, sliding, cumulating, global };

  static constexpr Windows of(Kind kind, Duration size, Duration slide) {
    return {kind, size, slide};
  }

  /// The same windows, all moved by `offset`, which may be negative: tumbling(24h).offset(-2h) are
  /// the days of UTC+2. 2005 for global().
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

  constexpr Kind kind() const { return kind_; }
  constexpr bool is_global() const { return kind_ == Kind::global; }
  /// Length of the longest window.
  constexpr std::int64_t size_us() const { return size_; }
  /// From one window's end to the next one's.
  constexpr std::int64_t slide_us() const { return slide_; }
  constexpr std::int64_t offset_us() const { return offset_; }
  /// Length of the slices that all windows are made of: the greatest common divisor of size and
  /// slide.
  constexpr std::int64_t pane_us() const { return std::gcd(size_, slide_); }
  /// True when a record lies in several windows.
  constexpr bool overlap() const { return kind_ == Kind::sliding || kind_ == Kind::cumulating; }

  /// 2005 unless 0 < slide <= size, and of cumulating windows size is a multiple of slide.
  Status validate() const;
  /// "tumbling(5min)", "sliding(6h, 15min)", "cumulating(1d, 1h).offset(-2h)", "global()".
  std::string to_string() const;

  /// Start of the pane that holds `time`.
  constexpr Time pane_start(Time time) const { return aligned(time, pane_us()); }
  /// End of the earliest window that holds `time`.
  constexpr Time first_end(Time time) const {
    if (kind_ == Kind::cumulating) return saturating_add(aligned(time, slide_), slide_);
    return next_end_after(time);
  }
  /// End of the latest window that holds `time`.
  constexpr Time last_end(Time time) const {
    return saturating_add(aligned(time, kind_ == Kind::cumulating ? size_ : slide_), size_);
  }
  /// The least window end that is greater than `watermark`.
  constexpr Time next_end_after(Time watermark) const {
    const std::int64_t length = kind_ == Kind::cumulating ? slide_ : size_;
    return saturating_add(watermark, slide_ - past(watermark, slide_, length));
  }
  /// Start of the window that ends at `end`.
  constexpr Time start_of(Time end) const {
    if (kind_ == Kind::cumulating) return aligned(saturating_add(end, -1), size_);
    return saturating_add(end, -size_);
  }

 private:
  constexpr Windows(Kind kind, Duration size, Duration slide)
      : kind_(kind), size_(size.count()), slide_(slide.count()) {}

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
/// One window over everything, fired at the end of input. Needs no event time.
constexpr Windows global() { return Windows::of(Windows::Kind::global, Duration(1), Duration(1)); }

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
