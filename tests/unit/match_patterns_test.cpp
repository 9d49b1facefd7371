// Patterns over streams: what each construct matches; the sequences and their matches are those of
// the documentation of Flink's CEP where it has them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"
#include "run_harness.hpp"

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Texts = std::vector<std::string>;

struct Seen {
  std::string name;
  Timestamp when;
};
struct Row {
  std::string text;
};

/// "a1 c@5 b2": each a second behind the one before, or at its own one.
std::vector<Seen> seen(const std::string& text) {
  std::vector<Seen> all;
  std::istringstream in(text);
  std::int64_t second = 0;
  for (std::string word; in >> word; ++second) {
    const std::size_t at = word.find('@');
    if (at != std::string::npos) second = std::stoll(word.substr(at + 1));
    all.push_back({word.substr(0, at), Timestamp{second * 1'000'000}});
  }
  return all;
}
auto is(std::string letters) {
  return [letters](const Seen& one) { return letters.find(one.name.front()) != std::string::npos; };
}
/// A stage of the records that begin with the letter it is named by.
Pattern<Seen> first(const std::string& name) { return pattern<Seen>(name).where(is(name)); }

struct Found {
  Texts matches;
  Texts over;
  Texts late;
  Texts letters;
  Status status;
  detail::Report report;
};

Row row_of(const Match<Seen>& match) {
  Row row;
  for (std::size_t at = 0; at < match.size(); ++at)
    row.text += (at > 0 ? " " : "") + match.at(at).record.name;
  return row;
}
Row timed_row_of(const Match<Seen>& match) {
  Row row = row_of(match);
  row.text += " @" + std::to_string(match.time().micros / 1'000'000);
  return row;
}
auto into(Texts& list) {
  return each([&list](const Row& row) { list.push_back(row.text); });
}

Found find(const Pattern<Seen>& wanted, const std::string& text, bool timed = false) {
  Found found;
  Topology topology("patterns");
  const auto row = [timed](const Match<Seen>& match) {
    return timed ? timed_row_of(match) : row_of(match);
  };
  const auto matches = topology.from(records(std::vector<std::vector<Seen>>{seen(text)}))
                           .event_time(&Seen::when)
                           .key_by([](const Seen&) { return std::int32_t{0}; })
                           .match(wanted)
                           .select(row, timed_row_of);
  matches.to(into(found.matches));
  matches.timed_out().to(into(found.over));
  matches.late().to(each([&](const Seen& one) { found.late.push_back(one.name); }));
  matches.errors().to(each([&](const DeadLetter& letter) {
    found.letters.push_back(letter.reason + " " + letter.record);
  }));
  const auto problems = topology.declaration().graph.validate();
  if (!problems.empty()) {
    found.status = problems.front();
    return found;
  }
  const detail::Ended ended = detail::simulate(topology, 1);
  found.status = ended.status;
  found.report = ended.report;
  return found;
}
Texts matches(const Pattern<Seen>& wanted, const std::string& text) {
  const Found found = find(wanted, text);
  EXPECT_TRUE(found.status.ok()) << found.status.to_string();
  return found.matches;
}

TEST(Contiguity, SaysWhatMayLieBetween) {
  const std::string input = "a c b1 b2";
  EXPECT_THAT(matches(first("a").next("b").where(is("b")), input), IsEmpty());
  EXPECT_THAT(matches(first("a").followed_by("b").where(is("b")), input), ElementsAre("a b1"));
  EXPECT_THAT(matches(first("a").followed_by_any("b").where(is("b")), input),
              ElementsAre("a b1", "a b2"));
  EXPECT_THAT(matches(first("a").next("b").where(is("b")), "a b1 b2"), ElementsAre("a b1"));
}

