// The face of `window`: pure functions of event time: which windows hold a time, which panes
// windows share.
#pragma once

#include <cstdint>
#include <numeric>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace {

/// How a keyed stream is cut into windows of event time. Windows are aligned to
/// 1970-01-01T00:00:00Z and hold [start, start + size).
class Windows {
 public:
  enum class Kind { tumbling, sliding, global };

  static constexpr Windows of(Kind kind, Duration size, Duration slide) {
    return {kind, size, slide};
  }

  constexpr Kind kind() const { return kind_; }
  constexpr bool is_global() const { return kind_ == Kind::global; }
  constexpr std::int64_t size_us() const { return size_; }
  constexpr std::int64_t slide_us() const { return slide_; }
  /// Length of the slices that all windows are made of: the greatest common divisor of size and
  /// slide.
  constexpr std::int64_t pane_us() const { return std::gcd(size_, slide_); }

  /// 2005 unless 0 < slide <= size.
  Status validate() const;
  /// "tumbling(5min)", "sliding(6h, 15min)", "global()".
  std::string to_string() const;

  /// Start of the pane that holds `time`.
  constexpr Time pane_start(Time time) const {
    return detail::floor_div(time, pane_us()) * pane_us();
  }
  /// End of the earliest window that holds `time`.
  constexpr Time first_end(Time time) const {
    return saturating_add((detail::floor_div(time - size_, slide_) + 1) * slide_, size_);
  }
  /// End of the latest window that holds `time`.
  constexpr Time last_end(Time time) const {
    return saturating_add(detail::floor_div(time, slide_) * slide_, size_);
  }
  /// The least window end that is greater than `watermark`.
  constexpr Time next_end_after(Time watermark) const {
    return (detail::floor_div(watermark - size_, slide_) + 1) * slide_ + size_;
  }

 private:
  constexpr Windows(Kind kind, Duration size, Duration slide)
      : kind_(kind), size_(size.count()), slide_(slide.count()) {}
  Kind kind_;
  std::int64_t size_;
  std::int64_t slide_;
};

/// Windows of `size` side by side.
constexpr Windows tumbling(Duration size) {
  return Windows::of(Windows::Kind::tumbling, size, size);
}
/// Windows of `size` that begin every `slide`; a record belongs to all that hold its time.
constexpr Windows sliding(Duration size, Duration slide) {
  return Windows::of(Windows::Kind::sliding, size, slide);
}
/// One window over everything, fired at the end of input. Needs no event time.
constexpr Windows global() { return Windows::of(Windows::Kind::global, Duration(1), Duration(1)); }

}  // namespace millrace
