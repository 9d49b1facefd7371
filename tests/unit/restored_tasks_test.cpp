// Tasks with a large state read it side by side, those with a small one in turn.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "epoch_world.hpp"
#include "runtime/side_by_side.hpp"

namespace millrace::detail {
namespace {

using testing::Each;
using testing::HasSubstr;

constexpr std::uint32_t kSteps = 3;

/// Who has restored, and whether all were at it at once.
struct Meeting {
  std::size_t wanted = 1;               ///< so many are waited for
  std::uint32_t refused_from = kSteps;  ///< by the tasks from that on
  std::atomic<std::size_t> come{0};
  std::atomic<std::size_t> met{0};  ///< how many saw all the others
  std::mutex mutex = {};
  std::vector<std::thread::id> threads = {};
};

class MeetingStep final : public Operator {
 public:
  explicit MeetingStep(Meeting& meeting) : meeting_(meeting) {}
  void process(BatchBase&, bool, Outputs&) override {}
  void save_state(StateWriter&) override {}
  void restore_state(StateReader& from) override {
    {
      const std::lock_guard lock(meeting_.mutex);
      meeting_.threads.push_back(std::this_thread::get_id());
    }
    ++meeting_.come;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (meeting_.come < meeting_.wanted && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
    if (meeting_.come >= meeting_.wanted) ++meeting_.met;
    if (from.task() < meeting_.refused_from) return;
    from.each("bytes", [&](const StatePart& part) {
      from.refuse(part, "task " + std::to_string(from.task()) + " does not like it");
    });
  }

 private:
  Meeting& meeting_;
};

/// numbers -> steps -> rows, going on from an epoch with so many bytes of state.
Status run_meeting(Meeting& meeting, std::size_t bytes, std::uint32_t executors) {
  EpochWorld world;
  Graph graph("meeting");
  Node numbers;
  numbers.name = numbers.kind = "numbers";
  numbers.output = &batch_type<Numbered>();
  numbers.make_source = [] { return std::make_unique<Numbers>(2, 4); };
  Node steps;
  steps.name = steps.kind = "steps";
  steps.tasks = kSteps;
  steps.output = &batch_type<Numbered>();
  steps.inputs = {{graph.add(std::move(numbers)), 0, {}}};
  steps.make_operator = [&meeting] { return std::make_unique<MeetingStep>(meeting); };
  Node rows;
  rows.name = rows.kind = "rows";
  rows.inputs = {{graph.add(std::move(steps)), 0, {}}};
  rows.make_sink = [&world] { return std::make_unique<OutboxSink>(world.running); };
  (void)graph.add(std::move(rows));

  EpochImage image{1, "meeting", 0, false, {}};
  StageImage& stage = image.stages.emplace_back(StageImage{"steps", "steps"});
  stage.parts.push_back({"bytes", "", PartOwner::task, 0, std::string(bytes, 'x')});
  RunOptions options;
  options.executors = executors;
  options.restore = std::make_shared<EpochImage>(std::move(image));
  Engine engine(make_plan(graph, {}), options, real_env());
  if (Status status = engine.start(); !status.ok()) return status;
  engine.wait_for(Duration::max());
  return engine.finish();
}

TEST(RestoredTasks, ALargeStateIsReadByAllTasksAtOnce) {
  Meeting meeting;
  meeting.wanted = kSteps;
  EXPECT_TRUE(run_meeting(meeting, 8u << 20, kSteps).ok());
  EXPECT_EQ(meeting.met, kSteps);
  EXPECT_EQ(meeting.threads.size(), kSteps);
}

TEST(RestoredTasks, WithOneExecutorTheyComeInTurn) {
  Meeting meeting;
  EXPECT_TRUE(run_meeting(meeting, 8u << 20, 1).ok());
  EXPECT_EQ(meeting.threads.size(), kSteps);
  EXPECT_THAT(meeting.threads, Each(std::this_thread::get_id()));
}

TEST(RestoredTasks, ASmallStateIsNotWorthAThread) {
  Meeting meeting;
  EXPECT_TRUE(run_meeting(meeting, 1000, kSteps).ok());
  EXPECT_EQ(meeting.threads.size(), kSteps);
  EXPECT_THAT(meeting.threads, Each(std::this_thread::get_id()));
}

TEST(RestoredTasks, TheFailureOfTheFirstTaskIsTold) {
  for (const std::uint32_t executors : {1u, kSteps}) {
    Meeting meeting;
    meeting.refused_from = 1;
    const Status status = run_meeting(meeting, 8u << 20, executors);
    EXPECT_EQ(status.code(), Code::state_unreadable);
    EXPECT_THAT(status.message(), HasSubstr("\"steps\": "));
    EXPECT_THAT(status.message(), HasSubstr("task 1 does not like it"));
  }
}

TEST(SideBySide, EachPieceIsDoneOnce) {
  for (const std::size_t threads : {0u, 1u, 2u, 7u}) {
    for (const std::size_t count : {0u, 1u, 5u, 100u}) {
      std::vector<std::atomic<int>> done(count);
      side_by_side(count, threads, [&](std::size_t at) { ++done[at]; });
      for (const auto& one : done) EXPECT_EQ(one, 1);
    }
  }
}

}  // namespace
}  // namespace millrace::detail