TEST(Absence, MayHaveATimeOfItsOwn) {
  const auto paid = first("a").times(2).not_followed_by("n").where(is("n"));
  const auto decided = paid.lasting(std::chrono::seconds(3)).within(std::chrono::seconds(5));
  EXPECT_THAT(find(decided, "a1@1 a2@5 x@7 n@8", true).matches, ElementsAre("a1 a2 @8"))
      << "within is of what is taken; none came at times below 8";
  EXPECT_THAT(find(decided, "a1@1 a2@5 n@7 n@9", true).matches, IsEmpty());
  EXPECT_THAT(find(decided, "a1@1 a2@6 x@20", true).over, ElementsAre("a1 @6", "a2 @11"));
  EXPECT_THAT(find(paid.lasting(std::chrono::seconds(3)), "a1@1 a2@5", true).matches,
              ElementsAre("a1 a2 @8"))
      << "it needs no within";
  const auto more =
      first("a").one_or_more().not_followed_by("n").where(is("n")).lasting(std::chrono::seconds(2));
  EXPECT_THAT(find(more, "a1@1 a2@2 a3@9", true).matches,
              ElementsAre("a1 @3", "a1 a2 @4", "a2 @4", "a3 @11"))
      << "what is decided goes no further";
  EXPECT_THAT(find(paid, "a1 a2").status.message(), HasSubstr("or \"n\" a lasting(...)"));
  EXPECT_THAT(find(first("a").next("b").lasting(std::chrono::seconds(1)), "a1").status.message(),
              HasSubstr("stage \"b\": lasting is for a not_followed_by at the end"));
}

TEST(Repetition, IsOfThreeContiguities) {
  const std::string input = "c d a1 a2 a3 d a4 b";
  const auto with = [](const Pattern<Seen>& repeated) {
    return repeated.followed_by("b").where(is("b"));
  };
  const auto many = first("c").followed_by("a").where(is("a")).one_or_more();
  EXPECT_THAT(matches(with(many), input),
              UnorderedElementsAre("c a1 b", "c a1 a2 b", "c a1 a2 a3 b", "c a1 a2 a3 a4 b"));
  EXPECT_THAT(matches(with(many.consecutive()), input),
              UnorderedElementsAre("c a1 b", "c a1 a2 b", "c a1 a2 a3 b"));
  EXPECT_THAT(matches(with(many.allow_combinations()), input),
              UnorderedElementsAre("c a1 b", "c a1 a2 b", "c a1 a3 b", "c a1 a4 b", "c a1 a2 a3 b",
                                   "c a1 a2 a4 b", "c a1 a3 a4 b", "c a1 a2 a3 a4 b"));
}

TEST(Repetition, MayBeginAnywhereBehind) {
  const std::string input = "a b1 d1 b2 d2 b3 c";
  const auto many = first("a").followed_by_any("b").where(is("b")).one_or_more();
  EXPECT_THAT(matches(many.consecutive().followed_by("c").where(is("c")), input),
              UnorderedElementsAre("a b1 c", "a b2 c", "a b3 c"));
  EXPECT_THAT(
      matches(many.followed_by("c").where(is("c")), input),
      UnorderedElementsAre("a b1 c", "a b1 b2 c", "a b1 b2 b3 c", "a b2 c", "a b2 b3 c", "a b3 c"));
  EXPECT_THAT(matches(many.allow_combinations().followed_by("c").where(is("c")), input),
              UnorderedElementsAre("a b1 c", "a b1 b2 c", "a b1 b3 c", "a b1 b2 b3 c", "a b2 c",
                                   "a b2 b3 c", "a b3 c"));
}

TEST(Repetition, HasBounds) {
  EXPECT_THAT(matches(first("a").times(2), "a1 a2 a3"), ElementsAre("a1 a2", "a2 a3"));
  EXPECT_THAT(matches(first("a").times(2, 3), "a1 a2 a3"),
              ElementsAre("a1 a2", "a1 a2 a3", "a2 a3"));
  EXPECT_THAT(matches(first("a").times_or_more(2), "a1 x a2 a3"),
              ElementsAre("a1 a2", "a1 a2 a3", "a2 a3"));
  EXPECT_THAT(matches(first("a").times(3).consecutive(), "a1 a2 x a3 a4 a5"),
              ElementsAre("a3 a4 a5"));
}

