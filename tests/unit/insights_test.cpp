// Tests of insights over hand-made reports: each trouble is said, and only when it is one.
#include "metrics/insights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr Time kHour = 3'600'000'000;

ComponentReport component(std::string name, std::uint32_t chain, std::uint64_t received = 0,
                          std::uint64_t emitted = 0) {
  ComponentReport report;
  report.name = std::move(name);
  report.chain = chain;
  report.received = received;
  report.processed = received;
  report.emitted = emitted;
  return report;
}

EdgeReport edge(std::string from, std::string to, std::uint64_t sent = 0) {
  EdgeReport report;
  report.from = std::move(from);
  report.to = std::move(to);
  report.sent = sent;
  report.rings = 1;
  return report;
}

TaskReport task(std::uint32_t chain, int executor, double busy) {
  TaskReport report;
  report.chain = chain;
  report.executor = executor;
  report.busy_share = busy;
  report.state = "running";
  return report;
}

/// edits -> count -> shown, each in a task of its own.
Report calm() {
  Report report;
  report.state = "running";
  report.speed = 1;
  report.components = {component("edits", 0, 1000, 1000), component("count", 1, 1000, 10),
                       component("shown", 2, 10)};
  report.edges = {edge("edits", "count", 1000), edge("count", "shown", 10)};
  report.chains = {{{"edits"}, 1, 0, 0}, {{"count"}, 1, 0, 0}, {{"shown"}, 1, 0, 0}};
  report.tasks = {task(0, 0, 0.2), task(1, 1, 0.3), task(2, 0, 0.1)};
  return report;
}

std::vector<std::string> texts(const std::vector<Insight>& insights) {
  std::vector<std::string> all;
  for (const Insight& insight : insights) all.push_back(insight.text);
  return all;
}

Insight only(const Report& before, const Report& now) {
  const auto found = find_troubles(before, now);
  EXPECT_EQ(found.size(), 1u) << testing::PrintToString(texts(found));
  if (found.empty()) return {};
  EXPECT_FALSE(found.front().advice.empty()) << "each says what to do";
  return found.front();
}

TEST(Insights, SayNothingOfACalmTopology) {
  EXPECT_THAT(texts(find_troubles(calm(), calm())), IsEmpty());
  EXPECT_THAT(texts(find_troubles({}, calm())), IsEmpty());
  EXPECT_THAT(texts(find_troubles({}, {})), IsEmpty());
}

TEST(Insights, NameTheBusyComponentAndWhoWaits) {
  Report now = calm();
  now.edges[0].fill = 1;
  now.components[0].blocked_share = 0.82;
  now.tasks[1].busy_share = 0.97;
  Insight insight = only(calm(), now);
  EXPECT_EQ(insight.kind, "busy");
  EXPECT_EQ(insight.severity, "warning");
  EXPECT_EQ(insight.component, "count");
  EXPECT_EQ(insight.text,
            "\"count\" is busy 97 % of the time, and \"edits\" waits for it 82 % of the time.");
  EXPECT_THAT(insight.advice, HasSubstr("--parallelism"));

  now.speed = 0;
  EXPECT_EQ(only(calm(), now).severity, "info") << "a replay at full speed always has a slowest";
  Report before = calm();
  before.watermark_lag_ms = 1000;
  now.watermark_lag_ms = 9000;
  EXPECT_EQ(only(before, now).severity, "warning") << "but not one that falls behind";
}

TEST(Insights, BlameTheLastOfSeveralThatWait) {
  Report now = calm();
  now.edges[0].fill = now.edges[1].fill = 1;
  now.components[0].blocked_share = now.components[1].blocked_share = 0.9;
  now.tasks[2].busy_share = 0.99;
  const Insight insight = only(calm(), now);
  EXPECT_EQ(insight.component, "shown");
  EXPECT_THAT(insight.text, HasSubstr("\"count\" waits for it 90 %"));
  EXPECT_THAT(insight.advice, HasSubstr("a sink has one task"));
}

TEST(Insights, BlameAFullThreadRatherThanAComponentThatSharesIt) {
  Report now = calm();
  now.edges[0].fill = 1;
  now.components[0].blocked_share = 0.5;
  now.executors = 1;
  now.tasks = {task(0, 0, 0.4), task(1, 0, 0.5), task(2, 0, 0.1)};
  const Insight insight = only(calm(), now);
  EXPECT_THAT(insight.text, StartsWith("\"count\" shares a thread that is 100 % busy"));
  EXPECT_THAT(insight.advice, HasSubstr("--executors"));
}

