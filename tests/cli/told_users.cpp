// A program whose sessions, windows that take late records, windows by records and partial matches
// do not fit memory: of how many users it is told that they came so often.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>

#include "millrace/millrace.hpp"
#include "unhurried.hpp"

namespace {

using namespace millrace;

struct Visit {
  std::uint64_t user = 0;
  Timestamp at;
};
struct Told {
  std::int64_t value = 0;
};

/// Of how many users each number is told.
template <class Row, class Rows>
void tell(const Rows& rows) {
  rows.key_by(&Row::value).window(global()).count().named("so often").to(print());
}

template <class Visits>
bool declare(const Visits& visits, const std::string& kind, std::uint32_t times) {
  using Count = Aggregate<std::uint64_t, std::int64_t>;
  using Update = WindowUpdate<std::uint64_t, std::int64_t>;
  if (kind == "sessions") {
    tell<Count>(visits.window(session(10h)).count().named("kept"));
  } else if (kind == "late") {
    tell<Update>(visits.window(session(10h).allowed_lateness(1h)).count().named("kept"));
  } else if (kind == "windows") {
    tell<Update>(visits.window(tumbling(10h).allowed_lateness(1h)).count().named("kept"));
  } else if (kind == "records") {
    tell<Count>(visits.window(count_window(times)).count().named("kept"));
  } else {
    const auto row = [](const Match<Visit>& match) {
      return Told{static_cast<std::int64_t>(match.size())};
    };
    const auto wanted = pattern<Visit>("visit").times(times).within(10h).skip_past_last();
    tell<Told>(visits.match(wanted).select(row).named("kept"));
  }
  constexpr std::string_view kKinds[] = {"sessions", "late", "windows", "records", "matches"};
  return std::ranges::find(kKinds, kind) != std::end(kKinds);
}

}  // namespace

/// usage: told_users sessions|late|windows|records|matches USERS TIMES [flags]; the users come in
/// turn, so that each one's row is asked for when it was not for the longest time.
int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: told_users sessions|late|windows|records|matches USERS TIMES [flags]\n",
               stderr);
    return 64;
  }
  const std::uint64_t users = std::strtoull(argv[2], nullptr, 10);
  const auto times = static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10));
  Topology topology("users");
  const std::uint64_t count = users * times;
  const auto visits = topology
                          .from(generate(count,
                                         [users, count](std::uint64_t index) {
                                           take_time(index, count);
                                           const auto at = static_cast<std::int64_t>(index);
                                           return Visit{index % users, Timestamp{at}};
                                         }))
                          .event_time(&Visit::at)
                          .key_by(&Visit::user);
  if (!declare(visits, argv[1], times)) {
    std::fputs("told_users: the kind is sessions, late, windows, records or matches\n", stderr);
    return 64;
  }
  argv[3] = argv[0];
  return run(topology, argc - 3, argv + 3);
}
