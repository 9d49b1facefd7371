// The superaccumulator: taking doubles apart, carries, and the one rounding at the end.
#include "state/exact_sum.hpp"

#include <bit>
#include <cmath>
#include <cstring>

namespace millrace::detail {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr int kChunkBits = 32;
constexpr std::int64_t kLow = 0xffffffff;
/// The last place of the smallest double: chunks count from there.
constexpr int kLastPlace = -1074;
constexpr int kMantissaBits = 53;
/// A number adds less than 2^52 to a chunk, so 2^11 of them fit; two sums are joined before that.
constexpr std::uint32_t kAddedMax = 1000;

/// Hands on what is above 32 bits: then every chunk but the last is in [0, 2^32), and the last has
/// the sign of the whole.
void carry_up(std::vector<std::int64_t>& chunks) {
  for (std::size_t at = 0; at < chunks.size(); ++at) {
    const std::int64_t above = chunks[at] >> kChunkBits;
    if (at + 1 == chunks.size()) {
      if (above == 0 || above == -1) return;
      chunks.push_back(0);
    }
    chunks[at] &= kLow;
    chunks[at + 1] += above;
  }
}

/// The double next to a number whose chunks are in [0, 2^32), the first of them weighing 2^place.
double rounded(const std::vector<std::int64_t>& chunks, int place) {
  std::size_t size = chunks.size();
  while (size > 0 && chunks[size - 1] == 0) --size;
  if (size == 0) return 0;
  // The upper three chunks hold at least 65 bits: the mantissa, the bit that decides, and more.
  Wide top = 0;
  for (std::size_t at = 1; at <= 3; ++at) {
    top = top << kChunkBits | static_cast<Wide>(at <= size ? chunks[size - at] : 0);
  }
  bool more = false;
  for (std::size_t at = 0; at + 3 < size; ++at) more |= chunks[at] != 0;
  const int drop =
      2 * kChunkBits + std::bit_width(static_cast<std::uint64_t>(chunks[size - 1])) - kMantissaBits;
  auto mantissa = static_cast<std::uint64_t>(top >> drop);
  const Wide rest = top & ((Wide{1} << drop) - 1);
  const Wide half = Wide{1} << (drop - 1);
  if (rest > half || (rest == half && (more || mantissa % 2 == 1))) ++mantissa;
  const int lowest = place + kChunkBits * (static_cast<int>(size) - 3);
  return std::ldexp(static_cast<double>(mantissa), drop + lowest);
}

}  // namespace

void ExactSum::add(double number) {
  std::uint64_t bits;
  std::memcpy(&bits, &number, sizeof bits);
  const auto exponent = static_cast<int>(bits >> 52 & 0x7ff);
  std::uint64_t mantissa = bits & ((std::uint64_t{1} << 52) - 1);
  if (exponent == 0x7ff) {
    special_ += number;
    return;
  }
  if (exponent > 0) mantissa |= std::uint64_t{1} << 52;
  if (mantissa == 0) return;
  const int place = exponent > 0 ? exponent - 1 : 0;  // of the last bit, above kLastPlace
  const int chunk = place / kChunkBits;
  make_room(chunk, chunk + 2);
  const Wide moved = static_cast<Wide>(mantissa) << (place % kChunkBits);
  const auto low = static_cast<std::int64_t>(moved & static_cast<Wide>(kLow));
  const auto high = static_cast<std::int64_t>(moved >> kChunkBits);
  std::int64_t* const at = chunks_.data() + (chunk - first_);
  const bool negative = bits >> 63 != 0;
  at[0] += negative ? -low : low;
  at[1] += negative ? -high : high;
  if (++added_ >= kAddedMax) carry();
}

void ExactSum::merge(const ExactSum& other) {
  special_ += other.special_;
  if (other.chunks_.empty()) return;
  make_room(other.first_, other.first_ + static_cast<int>(other.chunks_.size()));
  for (std::size_t at = 0; at < other.chunks_.size(); ++at) {
    chunks_[static_cast<std::size_t>(other.first_ - first_) + at] += other.chunks_[at];
  }
  added_ += other.added_ + 1;
  if (added_ >= kAddedMax) carry();
}

double ExactSum::value() const {
  if (special_ != 0) return special_;  // also when it is NaN
  if (chunks_.empty()) return 0;
  std::vector<std::int64_t> chunks = chunks_;
  carry_up(chunks);
  const bool negative = chunks.back() < 0;
  if (negative) {
    for (std::int64_t& chunk : chunks) chunk = -chunk;
    carry_up(chunks);
  }
  const double sum = rounded(chunks, kLastPlace + kChunkBits * first_);
  return negative ? -sum : sum;
}

/// Chunks [from, to) are there.
void ExactSum::make_room(int from, int to) {
  if (chunks_.empty()) first_ = from;
  if (from < first_) {
    chunks_.insert(chunks_.begin(), static_cast<std::size_t>(first_ - from), 0);
    first_ = from;
  }
  const auto size = static_cast<std::size_t>(to - first_);
  if (size > chunks_.size()) chunks_.resize(size);
}

void ExactSum::carry() {
  carry_up(chunks_);
  added_ = 0;
}

void ExactSum::store(std::string& out) const {
  put_number(out, special_);
  put_number(out, first_);
  put_number(out, added_);
  put_varint(out, chunks_.size());
  for (const std::int64_t chunk : chunks_) put_number(out, chunk);
}

bool ExactSum::load(BytesCursor& in) {
  special_ = in.number<double>();
  first_ = in.number<std::int32_t>();
  added_ = in.number<std::uint32_t>();
  const std::uint64_t count = in.varint();
  constexpr std::uint64_t kChunksMax = 128;  // more than a double's range has
  if (!in.ok() || count > kChunksMax || first_ < 0 || first_ > static_cast<int>(kChunksMax) ||
      added_ >= 2 * kAddedMax) {
    return false;
  }
  chunks_.resize(count);
  for (std::int64_t& chunk : chunks_) chunk = in.number<std::int64_t>();
  return in.ok();
}

}  // namespace millrace::detail