TEST(Repetition, EndsWithUntil) {
  EXPECT_THAT(matches(first("a").one_or_more().until(is("b")), "a1 c a2 b a3"),
              ElementsAre("a1", "a1 a2", "a2", "a3"));
}

TEST(Optional, MayBeMissing) {
  const auto maybe = first("a").next("b").where(is("b")).optional().next("c").where(is("c"));
  EXPECT_THAT(matches(maybe, "a c a b c a x c"), ElementsAre("a c", "a b c"));
  const auto loose =
      first("a").followed_by("b").where(is("b")).optional().followed_by("c").where(is("c"));
  EXPECT_THAT(matches(loose, "a b c"), UnorderedElementsAre("a b c", "a c"));
  const auto begin = pattern<Seen>("a").where(is("a")).optional().next("b").where(is("b"));
  EXPECT_THAT(matches(begin, "a b"), ElementsAre("a b", "b"));
}

TEST(Greedy, LeavesNothingThatItCanTake) {
  const auto both = [](const Pattern<Seen>& front) {
    return front.followed_by("end").where(is("ab"));
  };
  const auto many = first("c").followed_by("a").where(is("a")).one_or_more();
  EXPECT_THAT(matches(both(many), "c a1 a2 b"), ElementsAre("c a1 a2", "c a1 a2 b"));
  EXPECT_THAT(matches(both(many.greedy()), "c a1 a2 b"), ElementsAre("c a1 a2 b"));
  EXPECT_THAT(matches(both(many.greedy()), "c a1 x a2 x b"), ElementsAre("c a1 a2 b"));
  EXPECT_THAT(matches(both(many.greedy().optional()), "c b"), ElementsAre("c b"));
}

TEST(Not, LooksAtTheNextOrAtAllBetween) {
  const auto next = first("a").not_next("n").where(is("n")).followed_by("b").where(is("b"));
  EXPECT_THAT(matches(next, "a1 n b1 a2 x n b2"), ElementsAre("a2 b2"));
  const auto between =
      first("a").not_followed_by("n").where(is("n")).followed_by("b").where(is("b"));
  EXPECT_THAT(matches(between, "a1 x n b1 a2 x b2"), ElementsAre("a2 b2"));
}

TEST(Not, IsDecidedByTimeAtTheEnd) {
  const auto alone = first("a").not_followed_by("b").where(is("b")).within(10s);
  const Found found = find(alone, "a1@0 b@9 a2@20 x@29 b@30 a3@100", true);
  EXPECT_THAT(found.matches, ElementsAre("a2 @30", "a3 @110"));
  EXPECT_THAT(found.over, IsEmpty());
  EXPECT_THAT(matches(first("a").not_next("b").where(is("b")).within(10s), "a1 b a2 x b"),
              ElementsAre("a2"));
}

TEST(Within, LeavesItsEndOut) {
  const auto pair = first("a").followed_by("b").where(is("b")).within(10s);
  const Found found = find(pair, "a1@0 b@10 a2@20 b@29 a3@40 a4@41", true);
  EXPECT_THAT(found.matches, ElementsAre("a2 b @29"));
  EXPECT_THAT(found.over, ElementsAre("a1 @10", "a3 @50", "a4 @51"));
}

TEST(Within, MayBeBetweenNeighbours) {
  const auto chain =
      first("a").followed_by("b").where(is("b")).followed_by("c").where(is("c")).within_neighbours(
          10s);
  const Found found = find(chain, "a1@0 b@9 c@18 a2@30 b@35 c@45", true);
  EXPECT_THAT(found.matches, ElementsAre("a1 b c @18"));
  EXPECT_THAT(found.over, ElementsAre("a2 b @45"));
}

