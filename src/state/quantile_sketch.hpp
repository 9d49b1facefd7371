// QuantileSketch: quantiles of numbers to within 1 % of their rank, in at most 20 KiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_codec.hpp"

namespace millrace::detail {

/// The KLL sketch of Z. Karnin, K. Lang and E. Liberty, "Optimal quantile approximation in streams"
/// (2016): levels of numbers that each stand for 2^level; a full one is sorted, and every other
/// number of it, from the first or second on by a coin, goes up. Exact up to 400 numbers.
///
/// Error: the rank of what quantile(q) gives differs from q by more than 0.01 in fewer than one of
/// 100 sketches; the least and the greatest are exact. Beyond 400 numbers their order and how
/// sketches were merged show within that. Cost: O(log) a number, amortized; a quantile sorts what
/// is kept. Memory: 8 bytes a number up to 400, then at most 1,300 numbers in blocks of up to twice
/// that: 20 KiB. One thread.
class QuantileSketch {
 public:
  /// What the lowest level of a few holds; the error is about 2.3 / kWidth^0.97.
  static constexpr std::size_t kWidth = 400;

  void add(double number);
  void merge(const QuantileSketch& other);

  std::uint64_t count() const { return count_; }
  std::size_t heap_bytes() const {
    std::size_t bytes = levels_.capacity() * sizeof(levels_[0]);
    for (const auto& level : levels_) bytes += level.capacity() * sizeof(double);
    return bytes;
  }
  /// Of each of `shares`, 0 to 1, the least number that so many of all are not greater than; of 0
  /// the least of all. NaN where there are no numbers, or one is NaN.
  std::vector<double> quantiles(const std::vector<double>& shares) const;

  /// See StoresItself.
  static constexpr std::string_view stored_shape() { return "quantiles"; }
  void store(std::string& out) const;
  bool load(BytesCursor& in);

 private:
  std::size_t width_of(std::size_t level) const;
  void compress();
  void compact(std::size_t level);
  bool flip(double number);

  std::vector<std::vector<double>> levels_;
  std::size_t lowest_width_ = kWidth;
  std::size_t held_ = 0;
  std::uint64_t count_ = 0;
  double least_ = 0;
  double greatest_ = 0;
  std::uint64_t coin_ = 0;
  bool has_nan_ = false;
};

}  // namespace millrace::detail
