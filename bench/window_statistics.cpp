// distinct and quantiles: aggregates whose accumulators grow, of a thousand keys in windows of a
// second.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "flat_map.hpp"
#include "millrace/topology.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

constexpr std::uint64_t kKeys = 1'000;
constexpr std::int64_t kSecondUs = 1'000'000;

struct Event {
  std::uint32_t key = 0;
  std::uint32_t user = 0;
  double number = 0;
  Timestamp time;
};

/// `a_second` events a second, the keys in turn; users of whom most come once a window.
inline Event event_of(std::uint64_t index, std::uint64_t a_second) {
  const std::uint64_t drawn = mix(index);
  return {static_cast<std::uint32_t>(index % kKeys),
          static_cast<std::uint32_t>(drawn >> 32) % 10'000, static_cast<double>(drawn >> 11),
          Timestamp{static_cast<std::int64_t>(index / a_second) * kSecondUs +
                    static_cast<std::int64_t>(index % a_second * kSecondUs / a_second)}};
}

inline std::uint64_t bits_of(double number) {
  std::uint64_t bits;
  std::memcpy(&bits, &number, sizeof bits);
  return bits;
}
/// Rows in any order.
inline std::uint64_t row_sum(std::uint32_t key, std::int64_t start, std::uint64_t value) {
  return mix(mix(key + kKeys * static_cast<std::uint64_t>(start / kSecondUs)) ^ value);
}

constexpr std::uint64_t kDistinctASecond = 1'000'000;

Answer distinct_by_engine(std::uint64_t records) {
  Answer answer;
  answer.records = records;
  Topology topology("distinct");
  topology
      .from(
          generate(records, [](std::uint64_t index) { return event_of(index, kDistinctASecond); }))
      .event_time(&Event::time)
      .key_by(&Event::key)
      .window(tumbling(std::chrono::seconds(1)))
      .distinct(&Event::user)
      .to(each([&answer](const auto& row) {
        answer.checksum +=
            row_sum(row.key, row.window_start, static_cast<std::uint64_t>(row.value));
      }));
  answer.failure = run_engine(topology, 1);
  return answer;
}

/// What each key holds, found by a general hash map.
template <class Held>
class ByKey {
 public:
  Held& operator[](std::uint32_t key) {
    const auto hash = hash_of(key);
    const std::size_t at = places_.find_or_add(key, hash, [this](std::uint32_t fresh) {
      keys_.push_back(fresh);
      return fresh;
    });
    if (at != 0) return held_[at - 1];
    held_.emplace_back();
    places_[key] = held_.size();
    return held_.back();
  }
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::size_t at = 0; at < held_.size(); ++at) visit(keys_[at], held_[at]);
  }

 private:
  FlatMap<std::uint32_t, std::size_t, 4> places_;  ///< 0: none yet
  std::vector<std::uint32_t> keys_;
  std::vector<Held> held_;
};

/// Users that are not 0, in slots of which at most half are taken.
class UserSet {
 public:
  void insert(std::uint32_t user) {
    if (2 * used_ >= slots_.size()) grow();
    if (put(user)) ++used_;
  }
  std::uint64_t take_count() {
    std::fill(slots_.begin(), slots_.end(), 0);
    return std::exchange(used_, 0);
  }

 private:
  bool put(std::uint32_t user) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash_of(user) & mask;
    for (; slots_[at] != 0; at = (at + 1) & mask) {
      if (slots_[at] == user) return false;
    }
    slots_[at] = user;
    return true;
  }
  void grow() {
    const std::vector<std::uint32_t> old = std::exchange(
        slots_, std::vector<std::uint32_t>(std::max<std::size_t>(8, slots_.size() * 2)));
    for (const std::uint32_t user : old) {
      if (user != 0) put(user);
    }
  }

  std::vector<std::uint32_t> slots_;
  std::uint64_t used_ = 0;
};

Answer distinct_by_hand(std::uint64_t records) {
  Answer answer;
  answer.records = records;
  ByKey<UserSet> sets;
  std::int64_t second = 0;
  const auto close = [&] {
    sets.for_each([&](std::uint32_t key, UserSet& users) {
      if (const std::uint64_t count = users.take_count(); count > 0)
        answer.checksum += row_sum(key, second * kSecondUs, count);
    });
  };
  for (std::uint64_t index = 0; index < records; ++index) {
    const Event event = event_of(index, kDistinctASecond);
    if (event.time.micros / kSecondUs != second) {
      close();
      second = event.time.micros / kSecondUs;
    }
    sets[event.key].insert(event.user + 1);
  }
  close();
  return answer;
}

/// 300 numbers a key and window: so many a sketch keeps whole, and the answers are equal.
constexpr std::uint64_t kQuantilesASecond = 300 * kKeys;

inline std::uint64_t tails_sum(std::uint32_t key, std::int64_t start, double middle, double upper) {
  return row_sum(key, start, bits_of(middle) ^ mix(bits_of(upper)));
}

Answer quantiles_by_engine(std::uint64_t records) {
  Answer answer;
  answer.records = records;
  Topology topology("quantiles");
  topology
      .from(
          generate(records, [](std::uint64_t index) { return event_of(index, kQuantilesASecond); }))
      .event_time(&Event::time)
      .key_by(&Event::key)
      .window(tumbling(std::chrono::seconds(1)))
      .quantiles(&Event::number, {0.5, 0.99})
      .to(each([&answer](const auto& row) {
        answer.checksum += tails_sum(row.key, row.window_start, row.value[0], row.value[1]);
      }));
  answer.failure = run_engine(topology, 1);
  return answer;
}

double quantile_of(std::vector<double>& numbers, double share) {
  const auto rank =
      static_cast<std::ptrdiff_t>(std::ceil(share * static_cast<double>(numbers.size())));
  const auto at = numbers.begin() + std::max<std::ptrdiff_t>(rank, 1) - 1;
  std::nth_element(numbers.begin(), at, numbers.end());
  return *at;
}

Answer quantiles_by_hand(std::uint64_t records) {
  Answer answer;
  answer.records = records;
  ByKey<std::vector<double>> numbers;
  std::int64_t second = 0;
  const auto close = [&] {
    numbers.for_each([&](std::uint32_t key, std::vector<double>& held) {
      if (held.empty()) return;
      const double middle = quantile_of(held, 0.5);
      answer.checksum += tails_sum(key, second * kSecondUs, middle, quantile_of(held, 0.99));
      held.clear();
    });
  };
  for (std::uint64_t index = 0; index < records; ++index) {
    const Event event = event_of(index, kQuantilesASecond);
    if (event.time.micros / kSecondUs != second) {
      close();
      second = event.time.micros / kSecondUs;
    }
    numbers[event.key].push_back(event.number);
  }
  close();
  return answer;
}

}  // namespace

Workload distinct_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 20'000'000;
  Workload workload;
  workload.name = "distinct";
  workload.unit = "events";
  workload.engine = [=](unsigned) { return distinct_by_engine(records); };
  workload.limit = [=] { return distinct_by_hand(records); };
  return workload;
}

Workload quantiles_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 20'000'000;
  Workload workload;
  workload.name = "quantiles";
  workload.unit = "events";
  workload.engine = [=](unsigned) { return quantiles_by_engine(records); };
  workload.limit = [=] { return quantiles_by_hand(records); };
  return workload;
}

}  // namespace millrace::bench
