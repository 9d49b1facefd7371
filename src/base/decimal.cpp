// Decimal numbers as text.
#include "base/decimal.hpp"

#include <charconv>
#include <cstddef>
#include <limits>

#include "base/text.hpp"

namespace millrace::detail {
namespace {

__extension__ using Wide = __int128;

/// A number as its digits without the zeros at both ends, times a power of ten.
struct Digits {
  Wide value = 0;
  std::int64_t exponent = 0;
  int count = 0;           // of the digits in value
  std::int64_t zeros = 0;  // behind them, not yet in value
};

constexpr int kDigitsMax = 20;  // more than 64 bits hold, and few enough for 128

bool add_digit(Digits& digits, int digit) {
  if (digit == 0) {
    if (digits.count > 0) ++digits.zeros;
    return true;
  }
  if (digits.count + digits.zeros >= kDigitsMax) return false;
  for (; digits.zeros > 0; --digits.zeros, ++digits.count) digits.value *= 10;
  digits.value = digits.value * 10 + digit;
  ++digits.count;
  return true;
}

/// False when the text is no number; `fits` turns false when it has too many digits.
bool read_digits(std::string_view text, Digits& digits, bool& fits) {
  std::size_t at = 0;
  bool any = false;
  bool behind_point = false;
  std::int64_t places = 0;
  for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && !behind_point)); ++at) {
    if (text[at] == '.') {
      behind_point = true;
      continue;
    }
    any = true;
    places += behind_point ? 1 : 0;
    fits = fits && add_digit(digits, text[at] - '0');
  }
  if (!any) return false;
  digits.exponent = -places;
  if (at == text.size()) return true;
  if (text[at] != 'e' && text[at] != 'E') return false;
  ++at;
  if (at + 1 < text.size() && text[at] == '+' && is_digit(text[at + 1])) ++at;
  int exponent = 0;
  const auto read = std::from_chars(text.data() + at, text.data() + text.size(), exponent);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
    fits = fits && read.ec != std::errc::result_out_of_range;
    return read.ec == std::errc::result_out_of_range && read.ptr == text.data() + text.size();
  }
  digits.exponent += exponent;
  return true;
}

}  // namespace

DecimalRead parse_decimal(std::string_view text, int scale, std::int64_t& units) {
  const bool negative = !text.empty() && text.front() == '-';
  if (!text.empty() && (negative || text.front() == '+')) text.remove_prefix(1);
  Digits digits;
  bool fits = true;
  if (!read_digits(text, digits, fits)) return DecimalRead::wrong;
  if (!fits) return DecimalRead::out_of_range;
  units = 0;
  if (digits.count == 0) return DecimalRead::ok;
  std::int64_t shift = digits.exponent + digits.zeros + scale;
  if (shift < 0) return DecimalRead::too_fine;
  if (shift > 18) return DecimalRead::out_of_range;
  Wide value = digits.value;
  for (; shift > 0; --shift) value *= 10;
  if (negative) value = -value;
  if (value < std::numeric_limits<std::int64_t>::min() ||
      value > std::numeric_limits<std::int64_t>::max()) {
    return DecimalRead::out_of_range;
  }
  units = static_cast<std::int64_t>(value);
  return DecimalRead::ok;
}

void append_decimal(std::string& out, std::int64_t units, int scale) {
  const std::uint64_t magnitude =
      units < 0 ? 0 - static_cast<std::uint64_t>(units) : static_cast<std::uint64_t>(units);
  std::string digits = std::to_string(magnitude);
  const auto places = static_cast<std::size_t>(scale);
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  if (places > 0) digits.insert(digits.size() - places, 1, '.');
  if (units < 0) out += '-';
  out += digits;
}

}  // namespace millrace::detail
