// A topology with tables that can be asked and a pattern that keeps what it has begun, for the
// tests of the page.
#include <cstdint>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "millrace/millrace.hpp"

namespace {

using namespace millrace;

struct Visit {
  Timestamp time;
  std::string user;
};

constexpr std::int64_t kVisitMicros = 1'000;
constexpr std::uint64_t kUsers = 240;

Visit visit(std::uint64_t index) {
  return {Timestamp{static_cast<std::int64_t>(index) * kVisitMicros},
          fmt::format("user {:03}", index * 7 % kUsers)};
}

bool never(const Visit& /*visit*/) { return false; }
void forget(const Visit& /*visit*/) {}

}  // namespace

/// usage: asked_topology [flags]; a thousand visits a second of 240 users.
int main(int argc, char** argv) {
  Topology topology("asked");
  const auto visits =
      topology.from(generate(std::nullopt, visit)).named("doors").event_time(&Visit::time);
  const auto by_user = visits.key_by(&Visit::user);
  by_user.count().to(table("visits"));
  by_user.window(tumbling(1s)).count().to(table("per second", {.keep = 1min}));
  by_user.match(pattern<Visit>("came").followed_by("left").where(never).within(1h))
      .select([](const Match<Visit>& match) { return match["came"]; })
      .named("stays")
      .to(each(forget));
  return run(topology, argc, argv, {.speed = 10});
}