TEST(Within, IsOverByTheRecordsOfOtherKeys) {
  Texts found;
  Texts over;
  Topology topology("two keys");
  const auto matches = topology.from(records(std::vector<std::vector<Seen>>(1)))
                           .named("seen")
                           .event_time(&Seen::when)
                           .key_by(&Seen::name)
                           .match(pattern<Seen>("a").times(2).within(10s))
                           .select(timed_row_of, timed_row_of);
  matches.to(into(found));
  matches.timed_out().to(into(over));
  TestDriver driver(topology);
  auto input = driver.input<Seen>("seen");
  for (const Seen& one : seen("a@0 x@9")) input.pipe(one);
  EXPECT_THAT(over, IsEmpty());
  for (const Seen& one : seen("y@11")) input.pipe(one);
  EXPECT_THAT(over, ElementsAre("a @10"));
  for (const Seen& one : seen("y@12 z@13")) input.pipe(one);
  EXPECT_THAT(found, ElementsAre("y y @12"));
}

TEST(Within, EqualTimesGoByPlaceAndLateRecordsAside) {
  const Found found = find(first("a").next("b").where(is("b")).within(10s), "a@5 b@5 x@5 b@3");
  EXPECT_THAT(found.matches, ElementsAre("a b"));
  EXPECT_THAT(found.late, ElementsAre("b"));
  EXPECT_EQ(found.report.components.at(2).late, 1u);
}

TEST(Group, RepeatsAsAWhole) {
  const auto group = first("a").followed_by("b").where(is("b"));
  EXPECT_THAT(
      matches(first("s").next(group).times(2).next("e").where(is("e")), "s a1 b1 a2 b2 e a3 b3"),
      ElementsAre("s a1 b1 a2 b2 e"));
  EXPECT_THAT(matches(first("s").next(group).optional().next("e").where(is("e")), "s e s a b e"),
              ElementsAre("s e", "s a b e"));
  EXPECT_THAT(matches(pattern(group).times(2).consecutive(), "a1 b1 a2 x b2 y a3 b3"),
              ElementsAre("a1 b1 a2 b2"));
}

TEST(Skip, IsAsItIsTold) {
  const auto many = first("b").one_or_more().consecutive().next("c").where(is("c"));
  const std::string input = "b1 b2 b3 c";
  EXPECT_THAT(matches(many, input), ElementsAre("b1 b2 b3 c", "b2 b3 c", "b3 c"));
  EXPECT_THAT(matches(many.skip_to_next(), input), ElementsAre("b1 b2 b3 c", "b2 b3 c", "b3 c"));
  EXPECT_THAT(matches(many.skip_past_last(), input), ElementsAre("b1 b2 b3 c"));
  EXPECT_THAT(matches(many.skip_to_first("b"), input),
              ElementsAre("b1 b2 b3 c", "b2 b3 c", "b3 c"));
  EXPECT_THAT(matches(many.skip_to_last("b"), input), ElementsAre("b1 b2 b3 c", "b3 c"));
  const auto end = first("a").followed_by("b").where(is("b")).one_or_more();
  EXPECT_THAT(matches(end, "a b1 b2 b3"), ElementsAre("a b1", "a b1 b2", "a b1 b2 b3"));
  EXPECT_THAT(matches(end.skip_to_next(), "a b1 b2 b3"), ElementsAre("a b1"));
}

TEST(Skip, GoesToTheFirstOfAGreedyStage) {
  const auto steps = pattern<Seen>("x")
                         .where(is("abc"))
                         .next("y")
                         .where(is("bc"))
                         .next("c")
                         .where(is("c"))
                         .one_or_more()
                         .consecutive()
                         .greedy()
                         .next("d")
                         .where(is("d"));
  const std::string input = "a b c1 c2 c3 d";
  EXPECT_THAT(matches(steps, input), ElementsAre("a b c1 c2 c3 d", "b c1 c2 c3 d", "c1 c2 c3 d"));
  EXPECT_THAT(matches(steps.skip_to_first("c"), input),
              ElementsAre("a b c1 c2 c3 d", "c1 c2 c3 d"));
}

