// Calls to the outside from a stream: order, time-outs, tries, fallbacks, room and late replies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "call_desk.hpp"

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CallTest : public DeskTest {
 protected:
  template <class... Fallback>
  void make(const CallOptions& options, Fallback... fallback) {
    make_with([&](const auto& asked) { return asked.call(ask(), options, fallback...); });
  }
};

TEST_F(CallTest, OrderedResultsWaitForThoseBefore) {
  make({.ordered = true});
  input_->pipe({asked(1), asked(2), asked(3)});
  desk_->answer(3);
  desk_->answer(2);
  EXPECT_THAT(seen(), IsEmpty());
  desk_->answer(1);
  EXPECT_THAT(seen(), ElementsAre("1 desk", "2 desk", "3 desk"));
}

TEST_F(CallTest, UnorderedResultsLeaveAsTheyComeButPassNoWatermark) {
  make({.ordered = false});
  input_->pipe({asked(1), asked(2)});
  input_->advance_watermark(Timestamp{2'500'000});
  input_->pipe(asked(3));
  desk_->answer(3);
  desk_->answer(2);
  EXPECT_THAT(seen(), ElementsAre("2 desk"));
  EXPECT_LT(driver_->counts("call").watermark.value_or(Timestamp{0}).micros, 2'000'000);
  desk_->answer(1);
  EXPECT_THAT(seen(), ElementsAre("1 desk", "3 desk"));
  EXPECT_GE(driver_->counts("call").watermark.value_or(Timestamp{0}).micros, 2'500'000);
}

TEST_F(CallTest, RecordsKeepTheirTimes) {
  make({});
  input_->pipe({asked(7), asked(9)});
  desk_->answer(9);
  desk_->answer(7);
  settle();
  EXPECT_EQ(output_->read_timed()->time->micros, 7'000'000);
  EXPECT_EQ(output_->read_timed()->time->micros, 9'000'000);
}

TEST_F(CallTest, CallsThatTakeTooLongAreTriedAgainAndThenSetAside) {
  make({.time_out = 1s, .tries = 3, .back_off = 100ms});
  input_->pipe(asked(1));
  EXPECT_EQ(desk_->calls.size(), 1u);
  driver_->advance_clock(999ms);
  EXPECT_TRUE(desk_->calls[0].second.wanted());
  driver_->advance_clock(2ms);
  EXPECT_FALSE(desk_->calls[0].second.wanted());
  EXPECT_EQ(desk_->calls.size(), 1u);
  driver_->advance_clock(100ms);
  EXPECT_EQ(desk_->calls.size(), 2u);
  driver_->advance_clock(1100ms);
  EXPECT_EQ(desk_->calls.size(), 2u);  // the second pause is twice as long
  driver_->advance_clock(200ms);
  EXPECT_EQ(desk_->calls.size(), 3u);
  driver_->advance_clock(1s);
  EXPECT_THAT(reasons(), ElementsAre("no reply within 1s, at try 3"));
  EXPECT_EQ(driver_->counts("call").dead_lettered, 1u);
  EXPECT_EQ(driver_->counts("call").in_flight, 0u);
}

TEST_F(CallTest, AReplyToAnEarlierTryIsDropped) {
  make({.time_out = 1s, .tries = 2, .back_off = 0ms});
  input_->pipe(asked(1));
  const Reply<Answered> late = desk_->take(1);
  driver_->advance_clock(1s);
  late({1, "too late"});
  EXPECT_THAT(seen(), IsEmpty());
  desk_->answer(1);
  EXPECT_THAT(seen(), ElementsAre("1 desk"));
}

TEST_F(CallTest, OnlyTheFirstReplyCounts) {
  make({});
  input_->pipe({asked(1), asked(2)});
  const Reply<Answered> one = desk_->take(1);
  one({1, "first"});
  one({1, "second"});
  one.fail("third");
  desk_->answer(2);
  EXPECT_THAT(seen(), ElementsAre("1 first", "2 desk"));
  input_->pipe({asked(3), asked(4)});  // in the places of those two
  one({1, "much later"});
  desk_->answer(3);
  desk_->answer(4);
  EXPECT_THAT(seen(), ElementsAre("3 desk", "4 desk"));
}

TEST_F(CallTest, FailedAndDroppedRepliesAreFailures) {
  make({.tries = 1});
  input_->pipe({asked(1), asked(2), asked(3)});
  desk_->take(1).fail("the store is down");
  (void)desk_->take(2);
  desk_->answer(3);
  EXPECT_THAT(seen(), ElementsAre("3 desk"));
  EXPECT_THAT(reasons(),
              ElementsAre("the store is down", "its reply was dropped without an answer"));
}

TEST_F(CallTest, AFallbackDecidesAtTheDeadline) {
  make({.time_out = 1s, .tries = 100, .back_off = 10ms, .deadline = 250ms},
       [](const Asked& of, std::string_view why) {
         return Answered{of.id, "fallback: " + std::string(why)};
       });
  input_->pipe({asked(1), asked(2)});
  driver_->advance_clock(249ms);
  EXPECT_THAT(seen(), IsEmpty());
  desk_->answer(2);
  driver_->advance_clock(1ms);
  EXPECT_THAT(seen(), ElementsAre("1 fallback: no reply by the deadline of 250ms", "2 desk"));
  EXPECT_THAT(reasons(), IsEmpty());
}

