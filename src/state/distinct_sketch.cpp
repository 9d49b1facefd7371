// Registers of a HyperLogLog, and what they say.
#include "state/distinct_sketch.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

namespace millrace::detail {
namespace {

constexpr int kIndexBits = 12;
constexpr std::size_t kRegisters = std::size_t{1} << kIndexBits;
/// Bits of a hash that a register looks at; its greatest value is one more.
constexpr int kRankBits = 64 - kIndexBits;

/// Ertl 2017, algorithm 6: what registers that are still 0 add.
double sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double y = 1;
  double sum = x;
  for (double before = -1; sum != before; y += y) {
    before = sum;
    x *= x;
    sum += x * y;
  }
  return sum;
}

/// The same of registers that are full.
double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1;
  double sum = 1 - x;
  for (double before = -1; sum != before;) {
    before = sum;
    x = std::sqrt(x);
    y *= 0.5;
    sum -= (1 - x) * (1 - x) * y;
  }
  return sum / 3;
}

}  // namespace

void DistinctSketch::insert(std::uint64_t hash) {
  if (!registers_.empty()) {
    take(hash);
    return;
  }
  hashes_.insert(hash);
  if (hashes_.size() > kExactMax) spread_out();
}

void DistinctSketch::merge(const DistinctSketch& other) {
  if (other.registers_.empty()) {
    other.hashes_.for_each([this](std::uint64_t hash) { insert(hash); });
    return;
  }
  if (registers_.empty()) spread_out();
  for (std::size_t at = 0; at < kRegisters; ++at) {
    registers_[at] = std::max(registers_[at], other.registers_[at]);
  }
}

std::int64_t DistinctSketch::count() const {
  if (registers_.empty()) return static_cast<std::int64_t>(hashes_.size());
  std::array<std::uint32_t, kRankBits + 2> ranks{};
  for (const std::uint8_t rank : registers_) ++ranks[rank];
  constexpr double kAll = static_cast<double>(kRegisters);
  double sum = kAll * tau(1 - ranks[kRankBits + 1] / kAll);
  for (std::size_t rank = kRankBits; rank >= 1; --rank) sum = 0.5 * (sum + ranks[rank]);
  sum += kAll * sigma(ranks[0] / kAll);
  return std::llround(kAll * kAll / (2 * std::numbers::ln2 * sum));
}

void DistinctSketch::take(std::uint64_t hash) {
  const std::uint64_t rest = hash << kIndexBits;
  const int rank = rest == 0 ? kRankBits + 1 : std::countl_zero(rest) + 1;
  std::uint8_t& held = registers_[hash >> kRankBits];
  held = std::max(held, static_cast<std::uint8_t>(rank));
}

void DistinctSketch::spread_out() {
  registers_.assign(kRegisters, 0);
  hashes_.for_each([this](std::uint64_t hash) { take(hash); });
  hashes_ = {};
}

void DistinctSketch::store(std::string& out) const {
  put_varint(out, registers_.size());
  if (registers_.empty()) return hashes_.store(out);
  out.append(reinterpret_cast<const char*>(registers_.data()), registers_.size());
}

bool DistinctSketch::load(BytesCursor& in) {
  const std::uint64_t count = in.varint();
  if (!in.ok() || (count != 0 && count != kRegisters)) return false;
  registers_.clear();
  hashes_ = {};
  if (count == 0) return hashes_.load(in) && hashes_.size() <= kExactMax;
  const std::string_view bytes = in.take(count);
  registers_.assign(bytes.begin(), bytes.end());
  return in.ok() && std::all_of(registers_.begin(), registers_.end(),
                                [](std::uint8_t rank) { return rank <= kRankBits + 1; });
}

}  // namespace millrace::detail
