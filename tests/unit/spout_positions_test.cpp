// Spouts that name their position: saved between calls, resumed by the task that had it.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "millrace/bolt.hpp"
#include "operator/spout_source.hpp"
#include "source_harness.hpp"

namespace millrace::detail {
namespace {

struct Steps : Spout<int> {
  bool next(Output<int>& out) override {
    out.emit(at++);
    return at < 10;
  }
  bool replayable() const override { return true; }
  std::string position() const override { return std::to_string(at); }
  void resume(std::string_view position) override { at = std::stoi(std::string(position)); }
  int at = 0;
};

TaskContext::Place place_of(std::uint32_t tasks, Env& env) {
  auto topology = std::make_shared<TopologyInfo>();
  topology->name = "t";
  topology->components.emplace_back().name = "steps";
  TaskContext::Place place;
  place.topology = topology;
  place.tasks = tasks;
  place.env = &env;
  return place;
}

struct Opened {
  explicit Opened(std::uint32_t tasks = 1)
      : user(place_of(tasks, harness.env.env())), source(Steps()) {
    harness.context.user = &user;
    harness.context.tasks = tasks;
    harness.context.batch_records_max = 4;
    EXPECT_TRUE(source.open(harness.context));
  }
  std::vector<int> poll() {
    Batch<int> batch;
    EXPECT_TRUE(source.poll(batch));
    return {batch.values.begin(), batch.values.end()};
  }
  SourceHarness harness;
  TaskContext user;
  SpoutSource<Steps, int> source;
};

TEST(SpoutPositions, GoOnBehindWhatWasEmitted) {
  Opened first;
  EXPECT_TRUE(first.source.replayable());
  EXPECT_EQ(first.poll(), (std::vector<int>{0, 1, 2, 3}));
  std::vector<SourcePosition> positions;
  first.source.save_positions(positions);
  Opened second;
  ASSERT_TRUE(second.source.resume(positions));
  EXPECT_EQ(second.poll(), (std::vector<int>{4, 5, 6, 7}));
  EXPECT_EQ(second.poll(), (std::vector<int>{8, 9}));
}

TEST(SpoutPositions, AnotherNumberOfTasksIsRefused) {
  Opened first;
  std::vector<SourcePosition> positions;
  first.source.save_positions(positions);
  Opened second(2);
  const Status refused = second.source.resume(positions);
  EXPECT_EQ(refused.code(), Code::source_failed);
  EXPECT_NE(refused.message().find("\"steps\" had 1 tasks"), std::string::npos)
      << refused.message();
}

}  // namespace
}  // namespace millrace::detail
