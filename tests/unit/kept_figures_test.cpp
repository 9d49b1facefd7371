// What operators keep is counted and named: partial matches of patterns, records of joins; also a
// hundred thousand of them, on many keys and on one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "metrics/insights.hpp"
#include "metrics/kept_names.hpp"
#include "metrics/report_words.hpp"
#include "millrace/millrace.hpp"
#include "millrace/rule_sets.hpp"
#include "millrace/test_driver.hpp"

namespace millrace {
namespace {

using testing::HasSubstr;

/// Of a session: it begins ('a'), goes on ('b') and ends ('c').
struct Step {
  std::int64_t key = 0;
  char kind = 'a';
  Timestamp at;
};

auto is(char kind) {
  return [kind](const Step& step) { return step.kind == kind; };
}

/// The component "pairs" over steps, and what is told of it.
class Watched : public TestDriver {
 public:
  Watched(const Topology& topology, std::uint64_t memory_bytes)
      : TestDriver(topology, {.memory_bytes = memory_bytes}), steps_(input<Step>("steps")) {}

  void pipe(std::vector<Step> steps) { steps_.pipe(std::move(steps)); }
  void come_to(std::int64_t micros) { steps_.advance_watermark(Timestamp{micros}); }
  std::uint64_t gauge(std::string_view name) { return detail::gauge_of(told(), name); }
  std::uint64_t state_bytes() { return told().state_bytes; }
  std::string said_of_partial_matches() {
    for (const detail::Insight& one : detail::find_troubles({}, driven_->report())) {
      if (one.kind == "partial_matches") return one.severity + ": " + one.text;
    }
    return {};
  }

