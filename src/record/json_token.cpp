// Numbers and escapes of JSON.
#include "record/json_token.hpp"

#include <charconv>
#include <cstddef>
#include <cstring>
#include <limits>

#include "base/text.hpp"
#include "record/powers_of_ten.hpp"

namespace millrace::detail {

namespace {

/// A number by its parts: value = mantissa * 10^exponent while digits <= 19.
struct NumberParts {
  bool negative = false;
  bool integer = true;
  int digits = 0;  ///< of the mantissa, leading zeros not counted
  std::uint64_t mantissa = 0;
  std::int64_t exponent = 0;
};

/// Walks digits; adds them to the mantissa while it can hold them.
const char* read_digits(const char* at, const char* end, NumberParts& parts) {
  for (; at != end && is_digit(*at); ++at) {
    if (parts.digits < 19)
      parts.mantissa = parts.mantissa * 10 + static_cast<std::uint64_t>(*at - '0');
    parts.digits += parts.mantissa != 0 ? 1 : 0;
  }
  return at;
}

/// Walks "e-7"; nullptr when no digit follows.
const char* read_exponent(const char* at, const char* end, NumberParts& parts) {
  ++at;
  const bool minus = at != end && *at == '-';
  if (at != end && (*at == '-' || *at == '+')) ++at;
  if (at == end || !is_digit(*at)) return nullptr;
  std::int64_t exponent = 0;
  for (; at != end && is_digit(*at); ++at) {
    if (exponent < 100'000) exponent = exponent * 10 + (*at - '0');
  }
  parts.exponent += minus ? -exponent : exponent;
  return at;
}

bool read_parts(std::string_view token, NumberParts& parts) {
  const char* at = token.data();
  const char* const end = at + token.size();
  if (at != end && *at == '-') {
    parts.negative = true;
    ++at;
  }
  if (at == end || !is_digit(*at)) return false;
  if (*at == '0') {
    ++at;
    if (at != end && is_digit(*at)) return false;
  } else {
    at = read_digits(at, end, parts);
  }
  if (at != end && *at == '.') {
    parts.integer = false;
    const char* const fraction = ++at;
    at = read_digits(at, end, parts);
    if (at == fraction) return false;
    parts.exponent = fraction - at;
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    parts.integer = false;
    at = read_exponent(at, end, parts);
  }
  return at == end;
}

/// Value of 4 hexadecimal digits, or -1.
int read_hex4(const char* at, const char* end) {
  if (end - at < 4) return -1;
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = at[i];
    int digit = 0;
    if (is_digit(c)) {
      digit = c - '0';
    } else if ((c | 32) >= 'a' && (c | 32) <= 'f') {
      digit = (c | 32) - 'a' + 10;
    } else {
      return -1;
    }
    value = value * 16 + digit;
  }
  return value;
}

char* put_utf8(char* out, unsigned point) {
  const auto put = [&out](unsigned byte) { *out++ = static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | (point >> 6));
    put(0x80 | (point & 63));
  } else if (point < 0x10000) {
    put(0xE0 | (point >> 12));
    put(0x80 | ((point >> 6) & 63));
    put(0x80 | (point & 63));
  } else {
    put(0xF0 | (point >> 18));
    put(0x80 | ((point >> 12) & 63));
    put(0x80 | ((point >> 6) & 63));
    put(0x80 | (point & 63));
  }
  return out;
}

/// Reads what follows "\u" and moves `at` behind it; false for a lone half of a surrogate pair.
bool unescape_point(const char*& at, const char* end, char*& out) {
  const int first = read_hex4(at, end);
  if (first < 0 || (first >= 0xDC00 && first <= 0xDFFF)) return false;
  at += 4;
  auto point = static_cast<unsigned>(first);
  if (first >= 0xD800 && first <= 0xDBFF) {
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return false;
    const int second = read_hex4(at + 2, end);
    if (second < 0xDC00 || second > 0xDFFF) return false;
    at += 6;
    point = 0x10000 + ((point - 0xD800) << 10) + (static_cast<unsigned>(second) - 0xDC00);
  }
  out = put_utf8(out, point);
  return true;
}

/// What the letter after a backslash stands for; 0 when it is none.
char escaped_letter(char c) {
  switch (c) {
    case '"':
      return '"';
    case '\\':
      return '\\';
    case '/':
      return '/';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

}  // namespace

bool is_json_number(std::string_view token) {
  NumberParts parts;
  return read_parts(token, parts);
}

NumberRead read_json_integer(std::string_view token, std::int64_t min, std::int64_t max,
                             std::int64_t& value) {
  NumberParts parts;
  if (!read_parts(token, parts)) return NumberRead::malformed;
  if (!parts.integer) return NumberRead::not_integer;
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (parts.digits > 19 || parts.mantissa > kMax + (parts.negative ? 1 : 0))
    return NumberRead::out_of_range;
  value = static_cast<std::int64_t>(parts.negative ? 0 - parts.mantissa : parts.mantissa);
  return value < min || value > max ? NumberRead::out_of_range : NumberRead::ok;
}

NumberRead read_json_unsigned(std::string_view token, std::uint64_t& value) {
  NumberParts parts;
  if (!read_parts(token, parts)) return NumberRead::malformed;
  if (!parts.integer) return NumberRead::not_integer;
  if (parts.negative && parts.mantissa != 0) return NumberRead::out_of_range;
  value = parts.mantissa;
  if (parts.digits < 20) return NumberRead::ok;
  const auto read = std::from_chars(token.data(), token.data() + token.size(), value);
  return read.ec == std::errc() ? NumberRead::ok : NumberRead::out_of_range;
}

NumberRead read_json_double(std::string_view token, double& value) {
  NumberParts parts;
  if (!read_parts(token, parts)) return NumberRead::malformed;
  // Both operands are exact, so one rounding gives the nearest double (W. Clinger, 1990).
  const bool exact = parts.digits <= 19 && parts.mantissa <= (1ull << 53);
  if (exact && parts.exponent >= -22 && parts.exponent <= 22) {
    const auto mantissa = static_cast<double>(parts.mantissa);
    value = parts.exponent < 0 ? mantissa / kPowersOfTen[-parts.exponent]
                               : mantissa * kPowersOfTen[parts.exponent];
    if (parts.negative) value = -value;
    return NumberRead::ok;
  }
  const auto read = std::from_chars(token.data(), token.data() + token.size(), value);
  if (read.ec == std::errc()) return NumberRead::ok;
  if (parts.mantissa != 0 && parts.exponent + parts.digits > 0) return NumberRead::out_of_range;
  value = parts.negative ? -0.0 : 0.0;  // smaller than any double, or zero with a huge exponent
  return NumberRead::ok;
}

char* unescape_json(std::string_view raw, char* out) {
  const char* at = raw.data();
  const char* const end = at + raw.size();
  while (at != end) {
    const auto* slash =
        static_cast<const char*>(std::memchr(at, '\\', static_cast<std::size_t>(end - at)));
    const char* const stop = slash != nullptr ? slash : end;
    std::memcpy(out, at, static_cast<std::size_t>(stop - at));
    out += stop - at;
    at = stop;
    if (at == end) break;
    if (end - at < 2) return nullptr;
    const char letter = at[1];
    at += 2;
    if (letter == 'u') {
      if (!unescape_point(at, end, out)) return nullptr;
      continue;
    }
    const char meant = escaped_letter(letter);
    if (meant == 0) return nullptr;
    *out++ = meant;
  }
  return out;
}

std::string describe_json_token(std::string_view token) {
  constexpr std::size_t kShownBytesMax = 40;
  const bool cut = token.size() > kShownBytesMax;
  std::string_view shown = token.substr(0, kShownBytesMax);
  while (cut && !valid_utf8(shown)) shown.remove_suffix(1);
  std::string text(shown);
  const bool is_text = !text.empty() && text[0] == '"';
  if (cut) text += is_text ? "...\"" : "...";
  if (is_text) return "text " + text;
  const bool is_number = !text.empty() && (text[0] == '-' || is_digit(text[0]));
  return is_number ? "number " + text : text;
}

}  // namespace millrace::detail
