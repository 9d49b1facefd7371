// nexmark-q0 to nexmark-q8: an auction house's queries, beside a loop for each by hand.
#include <array>
#include <cstdint>
#include <string>

#include "flat_map.hpp"
#include "nexmark_by_hand.hpp"
#include "nexmark_generator.hpp"
#include "nexmark_queries.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

using namespace nexmark;

/// Events a CPU-second of Flink SQL 2.2 on two shared cores of an Intel Xeon; 0: not measured.
constexpr std::array<double, 9> kFlinkRates = {1.14e6, 1.08e6, 1.16e6, 0.93e6, 0,
                                               0.27e6, 0,      0.09e6, 0.79e6};

/// A sum of all rows; of averages of the last row of each key, and the number of rows.
struct Sums {
  std::uint64_t checksum = 0;
  FlatMap<std::uint32_t, std::uint64_t, 2> last;

  template <class Row>
  void take(const Row& row) {
    checksum += row_sum(row);
  }
  void take(const AverageOf& row) {
    ++checksum;
    last[static_cast<std::uint32_t>(row.key)] = row_sum(row);
  }
  std::uint64_t all() const {
    std::uint64_t sum = checksum;
    last.for_each([&sum](std::uint32_t, std::uint64_t of_key) { sum += of_key; });
    return sum;
  }
};

void declare(int query, const Stream<Event>& events, const Rules& rules, Sums& sums) {
  const auto sum = each([&sums](const auto& row) { sums.take(row); });
  const Duration longest = longest_auction(rules);
  switch (query) {
    case 0:
      q0(events).to(sum);
      break;
    case 1:
      q1(events).to(sum);
      break;
    case 2:
      q2(events).to(sum);
      break;
    case 3:
      q3(events).to(sum);
      break;
    case 4:
      q4(events, longest).to(sum);
      break;
    case 5:
      q5(events).to(sum);
      break;
    case 6:
      q6(events, longest).to(sum);
      break;
    case 7:
      q7(events).to(sum);
      break;
    default:
      q8(events).to(sum);
  }
}

/// Event times may be four seconds out of order, as in the Nexmark suite for Flink.
Answer answer_by_engine(int query, std::uint64_t events, const Rules& rules, unsigned threads) {
  Answer answer;
  answer.records = events;
  Sums sums;
  Topology topology("nexmark-q" + std::to_string(query));
  auto source = generate(events, Generator(rules), threads);
  source.tasks = threads;
  declare(query,
          topology.from(source).event_time(&Event::time, {.out_of_order = std::chrono::seconds(4)}),
          rules, sums);
  answer.failure = run_engine(topology, threads);
  answer.checksum = sums.all();
  return answer;
}

}  // namespace

Workload nexmark_workload(int query, const Settings& settings) {
  const std::uint64_t events = settings.records != 0 ? settings.records : 10'000'000;
  const Rules rules;
  Workload workload;
  workload.name = "nexmark-q" + std::to_string(query);
  workload.unit = "events";
  workload.engine = [=](unsigned threads) {
    return answer_by_engine(query, events, rules, threads);
  };
  workload.limit = [=] { return answer_by_hand(query, events, rules); };
  if (const double flink = kFlinkRates[static_cast<std::size_t>(query)]; flink > 0) {
    workload.figures = [flink](const Outcome& outcome) -> std::vector<Figure> {
      return {{"times_flink_sql", outcome.engine.rate_per_cpu / flink, 10, 0}};
    };
  }
  return workload;
}

}  // namespace millrace::bench