TEST_F(CallTest, TheDeadlineHoldsForRecordsThatWaitForRoom) {
  make({.in_flight_max = 1, .time_out = 10s, .deadline = 250ms},
       [](const Asked& of) { return Answered{of.id, "fallback"}; });
  input_->pipe({asked(1), asked(2)});
  driver_->advance_clock(250ms);
  EXPECT_THAT(seen(), ElementsAre("1 fallback", "2 fallback"));
}

TEST_F(CallTest, AFallbackThatThrowsIsADeadLetter) {
  make({}, [](const Asked&) -> Answered { throw std::runtime_error("no idea"); });
  input_->pipe(asked(1));
  desk_->take(1).fail("down");
  settle();
  EXPECT_THAT(reasons(), ElementsAre("down; then its fallback threw: no idea"));
}

TEST_F(CallTest, NoMoreIsReadThanThereIsRoomFor) {
  make({.in_flight_max = 2, .time_out = 1h});
  for (std::int64_t id = 1; id <= 6; ++id) input_->pipe(asked(id));
  EXPECT_EQ(desk_->calls.size(), 2u);
  EXPECT_LE(driver_->counts("call").in_flight, 3u);  // and one that was read before it was full
  desk_->answer(1);
  EXPECT_THAT(seen(), ElementsAre("1 desk"));
  EXPECT_EQ(desk_->calls.size(), 2u);
  while (!desk_->calls.empty()) {
    desk_->answer(desk_->calls.front().first);
    settle();
  }
  EXPECT_EQ(seen().size(), 5u);
}

TEST_F(CallTest, ResultsThatWaitForTheirTurnTakeRoom) {
  make({.in_flight_max = 2, .time_out = 1h, .ordered = true});
  input_->pipe({asked(1), asked(2), asked(3)});
  desk_->answer(2);
  settle();
  EXPECT_EQ(desk_->calls.size(), 1u);
}

TEST_F(CallTest, TheEndWaitsForReplies) {
  make({.time_out = 1h});
  input_->pipe({asked(1), asked(2)});
  input_->end();
  EXPECT_FALSE(driver_->ended());
  desk_->answer(1);
  settle();
  EXPECT_FALSE(driver_->ended());
  desk_->answer(2);
  EXPECT_THAT(seen(), ElementsAre("1 desk", "2 desk"));
  EXPECT_TRUE(driver_->ended());
}

TEST_F(CallTest, RepliesAfterTheEndAreDropped) {
  make({.time_out = 1h});
  input_->pipe(asked(1));
  const Reply<Answered> late = desk_->take(1);
  driver_.reset();
  late({1, "nobody is there"});
}

TEST(Call, ABlockingFunctionMayThrowOrHaveNoResult) {
  Topology topology("calls");
  topology.from(records(std::vector<std::vector<Asked>>{{}}))
      .named("asked")
      .call([](const Asked& of) -> std::optional<Answered> {
        if (of.id == 1) throw std::runtime_error("refused");
        if (of.id == 2) return std::nullopt;
        return Answered{of.id, "store"};
      })
      .named("call");
  TestDriver driver(topology);
  auto input = driver.input<Asked>("asked");
  auto output = driver.output<Answered>("call");
  input.pipe({asked(1), asked(2), asked(3)});
  EXPECT_EQ(output.read_all().size(), 1u);
  EXPECT_EQ(driver.dead_letters().at(0).reason, "refused");
  const TestCounts counts = driver.counts("call");
  EXPECT_EQ(counts.received, 3u);
  EXPECT_EQ(counts.processed, 1u);
  EXPECT_EQ(counts.filtered, 1u);
  EXPECT_EQ(counts.dead_lettered, 1u);
}

TEST(Call, WrongOptionsAreRefused) {
  const auto problem = [](const CallOptions& options) {
    Topology topology("calls");
    topology.from(records(std::vector<std::vector<Asked>>{{}}))
        .call([](const Asked& of) { return of; }, options)
        .to(each([](const Asked&) {}));
    const auto problems = topology.declaration().graph.validate();
    return problems.empty() ? std::string() : problems.front().to_string();
  };
  EXPECT_EQ(problem({}), "");
  EXPECT_THAT(problem({.in_flight_max = 0}), HasSubstr("in_flight_max is 0"));
  EXPECT_THAT(problem({.time_out = 0ms}), HasSubstr("time_out of more than 0"));
  EXPECT_THAT(problem({.tries = 0}), HasSubstr("tries is below 1"));
  EXPECT_THAT(problem({.back_off = -1ms}), HasSubstr("back_off is negative"));
  EXPECT_THAT(problem({.deadline = -1ms}), HasSubstr("deadline is negative"));
  EXPECT_THAT(problem({.threads = 0}), HasSubstr("threads are 1 to 1024"));
}

}  // namespace
}  // namespace millrace
