// Calls to the outside from a stream: order, time-outs, tries, fallbacks, room and late replies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Asked {
  std::int64_t id = 0;
  Timestamp at = {};
};
struct Answered {
  std::int64_t id = 0;
  std::string by;
};
Asked asked(std::int64_t id) { return {id, Timestamp{id * 1'000'000}}; }

/// An outside store, whose answers the test gives.
struct Desk {
  std::deque<std::pair<std::int64_t, Reply<Answered>>> calls;

  Reply<Answered> take(std::int64_t id) {
    for (auto at = calls.begin(); at != calls.end(); ++at) {
      if (at->first != id) continue;
      Reply<Answered> reply = std::move(at->second);
      calls.erase(at);
      return reply;
    }
    throw std::runtime_error("nobody asked for " + std::to_string(id));
  }
  void answer(std::int64_t id, const std::string& by = "desk") { take(id)({id, by}); }
};

class CallTest : public testing::Test {
 protected:
  template <class... Fallback>
  void make(const CallOptions& options, Fallback... fallback) {
    topology_ = std::make_unique<Topology>("calls");
    topology_->from(records(std::vector<std::vector<Asked>>{{}}))
        .named("asked")
        .event_time(&Asked::at)
        .call([desk = desk_](const Asked& of,
                             Reply<Answered> reply) { desk->calls.emplace_back(of.id, reply); },
              options, fallback...)
        .named("call");
    driver_ = std::make_unique<TestDriver>(*topology_);
    input_.emplace(driver_->input<Asked>("asked"));
    output_.emplace(driver_->output<Answered>("call"));
  }
  void settle() { driver_->advance_clock(0ms); }
  std::vector<std::string> seen() {
    settle();
    std::vector<std::string> rows;
    for (const Answered& row : output_->read_all())
      rows.push_back(std::to_string(row.id) + " " + row.by);
    return rows;
  }
  std::vector<std::string> reasons() {
    std::vector<std::string> reasons;
    for (const DeadLetter& letter : driver_->dead_letters()) reasons.push_back(letter.reason);
    return reasons;
  }

  std::shared_ptr<Desk> desk_ = std::make_shared<Desk>();
  std::unique_ptr<Topology> topology_;
  std::unique_ptr<TestDriver> driver_;
  std::optional<TestInput<Asked>> input_;
  std::optional<TestOutput<Answered>> output_;
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
