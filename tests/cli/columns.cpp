// A program as a user writes it, for the tests of CSV: copies rows of CSV and counts them by name.
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/millrace.hpp"
#include "place.hpp"

namespace {

struct Entry {
  std::string_view name;
  std::int64_t times = 0;
  std::optional<double> price;
  millrace::Timestamp at;
};

}  // namespace

/// usage: columns INPUT OUTPUT [flags]; OUTPUT "none" is nowhere.
int main(int argc, char** argv) {
  using namespace millrace;
  if (argc < 3) {
    std::fputs("usage: columns INPUT OUTPUT [flags]\n", stderr);
    return 64;
  }
  Topology topology("columns");
  auto entries = topology.from(csv<Entry>(place(argv[1]))).named("entries");
  if (std::string_view(argv[2]) != "none") entries.to(csv(argv[2]));
  entries.event_time(&Entry::at)
      .key_by(&Entry::name)
      .window(tumbling(24h))
      .sum(&Entry::times)
      .to(csv("-"));
  argv[2] = argv[0];
  return run(topology, argc - 2, argv + 2);
}
