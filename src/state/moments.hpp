// Moments: count, mean and squared deviations of numbers, in one pass, so that two can be joined.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/byte_codec.hpp"

namespace millrace::detail {

/// Adds by Welford's method ("Note on a method for calculating corrected sums of squares and
/// products", Technometrics 4, 1962) and joins by that of Chan, Golub and LeVeque ("Updating
/// formulae and a pairwise algorithm for computing sample variances", 1979): nothing large is
/// subtracted from something large, so 1,000,000,004 and 1,000,000,007 keep their digits.
///
/// 24 bytes. One thread. How the numbers were spread over joined ones shows in the last digits.
class Moments {
 public:
  void add(double number) {
    count_ += 1;
    const double off = number - mean_;
    mean_ += off / count_;
    squares_ += off * (number - mean_);
  }
  void merge(const Moments& other) {
    if (other.count_ == 0) return;
    if (count_ == 0) {
      *this = other;
      return;
    }
    const double all = count_ + other.count_;
    const double off = other.mean_ - mean_;
    const double share = other.count_ / all;
    mean_ += off * share;
    squares_ += other.squares_ + off * off * (count_ * share);
    count_ = all;
  }

  double count() const { return count_; }
  /// The mean of squared deviations, divided by count - `less`: 0 for all there is, 1 for a sample
  /// of it. NaN where nothing is left to divide by, where a number was NaN or infinite, and where
  /// the squares leave the range of a double.
  double variance(int less) const {
    const double divisor = count_ - less;
    if (divisor <= 0 || !std::isfinite(squares_)) return std::numeric_limits<double>::quiet_NaN();
    return squares_ / divisor;
  }

  /// See StoresItself.
  static constexpr std::string_view stored_shape() { return "moments"; }
  void store(std::string& out) const {
    for (const double part : {count_, mean_, squares_}) put_number(out, part);
  }
  bool load(BytesCursor& in) {
    for (double* const part : {&count_, &mean_, &squares_}) *part = in.number<double>();
    return in.ok();
  }

 private:
  double count_ = 0;
  double mean_ = 0;
  double squares_ = 0;
};

}  // namespace millrace::detail