TEST(Insights, NameTheSlowComponentOfAFusedChain) {
  Report now = calm();
  now.components.push_back(component("score", 1, 1000, 10));
  now.components.back().busy_share = 0.9;
  now.edges[0].fill = 1;
  now.components[0].blocked_share = 0.5;
  now.tasks[1].busy_share = 0.95;
  EXPECT_EQ(only(calm(), now).component, "score");
}

TEST(Insights, AnIdlePartitionHoldsNobody) {
  Report now = calm();
  now.components[0].partitions = {{"a.jsonl", 10 * kHour}, {"b.jsonl", 2 * kHour, true}};
  EXPECT_THAT(find_troubles(now, now), IsEmpty());
  now.components[0].partitions.push_back({"c.jsonl", 3 * kHour});
  EXPECT_THAT(find_troubles(now, now).front().text, HasSubstr("\"c.jsonl\" holds event time"));
}

TEST(Insights, TellWhoWaitsForOthers) {
  Report now = calm();
  now.components[0].held_by_alignment = true;
  const Insight insight = find_troubles(now, now).front();
  EXPECT_EQ(insight.kind, "aligned");
  EXPECT_THAT(insight.text, HasSubstr("\"edits\" waits"));
}

TEST(Insights, TellThePartitionThatHoldsTime) {
  Report now = calm();
  now.components[0].partitions = {{"a.jsonl", 10 * kHour}, {"b.jsonl", 2 * kHour}};
  const Insight insight = only(now, now);
  EXPECT_EQ(insight.kind, "held_time");
  EXPECT_EQ(insight.text,
            "\"b.jsonl\" holds event time at 1970-01-01T02:00:00Z: nothing newer came from it, "
            "while others are at 1970-01-01T10:00:00Z.");
  Report moved = now;
  moved.components[0].partitions[1].watermark = 3 * kHour;
  EXPECT_THAT(texts(find_troubles(now, moved)), IsEmpty()) << "it moves on";
  Report silent = now;
  silent.components[0].partitions[1].watermark = std::nullopt;
  EXPECT_THAT(only(silent, silent).text, HasSubstr("nothing came from it yet"));
  Report ended = now;
  ended.components[0].partitions[0].watermark = kTimeMax;
  EXPECT_THAT(only(ended, ended).text, HasSubstr("others have ended"));
  ended.components[0].partitions[1].watermark = kTimeMax;
  EXPECT_THAT(texts(find_troubles(ended, ended)), IsEmpty());
}

TEST(Insights, NameTheHotKeyAndItsTask) {
  Report now = calm();
  now.components[1].tasks = 4;
  now.components[1].skew = SkewReport{0.61, 0.25, 3};
  now.components[1].hot_key = HotKeyReport{"#en.wikipedia", 0.58, 812};
  const Insight insight = only(calm(), now);
  EXPECT_EQ(insight.kind, "hot_key");
  EXPECT_EQ(insight.severity, "info");
  EXPECT_EQ(insight.text,
            "\"#en.wikipedia\" is the key of 58 % of the records (sampled); task 3 of \"count\" "
            "took 61 % of its records (even: 25 %).");
  now.components[1].queue_fill = 1;
  EXPECT_EQ(only(calm(), now).severity, "warning");
  now.components[1].hot_key.reset();
  EXPECT_EQ(only(calm(), now).kind, "skew");
  now.components[1].skew->share = 0.3;
  EXPECT_THAT(texts(find_troubles(calm(), now)), IsEmpty());
}

TEST(Insights, TellMemoryNearItsBudget) {
  Report now = calm();
  now.memory_bytes = 95'000'000;
  EXPECT_THAT(texts(find_troubles(calm(), now)), IsEmpty()) << "no budget";
  now.memory.budget_bytes = 100'000'000;
  EXPECT_EQ(only(calm(), now).text, "95 MB of the 100 MB budget are in use (95 %).");
  now.memory_bytes = 101'000'000;
  EXPECT_EQ(only(calm(), now).severity, "error");
}

TEST(Insights, TellWhichSourceWaitsForMemory) {
  Report now = calm();
  now.components[0].held_by_memory = true;
  now.memory.queued_bytes = 3'000'000;
  now.memory.arenas_bytes = 1'200'000;
  now.memory.in_flight_max_bytes = 4'000'000;
  const Insight insight = only(calm(), now);
  EXPECT_EQ(insight.component, now.components[0].name);
  EXPECT_EQ(insight.text,
            "\"" + insight.component +
                "\" waits: 4.2 MB of the 4.0 MB for records on their way are in use.");
  now.memory.images_bytes = 5'000'000;
  EXPECT_EQ(only(calm(), now).text,
            "\"" + insight.component +
                "\" waits: 9.2 MB of the 4.0 MB for records on their way are in use, most of it by "
                "an epoch that waits for its disk.");
}

