// What of an epoch goes to which component, and what is refused before anything runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "checkpoint/restore_plan.hpp"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

StageImage stage_of(const std::string& component) {
  StageImage stage;
  stage.stage = stage.component = component;
  return stage;
}
StageImage source_stage(const std::string& component) {
  StageImage stage = stage_of(component);
  stage.replayable = true;
  stage.positions = {{"edits.jsonl", "17"}};
  stage.parts = {{"arrivals", "", PartOwner::partition, 0, "1"}};
  return stage;
}
StageImage keyed_stage(const std::string& component) {
  StageImage stage = stage_of(component);
  stage.parts = {{"cells", "int", PartOwner::key_group, 3, "abcd"}};
  return stage;
}
StageImage sink_stage(const std::string& component) {
  StageImage stage = stage_of(component);
  stage.prepared = {"token"};
  return stage;
}

EpochImage image_with(std::vector<StageImage> stages) {
  return {7, "trending", 0, false, std::move(stages)};
}

const std::vector<ComponentOutline> kComponents = {
    {"edits", "source", ComponentRole::source},
    {"counts", "count", ComponentRole::step},
    {"out", "file", ComponentRole::sink},
};

std::vector<StateFate> fates(const RestorePlan& plan) {
  std::vector<StateFate> fates;
  for (const ComponentFate& one : plan.components) fates.push_back(one.fate);
  return fates;
}

TEST(RestorePlanTest, EverythingGoesOnByItsName) {
  const EpochImage image =
      image_with({keyed_stage("counts"), source_stage("edits"), sink_stage("out")});
  const RestorePlan plan = plan_restore("trending", kComponents, &image, false);
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_THAT(fates(plan),
              ElementsAre(StateFate::restored, StateFate::restored, StateFate::restored));
  EXPECT_EQ(to_text(plan),
            "epoch 7 of 1970-01-01T00:00:00Z\n"
            "  edits   goes on: 1 position, 1 part of state with 1 bytes, of 1 task\n"
            "  counts  goes on: 1 part of state with 4 bytes, of 1 task\n"
            "  out     goes on: 1 output to commit, of 1 task\n");
}

TEST(RestorePlanTest, AnEmptyFolderBeginsAnew) {
  const RestorePlan plan = plan_restore("trending", kComponents, nullptr, false);
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_THAT(fates(plan), ElementsAre(StateFate::anew, StateFate::anew, StateFate::anew));
  EXPECT_THAT(to_text(plan), HasSubstr("no epoch: all begins anew"));
}

TEST(RestorePlanTest, AComponentThatIsNewBeginsAnew) {
  const EpochImage image = image_with({source_stage("edits")});
  const RestorePlan plan = plan_restore("trending", kComponents, &image, false);
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_THAT(fates(plan), ElementsAre(StateFate::restored, StateFate::anew, StateFate::anew));
}

TEST(RestorePlanTest, WhatWouldBeDroppedIsRefused) {
  const EpochImage image = image_with({keyed_stage("count"), source_stage("edits")});
  const RestorePlan plan = plan_restore("trending", kComponents, &image, false);
  ASSERT_THAT(plan.problems, SizeIs(1));
  EXPECT_EQ(plan.problems[0].code(), Code::state_mismatch);
  EXPECT_EQ(plan.problems[0].message(),
            "component \"count\" of epoch 7 is not in the topology any more, and it kept 1 part of "
            "state with 4 bytes, of 1 task: name \"counts\" so again, or give --allow-drop to lose "
            "that");
  EXPECT_EQ(fates(plan).back(), StateFate::dropped);
}

TEST(RestorePlanTest, WhatIsAllowedToGoGoes) {
  const EpochImage image = image_with({keyed_stage("old"), source_stage("edits")});
  const RestorePlan plan = plan_restore("trending", kComponents, &image, true);
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_EQ(fates(plan).back(), StateFate::dropped);
}

TEST(RestorePlanTest, AComponentThatKeptNothingMayGo) {
  const EpochImage image = image_with({stage_of("filter"), source_stage("edits")});
  const RestorePlan plan = plan_restore("trending", kComponents, &image, false);
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_THAT(plan.components, SizeIs(3));
}

TEST(RestorePlanTest, StateOfAnotherKindOfComponentIsRefused) {
  const EpochImage image =
      image_with({keyed_stage("edits"), sink_stage("counts"), source_stage("out")});
  const RestorePlan plan = plan_restore("trending", kComponents, &image, true);
  EXPECT_THAT(fates(plan), ElementsAre(StateFate::refused, StateFate::refused, StateFate::refused));
  ASSERT_THAT(plan.problems, SizeIs(3));
  EXPECT_THAT(plan.problems[0].message(), HasSubstr("what was kept is state of keys"));
  EXPECT_THAT(plan.problems[1].message(), HasSubstr("outputs that wait for their commit"));
  EXPECT_THAT(plan.problems[2].message(), HasSubstr("where a source stood"));
}

TEST(RestorePlanTest, AnotherTopologysFolderIsRefused) {
  const EpochImage image = image_with({});
  const RestorePlan plan = plan_restore("other", kComponents, &image, true);
  ASSERT_THAT(plan.problems, SizeIs(1));
  EXPECT_THAT(plan.problems[0].message(),
              HasSubstr("is that of topology \"trending\", and this one is \"other\""));
}

TEST(RestorePlanTest, ANameThatWasMadeUpIsRefused) {
  const std::vector<ComponentOutline> components = {
      {"count-2", "count", ComponentRole::step, true}};
  const RestorePlan plan = plan_restore("trending", components, nullptr, false);
  ASSERT_THAT(plan.problems, SizeIs(1));
  EXPECT_THAT(plan.problems[0].message(), HasSubstr("add .named(\"...\") behind it"));
}

TEST(RestorePlanTest, TasksAddUp) {
  StageImage first = keyed_stage("counts");
  StageImage second = keyed_stage("counts");
  first.tasks = second.tasks = 2;
  second.task = 1;
  const EpochImage image = image_with({first, second});
  const RestorePlan plan = plan_restore("trending", kComponents, &image, false);
  EXPECT_EQ(plan.components[1].what, "2 parts of state with 8 bytes, of 2 tasks");
}

}  // namespace
}  // namespace millrace::detail
