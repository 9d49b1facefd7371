// Event time: int64 microseconds since 1970-01-01T00:00:00Z, its limits, and text forms of stamps and durations.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

using namespace std::chrono_literals;

/// Microseconds since 1970-01-01T00:00:00Z; negative before. Range: +-292,000 years.
using Time = std::int64_t;
using Duration = std::chrono::microseconds;

/// "No time yet": below every event time; a watermark starts here.
inline constexpr Time kTimeMin = std::numeric_limits<Time>::min();
/// "After all": the watermark of an input that has ended.
inline constexpr Time kTimeMax = std::numeric_limits<Time>::max();

/// An event-time stamp as a member of a record: microseconds since 1970, read from and shown as ISO 8601.
///
/// A distinct type (not an integer), so that codecs and views know it is a time.
struct Timestamp {
  Time micros = 0;
  friend constexpr auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

/// What a number since 1970 counts, in JSON and CSV.
enum class TimeUnit { seconds, milliseconds, microseconds, nanoseconds };

/// `time` clamped sum: never overflows past kTimeMin or kTimeMax.
constexpr Time saturating_add(Time time, std::int64_t delta) {
  Time sum = 0;
  if (!__builtin_add_overflow(time, delta, &sum)) return sum;
  return delta > 0 ? kTimeMax : kTimeMin;
}

/// Clamped to the range of Time, as saturating_add.
constexpr Timestamp operator+(Timestamp time, Duration by) {
  return {saturating_add(time.micros, by.count())};
}
constexpr Timestamp operator-(Timestamp time, Duration by) {
  constexpr Time kSpanMax = kTimeMax;
  return {saturating_add(time.micros, by.count() == kTimeMin ? kSpanMax : -by.count())};
}
constexpr Duration operator-(Timestamp a, Timestamp b) {
  Time span = 0;
  if (__builtin_sub_overflow(a.micros, b.micros, &span))
    return Duration(a < b ? kTimeMin : kTimeMax);
  return Duration(span);
}

namespace detail {

/// Reads ISO 8601 ("2015-09-12T00:46:58.771Z", date alone, a space for the T, offsets +hh:mm; no zone means UTC,
/// fractions up to nanoseconds are cut to microseconds). nullopt when it is not a stamp.
std::optional<Time> parse_iso_time(std::string_view text);

/// Reads a number of `unit` since 1970, as "1442018818771", "-2" or "1442018818.771"; what is finer
/// than a microsecond is cut. nullopt when it is no plain decimal number, has more than 19 digits
/// before the point, or is not in Time's range.
std::optional<Time> parse_epoch_time(std::string_view text, TimeUnit unit);

/// "2015-09-12T00:46:58.771Z": milliseconds unless the stamp needs microseconds, no fraction for whole seconds.
std::string format_iso_time(Time time);

/// Reads "5s", "250ms", "15min", "6h", "2d", "10us": the duration, or nullopt.
std::optional<Duration> parse_duration(std::string_view text);

/// Shortest of "6h", "15min", "5s", "250ms", "10us".
std::string format_duration(Duration duration);

/// floor(a / b) for b > 0, also for negative a.
constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - ((a % b) < 0 ? 1 : 0);
}

}  // namespace detail
}  // namespace millrace
