// Tests of large topologies on the default executors: 300 components, 10,000 tasks, and what is
// refused because it would be too large.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run_harness.hpp"
#include "topology/plan_size.hpp"

namespace millrace::detail {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Passed {
  std::uint64_t records = 0;
  std::uint64_t sum = 0;
};

/// `components` maps in a row behind a shuffle to `tasks` tasks.
void declare(Topology& topology, std::uint64_t records, int components, int tasks, Passed& passed) {
  auto stream = topology.from(generate(records, [](std::uint64_t at) { return at; }));
  auto spread = stream.map([](std::uint64_t number) { return number; }).parallel(tasks);
  for (int at = 1; at < components; ++at)
    spread = spread.map([](std::uint64_t number) { return number + 1; });
  spread.to(each([&passed](const std::uint64_t& number) {
    ++passed.records;
    passed.sum += number;
  }));
}

void expect_all(const Ended& ended, const Passed& passed, std::uint64_t records, int components) {
  ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
  EXPECT_EQ(passed.records, records);
  EXPECT_EQ(passed.sum,
            records * (records - 1) / 2 + records * static_cast<std::uint64_t>(components - 1));
  const Status counts = check_counts(ended.report, true);
  EXPECT_TRUE(counts.ok()) << counts.to_string();
}

TEST(ManyTasks, ThreeHundredComponentsFusedAndApart) {
  constexpr std::uint64_t kRecords = 20'000;
  for (const bool fuse : {true, false}) {
    Passed passed;
    Topology topology("wide");
    declare(topology, kRecords, 298, 1, passed);
    const Ended ended = run(topology, {.fuse = fuse}, {.executors = 0});
    EXPECT_EQ(ended.report.components.size(), 300u);
    expect_all(ended, passed, kRecords, 298);
  }
}

TEST(ManyTasks, TenThousandAtOnceLoseNothing) {
  constexpr std::uint64_t kRecords = 20'000;
  Passed passed;
  Topology topology("many");
  declare(topology, kRecords, 100, 100, passed);
  const Ended ended = run(topology, {.fuse = false}, {.executors = 0});
  EXPECT_EQ(ended.report.tasks.size(), 10'002u);
  expect_all(ended, passed, kRecords, 100);
}

TEST(ManyTasks, WhatIsTooLargeIsRefusedWithTheFigure) {
  Passed passed;
  Topology tasks("tasks");
  declare(tasks, 1, 200, 100, passed);
  const Status too_many =
      check_size(make_plan(valid_graph(tasks), {.parallelism = 1, .fuse = false}));
  EXPECT_EQ(too_many.code(), Code::tasks_invalid);
  EXPECT_THAT(too_many.message(), AllOf(HasSubstr("20002 tasks"), HasSubstr("at most 16384")));

  Topology rings("rings");
  auto stream = rings.from(generate(1, [](std::uint64_t at) { return at; }));
  for (int at = 0; at < 30; ++at)
    stream = stream.shuffle().map([](std::uint64_t number) { return number; });
  stream.to(each([](const std::uint64_t&) {}));
  const Status too_wide = check_size(make_plan(valid_graph(rings), {.parallelism = 128}));
  EXPECT_EQ(too_wide.code(), Code::tasks_invalid);
  EXPECT_THAT(too_wide.message(),
              AllOf(HasSubstr("queues"), HasSubstr("at most 262144"), HasSubstr("--parallelism")));
  EXPECT_TRUE(check_size(make_plan(valid_graph(rings), {.parallelism = 64})).ok());
}

}  // namespace
}  // namespace millrace::detail