TEST(Skip, WaitsForWhatBeganBefore) {
  const auto pair = first("a").followed_by("b").where(is("b")).within(10s).skip_past_last();
  const auto rows = find(first("a")
                             .followed_by("m")
                             .where(is("m"))
                             .optional()
                             .followed_by("b")
                             .where(is("b"))
                             .within(10s)
                             .skip_past_last(),
                         "a1@0 a2@5 b@6", true);
  EXPECT_THAT(rows.matches, ElementsAre("a1 b @6"));
  EXPECT_THAT(matches(pair, "a1@0 a2@9 b@12 a3@13 b@14"), ElementsAre("a2 b", "a3 b"));
}

TEST(Skip, ThatMissesItsStageIsADeadLetter) {
  const auto maybe = first("a").next("m").where(is("m")).optional().next("b").where(is("b"));
  const Found found = find(maybe.skip_to_first("m").fail_on_miss(), "a1 b1 a2 m b2");
  EXPECT_THAT(found.matches, ElementsAre("a2 m b2"));
  ASSERT_EQ(found.letters.size(), 1u);
  EXPECT_THAT(found.letters[0], HasSubstr("no record of stage \"m\""));
  EXPECT_THAT(found.letters[0], HasSubstr("b1"));
  EXPECT_THAT(matches(maybe.skip_to_first("m"), "a1 b1"), ElementsAre("a1 b1"));
}

TEST(Conditions, SeeWhatWasMatched) {
  const auto rising =
      pattern<Seen>("up").one_or_more().where([](const Seen& one, const Matched<Seen>& before) {
        return before.empty() || before.last("up")->name < one.name;
      });
  EXPECT_THAT(matches(rising.consecutive().times(3), "a b c b d e"), ElementsAre("a b c", "b d e"));
  const auto same = first("a").followed_by("b").where(is("b")).where(
      [](const Seen& one, const Matched<Seen>& before) {
        return one.name.substr(1) == before["a"].name.substr(1) && before.count("a") == 1 &&
               before.all("b").empty() && before.first("b") == nullptr;
      });
  EXPECT_THAT(matches(same, "a1 b2 b1"), ElementsAre("a1 b1"));
  EXPECT_THAT(matches(first("a").or_where(is("b")).times(2), "a1 x b1"), ElementsAre("a1 b1"));
}

TEST(Conditions, ThatThrowMakeTheRecordADeadLetter) {
  const auto pair = first("a").next("b").where([](const Seen& one) {
    if (one.name == "bad") throw std::runtime_error("as asked");
    return one.name.front() == 'b';
  });
  const Found found = find(pair, "a1 bad b1");
  EXPECT_THAT(found.matches, ElementsAre("a1 b1"));
  ASSERT_EQ(found.letters.size(), 1u);
  EXPECT_THAT(found.letters[0], HasSubstr("as asked"));
  const Found typo = find(first("a").next("b").where([](const Seen&, const Matched<Seen>& before) {
    return before.last("B") != nullptr;
  }),
                          "a b");
  ASSERT_EQ(typo.letters.size(), 1u);
  EXPECT_THAT(typo.letters[0], HasSubstr("the pattern has no stage \"B\""));
}

TEST(Rows, OfEachRecordOfAMatch) {
  Texts rows;
  Texts over;
  Topology topology("rows");
  const auto row = [](const Match<Seen>& match, const MatchedRecord<Seen>& of) {
    return Row{std::string(of.stage) + "=" + of.record.name + " of " +
               std::to_string(match.size())};
  };
  const auto all = topology.from(records(std::vector<std::vector<Seen>>{seen("a1 b1 b2 a2")}))
                       .event_time(&Seen::when)
                       .key_by([](const Seen&) { return std::int32_t{0}; })
                       .match(first("a").followed_by("b").where(is("b")).times(2).within(10s))
                       .all_rows(row, row)
                       .named("found")
                       .parallel(2);
  all.to(into(rows));
  all.timed_out().to(into(over));
  const detail::Ended ended = detail::run(topology);
  EXPECT_TRUE(ended.status.ok());
  EXPECT_THAT(rows, ElementsAre("a=a1 of 3", "b=b1 of 3", "b=b2 of 3"));
  EXPECT_THAT(over, ElementsAre("a=a2 of 1"));
}

