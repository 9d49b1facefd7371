// Intervals: a run of numbers with their units.
#include "base/interval.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "base/text.hpp"
#include "base/time_unit.hpp"

namespace millrace::detail {
namespace {

__extension__ using Wide = __int128;

constexpr NamedSpan kWords[] = {{"ms", 1'000},
                                {"us", 1},
                                {"min", 60 * kSecondUs},
                                {"d", kDayUs},
                                {"h", 3'600 * kSecondUs},
                                {"m", 60 * kSecondUs},
                                {"s", kSecondUs}};
constexpr NamedSpan kDateLetters[] = {{"W", 7 * kDayUs}, {"D", kDayUs}};
constexpr NamedSpan kTimeLetters[] = {
    {"H", 3'600 * kSecondUs}, {"M", 60 * kSecondUs}, {"S", kSecondUs}};

/// Eats "1.5" and one of `units` from the left and adds them to `micros`.
bool eat_part(std::string_view& text, std::span<const NamedSpan> units, Wide& micros) {
  constexpr std::size_t kDigitsMax = 19;
  std::size_t at = 0;
  Wide value = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    if (at == kDigitsMax) return false;
    value = value * 10 + (text[at] - '0');
  }
  if (at == 0) return false;
  std::string_view fraction;
  if (at + 1 < text.size() && text[at] == '.' && is_digit(text[at + 1])) {
    const std::size_t begin = ++at;
    while (at < text.size() && is_digit(text[at])) ++at;
    fraction = text.substr(begin, at - begin);
  }
  text.remove_prefix(at);
  for (const NamedSpan& unit : units) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    micros += value * unit.micros;
    std::int64_t weight = unit.micros;
    for (const char digit : fraction) {
      weight /= 10;
      micros += Wide{digit - '0'} * weight;
    }
    return true;
  }
  return false;
}

bool eat_parts(std::string_view& text, std::span<const NamedSpan> units, Wide& micros) {
  constexpr int kPartsMax = 8;
  int parts = 0;
  for (; !text.empty() && is_digit(text.front()); ++parts) {
    if (parts == kPartsMax || !eat_part(text, units, micros)) return false;
  }
  return parts > 0;
}

bool read_iso(std::string_view text, Wide& micros) {
  const bool has_days = eat_parts(text, kDateLetters, micros);
  if (text.empty()) return has_days;
  if (text.front() != 'T') return false;
  text.remove_prefix(1);
  return eat_parts(text, kTimeLetters, micros) && text.empty();
}

}  // namespace

std::optional<Duration> parse_interval(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  Wide micros = 0;
  if (text.starts_with('P')) {
    if (!read_iso(text.substr(1), micros)) return std::nullopt;
  } else if (!eat_parts(text, kWords, micros) || !text.empty()) {
    return std::nullopt;
  }
  if (negative) micros = -micros;
  if (micros < std::numeric_limits<std::int64_t>::min() ||
      micros > std::numeric_limits<std::int64_t>::max()) {
    return std::nullopt;
  }
  return Duration(static_cast<std::int64_t>(micros));
}

std::optional<Duration> parse_seconds(std::string_view text) {
  const std::optional<Time> micros = parse_epoch_time(text, TimeUnit::seconds);
  return micros ? std::optional(Duration(*micros)) : std::nullopt;
}

std::string format_interval(Duration interval) {
  if (interval >= Duration(0)) return format_duration(interval);
  if (interval == Duration::min()) return "-9223372036854775808us";  // has no positive twin
  return "-" + format_duration(-interval);
}

}  // namespace millrace::detail
