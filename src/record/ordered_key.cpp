// Big-endian numbers with their sign turned, and texts whose end is less than all that can follow.
#include "record/ordered_key.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/interval.hpp"

namespace millrace::detail {
namespace {

constexpr char kNull = 0;
constexpr char kValue = 1;
constexpr char kBeyond = 2;  ///< an integer above the greatest int64
constexpr std::uint64_t kSign = std::uint64_t{1} << 63;

void append_big_endian(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

bool append_integer_word(std::string& out, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) {
    append_ordered_integer(out, value);
    return true;
  }
  std::uint64_t large = 0;
  const auto [behind, wrong] = std::from_chars(text.data(), text.data() + text.size(), large);
  if (wrong != std::errc() || behind != text.data() + text.size()) return false;
  append_ordered_unsigned(out, large);
  return true;
}

bool append_real_word(std::string& out, std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text == "NaN") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (text == "Infinity" || text == "-Infinity") {
    value = text.front() == '-' ? -HUGE_VAL : HUGE_VAL;
  } else if (error != std::errc() || end != text.data() + text.size()) {
    return false;
  }
  append_ordered_real(out, value);
  return true;
}

}  // namespace

std::string_view describe(KeyPartKind kind) {
  static constexpr std::array<std::string_view, 8> kWords = {"nothing that can be a key",
                                                             "true or false",
                                                             "an integer",
                                                             "a number",
                                                             "a decimal number",
                                                             "a text",
                                                             "a time as 2015-09-12T06:00:00Z",
                                                             "an interval"};
  return kWords[static_cast<std::size_t>(kind)];
}

void append_ordered_null(std::string& out) { out.push_back(kNull); }

void append_ordered_flag(std::string& out, bool value) {
  out.push_back(kValue);
  out.push_back(value ? 1 : 0);
}

void append_ordered_integer(std::string& out, std::int64_t value) {
  out.push_back(kValue);
  append_big_endian(out, static_cast<std::uint64_t>(value) ^ kSign);
}

void append_ordered_unsigned(std::string& out, std::uint64_t value) {
  if ((value & kSign) == 0) return append_ordered_integer(out, static_cast<std::int64_t>(value));
  out.push_back(kBeyond);
  append_big_endian(out, value);
}

void append_ordered_real(std::string& out, double value) {
  out.push_back(kValue);
  if (std::isnan(value)) return append_big_endian(out, ~std::uint64_t{0});
  const auto bits = std::bit_cast<std::uint64_t>(value + 0.0);  // -0 becomes 0
  append_big_endian(out, (bits & kSign) != 0 ? ~bits : bits ^ kSign);
}

/// A zero byte is followed by 255, the end is a zero followed by 1: less than anything that goes
/// on.
void append_ordered_text(std::string& out, std::string_view value) {
  append_ordered_beginning(out, value);
  out.push_back('\0');
  out.push_back('\1');
}

void append_ordered_beginning(std::string& out, std::string_view begin) {
  out.push_back(kValue);
  for (const char byte : begin) {
    out.push_back(byte);
    if (byte == '\0') out.push_back('\xff');
  }
}

std::string behind_all(std::string_view bytes) {
  std::string behind(bytes);
  while (!behind.empty() && behind.back() == '\xff') behind.pop_back();
  if (!behind.empty()) behind.back() = static_cast<char>(behind.back() + 1);
  return behind;
}

bool append_ordered_word(std::string& out, const KeyPart& part, std::string_view text) {
  switch (part.kind) {
    case KeyPartKind::flag:
      if (text != "true" && text != "false") return false;
      append_ordered_flag(out, text == "true");
      return true;
    case KeyPartKind::integer:
      return append_integer_word(out, text);
    case KeyPartKind::real:
      return append_real_word(out, text);
    case KeyPartKind::decimal: {
      std::int64_t units = 0;
      if (parse_decimal(text, part.scale, units) != DecimalRead::ok) return false;
      append_ordered_integer(out, units);
      return true;
    }
    case KeyPartKind::text:
      append_ordered_text(out, text);
      return true;
    case KeyPartKind::time: {
      const auto time = parse_iso_time(text);
      if (time) append_ordered_integer(out, *time);
      return time.has_value();
    }
    case KeyPartKind::interval: {
      const auto interval = parse_interval(text);
      if (interval) append_ordered_integer(out, interval->count());
      return interval.has_value();
    }
    case KeyPartKind::none:
      break;
  }
  return false;
}

}  // namespace millrace::detail
