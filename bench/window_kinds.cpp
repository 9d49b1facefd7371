// sliding and session: sums of ten thousand keys in windows of a minute every second, and in
// sessions.
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "flat_map.hpp"
#include "millrace/topology.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

constexpr std::uint32_t kKeys = 10'000;
constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kPanes = 60;
constexpr std::int64_t kGapUs = 2 * kSecondUs;

struct Event {
  std::uint32_t key;
  double value;
  Timestamp time;
};

/// A million events a second; values are whole, so that no order changes their sum. `active`: keys
/// that have events in one second, others in the next.
inline Event event_of(std::uint64_t index, std::uint32_t active) {
  std::uint64_t word = (index + 1) * 0x9e3779b97f4a7c15ull;
  word = (word ^ (word >> 32)) * 0xd6e8feb86659fd93ull;
  const auto drawn = static_cast<std::uint32_t>(((word >> 32) * active) >> 32);
  const auto second = static_cast<std::uint32_t>(index / kSecondUs);
  return {active == kKeys ? drawn : (second * active + drawn) % kKeys,
          static_cast<double>(index & 1023), Timestamp{static_cast<std::int64_t>(index)}};
}

std::uint64_t row_sum(std::int64_t start, std::uint32_t key, double sum) {
  return mix(mix(static_cast<std::uint64_t>(start) ^ (std::uint64_t{key} << 40)) +
             std::bit_cast<std::uint64_t>(sum));
}

template <class Spec>
Answer run_by_engine(const char* name, const Spec& windows, std::uint64_t records,
                     std::uint32_t active, unsigned threads) {
  Answer answer;
  answer.records = records;
  Topology topology(name);
  auto events =
      generate(records, [active](std::uint64_t index) { return event_of(index, active); }, threads);
  events.tasks = threads;
  topology.from(events)
      .event_time(&Event::time)
      .key_by(&Event::key)
      .window(windows)
      .sum(&Event::value)
      .to(each([&answer](const Aggregate<std::uint32_t, double>& row) {
        answer.checksum += row_sum(row.window_start, row.key, row.value);
      }));
  answer.failure = run_engine(topology, threads);
  return answer;
}

/// Each key's sums of the last `panes` seconds side by side, so that a window adds up one row of
/// memory; with one pane tumbling windows.
class Sums {
 public:
  explicit Sums(std::int64_t panes) : panes_(panes) {}

  void add(const Event& event) {
    const std::int64_t second = event.time.micros / kSecondUs;
    std::size_t& place = places_[event.key];
    if (place == 0) {
      keys_.push_back(event.key);
      last_seen_.push_back(second);
      sums_.resize(sums_.size() + static_cast<std::size_t>(panes_));
      place = keys_.size();
    }
    last_seen_[place - 1] = second;
    sums_[slot(place - 1, second)] += event.value;
  }
  /// Adds the rows of the window whose last second is `second`, and forgets its first one.
  void fire(std::int64_t second, Answer& answer) {
    const std::int64_t start = second - panes_ + 1;
    for (std::size_t at = 0; at < keys_.size(); ++at) {
      if (last_seen_[at] < start) continue;
      const double* const row = sums_.data() + slot(at, 0);
      double sum = 0;
      for (std::int64_t pane = 0; pane < panes_; ++pane) sum += row[pane];
      answer.checksum += row_sum(start * kSecondUs, keys_[at], sum);
      sums_[slot(at, second + 1)] = 0;
    }
  }

 private:
  std::size_t slot(std::size_t place, std::int64_t second) const {
    return place * static_cast<std::size_t>(panes_) + static_cast<std::size_t>(second % panes_);
  }

  std::int64_t panes_;
  FlatMap<std::uint32_t, std::size_t, 4> places_;  ///< 0: none yet
  std::vector<std::uint32_t> keys_;
  std::vector<std::int64_t> last_seen_;
  std::vector<double> sums_;
};

Answer panes_by_hand(std::uint64_t records, std::int64_t panes) {
  Answer answer;
  answer.records = records;
  Sums sums(panes);
  std::int64_t second = 0;
  for (std::uint64_t index = 0; index < records; ++index) {
    const Event event = event_of(index, kKeys);
    for (; event.time.micros >= (second + 1) * kSecondUs; ++second) sums.fire(second, answer);
    sums.add(event);
  }
  for (const std::int64_t end = second + panes; second < end; ++second) sums.fire(second, answer);
  return answer;
}

/// Looks every tenth of a second for the sessions that are over.
Answer sessions_by_hand(std::uint64_t records, std::uint32_t active) {
  struct Session {
    std::int64_t first;
    std::int64_t last;
    double sum;
  };
  Answer answer;
  answer.records = records;
  FlatMap<std::uint32_t, std::size_t, 4> places;  // 0: none yet
  std::vector<std::uint32_t> keys;
  std::vector<Session> open;
  const auto fire = [&](std::size_t at) {
    if (open[at].last < 0) return;
    answer.checksum += row_sum(open[at].first, keys[at], open[at].sum);
    open[at].last = -1;
  };
  std::int64_t look_at = 0;
  for (std::uint64_t index = 0; index < records; ++index) {
    const Event event = event_of(index, active);
    const std::int64_t now = event.time.micros;
    if (now >= look_at) {
      look_at = now + kSecondUs / 10;
      for (std::size_t at = 0; at < open.size(); ++at) {
        if (open[at].last + kGapUs < now) fire(at);
      }
    }
    std::size_t& place = places[event.key];
    if (place == 0) {
      keys.push_back(event.key);
      open.push_back({0, -1, 0});
      place = keys.size();
    }
    Session& session = open[place - 1];
    if (session.last < 0 || session.last + kGapUs < now) {
      fire(place - 1);
      session = {now, now, 0};
    }
    session.last = now;
    session.sum += event.value;
  }
  for (std::size_t at = 0; at < open.size(); ++at) fire(at);
  return answer;
}

}  // namespace

Workload sliding_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 100'000'000;
  Workload workload;
  workload.name = "sliding";
  workload.unit = "events";
  const auto run = [=](const auto& windows, unsigned threads) {
    return run_by_engine("sliding", windows, records, kKeys, threads);
  };
  workload.engine = [=](unsigned threads) {
    return run(sliding(std::chrono::minutes(1), std::chrono::seconds(1)), threads);
  };
  workload.limit = [=] { return panes_by_hand(records, kPanes); };
  workload.extras.push_back(
      {"tumbling",
       [=, threads = settings.threads] { return run(tumbling(std::chrono::seconds(1)), threads); },
       [=] { return panes_by_hand(records, 1); }});
  workload.figures = [](const Outcome& outcome) -> std::vector<Figure> {
    const Medians& tumbling = outcome.extras.front();
    const double more = static_cast<double>(outcome.engine.peak_rss_bytes) -
                        static_cast<double>(tumbling.peak_rss_bytes);
    return {{"cost_of_tumbling", tumbling.rate_per_cpu / outcome.engine.rate_per_cpu, 0, 2},
            {"bytes_a_key_and_pane", more / ((kPanes - 1) * kKeys), 0, 0}};
  };
  return workload;
}

Workload session_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 50'000'000;
  constexpr std::uint32_t kActive = kKeys / 10;
  Workload workload;
  workload.name = "session";
  workload.unit = "events";
  workload.engine = [=](unsigned threads) {
    return run_by_engine("session", session(Duration(kGapUs)), records, kActive, threads);
  };
  workload.limit = [=] { return sessions_by_hand(records, kActive); };
  return workload;
}

}  // namespace millrace::bench
