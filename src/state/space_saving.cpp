// Counters in a heap by their counts.
#include "state/space_saving.hpp"

#include <algorithm>
#include <utility>

namespace millrace::detail {

SpaceSaving::Place SpaceSaving::add(std::uint64_t hash) {
  const auto known = places_.find(hash);
  if (known != places_.end()) {
    ++counters_[known->second].count;
    sink(spots_[known->second]);
    return {known->second, false};
  }
  if (counters_.size() < most_) {
    const auto place = static_cast<std::uint32_t>(counters_.size());
    counters_.push_back({hash, 1, 0});
    places_.emplace(hash, place);
    spots_.push_back(place);
    heap_.push_back(place);
    // No count is less than 1: it may stand before any other that is not.
    for (std::size_t at = heap_.size() - 1; at > 0;) {
      const std::size_t above = (at - 1) / 2;
      if (counters_[heap_[above]].count <= 1) break;
      set(at, heap_[above]);
      set(above, place);
      at = above;
    }
    return {place, true};
  }
  const std::uint32_t place = heap_.front();
  Counter& counter = counters_[place];
  places_.erase(counter.hash);
  places_.emplace(hash, place);
  counter = {hash, counter.count + 1, counter.count};
  sink(0);
  return {place, true};
}

std::uint64_t SpaceSaving::missed() const {
  return counters_.size() < most_ ? 0 : counters_[heap_.front()].count;
}

void SpaceSaving::replace(std::vector<Counter> counters) {
  counters_ = std::move(counters);
  places_.clear();
  heap_.resize(counters_.size());
  spots_.resize(counters_.size());
  for (std::uint32_t place = 0; place < counters_.size(); ++place) {
    places_.emplace(counters_[place].hash, place);
    heap_[place] = place;
  }
  const auto by_count = [this](std::uint32_t a, std::uint32_t b) {
    return counters_[a].count < counters_[b].count;
  };
  std::sort(heap_.begin(), heap_.end(), by_count);
  for (std::size_t at = 0; at < heap_.size(); ++at) set(at, heap_[at]);
}

/// Moves what stands at `at` of the heap behind those that are counted less.
void SpaceSaving::sink(std::size_t at) {
  const std::uint32_t place = heap_[at];
  const std::uint64_t count = counters_[place].count;
  for (;;) {
    std::size_t below = 2 * at + 1;
    if (below >= heap_.size()) break;
    if (below + 1 < heap_.size() &&
        counters_[heap_[below + 1]].count < counters_[heap_[below]].count) {
      ++below;
    }
    if (counters_[heap_[below]].count >= count) break;
    set(at, heap_[below]);
    at = below;
  }
  set(at, place);
}

void SpaceSaving::set(std::size_t at, std::uint32_t place) {
  heap_[at] = place;
  spots_[place] = static_cast<std::uint32_t>(at);
}

std::vector<SpaceSaving::Counter> joined(const SpaceSaving& a, const SpaceSaving& b,
                                         std::size_t most) {
  std::unordered_map<std::uint64_t, SpaceSaving::Counter> all;
  for (const SpaceSaving::Counter& counter : a.counters()) {
    all[counter.hash] = {counter.hash, counter.count + b.missed(), counter.error + b.missed()};
  }
  for (const SpaceSaving::Counter& counter : b.counters()) {
    const auto known = all.find(counter.hash);
    if (known == all.end()) {
      all[counter.hash] = {counter.hash, counter.count + a.missed(), counter.error + a.missed()};
    } else {
      known->second.count += counter.count - b.missed();
      known->second.error += counter.error - b.missed();
    }
  }
  std::vector<SpaceSaving::Counter> counters;
  counters.reserve(all.size());
  for (const auto& [hash, counter] : all) counters.push_back(counter);
  std::sort(counters.begin(), counters.end(), [](const auto& x, const auto& y) {
    return x.count != y.count ? x.count > y.count : x.hash < y.hash;
  });
  if (counters.size() > most) counters.resize(most);
  return counters;
}

void SpaceSaving::store(std::string& out) const {
  put_varint(out, counters_.size());
  for (const Counter& counter : counters_) {
    put_number(out, counter.hash);
    put_varint(out, counter.count);
    put_varint(out, counter.error);
  }
  // Which of equally counted ones goes next shows in what is kept.
  for (const std::uint32_t place : heap_) put_number(out, place);
}

bool SpaceSaving::load(BytesCursor& in) {
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > most_ || count > in.rest().size() / sizeof(Counter::hash)) return false;
  std::vector<Counter> counters(count);
  for (Counter& counter : counters) {
    counter.hash = in.number<std::uint64_t>();
    counter.count = in.varint();
    counter.error = in.varint();
  }
  replace(std::move(counters));
  std::vector<bool> seen(count);
  for (std::size_t at = 0; at < count; ++at) {
    const auto place = in.number<std::uint32_t>();
    if (!in.ok() || place >= count || seen[place]) return false;
    seen[place] = true;
    set(at, place);
  }
  return in.ok() && places_.size() == count;
}

}  // namespace millrace::detail
