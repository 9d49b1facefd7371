// Aggregates that are held, in the order of their windows and keys.
#include "operator/held_aggregates.hpp"

namespace millrace::detail {

std::vector<HeldAggregate> HeldAggregates::all() const {
  std::vector<HeldAggregate> all;
  for (const auto& [place, number] : numbers_) {
    all.push_back({place.key, place.start, place.end, values_of(number)});
    if (shown_) shown_(all.back());
  }
  return all;
}

std::size_t HeldAggregates::number_of(Time start, Time end, std::string key) {
  return numbers_.try_emplace({start, end, std::move(key)}, numbers_.size()).first->second;
}

}  // namespace millrace::detail
