// What partial matches hold: shared records, counted bytes, and a run that names who holds too
// much.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"
#include "pattern/matcher.hpp"

namespace millrace {
namespace {

using testing::HasSubstr;

/// Records that fit stage `stage` and no other.
class Staged final : public detail::MatchHost {
 public:
  explicit Staged(const detail::PatternShape& shape, std::uint64_t limit_bytes = 0)
      : meter_(nullptr, limit_bytes), plan_(*detail::MatchPlan::of(shape)) {
    matcher_.emplace(plan_, static_cast<detail::MatchHost&>(*this), &meter_);
    key_.emplace(&meter_);
  }
  void take(std::uint32_t stage, Time time) {
    stage_ = stage;
    matcher_->take(*key_, time);
  }
  void expire(Time until) { matcher_->expire(*key_, until); }

  bool holds(std::uint32_t condition, std::uint32_t) override { return condition == stage_; }
  std::uint64_t keep() override { return kept++; }
  void gone(std::uint64_t) override { --kept; }
  void matched(std::uint32_t, Time) override { ++matches; }
  void missed(std::uint32_t, Time) override {}
  void timed_out(std::uint32_t, Time) override { ++over; }

  const detail::MemoryMeter& meter() const { return meter_; }
  const detail::MatchBuffer& buffer() const { return matcher_->buffer(); }
  std::size_t runs() const { return key_->runs.size(); }
  std::uint64_t kept = 0;
  std::uint64_t matches = 0;
  std::uint64_t over = 0;

 private:
  detail::MemoryMeter meter_;
  detail::MatchPlan plan_;
  std::optional<detail::Matcher> matcher_;
  std::optional<detail::KeyMatches> key_;
  std::uint32_t stage_ = 0;
};

/// a, any combination of b, c, within 100.
detail::PatternShape combinations() {
  detail::PatternShape shape;
  shape.stages = {{.name = "a", .condition = 0},
                  {.name = "b",
                   .condition = 1,
                   .times_max = detail::kAnyTimes,
                   .inner = Contiguity::followed_by_any},
                  {.name = "c", .condition = 2}};
  shape.stages[1].contiguity = Contiguity::followed_by_any;
  shape.within = Duration(100);
  return shape;
}

TEST(PartialMatches, ShareTheirRecordsAndGoWithTheirTime) {
  Staged staged(combinations());
  staged.take(0, 0);
  for (Time at = 1; at <= 17; ++at) staged.take(1, at);
  constexpr std::uint64_t kPartial = 1u << 17;  // each b is in or not
  EXPECT_EQ(staged.runs(), kPartial);
  EXPECT_EQ(staged.kept, 18u);
  EXPECT_EQ(staged.buffer().records(), 18u);
  EXPECT_EQ(staged.buffer().nodes(), kPartial);
  EXPECT_LT(staged.meter().bytes(), kPartial * 300);
  staged.take(2, 18);
  EXPECT_EQ(staged.matches, kPartial - 1);
  staged.expire(99);
  EXPECT_EQ(staged.over, 0u);
  staged.expire(100);
  EXPECT_EQ(staged.over, kPartial);
  EXPECT_EQ(staged.runs(), 0u);
  EXPECT_EQ(staged.kept, 0u);
  EXPECT_EQ(staged.buffer().nodes(), 0u);
}

TEST(PartialMatches, AreRefusedBeyondTheBudget) {
  Staged staged(combinations(), 1u << 20);
  staged.take(0, 0);
  const auto take_all = [&] {
    for (Time at = 1; at <= 17; ++at) staged.take(1, at);
  };
  EXPECT_THROW(take_all(), detail::MemoryRefused);
  EXPECT_GT(staged.runs(), 1000u);
  EXPECT_LE(staged.meter().bytes(), 1u << 20);
}

struct Step {
  std::int64_t number = 0;
  std::string text;
  Timestamp at;
};

/// Begins 500 matches a second of 1,000 keys that none of them completes.
Status begin_matches(const Pattern<Step>& wanted, int records_in_all) {
  Topology topology("memory");
  const auto steps = topology.from(records(std::vector<std::vector<Step>>(1)))
                         .named("steps")
                         .event_time(&Step::at);
  steps.key_by([](const Step& step) { return step.number % 1000; })
      .match(wanted)
      .select([](const Match<Step>& match) { return match["begin"]; })
      .named("pairs")
      .to(each([](const Step&) {}));
  TestDriver driver(topology, TestDriverOptions{.memory_bytes = 32u << 20});
  auto input = driver.input<Step>("steps");
  try {
    for (std::int64_t number = 0; number < records_in_all;) {
      std::vector<Step> batch;
      for (int at = 0; at < 500; ++at, ++number)
        batch.push_back({number, std::string(100, 's'), Timestamp{number * 2'000}});
      input.pipe(std::move(batch));
    }
  } catch (const Error& error) {
    return error.status();
  }
  return {};
}

TEST(PartialMatches, OfARunThatHoldsTooManyFailItByName) {
  const auto never = [](const Step&) { return false; };
  const auto pair = pattern<Step>("begin").followed_by("end").where(never);
  const Status status = begin_matches(pair, 200'000);
  EXPECT_EQ(status.code(), Code::memory_exceeded) << status.to_string();
  EXPECT_THAT(status.message(), HasSubstr("\"pairs\" holds"));
  EXPECT_TRUE(begin_matches(pair.within(10s), 200'000).ok());
}

}  // namespace
}  // namespace millrace
