// Tests of the test driver over topologies in YAML: rows in as JSON, rows out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"
#include "millrace/yaml.hpp"

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr const char* kClicks = R"(
name: clicks
spouts:
  - id: clicks
    type: csv
    with:
      path: never-read.csv
      fields: {page: text, at: timestamp, price: double or null}
      event_time: {field: at}
bolts:
  - {id: counts, type: count, with: {window: tumbling(1min)}}
  - {id: shown, type: view}
streams:
  - {from: clicks, to: counts, grouping: {type: fields, args: [page]}}
  - {from: counts, to: shown}
)";

Topology loaded(const char* text) {
  Result<Topology> topology = topology_from_yaml(text);
  if (!topology) throw Error(topology.error());
  return *std::move(topology);
}

template <class Use>
std::string thrown_by(Use&& use) {
  try {
    use();
  } catch (const Error& error) {
    return error.status().to_string();
  }
  return "";
}

TEST(RowsDriver, PipesRowsIntoASpoutOfYaml) {
  const Topology topology = loaded(kClicks);
  TestDriver driver(topology);
  auto clicks = driver.input<RowRef>("clicks");
  auto counts = driver.output<RowRef>("counts");
  clicks.pipe({R"({"page": "home", "at": "2024-01-01T10:00:05Z", "price": 1.5})",
               R"({"page": "cart", "at": "2024-01-01T10:00:59Z"})"});
  EXPECT_TRUE(counts.empty());
  EXPECT_EQ(driver.held("counts").size(), 2u);
  clicks.pipe(R"({"page": "home", "at": "2024-01-01T10:01:00Z", "price": null})");
  EXPECT_THAT(
      counts.read_all_json(),
      UnorderedElementsAre(R"({"page":"cart","count":1,"window_start":"2024-01-01T10:00:00Z",)"
                           R"("window_end":"2024-01-01T10:01:00Z"})",
                           R"({"page":"home","count":1,"window_start":"2024-01-01T10:00:00Z",)"
                           R"("window_end":"2024-01-01T10:01:00Z"})"));
  clicks.pipe(std::vector<std::string>{R"({"page": "late", "at": "2024-01-01T10:00:30Z"})"});
  EXPECT_EQ(driver.late("counts"), 1u);
  clicks.end();
  EXPECT_EQ(counts.read()->integer(1), 1);
  EXPECT_TRUE(driver.ended());
}

TEST(RowsDriver, EachPartitionHasItsOwnWatermark) {
  const Topology topology = loaded(kClicks);
  TestDriver driver(topology);
  auto clicks = driver.input<RowRef>("clicks", 2);
  auto counts = driver.output<RowRef>("counts");
  clicks.pipe(R"({"page": "home", "at": "2024-01-01T10:00:05Z"})");
  clicks.advance_watermark(Timestamp{1'704'110'000'000'000});
  EXPECT_TRUE(counts.empty());
  clicks.partition(1).end();
  EXPECT_EQ(counts.size(), 1u);
}

TEST(RowsDriver, WhatIsNoRowIsRefusedWithNothingPiped) {
  const Topology topology = loaded(kClicks);
  TestDriver driver(topology);
  auto clicks = driver.input<RowRef>("clicks");
  const std::string why = thrown_by([&] {
    clicks.pipe(
        {R"({"page": "home", "at": "2024-01-01T10:00:05Z"})", R"({"page": "home", "at": "soon"})"});
  });
  EXPECT_THAT(why, HasSubstr("2010"));
  EXPECT_THAT(why, HasSubstr("soon"));
  EXPECT_THAT(thrown_by([&] { clicks.pipe(" "); }), HasSubstr("is blank"));
  EXPECT_EQ(driver.counts("clicks time").received, 0u);
}

TEST(RowsDriver, ASourceThatIsNoneOfRowsIsRefused) {
  Topology topology("typed");
  auto numbers = topology.from(records(std::vector<std::vector<int>>{{1}})).named("numbers");
  TestDriver driver(topology);
  auto out = driver.output(numbers);
  EXPECT_THAT(thrown_by([&] { (void)driver.input<RowRef>("numbers"); }),
              HasSubstr("its records are of int"));
  EXPECT_THAT(thrown_by([&] { (void)driver.input<RowRef>("number"); }), HasSubstr("did you mean"));
}

constexpr const char* kVisits = R"yaml(
name: visits
spouts:
  - {id: in, type: json_lines, with: {path: in, fields: {user: text, at: timestamp, wait: int},
     event_time: {field: at, out_of_order: 10min}}}
bolts:
  - {id: visits, type: count, with: {window: "session(wait, 1s)"
}
}
  - {id: shown, type: view}
streams:
  - {from: in, to: visits, grouping: {type: fields, args: [user]}}
  - {from: visits, to: shown}
)yaml";

TEST(RowsDriver, ASessionLastsAsLongAsItsRowsSay) {
  const Topology topology = loaded(kVisits);
  TestDriver driver(topology);
  auto in = driver.input<RowRef>("in");
  auto visits = driver.output<RowRef>("visits");
  auto errors = driver.output<DeadLetter>("visits", "errors");
  in.pipe({R"({"user": "a", "at": "2024-01-01T00:00:00Z", "wait": 5})",
           R"({"user": "a", "at": "2024-01-01T00:00:05Z", "wait": 60})",
           R"({"user": "a", "at": "2024-01-01T00:01:05Z", "wait": 1})",
           R"({"user": "a", "at": "2024-01-01T00:01:06.000001Z", "wait": 1})",
           R"({"user": "a", "at": "2024-01-01T00:00:01Z", "wait": 0})"});
  in.end();
  EXPECT_THAT(visits.read_all_json(),
              ElementsAre(R"({"user":"a","count":3,"window_start":"2024-01-01T00:00:00Z",)"
                          R"("window_end":"2024-01-01T00:01:06Z"})",
                          R"({"user":"a","count":1,"window_start":"2024-01-01T00:01:06.000001Z",)"
                          R"("window_end":"2024-01-01T00:01:07.000001Z"})"));
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_THAT(errors.read()->reason, HasSubstr("not longer than 0"));
}

}  // namespace
}  // namespace millrace
