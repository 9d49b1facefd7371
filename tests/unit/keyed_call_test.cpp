// Calls and look-ups behind key_by: turns and order of each key, room, deadlines, keys that throw.
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

/// 11 and 12 have one key, 21 another.
std::int64_t tens(const Asked& of) {
  if (of.id < 0) throw std::runtime_error("no key of " + std::to_string(of.id));
  return of.id / 10;
}

class KeyedCallTest : public DeskTest {
 protected:
  template <class... Fallback>
  void make(const CallOptions& options, Fallback... fallback) {
    make_with(
        [&](const auto& asked) { return asked.key_by(tens).call(ask(), options, fallback...); });
  }
  std::vector<std::int64_t> under_way() {
    settle();
    std::vector<std::int64_t> ids;
    for (const auto& [id, reply] : desk_->calls) ids.push_back(id);
    return ids;
  }
};

TEST_F(KeyedCallTest, OfAKeyOneIsCalledForAfterTheOther) {
  make({});
  input_->pipe({asked(11), asked(12), asked(13), asked(21)});
  EXPECT_THAT(under_way(), ElementsAre(11, 21));
  desk_->answer(21);
  EXPECT_THAT(seen(), ElementsAre("21 desk"));
  desk_->answer(11);
  EXPECT_THAT(seen(), ElementsAre("11 desk"));
  EXPECT_THAT(under_way(), ElementsAre(12));
  desk_->take(12).fail("down");
  EXPECT_THAT(under_way(), ElementsAre(13));
  desk_->answer(13);
  EXPECT_THAT(seen(), ElementsAre("13 desk"));
  EXPECT_THAT(reasons(), ElementsAre("down"));
}

TEST_F(KeyedCallTest, AKeyKeepsItsTurnWhileACallIsTriedAgain) {
  make({.time_out = 1s, .tries = 2, .back_off = 100ms});
  input_->pipe({asked(11), asked(12)});
  driver_->advance_clock(1s);
  desk_->calls.clear();
  EXPECT_THAT(under_way(), IsEmpty());
  driver_->advance_clock(100ms);
  EXPECT_THAT(under_way(), ElementsAre(11));
  desk_->answer(11);
  EXPECT_THAT(under_way(), ElementsAre(12));
}

TEST_F(KeyedCallTest, SeveralOfAKeyAtOnceStillLeaveInItsOrder) {
  make({.key_in_flight_max = 2});
  input_->pipe({asked(11), asked(12), asked(13), asked(21)});
  EXPECT_THAT(under_way(), ElementsAre(11, 12, 21));
  desk_->answer(12);
  EXPECT_THAT(under_way(), ElementsAre(11, 21, 13));
  desk_->answer(21);
  desk_->answer(13);
  EXPECT_THAT(seen(), ElementsAre("21 desk"));
  desk_->answer(11);
  EXPECT_THAT(seen(), ElementsAre("11 desk", "12 desk", "13 desk"));
}

TEST_F(KeyedCallTest, UnorderedTheyLeaveAsTheyCome) {
  make({.ordered = false, .key_in_flight_max = 2});
  input_->pipe({asked(11), asked(12), asked(13)});
  desk_->answer(12);
  EXPECT_THAT(seen(), ElementsAre("12 desk"));
  desk_->answer(13);
  EXPECT_THAT(seen(), ElementsAre("13 desk"));
  desk_->answer(11);
  EXPECT_THAT(seen(), ElementsAre("11 desk"));
}

TEST_F(KeyedCallTest, OtherKeysOvertakeButPassNoWatermark) {
  make({});
  input_->pipe({asked(11), asked(12), asked(21)});
  input_->advance_watermark(Timestamp{22'500'000});
  input_->pipe({asked(31), asked(13)});
  for (const std::int64_t id : {31, 21, 11}) desk_->answer(id);
  EXPECT_THAT(seen(), ElementsAre("21 desk", "11 desk"));
  desk_->answer(12);
  EXPECT_THAT(seen(), ElementsAre("12 desk", "31 desk"));
  desk_->answer(13);
  EXPECT_THAT(seen(), ElementsAre("13 desk"));
}

TEST_F(KeyedCallTest, TheDeadlineCountsFromWhenARecordCame) {
  make({.time_out = 10s, .deadline = 250ms}, [](const Asked& of, std::string_view why) {
    return Answered{of.id, "fallback: " + std::string(why)};
  });
  input_->pipe({asked(11), asked(12)});
  driver_->advance_clock(100ms);
  input_->pipe(asked(13));
  driver_->advance_clock(150ms);
  EXPECT_THAT(seen(), ElementsAre("11 fallback: no reply by the deadline of 250ms",
                                  "12 fallback: no reply by the deadline of 250ms"));
  EXPECT_THAT(under_way(), ElementsAre(11, 13));
  driver_->advance_clock(100ms);
  EXPECT_THAT(seen(), ElementsAre("13 fallback: no reply by the deadline of 250ms"));
}

