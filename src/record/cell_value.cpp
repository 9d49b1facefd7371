// Short numbers by a plain loop, everything else by the standard library.
#include "record/cell_value.hpp"

#include <charconv>
#include <cstddef>
#include <optional>

#include "base/decimal.hpp"
#include "base/interval.hpp"
#include "record/json_token.hpp"
#include "record/powers_of_ten.hpp"
#include "record/value_words.hpp"

namespace millrace::detail {
namespace {

/// Without the spaces around it and a '+' before it, which std::from_chars does not take.
std::string_view bare_number(std::string_view text) {
  text = trimmed(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

template <class Integer>
CellRead read_whole(std::string_view text, Integer& value) {
  text = bare_number(text);
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ptr != text.data() + text.size() || read.ec == std::errc::invalid_argument) {
    return CellRead::wrong;
  }
  return read.ec == std::errc() ? CellRead::ok : CellRead::out_of_range;
}

CellRead read_unsigned(std::string_view text, void* slot) {
  std::uint64_t value = 0;
  const std::string_view bare = bare_number(text);
  if (!bare.empty() && bare.front() == '-') {
    std::int64_t negative = 0;
    const CellRead read = read_whole(bare, negative);
    return read == CellRead::ok && negative != 0 ? CellRead::out_of_range : read;
  }
  const CellRead read = read_whole(bare, value);
  if (read == CellRead::ok) store_integer(slot, ValueKind::u64, value);
  return read;
}

/// The digits of [at, end) as a number, and how many were read; at most 18 keep it exact.
inline const char* read_digits(const char* at, const char* end, std::uint64_t& value) {
  for (; at != end; ++at) {
    const auto digit = static_cast<unsigned char>(*at - '0');
    if (digit > 9) break;
    value = value * 10 + digit;
  }
  return at;
}

constexpr std::ptrdiff_t kExactDigits = 18;

bool same_word(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if ((text[at] | 0x20) != lower[at]) return false;
  }
  return true;
}

}  // namespace

CellRead read_cell_integer(std::string_view text, ValueKind kind, void* slot) {
  if (kind == ValueKind::u64) return read_unsigned(text, slot);
  const char* const end = text.data() + text.size();
  const bool negative = !text.empty() && text.front() == '-';
  const char* const digits = text.data() + (negative ? 1 : 0);
  std::uint64_t magnitude = 0;
  std::int64_t value = 0;
  if (digits != end && end - digits <= kExactDigits && read_digits(digits, end, magnitude) == end)
      [[likely]] {
    value = static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
  } else if (const CellRead read = read_whole(text, value); read != CellRead::ok) {
    return read;
  }
  const IntegerLimits limits = limits_of(kind);
  if (value < limits.min || value > limits.max) return CellRead::out_of_range;
  store_integer(slot, kind, static_cast<std::uint64_t>(value));
  return CellRead::ok;
}

CellRead read_cell_real(std::string_view text, double& value) {
  const char* const end = text.data() + text.size();
  const bool negative = !text.empty() && text.front() == '-';
  const char* const digits = text.data() + (negative ? 1 : 0);
  std::uint64_t mantissa = 0;
  if (end - digits <= kExactDigits && digits != end) [[likely]] {
    const char* const point = read_digits(digits, end, mantissa);
    const char* stop = point;
    if (point != end && point != digits && *point == '.')
      stop = read_digits(point + 1, end, mantissa);
    // Both operands are exact, so one rounding gives the nearest double (W. Clinger, 1990).
    if (stop == end && mantissa <= (1ull << 53)) [[likely]] {
      const std::ptrdiff_t places = point == end ? 0 : end - point - 1;
      const double size = static_cast<double>(mantissa) / kPowersOfTen[places];
      value = negative ? -size : size;
      return CellRead::ok;
    }
  }
  text = bare_number(text);
  const NumberRead strict = read_json_double(text, value);
  if (strict == NumberRead::ok) return CellRead::ok;
  if (strict == NumberRead::out_of_range) return CellRead::out_of_range;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec == std::errc::result_out_of_range) return CellRead::out_of_range;
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? CellRead::ok
                                                                         : CellRead::wrong;
}

CellRead read_cell_boolean(std::string_view text, bool& value) {
  text = bare_number(text);
  for (const std::string_view word : {"true", "1", "t", "yes", "y"}) {
    value = true;
    if (same_word(text, word)) return CellRead::ok;
  }
  for (const std::string_view word : {"false", "0", "f", "no", "n"}) {
    value = false;
    if (same_word(text, word)) return CellRead::ok;
  }
  return CellRead::wrong;
}

CellRead read_cell_token(std::string_view text, const ValuePlan& plan, void* slot) {
  if (plan.kind == ValueKind::letter) {
    if (text.size() != 1) return CellRead::wrong;
    *static_cast<char*>(slot) = text.front();
    return CellRead::ok;
  }
  text = bare_number(text);
  if (plan.kind == ValueKind::enumeration) {
    return plan.names->store(slot, text) ? CellRead::ok : CellRead::wrong;
  }
  if (plan.kind == ValueKind::interval) {
    std::optional<Duration> interval = parse_interval(text);
    if (!interval) interval = parse_seconds(text);
    if (interval) *static_cast<Duration*>(slot) = *interval;
    return interval ? CellRead::ok : CellRead::wrong;
  }
  std::int64_t units = 0;
  const DecimalRead read = parse_decimal(text, plan.scale, units);
  if (read == DecimalRead::out_of_range) return CellRead::out_of_range;
  if (read != DecimalRead::ok) return CellRead::wrong;
  store_integer(slot, ValueKind::i64, static_cast<std::uint64_t>(units));
  return CellRead::ok;
}

CellRead read_cell_time(std::string_view text, TimeUnit unit, Time& micros) {
  text = bare_number(text);
  std::optional<Time> time = parse_iso_time(text);
  if (!time) time = parse_epoch_time(text, unit);
  if (!time) return CellRead::wrong;
  micros = *time;
  return CellRead::ok;
}

}  // namespace millrace::detail
