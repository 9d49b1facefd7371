// A program whose running counts do not fit memory: how often each user was seen, and how many
// users were seen so often.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "millrace/millrace.hpp"
#include "unhurried.hpp"

namespace {

struct Visit {
  std::uint64_t user = 0;
  millrace::Timestamp at;
};

}  // namespace

/// usage: seen_users USERS TIMES [flags]; the users come in turn, so that each one's count is asked
/// for when it was not for the longest time.
int main(int argc, char** argv) {
  using namespace millrace;
  if (argc < 3) {
    std::fputs("usage: seen_users USERS TIMES [flags]\n", stderr);
    return 64;
  }
  const std::uint64_t users = std::strtoull(argv[1], nullptr, 10);
  const std::uint64_t visits = users * std::strtoull(argv[2], nullptr, 10);
  Topology topology("users");
  auto seen = topology
                  .from(generate(visits,
                                 [users, visits](std::uint64_t index) {
                                   take_time(index, visits);
                                   const auto at = static_cast<std::int64_t>(index);
                                   return Visit{index % users, Timestamp{at}};
                                 }))
                  .event_time(&Visit::at)
                  .key_by(&Visit::user)
                  .count()
                  .named("seen");
  using Seen = Aggregate<std::uint64_t, std::int64_t>;
  seen.key_by(&Seen::value).window(global()).count().named("so often").to(print());
  argv[2] = argv[0];
  return run(topology, argc - 2, argv + 2);
}
