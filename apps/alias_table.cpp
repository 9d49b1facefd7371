// Building alias tables.
#include "alias_table.hpp"

#include <cmath>
#include <numeric>

namespace millrace::apps {

AliasTable::AliasTable(const std::vector<double>& weights)
    : slots_(weights.size()), shift_(64 - std::countr_zero(weights.size())) {
  MR_CHECK(std::has_single_bit(weights.size()) && weights.size() > 1 &&
               weights.size() <= std::size_t{1} << 24,
           "an alias table has a power of two of outcomes");
  const double mean =
      std::accumulate(weights.begin(), weights.end(), 0.0) / static_cast<double>(weights.size());
  std::vector<double> left(weights.size());  // in shares of a slot
  std::vector<std::uint32_t> small;
  std::vector<std::uint32_t> large;
  for (std::uint32_t at = 0; at < weights.size(); ++at) {
    left[at] = weights[at] / mean;
    slots_[at].alias = at;
    (left[at] < 1 ? small : large).push_back(at);
  }
  while (!small.empty() && !large.empty()) {
    const std::uint32_t poor = small.back();
    const std::uint32_t rich = large.back();
    small.pop_back();
    slots_[poor] = {static_cast<std::uint32_t>(left[poor] * 4294967295.0), rich};
    left[rich] -= 1 - left[poor];
    if (left[rich] >= 1) continue;
    large.pop_back();
    small.push_back(rich);
  }
}

std::vector<double> zipf_weights(std::size_t count, double exponent) {
  std::vector<double> weights(count);
  for (std::size_t at = 0; at < count; ++at) {
    weights[at] = std::pow(static_cast<double>(at + 1), -exponent);
  }
  return weights;
}

}  // namespace millrace::apps
