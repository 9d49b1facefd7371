// A topology of as many components as asked, paced by its event time, for the tests of the page.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <vector>

#include "millrace/millrace.hpp"

namespace {

using namespace millrace;

struct Tick {
  Timestamp time;
  std::int64_t value = 0;
};

constexpr std::int64_t kTickMicros = 10'000;
constexpr int kBranches = 20;

Tick tick(std::uint64_t index) {
  return {Timestamp{static_cast<std::int64_t>(index) * kTickMicros},
          static_cast<std::int64_t>(index % 1000)};
}

Tick add_one(const Tick& before) { return {before.time, before.value + 1}; }

/// A place on a map of 40 by 25 cells, and how much is there.
struct Place {
  std::int64_t column = 0;
  std::int64_t row = 0;
  std::int64_t value = 0;
};

Place place_of(const Tick& tick) {
  return {tick.value % 40, tick.value / 40, tick.value * 7 % 101};
}

void forget(const Tick& /*tick*/) {}

/// The number that `text` is; 0 when it is none.
int number_of(const char* text) {
  int number = 0;
  const auto read = std::from_chars(text, text + std::strlen(text), number);
  return read.ec == std::errc() && *read.ptr == '\0' ? number : 0;
}

}  // namespace

/// usage: wide_topology COMPONENTS [flags]; COMPONENTS from 50 to 2000: a source, its event time, a
/// line of 10,000 points, a map of cells, and branches of maps with a sink at the end of each.
int main(int argc, char** argv) {
  const int components = argc > 1 ? number_of(argv[1]) : 0;
  if (components < 50 || components > 2000) {
    std::fputs("usage: wide_topology COMPONENTS [flags]; COMPONENTS from 50 to 2000\n", stderr);
    return 64;
  }
  Topology topology("wide");
  auto ticks = topology.from(generate(std::nullopt, tick)).event_time(&Tick::time);
  ticks.to(view("Ticks", {.kind = ViewKind::line, .rows_max = 10'000}));
  ticks.map(place_of).to(
      view("Cells", {.kind = ViewKind::grid, .x = "column", .y = "row", .measure = "value"}));
  std::vector<Stream<Tick>> branches(kBranches, ticks);
  for (int made = 5; made + kBranches < components; ++made) {
    auto& branch = branches[static_cast<std::size_t>(made % kBranches)];
    branch = branch.map(add_one);
  }
  for (auto& branch : branches) branch.to(each(forget));
  return run(topology, argc - 1, argv + 1, {.speed = 1});
}
