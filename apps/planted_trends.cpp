// Each trend is drawn from a generator of its own, so that any may be asked for by its index.
#include "planted_trends.hpp"

#include "env/random.hpp"

namespace millrace::apps {
namespace {

/// Coprime with every number of tags that is not a multiple of it, and far from small: neighbours
/// in time are no neighbours in the words.
constexpr std::uint64_t kTagStride = 1447;

std::uint64_t mixed(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t state = seed;
  state = detail::splitmix64(state) + index;
  return detail::splitmix64(state);
}

}  // namespace

PlantedTrend PlantedTrends::at(std::uint64_t index) const {
  detail::Random random(mixed(seed_, index));
  PlantedTrend trend;
  const std::uint64_t place = mixed(seed_, ~std::uint64_t{0}) % tag_count_ + index * kTagStride;
  trend.tag = tag_first_ + static_cast<std::uint32_t>(place % tag_count_);
  const auto slot = static_cast<std::int64_t>(index) * kEvery.count();
  trend.start = feed_start_ + kFirst.count() + slot + random.between(0, kShift.count());
  const std::int64_t length = random.between(kShortest.count(), kLongest.count());
  trend.peak = trend.start + length / 2;
  trend.end = trend.start + length;
  trend.peak_share = kPeakMin + (kPeakMax - kPeakMin) * random.unit();
  return trend;
}

std::uint64_t PlantedTrends::begun(Time time) const {
  auto [index, last] = near(time);
  while (index < last && at(index).start < time) ++index;
  return index;
}

std::pair<std::uint64_t, std::uint64_t> PlantedTrends::near(Time time) const {
  // Slot i begins at the soonest at first + i * every, and is over at the latest a shift and the
  // longest trend later.
  const std::int64_t since = time - feed_start_ - kFirst.count();
  const std::int64_t last = detail::floor_div(since, kEvery.count()) + 1;
  const std::int64_t first =
      detail::floor_div(since - kShift.count() - kLongest.count(), kEvery.count());
  return {static_cast<std::uint64_t>(std::max<std::int64_t>(first, 0)),
          static_cast<std::uint64_t>(std::max<std::int64_t>(last, 0))};
}

}  // namespace millrace::apps