TEST_F(KeyedCallTest, NoMoreIsReadThanThereIsRoomFor) {
  make({.in_flight_max = 2, .time_out = 1h});
  for (std::int64_t id = 11; id <= 18; ++id) input_->pipe(asked(id));
  EXPECT_THAT(under_way(), ElementsAre(11));
  EXPECT_LE(driver_->counts("call").in_flight, 3u);  // and one that was read before it was full
  for (std::int64_t id = 11; id <= 18; ++id) {
    EXPECT_THAT(under_way(), ElementsAre(id));
    desk_->answer(id);
  }
  EXPECT_EQ(seen().size(), 8u);
  EXPECT_EQ(driver_->counts("call").in_flight, 0u);
}

TEST_F(KeyedCallTest, ARecordWhoseKeyThrowsIsADeadLetter) {
  make({});
  input_->pipe({asked(11), asked(-5), asked(21)});
  for (const std::int64_t id : {11, 21}) desk_->answer(id);
  EXPECT_THAT(seen(), ElementsAre("11 desk", "21 desk"));
  EXPECT_THAT(reasons(), ElementsAre("no key of -5"));
}

TEST_F(KeyedCallTest, TheEndWaitsForAllTurns) {
  make({.time_out = 1h});
  input_->pipe({asked(11), asked(12)});
  input_->end();
  desk_->answer(11);
  settle();
  EXPECT_FALSE(driver_->ended());
  desk_->answer(12);
  settle();
  EXPECT_TRUE(driver_->ended());
  EXPECT_THAT(seen(), ElementsAre("11 desk", "12 desk"));
}

TEST_F(KeyedCallTest, LookUpsAreByTheKeyAndKeepItsOrder) {
  using Values = std::vector<std::optional<std::string>>;
  std::vector<std::pair<std::int64_t, Reply<Values>>> loads;
  const auto load = [&loads](std::span<const std::int64_t> keys, Reply<Values> reply) {
    loads.emplace_back(keys.front(), reply);
  };
  const auto row = [](const LookedUp<Asked, std::string>& found) {
    return Answered{found.record.id, found.value.value_or("-")};
  };
  make_with([&](const auto& asked) {
    return asked.key_by(tens).lookup(load, {.batch_max = 1}).named("found").map(row);
  });
  input_->pipe({asked(11), asked(21), asked(12)});
  ASSERT_EQ(loads.size(), 2u);
  EXPECT_EQ(loads[1].first, 2);
  loads[1].second({"two"});
  EXPECT_THAT(seen(), ElementsAre("21 two"));
  loads[0].second({"one"});
  EXPECT_THAT(seen(), ElementsAre("11 one", "12 one"));
}

TEST_F(KeyedCallTest, LookUpsByAnotherKeyKeepTheOrderOfThisOne) {
  using Values = std::vector<std::optional<std::string>>;
  std::vector<std::pair<std::int64_t, Reply<Values>>> loads;
  const auto load = [&loads](std::span<const std::int64_t> keys, Reply<Values> reply) {
    loads.emplace_back(keys.front(), reply);
  };
  const auto row = [](const LookedUp<Asked, std::string>& found) {
    return Answered{found.record.id, found.value.value_or("-")};
  };
  const auto ones = [](const Asked& of) { return of.id % 10; };
  make_with([&](const auto& asked) {
    return asked.key_by(tens).lookup(ones, load, {.batch_max = 1}).named("found").map(row);
  });
  input_->pipe({asked(11), asked(12), asked(22)});
  ASSERT_EQ(loads.size(), 2u);
  loads[1].second({"two"});  // of 12 and 22
  EXPECT_THAT(seen(), ElementsAre("22 two"));
  loads[0].second({"one"});
  EXPECT_THAT(seen(), ElementsAre("11 one", "12 two"));
}

TEST(KeyedCall, WrongOptionsAreRefused) {
  const auto problem = [](bool by_key, const CallOptions& options) {
    Topology topology("calls");
    const auto read = topology.from(records(std::vector<std::vector<Asked>>{{}}));
    const auto call = [](const Asked& of) { return of; };
    (by_key ? read.key_by(tens).call(call, options) : read.call(call, options))
        .to(each([](const Asked&) {}));
    const auto problems = topology.declaration().graph.validate();
    return problems.empty() ? std::string() : problems.front().to_string();
  };
  EXPECT_EQ(problem(true, {.key_in_flight_max = 3}), "");
  EXPECT_THAT(problem(true, {.key_in_flight_max = 0}), HasSubstr("key_in_flight_max is 0"));
  EXPECT_THAT(problem(false, {.key_in_flight_max = 3}), HasSubstr("put key_by before"));
}

TEST(KeyedCall, ExplainSaysTheOrder) {
  EXPECT_EQ(detail::call_note({}, true), "ordered by key, 100 in flight, time-out 1s");
  EXPECT_EQ(detail::call_note({.key_in_flight_max = 3}, true),
            "ordered by key, 100 in flight, time-out 1s, 3 of a key");
}

}  // namespace
}  // namespace millrace
