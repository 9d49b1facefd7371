// ExactSum: the sum of doubles without any rounding before the end, whatever their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_codec.hpp"

namespace millrace::detail {

/// A fixed-point number as wide as a double's range, in signed chunks that lie 32 bits apart, so
/// that many additions pass before carries are taken up: the small superaccumulator of R. Neal,
/// "Fast exact summation using small and large superaccumulators" (2015). It holds only the chunks
/// between the smallest and the greatest number met.
///
/// Cost: two additions a number. Memory: 8 bytes for each 32 bits of the numbers' range (a handful;
/// 536 bytes at most), and 40. One thread.
class ExactSum {
 public:
  /// NaN, and infinities of both signs, make the sum NaN; infinities of one sign make it infinite.
  void add(double number);
  void merge(const ExactSum& other);
  /// The double next to the sum, ties to even; infinite beyond its range. Of zeros and of nothing:
  /// +0.
  double value() const;
  std::size_t heap_bytes() const { return chunks_.capacity() * sizeof(std::int64_t); }

  /// See StoresItself.
  static constexpr std::string_view stored_shape() { return "exactsum"; }
  void store(std::string& out) const;
  bool load(BytesCursor& in);

 private:
  void make_room(int from, int to);
  void carry();

  std::vector<std::int64_t> chunks_;  ///< chunk i weighs 2^(32 (first_ + i) - 1074)
  std::int32_t first_ = 0;
  std::uint32_t added_ = 0;  ///< since carries were taken up
  double special_ = 0;       ///< the sum of what is not finite
};

}  // namespace millrace::detail
