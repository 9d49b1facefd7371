// ISO 8601 stamps and durations as text.
#include "base/time.hpp"

#include <array>
#include <charconv>
#include <cstddef>

#include "base/civil_date.hpp"
#include "base/time_unit.hpp"

namespace millrace::detail {

namespace {

/// Eats a text from the left; every step says whether it could.
class StampReader {
 public:
  explicit StampReader(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool done() const { return at_ == end_; }
  bool digit_next() const { return at_ != end_ && static_cast<unsigned char>(*at_ - '0') <= 9; }
  bool eat(char wanted) {
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    return true;
  }
  bool number(int digits, unsigned& value) {
    if (end_ - at_ < digits) return false;
    value = 0;
    for (int i = 0; i < digits; ++i, ++at_) {
      const auto digit = static_cast<unsigned char>(*at_ - '0');
      if (digit > 9) return false;
      value = value * 10 + digit;
    }
    return true;
  }

 private:
  const char* at_;
  const char* end_;
};

/// "2015-09-12", or with a sign and 4 to 6 digits of the year as format_iso_time writes it far from
/// today.
bool read_date(StampReader& in, std::int64_t& days) {
  const bool minus = in.eat('-');
  const bool has_sign = minus || in.eat('+');
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
  if (!in.number(4, year)) return false;
  for (int more = 0; has_sign && more < 2 && in.digit_next(); ++more) {
    unsigned digit = 0;
    in.number(1, digit);
    year = year * 10 + digit;
  }
  if (!in.eat('-') || !in.number(2, month) || !in.eat('-') || !in.number(2, day)) return false;
  const std::int64_t signed_year = minus ? -static_cast<std::int64_t>(year) : year;
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(signed_year, month)) return false;
  days = days_from_civil(signed_year, month, day);
  return true;
}

/// ".771", cut to microseconds.
bool read_fraction(StampReader& in, std::int64_t& micros) {
  int digits = 0;
  for (std::int64_t weight = kSecondUs / 10; in.digit_next(); ++digits, weight /= 10) {
    unsigned digit = 0;
    in.number(1, digit);
    micros += digit * weight;
  }
  return digits >= 1 && digits <= 9;
}

/// "00:46", "00:46:58" or "00:46:58.771".
bool read_clock(StampReader& in, std::int64_t& micros) {
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  if (!in.number(2, hour) || !in.eat(':') || !in.number(2, minute)) return false;
  if (hour > 23 || minute > 59) return false;
  const bool has_seconds = in.eat(':');
  if (has_seconds && (!in.number(2, second) || second > 59)) return false;
  micros = (hour * 3'600ll + minute * 60ll + second) * kSecondUs;
  return !has_seconds || !in.eat('.') || read_fraction(in, micros);
}

/// "Z", "+02:00", "-0530", "+02" or nothing; `micros` is what local time is ahead of UTC.
bool read_zone(StampReader& in, std::int64_t& micros) {
  micros = 0;
  if (in.done() || in.eat('Z') || in.eat('z')) return true;
  const bool minus = in.eat('-');
  if (!minus && !in.eat('+')) return false;
  unsigned hour = 0;
  unsigned minute = 0;
  if (!in.number(2, hour)) return false;
  const bool has_colon = in.eat(':');
  if ((has_colon || in.digit_next()) && !in.number(2, minute)) return false;
  if (hour > 23 || minute > 59) return false;
  micros = (hour * 60ll + minute) * 60 * kSecondUs * (minus ? -1 : 1);
  return true;
}

void append_padded(std::string& out, std::uint64_t value, std::size_t width) {
  const std::string digits = std::to_string(value);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out += digits;
}

void append_date(std::string& out, const Civil& date) {
  if (date.year < 0 || date.year > 9999) out += date.year < 0 ? '-' : '+';
  append_padded(out, static_cast<std::uint64_t>(date.year < 0 ? -date.year : date.year), 4);
  out += '-';
  append_padded(out, date.month, 2);
  out += '-';
  append_padded(out, date.day, 2);
}

constexpr std::array<NamedSpan, 6> kUnits{{{"d", kDayUs},
                                           {"h", 3'600 * kSecondUs},
                                           {"min", 60 * kSecondUs},
                                           {"s", kSecondUs},
                                           {"ms", 1'000},
                                           {"us", 1}}};

}  // namespace

std::optional<Time> parse_iso_time(std::string_view text) {
  StampReader in(text);
  std::int64_t days = 0;
  std::int64_t clock = 0;
  std::int64_t ahead = 0;
  if (!read_date(in, days)) return std::nullopt;
  if (!in.done()) {
    if (!in.eat('T') && !in.eat(' ') && !in.eat('t')) return std::nullopt;
    if (!read_clock(in, clock) || !read_zone(in, ahead) || !in.done()) return std::nullopt;
  }
  // A negative day's start may lie below the range although the stamp does not: 128 bits.
  __extension__ using Wide = __int128;
  const Wide micros = static_cast<Wide>(days) * kDayUs + clock - ahead;
  if (micros < kTimeMin || micros > kTimeMax) return std::nullopt;
  return static_cast<Time>(micros);
}

std::optional<Time> parse_epoch_time(std::string_view text, TimeUnit unit) {
  __extension__ using Wide = __int128;
  constexpr std::int64_t kNanosOf[] = {1'000'000'000, 1'000'000, 1'000, 1};
  constexpr std::ptrdiff_t kWholeDigitsMax = 19;  // fit 64 bits without sign
  const std::int64_t nanos = kNanosOf[static_cast<std::size_t>(unit)];
  const char* at = text.data();
  const char* const end = at + text.size();
  const bool minus = at != end && *at == '-';
  if (minus) ++at;
  const char* const first = at;
  std::uint64_t whole = 0;
  const auto digit_at = [end](const char* place) {
    return place != end && static_cast<unsigned char>(*place - '0') <= 9;
  };
  for (; digit_at(at); ++at) {
    if (at - first == kWholeDigitsMax) return std::nullopt;
    whole = whole * 10 + static_cast<std::uint64_t>(*at - '0');
  }
  if (at == first) return std::nullopt;
  Wide value = static_cast<Wide>(whole) * nanos;
  if (at != end && *at == '.' && digit_at(at + 1)) {
    std::int64_t weight = nanos / 10;
    for (++at; digit_at(at); ++at, weight /= 10) value += static_cast<Wide>(*at - '0') * weight;
  }
  if (at != end) return std::nullopt;
  const Wide micros = minus ? -((value + 999) / 1'000) : value / 1'000;
  if (micros < kTimeMin || micros > kTimeMax) return std::nullopt;
  return static_cast<Time>(micros);
}

std::string format_iso_time(Time time) {
  const std::int64_t days = floor_div(time, kDayUs);
  // Unsigned: at the lower end of the range the product of whole days does not fit.
  const auto in_day = static_cast<std::int64_t>(static_cast<std::uint64_t>(time) -
                                                static_cast<std::uint64_t>(days) *
                                                    static_cast<std::uint64_t>(kDayUs));
  const auto second = static_cast<std::uint64_t>(in_day / kSecondUs);
  const auto fraction = static_cast<std::uint64_t>(in_day % kSecondUs);
  std::string out;
  out.reserve(32);
  append_date(out, civil_from_days(days));
  out += 'T';
  append_padded(out, second / 3'600, 2);
  out += ':';
  append_padded(out, second / 60 % 60, 2);
  out += ':';
  append_padded(out, second % 60, 2);
  if (fraction != 0) {
    out += '.';
    const bool whole_millis = fraction % 1'000 == 0;
    append_padded(out, whole_millis ? fraction / 1'000 : fraction, whole_millis ? 3 : 6);
  }
  out += 'Z';
  return out;
}

std::optional<Duration> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc()) return std::nullopt;
  const std::string_view unit(read.ptr,
                              static_cast<std::size_t>(text.data() + text.size() - read.ptr));
  for (const NamedSpan& known : kUnits) {
    std::int64_t micros = 0;
    if (unit != known.name) continue;
    if (__builtin_mul_overflow(number, known.micros, &micros)) return std::nullopt;
    return Duration(micros);
  }
  return std::nullopt;
}

std::string format_duration(Duration duration) {
  const std::int64_t micros = duration.count();
  if (micros == 0) return "0s";
  for (const NamedSpan& unit : kUnits) {
    if (unit.name == "d") continue;  // hours read easier than "1d" beside "36h"
    if (micros % unit.micros == 0) return std::to_string(micros / unit.micros).append(unit.name);
  }
  return "";  // not reached: every number is a multiple of 1 us
}

}  // namespace millrace::detail
