// Tests that a receiver which keeps idempotency keys has each record of runs that are killed again
// and again once, whatever the schedule, the batches and the number of tasks.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "kept_keys.hpp"
#include "millrace/notices.hpp"

namespace millrace::detail {
namespace {

struct KeyedWorld : KeptWorld {
  KeyedWorld() : KeptWorld(6) {}

  void declare(Topology& topology, std::uint32_t tasks) {
    const auto numbers =
        KeptWorld::numbers(topology, "numbers", tasks).event_time(&Numbered::number);
    const auto show = [this](std::size_t at) {
      return shows(at, [](const Numbered& of) { return fmt::format("{} {}", of.key, of.number); });
    };
    const auto rows = [this](std::size_t at) {
      return shows(at, [](const auto& row) {
        return fmt::format("{} {} {}", row.key, row.value, row.window_end);
      });
    };
    numbers.filter([](const Numbered& of) { return of.number % 3 != 0; })
        .flat_map([](const Numbered& of, Output<Numbered>& out) {
          for (std::int64_t at = 0; at < of.number % 4; ++at) out.emit({at, of.number + of.key});
        })
        .parallel(2)
        .to(show(0));
    const auto keyed = numbers.key_by(&Numbered::key);
    keyed.sum(&Numbered::number)
        .map(
            [](const auto& row) { return Numbered{row.key, static_cast<std::int64_t>(row.value)}; })
        .to(show(1));
    const auto windows = keyed.window(sliding(Duration(6), Duration(3))).sum(&Numbered::number);
    windows.to(rows(2));
    windows.top(2).to(rows(3));
    numbers.filter([](const Numbered& of) { return of.number % 5 < 2; })
        .key_by(&Numbered::key)
        .window(session(Duration(2)))
        .count()
        .map([](const auto& row) { return Numbered{row.key, row.window_end}; })
        .to(show(4));
    notify(numbers.key_by(&Numbered::key), {.cool_down = Duration(2), .group_wait = Duration(1)})
        .map([](const auto& notice) {
          return Numbered{notice.record.key, notice.since.micros * 1000 + notice.held};
        })
        .to(show(5));
  }
};

TEST(IdempotencyKeys, AReceiverThatKeepsThemHasEachRecordOfKilledRunsOnce) {
  expect_keys_hold<KeyedWorld>();
}

}  // namespace
}  // namespace millrace::detail
