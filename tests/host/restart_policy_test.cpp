// When a failed topology is started again.
#include <gtest/gtest.h>

#include <vector>

#include "host/restart_policy.hpp"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kSecond = 1'000'000'000;

RestartPolicy policy(const char* text) {
  auto read = RestartPolicy::of(text);
  EXPECT_TRUE(read) << read.error().to_string();
  return read ? *read : RestartPolicy();
}

TEST(RestartPolicy, None) {
  EXPECT_FALSE(policy("none").failed(0));
  EXPECT_FALSE(RestartPolicy().failed(0));
}

TEST(RestartPolicy, FixedHelpsSoManyTimes) {
  RestartPolicy fixed = policy("fixed:2,10s");
  EXPECT_EQ(fixed.failed(0), Duration(10s));
  EXPECT_EQ(fixed.failed(3600 * kSecond), Duration(10s));
  EXPECT_FALSE(fixed.failed(7200 * kSecond));
}

TEST(RestartPolicy, ExponentialDoublesAndBeginsAnewWhenCalm) {
  RestartPolicy grows = policy("exponential:1s,5s");
  std::int64_t now = 0;
  for (const Duration wanted : {Duration(1s), Duration(2s), Duration(4s), Duration(5s)}) {
    EXPECT_EQ(grows.failed(now), wanted);
    now += 20 * kSecond;
  }
  EXPECT_EQ(grows.failed(now + 50 * kSecond), Duration(1s));
}

TEST(RestartPolicy, RateAllowsFailuresThatAreRare) {
  RestartPolicy rare = policy("rate:2/1min,0s");
  EXPECT_EQ(rare.failed(0), Duration(0));
  EXPECT_EQ(rare.failed(59 * kSecond), Duration(0));
  EXPECT_EQ(rare.failed(60 * kSecond), Duration(0)) << "the first one is a minute ago";
  EXPECT_FALSE(rare.failed(61 * kSecond));
}

TEST(RestartPolicy, WrongTextsAreRefusedWithExamples) {
  for (const char* text :
       {"", "often", "none:1", "fixed", "fixed:0,1s", "fixed:3", "fixed:x,1s", "exponential:0s,1s",
        "exponential:5s,1s", "rate:3,1s", "rate:3/0s,1s", "fixed:3,-1s", "fixed:3,10"}) {
    const auto read = RestartPolicy::of(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code(), Code::option_invalid);
    EXPECT_NE(read.error().message().find("fixed:3,10s"), std::string::npos);
  }
}

TEST(RestartPolicy, OnlyWhatMayPassIsTriedAgain) {
  EXPECT_TRUE(RestartPolicy::may_help(Code::sink_failed));
  EXPECT_TRUE(RestartPolicy::may_help(Code::user_code_failed));
  EXPECT_FALSE(RestartPolicy::may_help(Code::output_closed));
  EXPECT_FALSE(RestartPolicy::may_help(Code::memory_exceeded));
  EXPECT_FALSE(RestartPolicy::may_help(Code::state_mismatch));
}

}  // namespace
}  // namespace millrace::detail
