// Tests of rules that come as data: from when on they hold, what ends with them, and what cannot be
// read.
#include "millrace/rule_sets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "millrace/millrace.hpp"
#include "simulated_run.hpp"

namespace millrace {
namespace {

struct Measured {
  Timestamp time;
  std::string_view sensor;
  double celsius = 0;
};
struct RuleRow {
  Timestamp time;
  std::string_view id;
  std::string_view rule;
  std::string_view where;
};
using Seen = std::vector<std::string>;

Timestamp second(int at) { return {at * 1'000'000LL}; }
Measured of(int at, double celsius, std::string_view sensor = "a") {
  return {second(at), sensor, celsius};
}
RuleRow rule(int at, std::string_view id, std::string_view text, std::string_view where = "") {
  return {second(at), id, text, where};
}

/// "a hot +3 91 (1)": rule hot began at second 3 with 91, met since second 1; "-" where it ended,
/// "*" where a pattern was matched.
Seen events_of(const std::vector<Measured>& readings, const std::vector<RuleRow>& rules,
               std::uint32_t parallelism = 1) {
  Seen seen;
  Topology topology("sensors");
  const auto sensors = topology.from(records<Measured>({readings}))
                           .event_time(&Measured::time, {.out_of_order = 5s})
                           .key_by(&Measured::sensor);
  const auto texts =
      topology.from(records<RuleRow>({rules}))
          .event_time(&RuleRow::time, {.out_of_order = 100s})
          .map([](const RuleRow& row) {
            return RuleText{std::string(row.id), std::string(row.rule), std::string(row.where)};
          });
  const auto is_of = [](const Measured& reading, std::string_view where) {
    return reading.sensor == where;
  };
  const auto events = watch_rules(sensors, &Measured::celsius, texts, is_of);
  events.to(each([&seen](const RuleSetEvent<std::string_view>& event) {
    const char began = event.began ? '+' : '-';
    seen.push_back(fmt::format(
        "{} {} {}{} {} ({}){}", event.key, event.rule, event.matched ? '*' : began,
        event.time.micros / 1'000'000, event.value, event.since.micros / 1'000'000,
        event.cause == RuleCause::value ? "" : " " + std::string(to_string(event.cause))));
  }));
  EXPECT_EQ(run_simulated(topology, parallelism).to_string(), "ok");
  std::ranges::stable_sort(seen, {}, [](const std::string& line) { return line.front(); });
  return seen;
}
TEST(RuleSets, HoldFromTheirOwnTimeOn) {
  EXPECT_EQ(events_of({of(1, 95), of(5, 95), of(6, 10), of(7, 91)}, {rule(5, "hot", "above(90)")}),
            (Seen{"a hot +5 95 (5)", "a hot -6 10 (5)", "a hot +7 91 (7)"}))
      << "the rule of a time comes before the records of it";
}

TEST(RuleSets, WhatIsRemovedEndsAndSaysWhy) {
  EXPECT_EQ(events_of({of(1, 95), of(2, 95, "b"), of(3, 1, "b"), of(9, 96)},
                      {rule(0, "hot", "above(90)"), rule(5, "hot", "")}),
            (Seen{"a hot +1 95 (1)", "a hot -5 95 (1) rule removed", "b hot +2 95 (2)",
                  "b hot -3 1 (2)"}))
      << "at 5, without a record";
}

TEST(RuleSets, WhatIsChangedBeginsAnew) {
  EXPECT_EQ(events_of({of(1, 95), of(5, 96), of(6, 85), of(8, 1)},
                      {rule(0, "hot", "above(90)"), rule(5, "hot", "above(80)"),
                       rule(7, "hot", "above(80)")}),
            (Seen{"a hot +1 95 (1)", "a hot -5 95 (1) rule changed", "a hot +5 96 (5)",
                  "a hot -8 1 (5)"}))
      << "the same text again changes nothing";
  EXPECT_EQ(
      events_of({of(1, 95), of(4, 95), of(20, 95)},
                {rule(0, "hot", "above(90).lasting(5s)"), rule(3, "hot", "above(90).lasting(6s)")}),
      (Seen{"a hot +10 95 (4)"}));
}

TEST(RuleSets, StandBesideEachOther) {
  EXPECT_EQ(events_of({of(1, 50), of(2, 70), of(3, 95), of(20, 1)},
                      {rule(0, "up", "rises_by(20, 5s)"), rule(0, "hot", "above(90)"),
                       rule(0, "lost", "silent_for(10s)"), rule(0, "held", "above(60).lasting(8s)"),
                       rule(0, "cold", "below(10)")}),
            (Seen{"a up +2 70 (2)", "a hot +3 95 (3)", "a held +10 95 (2)", "a lost +13 95 (3)",
                  "a cold +20 1 (20)", "a held -20 1 (2)", "a hot -20 1 (3)", "a lost -20 1 (3)",
                  "a up -20 1 (2)", "a lost +30 1 (20)"}));
}

TEST(RuleSets, MayBeForSomeRecords) {
  EXPECT_EQ(events_of({of(1, 95), of(1, 95, "b"), of(2, 1), of(2, 1, "b")},
                      {rule(0, "hot", "above(90)", "b")}),
            (Seen{"b hot +1 95 (1)", "b hot -2 1 (1)"}));
}

TEST(RuleSets, MayBePatternsOfValues) {
  const char* const uncooled = "above(90).times(3).within(10s).then_not(below(60)).lasting(5s)";
  EXPECT_EQ(events_of({of(1, 95), of(4, 80), of(5, 96), of(9, 97), of(14, 1), of(20, 91, "b"),
                       of(21, 92, "b"), of(22, 93, "b"), of(26, 59, "b"), of(31, 70, "b")},
                      {rule(0, "hot", uncooled)}),
            (Seen{"a hot *14 97 (1)"}))
      << "below 60 at 14 is no more within 5 s behind 9; at 26 it is";
  EXPECT_EQ(events_of({of(1, 95), of(2, 20), of(3, 95), of(4, 80), of(5, 20)},
                      {rule(0, "drop", "above(90).then_next(below(50)).within(10s)"),
                       rule(0, "fall", "above(90).then(below(50)).within(10s)")}),
            (Seen{"a drop *2 20 (1)", "a fall *2 20 (1)", "a fall *5 20 (3)"}));
  EXPECT_EQ(events_of({of(1, 95), of(2, 95), of(3, 10), of(4, 95), of(5, 95)},
                      {rule(0, "hot", "above(90).times(3).consecutive().within(10s)"),
                       rule(0, "warm", "above(90).times(3).within(10s)")}),
            (Seen{"a warm *4 95 (1)"}));
  EXPECT_EQ(events_of({of(1, 95), of(5, 95), of(8, 95)},
                      {rule(0, "hot", "above(90).times(2).within(4s)")}),
            (Seen{"a hot *8 95 (5)"}))
      << "exactly the span is out";
}

TEST(RuleSets, PatternsTakeConditionsThatLookAtOtherValues) {
  EXPECT_EQ(events_of({of(1, 50), of(2, 71), of(3, 60), of(4, 82), of(5, 83)},
                      {rule(0, "jumps", "rises_by(20, 2s).times(2).within(10s)")}),
            (Seen{"a jumps *5 83 (2)"}))
      << "82 looks back to 71, which the match has taken; 83 to 60, which it has not";
  EXPECT_EQ(events_of({of(1, 95), of(2, 85), of(3, 81), of(4, 79), of(5, 85)},
                      {rule(0, "plain", "above(90).times(2).within(10s)"),
                       rule(0, "held", "above(90).until_below(80).times(3).within(10s)")}),
            (Seen{"a held *3 81 (1)"}))
      << "met by what is not above 90 as long as nothing is below 80";
  EXPECT_EQ(events_of({of(1, 10), of(2, 12), of(3, 11), of(4, 50), of(5, 11), of(6, 2)},
                      {rule(0, "odd", "deviates_by(3).over_last(3).then(below(5)).within(3s)")}),
            (Seen{"a odd *6 2 (4)"}));
  EXPECT_EQ(events_of({of(1, 95), of(2, 96), of(3, 60), of(4, 99)},
                      {rule(0, "hot",
                            "above(90).times(2).within(9s).then_not(falls_by(20, 5s))"
                            ".lasting(2s)"),
                       rule(0, "hotter", "above(98).then_not(falls_by(20, 5s)).lasting(2s)")}),
            (Seen{"a hot *6 99 (2)", "a hotter *6 99 (4)"}))
      << "60 forbids what 95 began";
}

TEST(RuleSets, PatternsThatAreChangedRememberNothing) {
  const char* const jumps = "rises_by(20, 10s).times(2).within(100s)";
  EXPECT_EQ(events_of({of(1, 10), of(2, 40), of(4, 70), of(5, 41), of(6, 90), of(7, 95)},
                      {rule(0, "up", jumps), rule(3, "up", ""), rule(4, "up", jumps)}),
            (Seen{"a up *7 95 (6)"}))
      << "70 at 4 is the first that it looks back to";
}

TEST(RuleSets, PatternsAreWrittenAsTheyAreRead) {
  const auto again = [](const ValuePattern& pattern) {
    const std::string text = pattern.to_string();
    EXPECT_TRUE(pattern.validate().ok()) << text << ": " << pattern.validate().to_string();
    const auto read = detail::parse_value_pattern(text);
    EXPECT_EQ(read.index(), 0u) << text;
    return read.index() == 0 ? std::get<ValuePattern>(read).to_string() : "";
  };
  const auto is = [&](const ValuePattern& pattern, const std::string& text) {
    EXPECT_EQ(pattern.to_string(), text);
    EXPECT_EQ(again(pattern), text);
  };
  is(above(90).times(3).within(10min).then_not(below(60)).lasting(5min),
     "above(90).times(3).then_not(below(60)).lasting(5min).within(10min)");
  is(rises_by(2.5, 1min).then(falls_by(1, 30s)).then_next(above(1e30)).within(1h),
     "rises_by(2.5, 1min).then(falls_by(1, 30s)).then_next(above(1e+30)).within(1h)");
  is(deviates_by(4).over_last(50).by_time_of_day(1h).times(2).consecutive().within(9s),
     "deviates_by(4).over_last(50).by_time_of_day(1h).times(2).consecutive().within(9s)");
  is(below(10).until_above(12).then(below(10).until_above(12)).within(1s),
     "below(10).until_above(12).then(below(10).until_above(12)).within(1s)");
  EXPECT_EQ(above(1).times(0).validate().code(), Code::parameter_invalid);
  EXPECT_EQ(above(1).then(below(0)).validate().code(), Code::parameter_invalid) << "no within";
  EXPECT_EQ(above(1).then(silent_for(1s)).within(2s).validate().code(), Code::parameter_invalid);
  EXPECT_EQ(above(1).times(2).within(Duration(0)).validate().code(), Code::parameter_invalid);
}

TEST(RuleSets, ForgetWhatAPatternHasBegunWhenItGoes) {
  const char* const twice = "above(90).times(2).within(100s)";
  EXPECT_EQ(events_of({of(1, 95), of(5, 95), of(7, 95), of(9, 95)},
                      {rule(0, "hot", twice), rule(5, "hot", ""), rule(6, "hot", twice)}),
            (Seen{"a hot *9 95 (7)"}));
  EXPECT_EQ(events_of({of(1, 95)}, {rule(0, "hot", "above(90).then_not(below(60)).lasting(5s)"),
                                    rule(6, "hot", "")}),
            Seen())
      << "the rule goes first";
}

TEST(RuleSets, RefusePatternsThatCannotBe) {
  const auto why = [](const std::string& text) -> std::string {
    try {
      detail::check_rule({"p", text, ""});
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  const auto says = [&](const std::string& text, const std::string& sentence) {
    EXPECT_NE(why(text).find(sentence), std::string::npos) << text << ": " << why(text);
  };
  EXPECT_EQ(why("above(90).then(below(1)).within(1s)"), "");
  says("above(90).then(below(1))", "a pattern needs a within(...)");
  says("above(90).times(0).within(1s)", "\"times(0)\" is no pattern's: a pattern is a condition");
  says("above(90).then(silent_for(1s)).within(1s)",
       "\"silent_for(1s)\" is met where nothing comes, and a pattern takes values");
  says("above(90).then(above(90).lasting(1s)).within(1s)",
       "\"above(90).lasting(1s)\" begins by time, and a pattern takes values one by one");
  says("rises_by(0, 1s).then(below(1)).within(1s)", "a rule is met by no change at all");
  says("deviates_by(3).then(above(90).over_last(5)).within(1s)",
       "over_last belongs to deviates_by");
  says("above(90).then(over(90)).within(1s)", "\"over(90)\" is no rule's");
  says("above(90).then_not(below(60))",
       "is never decided: give the pattern a within(...), or \"below(60)\" a lasting");
  says("above(90).lasting(1s).then(below(60)).within(1s)",
       "\"above(90).lasting(1s)\" begins by time");
  says("above(90).then(below(60)).lasting(1s).within(1s)",
       "lasting is for a not_followed_by at the end");
  says("then(above(90)).within(1s)", "\"then(above(90))\" is no rule's");
}

TEST(RuleSets, ThatCannotBeReadAreDeadLetters) {
  EXPECT_EQ(events_of({of(1, 95), of(2, 1)},
                      {rule(0, "odd", "over(90)"), rule(0, "", "above(1)"),
                       rule(0, "never", "above(90).until_below(95)"), rule(0, "hot", "above(90)")},
                      2),
            (Seen{"a hot +1 95 (1)", "a hot -2 1 (1)"}));
  EXPECT_THROW(detail::check_rule({"odd", "over(90)", ""}), std::invalid_argument);
  EXPECT_THROW(detail::check_rule({"", "above(90)", ""}), std::invalid_argument);
  EXPECT_NO_THROW(detail::check_rule({"hot", "", ""}));
  try {
    detail::check_rule({"odd", "over(90)", ""});
  } catch (const std::invalid_argument& error) {
    EXPECT_EQ(std::string(error.what()).find("rule \"odd\": \"over(90)\" is no rule's"), 0u)
        << error.what();
  }
}

TEST(RuleSets, DoNotDependOnTheOrderOfArrival) {
  std::vector<Measured> readings;
  for (int at = 0; at < 100; ++at) {
    for (const std::string_view sensor : {"a", "b", "c"})
      readings.push_back(of(at, (at * 7 + sensor[0] * 3) % 100, sensor));
  }
  std::vector<RuleRow> rules = {rule(3, "hot", "above(60)"),
                                rule(20, "up", "rises_by(20, 4s)"),
                                rule(30, "hot", "above(50)", "b"),
                                rule(44, "up", ""),
                                rule(50, "odd", "deviates_by(1).over_last(10)"),
                                rule(71, "hot", ""),
                                rule(80, "odd", "deviates_by(1).over_last(5)")};
  const auto sorted = [](Seen seen) {
    std::ranges::sort(seen);
    return seen;
  };
  const Seen wanted = sorted(events_of(readings, rules));
  EXPECT_GT(wanted.size(), 40u);
  for (std::size_t at = 0; at + 6 < readings.size(); at += 6) {
    std::reverse(readings.begin() + static_cast<std::ptrdiff_t>(at),
                 readings.begin() + static_cast<std::ptrdiff_t>(at) + 6);
  }
  std::ranges::reverse(rules);
  EXPECT_EQ(sorted(events_of(readings, rules)), wanted);
  EXPECT_EQ(sorted(events_of(readings, rules, 3)), wanted);
}

}  // namespace
}  // namespace millrace