TEST(Insights, TellRisingDeadLettersWithTheirReason) {
  Report now = calm();
  now.components[1].received += 100;
  now.components[1].dead_lettered = 7;
  now.components[1].errors = {{"the field \"delta\" is text", "edits.jsonl:12", "{", 1, 7}};
  const Insight insight = only(calm(), now);
  EXPECT_EQ(insight.severity, "warning");
  EXPECT_EQ(insight.text,
            "\"count\" gave up 7 records just now (7 % of what it took): the field \"delta\" is "
            "text (at edits.jsonl:12).");
  EXPECT_THAT(texts(find_troubles(now, now)), IsEmpty()) << "they do not rise";
  now.components[1].dead_lettered = 80;
  EXPECT_EQ(only(calm(), now).severity, "error");
}

TEST(Insights, TellLateRecords) {
  Report now = calm();
  now.components[1].received += 1000;
  now.components[1].late = 30;
  EXPECT_THAT(only(calm(), now).text,
              StartsWith("30 records came too late for the windows of \"count\" just now (3 %"));
  now.components[1].late = 9;
  EXPECT_THAT(texts(find_troubles(calm(), now)), IsEmpty());
}

TEST(Insights, TellASlowStepAndOneThatDoesNotEnd) {
  Report now = calm();
  now.components[1].step_us_max = 85'000;
  now.components[1].step_us_p50 = 400;
  EXPECT_EQ(only(calm(), now).text,
            "One call of \"count\" took 85 ms (half of them: 400 us or less).");
  now.components[1].step_us_max = 19'000;
  EXPECT_THAT(texts(find_troubles(calm(), now)), IsEmpty());

  now.tasks[2].running = "shown";
  now.tasks[2].running_us = 3.2e6;
  now.components[2].queued = 2000;
  Insight insight = only(calm(), now);
  EXPECT_EQ(insight.kind, "stuck");
  EXPECT_EQ(insight.severity, "warning");
  EXPECT_EQ(insight.text,
            "\"shown\" has not come back from one call for 3.2 s; 2,000 records wait for it.");
  EXPECT_THAT(insight.advice, HasSubstr("a disk, a pipe, a service"));
  now.tasks[2].running_us = 12e6;
  EXPECT_EQ(only(calm(), now).severity, "error");
}

TEST(Insights, TellFailureAndPauseWorstFirst) {
  Report now = calm();
  now.active = false;
  EXPECT_EQ(only(calm(), now).kind, "paused");
  now.components[1].dead_lettered = 1000;
  now.components[1].received = 2000;
  now.components[1].step_us_max = 85'000;
  std::vector<std::string> kinds;
  for (const Insight& insight : find_troubles(calm(), now)) kinds.push_back(insight.kind);
  EXPECT_THAT(kinds, ElementsAre("dead_letters", "slow_step", "paused"));
  now.state = "failed";
  now.error = "3001 it broke";
  EXPECT_EQ(only(calm(), now).text, "The topology failed: 3001 it broke.");
  now.state = "finished";
  EXPECT_THAT(texts(find_troubles(calm(), now)), IsEmpty());
}

TEST(Insights, AreAtMostTwenty) {
  Report now = calm();
  for (int at = 0; at < 100; ++at) {
    now.components.push_back(component("c" + std::to_string(at), 1));
    now.components.back().step_us_max = 50'000;
  }
  EXPECT_EQ(find_troubles(calm(), now).size(), 20u);
}

/// edits -> clock -> count -> shown, where nothing has moved yet.
Report empty() {
  Report report;
  report.state = "running";
  report.components = {component("edits", 0), component("clock", 0), component("count", 0),
                       component("shown", 0)};
  report.edges = {edge("edits", "clock"), edge("clock", "count"), edge("count", "shown")};
  ViewReport& view = report.views.emplace_back();
  view.name = "shown";
  return report;
}

void pass(Report& report, std::size_t at, std::uint64_t records) {
  report.components[at].received = report.components[at].processed = records;
  report.components[at].emitted = records;
  report.edges[at].sent = records;
}

std::string why(const Report& report) { return why_empty(report, report.views.front()); }