 private:
  detail::ComponentReport told() {
    const detail::Report report = driven_->report();
    return driven_->component(report, "pairs");
  }
  TestInput<Step> steps_;
};

/// a, then each b, then c, of one key.
Pattern<Step> branching() {
  return pattern<Step>("begin")
      .where(is('a'))
      .followed_by_any("middle")
      .where(is('b'))
      .followed_by("end")
      .where(is('c'));
}

class PartialMatchFigures : public testing::Test {
 protected:
  /// `budget_bytes` 0: none.
  Watched& watch(const Pattern<Step>& wanted, std::uint64_t budget_bytes = 0) {
    topology_.from(records(std::vector<std::vector<Step>>(1)))
        .named("steps")
        .event_time(&Step::at)
        .key_by(&Step::key)
        .match(wanted)
        .select([](const Match<Step>& match) { return match["begin"]; })
        .named("pairs")
        .to(each([](const Step&) {}));
    return watched_.emplace(topology_, budget_bytes);
  }
  /// The same with what a rule of a set says of values, which are 1.
  Watched& watch(const std::string& rule) {
    const auto keyed = topology_.from(records(std::vector<std::vector<Step>>(1)))
                           .named("steps")
                           .event_time(&Step::at)
                           .key_by(&Step::key);
    const auto rules =
        topology_.from(records<RuleText>({{{"pair", rule, ""}}})).event_time([](const RuleText&) {
          return Timestamp{-1};
        });
    watch_rules(
        keyed, [](const Step&) { return 1; }, rules)
        .named("pairs")
        .to(each([](const auto&) {}));
    return watched_.emplace(topology_, 0);
  }
  /// A begin of each of `keys` keys, all at time 0.
  void begin_each(std::int64_t keys) {
    for (std::int64_t key = 0; key < keys;) {
      std::vector<Step> some;
      for (const std::int64_t end = std::min(keys, key + 1'000); key < end; ++key)
        some.push_back({key, 'a', Timestamp{0}});
      watched_->pipe(std::move(some));
    }
    watched_->come_to(1);
  }
  /// 1,000 begins of one key and 99 middles: each begin is open alone, and with each middle.
  void branch_to_a_hundred_thousand() {
    watched_->pipe(std::vector<Step>(1'000, Step{7, 'a', Timestamp{0}}));
    watched_->pipe(std::vector<Step>(99, Step{7, 'b', Timestamp{1'000}}));
    watched_->come_to(2'000);
  }
  void expect_nothing_is_kept() {
    for (const auto name :
         {detail::kPartialMatches, detail::kPartialMatchKeys, detail::kWaitingMatches})
      EXPECT_EQ(watched_->gauge(name), 0u) << name;
    EXPECT_EQ(watched_->said_of_partial_matches(), "");
  }

  Topology topology_{"kept"};
  std::optional<Watched> watched_;
};

constexpr std::uint64_t kMany = 100'000;
/// What one partial match may take, in bytes: of a key of its own with the slot of the key, its
/// list and its alarm; of a key that has many its step, its node and what the last record decides
/// of it. Both with the room that tables and lists have to grow.
constexpr std::uint64_t kBytesOfKeyMost = 640;
constexpr std::uint64_t kBytesOfBranchMost = 224;
/// What tables and lists may keep of their room when nothing is in them.
constexpr std::uint64_t kBytesEmptyMost = 128u << 10;

TEST_F(PartialMatchFigures, NameAHundredThousandOfManyKeysAndTheirEnd) {
  Watched& watched = watch(branching().within(10s));
  begin_each(static_cast<std::int64_t>(kMany));
  EXPECT_EQ(watched.gauge(detail::kPartialMatches), kMany);
  EXPECT_EQ(watched.gauge(detail::kPartialMatchKeys), kMany);
  RecordProperty("bytes", std::to_string(watched.state_bytes() / kMany));
  EXPECT_LT(watched.state_bytes(), kMany * kBytesOfKeyMost);
  EXPECT_GT(watched.state_bytes(), kMany * 100) << "they are counted";
  EXPECT_THAT(watched.said_of_partial_matches(),
              HasSubstr("info: \"pairs\" keeps 100,000 partial matches of 100,000 keys, in "));
  watched.come_to(9'999'999);
  EXPECT_EQ(watched.gauge(detail::kPartialMatches), kMany) << "their time is not over";
  watched.come_to(10'000'000);
  expect_nothing_is_kept();
  EXPECT_LT(watched.state_bytes(), kBytesEmptyMost);
}

TEST_F(PartialMatchFigures, NameThoseOfAPatternThatIsARule) {
  Watched& watched = watch("above(0).then(above(2)).within(10s)");
  begin_each(static_cast<std::int64_t>(kMany));
  EXPECT_EQ(watched.gauge(detail::kPartialMatches), kMany);
  EXPECT_EQ(watched.gauge(detail::kPartialMatchKeys), kMany);
  EXPECT_THAT(watched.said_of_partial_matches(),
              HasSubstr("info: \"pairs\" keeps 100,000 partial matches of 100,000 keys, in "));
  watched.come_to(10'000'001);
  expect_nothing_is_kept();
}

TEST_F(PartialMatchFigures, NameAHundredThousandOfOneKeyThatBranches) {
  Watched& watched = watch(branching().within(10s));
  branch_to_a_hundred_thousand();
  EXPECT_EQ(watched.gauge(detail::kPartialMatches), kMany);
  EXPECT_EQ(watched.gauge(detail::kPartialMatchKeys), 1u);
  RecordProperty("bytes", std::to_string(watched.state_bytes() / kMany));
  EXPECT_LT(watched.state_bytes(), kMany * kBytesOfBranchMost);
  EXPECT_GT(watched.state_bytes(), kMany * 64) << "they are counted";
  EXPECT_THAT(watched.said_of_partial_matches(),
              HasSubstr("keeps 100,000 partial matches of 1 key, in "));
  watched.come_to(10'000'000);
  expect_nothing_is_kept();
  EXPECT_LT(watched.state_bytes(), kBytesEmptyMost);
}

TEST_F(PartialMatchFigures, TheRecordThatCompletesThemTakesThemOff) {
  Watched& watched = watch(branching().within(10s));
  branch_to_a_hundred_thousand();
  watched.pipe({{7, 'c', Timestamp{3'000}}});
  watched.come_to(4'000);
  EXPECT_EQ(watched.counts("pairs").emitted, 99'000u);
  EXPECT_EQ(watched.gauge(detail::kPartialMatches), 1'000u) << "the begins may meet more middles";
}

TEST_F(PartialMatchFigures, SayWhatWaitsForThoseThatBeganBefore) {
  const auto soon = [](const Step& end, const Matched<Step>& before) {
    return end.kind == 'c' && end.at.micros - before["begin"].at.micros < 2'000'000;
  };
  Watched& watched = watch(pattern<Step>("begin")
                               .where(is('a'))
                               .followed_by("end")
                               .where(soon)
                               .within(10s)
                               .skip_past_last());
  watched.pipe(
      {{7, 'a', Timestamp{0}}, {7, 'a', Timestamp{3'000'000}}, {7, 'c', Timestamp{4'000'000}}});
  watched.come_to(5'000'000);
  EXPECT_EQ(watched.counts("pairs").emitted, 0u) << "the first may still end before it";
  EXPECT_EQ(watched.gauge(detail::kWaitingMatches), 1u);
  EXPECT_EQ(watched.gauge(detail::kPartialMatches), 1u);
  watched.come_to(10'000'000);
  EXPECT_EQ(watched.counts("pairs").emitted, 1u);
  expect_nothing_is_kept();
}

/// Beyond what state may take the run fails.
TEST_F(PartialMatchFigures, OfManyKeysBeyondTheBudgetFailTheComponentByName) {
  Watched& watched = watch(branching(), 16u << 20);
  try {
    begin_each(static_cast<std::int64_t>(kMany));
    ADD_FAILURE() << "it holds " << watched.state_bytes() << " bytes";
  } catch (const Error& error) {
    EXPECT_EQ(error.status().code(), Code::memory_exceeded) << error.status().to_string();
    EXPECT_THAT(error.status().message(), HasSubstr("\"pairs\" holds"));
    EXPECT_THAT(error.status().message(), HasSubstr("--memory"));
  }
}

TEST_F(PartialMatchFigures, OfOneKeyBeyondTheBudgetFailTheComponentByName) {
  watch(branching(), 8u << 20);
  try {
    branch_to_a_hundred_thousand();
    ADD_FAILURE() << "it holds " << watched_->state_bytes() << " bytes";
  } catch (const Error& error) {
    EXPECT_EQ(error.status().code(), Code::memory_exceeded) << error.status().to_string();
    EXPECT_THAT(error.status().message(), HasSubstr("\"pairs\" holds"));
  }
}

TEST_F(PartialMatchFigures, MoreThanHalfOfWhatStateMayTakeIsAWarning) {
  Watched& watched = watch(branching().within(10s), 24u << 20);
  branch_to_a_hundred_thousand();
  EXPECT_THAT(watched.said_of_partial_matches(), HasSubstr("warning: \"pairs\" keeps 100,000 "));
  EXPECT_THAT(watched.said_of_partial_matches(), HasSubstr(" of the 18.9 MB for state"));
}

struct Both {
  std::int64_t key = 0;
};

/// Steps of kind a on the left, of kind b on the right.
template <class Join>
void join_steps(Topology& topology, Join&& join) {
  const auto steps = topology.from(records(std::vector<std::vector<Step>>(1)))
                         .named("steps")
                         .event_time(&Step::at);
  join(steps.filter(is('a')).key_by(&Step::key), steps.filter(is('b')).key_by(&Step::key))
      .named("pairs")
      .to(each([](const Both&) {}));
}
const auto kEither = [](const Step* left, const Step* right) {
  return Both{left != nullptr ? left->key : right->key};
};
const auto kBoth = [](const Step& left, const Step&) { return Both{left.key}; };

TEST(JoinFigures, NameTheRecordsOfEachSideThatMayStillMeetOthers) {
  Topology topology("kept");
  join_steps(topology, [](const auto& left, const auto& right) {
    return left.join(right).within(0s, 10s).full(kEither);
  });
  Watched watched(topology, 0);
  watched.pipe({{1, 'a', Timestamp{0}}, {2, 'a', Timestamp{0}}, {1, 'b', Timestamp{1}}});
  EXPECT_EQ(watched.gauge(detail::kLeftRecords), 2u);
  EXPECT_EQ(watched.gauge(detail::kRightRecords), 1u);
  watched.come_to(60'000'000);
  EXPECT_EQ(watched.gauge(detail::kLeftRecords), 0u);
  EXPECT_EQ(watched.gauge(detail::kRightRecords), 0u);
}

TEST(JoinFigures, NameTheRecordsOfOpenWindows) {
  Topology topology("kept");
  join_steps(topology, [](const auto& left, const auto& right) {
    return left.join(right).window(tumbling(10s)).inner(kBoth);
  });
  Watched watched(topology, 0);
  watched.pipe({{1, 'a', Timestamp{0}}, {2, 'a', Timestamp{0}}, {1, 'b', Timestamp{1}}});
  EXPECT_EQ(watched.gauge(detail::kLeftRecords), 2u);
  EXPECT_EQ(watched.gauge(detail::kRightRecords), 1u);
  watched.come_to(10'000'000);
  EXPECT_EQ(watched.gauge(detail::kLeftRecords), 0u);
  EXPECT_EQ(watched.gauge(detail::kRightRecords), 0u);
}

}  // namespace
}  // namespace millrace
