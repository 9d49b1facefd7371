// growth: W1 at several sizes, and chains of 1 to 500 operators.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "millrace/topology.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

constexpr std::uint64_t kChainRecords = 1'000'000;
constexpr std::size_t kChains[] = {1, 10, 100, 500};

inline std::uint64_t step(std::uint64_t value) { return value * 5 + 1; }

Answer run_chain(std::size_t operators) {
  Answer answer;
  answer.records = kChainRecords;
  Topology topology("chain");
  auto stream = topology.from(generate(kChainRecords, [](std::uint64_t index) { return index; }));
  for (std::size_t at = 0; at < operators; ++at) {
    stream = stream.map([](const std::uint64_t& value) { return step(value); });
  }
  stream.to(each([&answer](const std::uint64_t& value) { answer.checksum += mix(value); }));
  answer.failure = run_engine(topology, 1);
  return answer;
}

Answer chain_by_hand(std::size_t operators) {
  Answer answer;
  answer.records = kChainRecords;
  for (std::uint64_t index = 0; index < kChainRecords; ++index) {
    std::uint64_t value = index;
    for (std::size_t at = 0; at < operators; ++at) value = step(value);
    answer.checksum += mix(value);
  }
  return answer;
}

/// Seconds that the records of a chain take.
double seconds_of(const Medians& chain) { return static_cast<double>(kChainRecords) / chain.rate; }

/// Seconds an operator costs in the longer part of the chains, in those of the shorter part.
double linearity(const std::vector<Medians>& chains) {
  const auto slope = [&](std::size_t from, std::size_t to) {
    return (seconds_of(chains[to]) - seconds_of(chains[from])) /
           static_cast<double>(kChains[to] - kChains[from]);
  };
  return slope(2, 3) / slope(0, 2);
}

}  // namespace

Workload growth_workload(const Settings& settings) {
  const auto sized = [&](std::uint64_t lines) {
    Settings of_size = settings;
    of_size.records = lines;
    of_size.input.clear();
    return hashtags_workload(of_size);
  };
  const std::uint64_t lines = settings.records != 0 ? settings.records : 5'000'000;
  Workload workload = sized(lines);
  workload.name = "growth";
  workload.bound = nullptr;
  std::vector<std::uint64_t> sizes = {lines / 10};
  if (settings.full) sizes.push_back(lines * 10);
  for (const std::uint64_t size : sizes) {
    const Workload other = sized(size);
    workload.extras.push_back(
        {fmt::format("lines_{}", size),
         [other, threads = settings.threads] { return other.engine(threads); }, other.limit});
  }
  for (const std::size_t operators : kChains) {
    workload.extras.push_back({fmt::format("chain_{}", operators),
                               [operators] { return run_chain(operators); },
                               [operators] { return chain_by_hand(operators); }});
  }
  workload.figures = [count = sizes.size()](const Outcome& outcome) {
    double least = outcome.engine.rate_per_cpu;
    double most = least;
    for (std::size_t at = 0; at < count; ++at) {
      least = std::min(least, outcome.extras[at].rate_per_cpu);
      most = std::max(most, outcome.extras[at].rate_per_cpu);
    }
    const std::vector<Medians> chains(outcome.extras.begin() + static_cast<std::ptrdiff_t>(count),
                                      outcome.extras.end());
    return std::vector<Figure>{{"size_ratio", least / most, 0.85, 0},
                               {"chain_linearity", linearity(chains), 0, 1.5}};
  };
  return workload;
}

}  // namespace millrace::bench
