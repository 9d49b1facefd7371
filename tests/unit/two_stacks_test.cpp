// Tests of the two stacks, and of windows by records in small runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "env/random.hpp"
#include "millrace/topology.hpp"
#include "runtime/runtime.hpp"
#include "window/two_stacks.hpp"

namespace millrace::detail {
namespace {

TEST(TwoStacks, HoldTheGreatestOfWhatIsLeft) {
  Random random(11);
  TwoStacks<std::int64_t> stacks(nullptr);
  std::deque<std::pair<Time, std::int64_t>> queue;
  std::size_t merges = 0;
  const auto greatest = [&](std::int64_t& a, std::int64_t b) {
    ++merges;
    a = std::max(a, b);
  };
  std::size_t asked = 0;
  for (Time time = 0; time < 20'000; ++time) {
    if (queue.empty() || random.chance(0.52)) {
      queue.emplace_back(time, random.between(-1000, 1000));
      stacks.push(time, queue.back().second, greatest);
    } else {
      queue.pop_front();
      stacks.pop(greatest);
    }
    ASSERT_EQ(stacks.size(), queue.size());
    if (queue.empty()) continue;
    ASSERT_EQ(stacks.front_time(), queue.front().first);
    std::int64_t most = queue.front().second;
    for (const auto& [at, value] : queue) most = std::max(most, value);
    ASSERT_EQ(stacks.all(greatest), most);
    ++asked;
  }
  EXPECT_LE(merges - asked, 2u * 20'000u) << "merges an entry, besides one a question";
}

TEST(TwoStacks, ASumForgetsWhatDoesNotFit) {
  TwoStacks<double> stacks(nullptr);
  const auto add = [](double& a, double b) { a += b; };
  stacks.push(0, 1e300, add);
  stacks.push(1, 0.1, add);
  stacks.pop(add);
  stacks.push(2, 0.2, add);
  EXPECT_EQ(stacks.all(add), 0.1 + 0.2);  // by subtraction it would be 0.2 or 0
}

TEST(TwoStacks, MemoryIsCounted) {
  MemoryMeter meter;
  {
    TwoStacks<double> stacks(&meter);
    const auto add = [](double& a, double b) { a += b; };
    for (Time time = 0; time < 1000; ++time) stacks.push(time, 1, add);
    EXPECT_GE(meter.bytes(), 16'000u);
    stacks.pop(add);
    EXPECT_EQ(stacks.all(add), 999);
  }
  EXPECT_EQ(meter.bytes(), 0u);
}

struct Item {
  std::int64_t number = 0;
};

std::vector<std::string> run(Topology& topology, std::vector<std::string>& rows) {
  const Graph& graph = topology.declaration().graph;
  EXPECT_TRUE(graph.validate().empty()) << graph.validate().front().to_string();
  Engine engine(make_plan(graph, {}), {}, real_env());
  EXPECT_TRUE(engine.start().ok());
  EXPECT_TRUE(engine.finish().ok());
  return rows;
}

TEST(RecordWindows, WithoutEventTimeTakeRecordsAsTheyCome) {
  Topology topology("untimed");
  std::vector<Item> items;
  for (std::int64_t at = 1; at <= 7; ++at) items.push_back({at});
  std::vector<std::string> rows;
  const auto keyed = topology.from(records<Item>({items})).key_by([](const Item&) { return 0; });
  const auto collect = [&rows](std::string name) {
    return each([&rows, name](const auto& row) {
      EXPECT_FALSE(row.windowed());
      rows.push_back(name + std::to_string(row.value));
    });
  };
  keyed.window(count_window(3)).sum(&Item::number).to(collect("a"));
  keyed.window(count_window(4, 2)).sum(&Item::number).to(collect("b"));
  keyed.over(last(2)).sum(&Item::number).to(collect("c"));
  EXPECT_THAT(run(topology, rows),
              testing::UnorderedElementsAre("a6", "a15", "b10", "b18", "c1", "c3", "c5", "c7", "c9",
                                            "c11", "c13"));
}

TEST(RecordWindows, TextAndValidity) {
  EXPECT_EQ(count_window(5).to_string(), "count_window(5)");
  EXPECT_EQ(count_window(5, 2).to_string(), "count_window(5, 2)");
  EXPECT_EQ(last(3).to_string(), "last(3)");
  EXPECT_EQ(last(5min).to_string(), "last(5min)");
  for (const Status& wrong :
       {count_window(0).validate(), count_window(2, 3).validate(), count_window(2, 0).validate(),
        last(0).validate(), last(-1).validate(), last(0s).validate(), last(-1s).validate()}) {
    EXPECT_EQ(wrong.code(), Code::window_invalid) << wrong.to_string();
  }
}

TEST(RecordWindows, OfASpanNeedEventTime) {
  Topology topology("untimed");
  topology.from(records<Item>({{{1}}}))
      .key_by(&Item::number)
      .over(last(1min))
      .count()
      .to(each([](const auto&) {}));
  const auto problems = topology.declaration().graph.validate();
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems.front().code(), Code::event_time_missing);
}

}  // namespace
}  // namespace millrace::detail