TEST(PatternsAsData, AreWhatSentencesMake) {
  const auto stage = [](std::string name) {
    PatternStage<Seen> made(name);
    made.where = is(name);
    return made;
  };
  PatternStage<Seen> group;
  group.kind = StageKind::group;
  group.contiguity = Contiguity::next;
  group.times_max = kAnyTimes;
  group.stages = {stage("b"), stage("c")};
  group.stages.back().optional = true;
  PatternStage<Seen> not_next = stage("n");
  not_next.kind = StageKind::not_next;
  const Pattern<Seen> made({stage("a"), group, not_next, stage("e")});
  EXPECT_EQ(made.to_string(), "a next (b followed_by c?)+ not_next n followed_by e");
  EXPECT_THAT(matches(made, "a b1 c1 b2 x e a b n e"),
              ElementsAre("a b1 c1 b2 e", "a b1 c1 e", "a b1 b2 e", "a b1 e"));
  const Pattern<Seen> said = first("a")
                                 .next(first("b").followed_by("c").where(is("c")).optional())
                                 .one_or_more()
                                 .not_next("n")
                                 .where(is("n"))
                                 .followed_by("e")
                                 .where(is("e"));
  EXPECT_EQ(said.to_string(), made.to_string());
  EXPECT_EQ(said.stages().size(), 4u);
}

std::string refusal(const Pattern<Seen>& pattern) {
  const Found found = find(pattern, "a");
  EXPECT_EQ(found.status.code(), Code::parameter_invalid);
  return found.status.to_string();
}

TEST(PatternsThatCannotBe, AreRefusedWithASentence) {
  EXPECT_THAT(refusal(Pattern<Seen>({})), HasSubstr("it has no stage"));
  EXPECT_THAT(refusal(first("a").optional()), HasSubstr("every stage is optional"));
  EXPECT_THAT(refusal(first("a").next("a")), HasSubstr("another stage has this name"));
  EXPECT_THAT(refusal(first("a b")), HasSubstr("without spaces"));
  EXPECT_THAT(refusal(first("a").times(0, 2)), HasSubstr("times needs 1 or more"));
  EXPECT_THAT(refusal(first("a").times(3, 2)), HasSubstr("times needs 1 or more"));
  EXPECT_THAT(refusal(first("a").not_followed_by("b")), HasSubstr("give the pattern a within"));
  EXPECT_THAT(refusal(first("a").within(0s)), HasSubstr("a span greater than 0"));
  EXPECT_THAT(refusal(first("a").one_or_more().greedy()),
              HasSubstr("a stage that is not optional must follow"));
  EXPECT_THAT(refusal(first("a").times(2).greedy().allow_combinations().next("b")),
              HasSubstr("exclude each other"));
  EXPECT_THAT(refusal(first("a").consecutive()), HasSubstr("for a repetition"));
  EXPECT_THAT(refusal(first("a").times(2).until(is("b"))), HasSubstr("until ends one_or_more"));
  EXPECT_THAT(refusal(first("a").skip_to_first("x")), HasSubstr("no stage of it"));
  EXPECT_THAT(refusal(first("a").fail_on_miss()), HasSubstr("fail_on_miss() is for"));
  EXPECT_THAT(refusal(pattern(first("a").within(1s))), HasSubstr("a group has no within"));
  EXPECT_THAT(refusal(pattern(first("a").optional()).next("b")),
              HasSubstr("a group needs a stage that is not optional"));
  EXPECT_THAT(refusal(first("a").times(20'000)), HasSubstr("too large"));
  EXPECT_THAT(refusal(pattern(first("a").next("b")).greedy().next("c")),
              HasSubstr("a group cannot be greedy"));
}

}  // namespace
}  // namespace millrace
