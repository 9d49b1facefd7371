// Decimal<Scale>: exact numbers with a fixed number of decimal places.
#pragma once

#include <compare>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace millrace {

/// An exact number with `Scale` places behind the point, as money wants it: `units` counts
/// 10^-Scale.
///
/// Range: +-9,223,372,036,854,775,807 units, as SQL's DECIMAL(18, Scale): with two places +-92
/// thousand billions. Read from JSON (a number, or a text that holds one) and CSV without rounding:
/// a number with more places is refused. Sums that leave the range throw std::overflow_error, which
/// makes the record a dead letter. Cost: that of an int64.
template <int Scale>
struct Decimal {
  static_assert(Scale >= 0 && Scale <= 18, "millrace: a Decimal has 0 to 18 places");
  static constexpr int kScale = Scale;
  /// Units of a whole: 10^Scale.
  static constexpr std::int64_t kUnits = [] {
    std::int64_t units = 1;
    for (int place = 0; place < Scale; ++place) units *= 10;
    return units;
  }();

  std::int64_t units = 0;

  friend constexpr auto operator<=>(const Decimal&, const Decimal&) = default;
  constexpr Decimal& operator+=(Decimal other) {
    if (__builtin_add_overflow(units, other.units, &units)) overflow();
    return *this;
  }
  constexpr Decimal& operator-=(Decimal other) {
    if (__builtin_sub_overflow(units, other.units, &units)) overflow();
    return *this;
  }
  friend constexpr Decimal operator+(Decimal a, Decimal b) { return a += b; }
  friend constexpr Decimal operator-(Decimal a, Decimal b) { return a -= b; }
  friend constexpr Decimal operator*(Decimal a, std::int64_t times) {
    if (__builtin_mul_overflow(a.units, times, &a.units)) overflow();
    return a;
  }
  friend constexpr Decimal operator*(std::int64_t times, Decimal a) { return a * times; }
  /// The nearest double.
  constexpr double to_double() const {
    return static_cast<double>(units) / static_cast<double>(kUnits);
  }

 private:
  [[noreturn]] static void overflow() {
    throw std::overflow_error("a Decimal leaves its range of 18 digits: give it fewer places");
  }
};

namespace detail {

enum class DecimalRead {
  ok,
  wrong,         ///< not a decimal number
  out_of_range,  ///< beyond 64 bits at that scale
  too_fine,      ///< more places than the scale has
};

/// Reads all of `text` ("-12.50", ".5", "1e-3") as units of 10^-scale, exactly.
DecimalRead parse_decimal(std::string_view text, int scale, std::int64_t& units);
/// Appends "-12.50": all places of the scale.
void append_decimal(std::string& out, std::int64_t units, int scale);

template <class T>
inline constexpr bool kIsDecimal = false;
template <int Scale>
inline constexpr bool kIsDecimal<Decimal<Scale>> = true;

}  // namespace detail
}  // namespace millrace
