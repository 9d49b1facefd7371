// Compaction of a KLL sketch's levels, and reading quantiles from them.
#include "state/quantile_sketch.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/hash.hpp"

namespace millrace::detail {
namespace {

/// Each level below the highest may hold two thirds of the one above it, but not fewer than this.
constexpr std::size_t kLeastWidth = 8;

}  // namespace

void QuantileSketch::add(double number) {
  if (std::isnan(number)) {
    has_nan_ = true;
    ++count_;
    return;
  }
  if (levels_.empty()) {
    levels_.emplace_back();
    least_ = greatest_ = number;
  }
  least_ = std::min(least_, number);
  greatest_ = std::max(greatest_, number);
  levels_[0].push_back(number);
  ++held_;
  ++count_;
  if (levels_[0].size() > lowest_width_) compress();
}

void QuantileSketch::merge(const QuantileSketch& other) {
  has_nan_ |= other.has_nan_;
  count_ += other.count_;
  if (other.levels_.empty()) return;
  if (levels_.empty()) {
    least_ = other.least_;
    greatest_ = other.greatest_;
  }
  least_ = std::min(least_, other.least_);
  greatest_ = std::max(greatest_, other.greatest_);
  if (levels_.size() < other.levels_.size()) levels_.resize(other.levels_.size());
  for (std::size_t level = 0; level < other.levels_.size(); ++level) {
    const std::vector<double>& more = other.levels_[level];
    levels_[level].insert(levels_[level].end(), more.begin(), more.end());
  }
  held_ += other.held_;
  compress();
}

std::vector<double> QuantileSketch::quantiles(const std::vector<double>& shares) const {
  const double none = std::numeric_limits<double>::quiet_NaN();
  if (has_nan_ || count_ == 0) return std::vector<double>(shares.size(), none);
  std::vector<std::pair<double, std::uint64_t>> kept;
  kept.reserve(held_);
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    for (const double number : levels_[level]) kept.emplace_back(number, std::uint64_t{1} << level);
  }
  std::sort(kept.begin(), kept.end());
  std::uint64_t rank = 0;
  for (auto& [number, weight] : kept) weight = rank += weight;
  std::vector<double> found;
  for (const double share : shares) {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    if (wanted <= 1) {
      found.push_back(least_);
    } else if (wanted >= count_) {
      found.push_back(greatest_);
    } else {
      const auto at =
          std::ranges::lower_bound(kept, wanted, {}, &std::pair<double, std::uint64_t>::second);
      found.push_back(at->first);
    }
  }
  return found;
}

std::size_t QuantileSketch::width_of(std::size_t level) const {
  const auto above = static_cast<double>(levels_.size() - 1 - level);
  const double width = std::ceil(static_cast<double>(kWidth) * std::pow(2.0 / 3, above));
  return std::max(kLeastWidth, static_cast<std::size_t>(width));
}

/// Halves each level that holds more than its width. A level that is added narrows those below it:
/// the next call sees to them.
void QuantileSketch::compress() {
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    if (levels_[level].size() > width_of(level)) compact(level);
  }
  lowest_width_ = width_of(0);
}

/// Half of an even number of them goes up; an odd one stays.
void QuantileSketch::compact(std::size_t level) {
  if (level + 1 == levels_.size()) levels_.emplace_back();
  std::vector<double>& from = levels_[level];
  std::vector<double>& to = levels_[level + 1];
  double left_over = 0;
  const bool odd = from.size() % 2 == 1;
  if (odd) {
    left_over = from.back();
    from.pop_back();
  }
  std::sort(from.begin(), from.end());
  for (std::size_t at = flip(from[from.size() / 2]) ? 1 : 0; at < from.size(); at += 2)
    to.push_back(from[at]);
  held_ -= from.size() / 2;
  from.clear();
  if (odd) from.push_back(left_over);
}

/// A coin that the numbers toss, so that a run can be repeated and sketches that are merged did not
/// toss the same.
bool QuantileSketch::flip(double number) {
  std::uint64_t bits;
  std::memcpy(&bits, &number, sizeof bits);
  coin_ = fold_multiply(coin_ ^ bits ^ kHashSeed, 0xe7037ed1a0b428dbull);
  return coin_ % 2 != 0;
}

void QuantileSketch::store(std::string& out) const {
  put_varint(out, levels_.size());
  for (const std::vector<double>& level : levels_) {
    put_varint(out, level.size());
    for (const double number : level) put_number(out, number);
  }
  put_varint(out, lowest_width_);
  put_number(out, count_);
  put_number(out, least_);
  put_number(out, greatest_);
  put_number(out, coin_);
  out.push_back(has_nan_ ? '\1' : '\0');
}

bool QuantileSketch::load(BytesCursor& in) {
  constexpr std::uint64_t kLevelsMax = 64;  // a number of the highest would stand for 2^64
  const std::uint64_t levels = in.varint();
  if (!in.ok() || levels > kLevelsMax) return false;
  levels_.assign(levels, {});
  held_ = 0;
  for (std::vector<double>& level : levels_) {
    const std::uint64_t size = in.varint();
    if (!in.ok() || size > in.rest().size() / sizeof(double)) return false;
    level.resize(size);
    for (double& number : level) number = in.number<double>();
    held_ += size;
  }
  lowest_width_ = in.varint();
  count_ = in.number<std::uint64_t>();
  least_ = in.number<double>();
  greatest_ = in.number<double>();
  coin_ = in.number<std::uint64_t>();
  has_nan_ = in.number<std::uint8_t>() != 0;
  return in.ok() && lowest_width_ >= kLeastWidth && lowest_width_ <= kWidth;
}

}  // namespace millrace::detail
