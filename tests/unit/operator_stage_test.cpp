// Tests of how a task calls operators that wait for the clock.
#include "runtime/operator_stage.hpp"

#include <gtest/gtest.h>

#include "env/sim_env.hpp"
#include "runtime/task.hpp"

namespace millrace::detail {
namespace {

/// Neither a source nor event time: wants to be called at some moments, and holds a record until
/// the last.
class Timers final : public Operator {
 public:
  explicit Timers(std::vector<std::int64_t> due) : due_(std::move(due)) {}
  void process(BatchBase&, bool, Outputs&) override {}
  Waiting waiting() const override {
    if (called_.size() == due_.size()) return {};
    return {1, due_[called_.size()]};
  }
  void release(std::int64_t now_ns, bool drain, Outputs&) override {
    called_.push_back(now_ns);
    if (drain) due_.resize(called_.size());
  }
  const std::vector<std::int64_t>& called() const { return called_; }

 private:
  std::vector<std::int64_t> due_;
  std::vector<std::int64_t> called_;
};

class Nowhere final : public DeadLetterLog {
 public:
  void add(const SetAside&) override {}
};

/// A task of one operator that no batch ever reaches.
struct OneOperator {
  explicit OneOperator(std::vector<std::int64_t> due) {
    for (std::int64_t& at : due) at += start;
    plan.name = "timers";
    plan.make_operator = [this, due] {
      auto made = std::make_unique<Timers>(due);
      timers = made.get();
      return made;
    };
    task.add_reading(plan).add_channel();
    StageOpening opening;
    opening.hooks = &hooks;
    opening.place.env = opening.operator_context.env = &env.env();
    EXPECT_TRUE(task.open(opening).ok());
  }

  SimEnv env{1};
  const std::int64_t start = env.clock.steady_ns();
  MemoryBudget memory{0};
  Nowhere nowhere;
  std::atomic<bool> active{true};
  std::vector<std::shared_ptr<TaskHook>> hooks;
  PlanStage plan;
  Timers* timers = nullptr;
  Task task{0, 0, {&env.env(), &memory, &nowhere, &active}};
};

TEST(OperatorStage, AnOperatorIsCalledWhenItIsDueAndNotBefore) {
  OneOperator one({1000, 5000});
  EXPECT_EQ(one.task.step(16, false), Step::idle);
  EXPECT_EQ(one.task.next_due_ns(), one.start + 1000);
  EXPECT_TRUE(one.timers->called().empty());
  one.env.clock.advance(std::chrono::nanoseconds(1000));
  EXPECT_EQ(one.task.step(16, false), Step::ready);
  EXPECT_EQ(one.task.step(16, false), Step::idle);
  EXPECT_EQ(one.timers->called(), (std::vector<std::int64_t>{one.start + 1000}));
  EXPECT_EQ(one.task.next_due_ns(), one.start + 5000);
  one.env.clock.advance(std::chrono::nanoseconds(4500));
  EXPECT_EQ(one.task.step(16, false), Step::ready);
  EXPECT_EQ(one.timers->called().back(), one.start + 5500);
  EXPECT_EQ(one.task.step(16, false), Step::idle);
  EXPECT_EQ(one.task.next_due_ns(), std::nullopt);
}

TEST(OperatorStage, WhatIsHeldGoesWhenTheRunIsStopped) {
  OneOperator one({1000, 5000});
  EXPECT_EQ(one.task.step(16, true), Step::ready);
  EXPECT_EQ(one.timers->called(), (std::vector<std::int64_t>{one.start}));
  EXPECT_EQ(one.task.step(16, true), Step::idle);
}

}  // namespace
}  // namespace millrace::detail