TEST(Insights, MessagesThatFailAndThoseThatAreOld) {
  Report now = calm();
  now.components[1].failed = 12;
  now.components[1].received += 12;
  now.components[1].errors = {{"no answer", "", "", 0, 12}};
  now.components[0].acks =
      AckReport{.slowest = {{"edits partition 0, message 7", 10, 95'000, 0, 1, ""},
                            {"edits partition 0, message 17", 10, 90'000, 3, 0, "count"}}};
  EXPECT_THAT(texts(find_troubles(calm(), now)),
              ElementsAre(StartsWith("\"count\" failed at 12 records just now, whose messages are "
                                     "played again: no answer."),
                          StartsWith("Messages of \"edits\" have been on their way for 90 s (from "
                                     "edits partition 0, message 17), last seen at \"count\".")));
  now = calm();
  now.components[0].acks =
      AckReport{.slowest = {{"edits partition 0, message 7", 10, 500, 3, 0, ""}}};
  EXPECT_THAT(find_troubles(calm(), now), IsEmpty());
}

TEST(EmptyView, HasNothingToSayOnceItHadARow) {
  Report report = empty();
  report.views[0].records = 1;
  EXPECT_EQ(why(report), "");
}

TEST(EmptyView, NothingReadYet) {
  EXPECT_EQ(why(empty()), "Nothing has been read yet: \"edits\" waits for input.");
  Report paused = empty();
  paused.active = false;
  EXPECT_EQ(why(paused), "Nothing is read: the sources are paused. Resume them.");
  Report ended = empty();
  ended.state = "finished";
  ended.components[0].watermark = kTimeMax;
  EXPECT_EQ(why(ended),
            "The topology has ended without a row. \"edits\" has ended and had no record. Look at "
            "its input.");
}

TEST(EmptyView, AllBecameDeadLetters) {
  Report report = empty();
  report.components[0].received = report.components[0].dead_lettered = 12;
  report.components[0].errors = {{"it is not JSON", "edits.jsonl:1", "x", 1, 12}};
  EXPECT_EQ(why(report),
            "Every record that \"edits\" read became a dead letter: it is not JSON (at "
            "edits.jsonl:1). Mend the input.");
  pass(report, 0, 5);
  pass(report, 1, 5);
  report.components[2].received = report.components[2].dead_lettered = 5;
  EXPECT_EQ(why(report), "\"count\" gave all 5 records up. Mend the input, or let it take them.");
}

TEST(EmptyView, AllFilteredOrLate) {
  Report report = empty();
  pass(report, 0, 500);
  pass(report, 1, 500);
  ComponentReport& count = report.components[2];
  count.received = count.filtered = 500;
  EXPECT_EQ(why(report), "\"count\" has filtered all 500 records out. Look at its condition.");
  count.filtered = 0;
  count.late = 500;
  count.watermark = kHour;
  EXPECT_EQ(why(report),
            "All 500 records came too late for the windows of \"count\": event time was at "
            "1970-01-01T01:00:00Z already. Raise out_of_order of event_time.");
  count.filtered = 100;
  count.late = 400;
  EXPECT_THAT(why(report), StartsWith("\"count\" passed none of 500 records on: 100 filtered out"));
}

TEST(EmptyView, TheWindowHasNotClosed) {
  Report report = empty();
  pass(report, 0, 500);
  pass(report, 1, 500);
  ComponentReport& count = report.components[2];
  count.received = count.processed = 500;
  count.closes_at = kHour;
  count.watermark = kHour / 2;
  EXPECT_EQ(why(report),
            "No window of \"count\" has closed yet: the first closes when event time passes "
            "1970-01-01T01:00:00Z; it is at 1970-01-01T00:30:00Z now.");
  report.components[1].partitions = {{"a", 3 * kHour}, {"b", kHour / 2}};
  EXPECT_THAT(why(report), HasSubstr("now. \"b\" holds it: it stands at 1970-01-01T00:30:00Z"));
  report.components[1].partitions[1].watermark = std::nullopt;
  count.watermark = std::nullopt;
  EXPECT_THAT(why(report), HasSubstr("it has not begun. \"b\" holds it: nothing came"));
  count.closes_at = kTimeMax;
  EXPECT_THAT(why(report), HasSubstr("emits at the end of input"));
}

TEST(EmptyView, HeldByAReplayOrOnTheWay) {
  Report report = empty();
  pass(report, 0, 8);
  report.components[1].received = report.components[1].in_flight = 8;
  EXPECT_THAT(why(report), StartsWith("\"clock\" holds 8 records until they are due"));
  pass(report, 1, 8);
  pass(report, 2, 8);
  EXPECT_EQ(why(report), "On the way from \"count\": 8 records.");
}

TEST(EmptyView, TheRecordsWentAnotherWay) {
  Report report = empty();
  pass(report, 0, 8);
  pass(report, 1, 8);
  report.edges[1].sent = 0;
  EXPECT_EQ(why(report),
            "\"clock\" has emitted 8 records, but none on the stream to \"count\". Look at how it "
            "splits.");
}

TEST(EmptyView, TheTopologyFailed) {
  Report report = empty();
  report.state = "failed";
  report.error = "no such file";
  EXPECT_EQ(why(report), "The topology failed before a row came: no such file");
}

}  // namespace
}  // namespace millrace::detail
