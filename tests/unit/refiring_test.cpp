// Tests of windows that emit early, late or finally: their rows one by one, what they show, what
// they forget, what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Sale {
  std::string shop;
  std::int64_t price = 0;
  Timestamp at;
};
Sale sale(std::string shop, std::int64_t price, std::int64_t second) {
  return {std::move(shop), price, Timestamp{second * 1'000'000}};
}
using Sums = WindowUpdate<std::string_view, std::int64_t>;

std::vector<std::string> texts(TestOutput<Sums>& output) {
  std::vector<std::string> texts;
  for (const Sums& row : output.read_all()) {
    const std::string_view firing = detail::enum_name(row.firing);
    texts.push_back(std::string(row.key) + " " + std::to_string(row.value) + " " +
                    std::string(firing) + (row.retracted ? " taken back" : ""));
  }
  return texts;
}

auto sales(Topology& topology) {
  return topology.from(records(std::vector<std::vector<Sale>>(1)))
      .named("sales")
      .event_time(&Sale::at)
      .key_by(&Sale::shop);
}
Topology sums(RefiringWindows windows) {
  Topology topology("shop");
  sales(topology).window(windows).sum(&Sale::price).named("sums").to(print());
  return topology;
}

TEST(Refiring, ALateRecordEmitsItsWindowAgainUntilItCloses) {
  Topology topology("shop");
  const auto rows =
      sales(topology).window(tumbling(10s).allowed_lateness(5s)).sum(&Sale::price).named("sums");
  rows.to(print());
  TestDriver driver(topology);
  auto input = driver.input<Sale>("sales");
  auto updates = driver.output(static_cast<const Stream<Sums>&>(rows));
  auto late = driver.output(rows.late());
  input.pipe({sale("a", 1, 3), sale("a", 2, 9), sale("a", 5, 10)});
  EXPECT_THAT(texts(updates), ElementsAre("a 3 on_time"));
  input.pipe({sale("a", 10, 4), sale("a", 0, 14)});
  EXPECT_THAT(texts(updates), ElementsAre("a 13 late"));
  input.advance_watermark(Timestamp{14'999'999});
  input.pipe(sale("a", 20, 0));
  input.advance_watermark(Timestamp{15'000'000});
  EXPECT_THAT(texts(updates), ElementsAre("a 33 late"));
  input.pipe(sale("a", 40, 9));  // end + lateness = the watermark: too late
  EXPECT_TRUE(updates.empty());
  EXPECT_EQ(driver.late("sums"), 1u);
  const std::vector<Sale> refused = late.read_all();
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].price, 40);
  input.end();
  EXPECT_THAT(texts(updates), ElementsAre("a 5 on_time"));
}

TEST(Refiring, EarlyRowsHoldWhatCameBeforeTheirTimeAndOnlyWhatHasChanged) {
  Topology topology = sums(tumbling(10s).early(every(4s)));
  TestDriver driver(topology);
  auto input = driver.input<Sale>("sales");
  auto updates = driver.output<Sums>("sums");
  input.pipe({sale("a", 1, 1), sale("b", 7, 2), sale("a", 2, 4)});  // at 4 s exactly: not in it
  EXPECT_THAT(texts(updates), testing::UnorderedElementsAre("a 1 early", "b 7 early"));
  input.pipe(sale("b", 1, 9));
  EXPECT_THAT(texts(updates), ElementsAre("a 3 early"));
  input.end();
  EXPECT_THAT(texts(updates), testing::UnorderedElementsAre("a 3 on_time", "b 8 on_time"));
}

/// The picture in docs/semantics.md.
TEST(Refiring, EarlyOnTimeAndLateRowsInTheOrderOfWatermarks) {
  Topology topology = sums(tumbling(10s).allowed_lateness(5s).early(every(4s)));
  TestDriver driver(topology);
  auto input = driver.input<Sale>("sales");
  auto updates = driver.output<Sums>("sums");
  const auto after = [&](std::int64_t second) {
    input.pipe(sale("a", 1, second));
    return texts(updates);
  };
  EXPECT_THAT(after(1), IsEmpty());
  EXPECT_THAT(after(3), IsEmpty());
  EXPECT_THAT(after(4), ElementsAre("a 2 early"));
  EXPECT_THAT(after(9), ElementsAre("a 3 early"));
  EXPECT_THAT(after(10), ElementsAre("a 4 on_time"));
  EXPECT_THAT(after(7), IsEmpty());
  EXPECT_THAT(after(14), ElementsAre("a 5 late", "a 1 early"));
  EXPECT_THAT(after(6), IsEmpty());
  EXPECT_THAT(after(15), ElementsAre("a 6 late"));
  EXPECT_THAT(after(8), IsEmpty());
  EXPECT_EQ(driver.late("sums"), 1u);
  input.end();
  EXPECT_THAT(texts(updates), ElementsAre("a 3 early", "a 3 on_time"));
}

TEST(Refiring, WhatARowReplacesIsTakenBackBeforeIt) {
  Topology topology = sums(tumbling(10s).early(every(2)).retracting());
  TestDriver driver(topology);
  auto input = driver.input<Sale>("sales");
  auto updates = driver.output<Sums>("sums");
  input.pipe({sale("a", 1, 1), sale("a", 2, 2), sale("a", 4, 3)});
  EXPECT_THAT(texts(updates), ElementsAre("a 3 early"));
  input.end();
  EXPECT_THAT(texts(updates), ElementsAre("a 3 on_time taken back", "a 7 on_time"));
}

TEST(Refiring, ByClockARowIsAtMostTheSpanOld) {
  Topology topology = sums(tumbling(1h).early(every(1s).by_clock()).discarding());
  TestDriver driver(topology);
  auto input = driver.input<Sale>("sales");
  auto updates = driver.output<Sums>("sums");
  driver.advance_clock(10s);
  input.pipe(sale("a", 1, 1));
  driver.advance_clock(900ms);
  input.pipe(sale("a", 2, 2));
  EXPECT_TRUE(updates.empty());
  driver.advance_clock(100ms);
  EXPECT_THAT(texts(updates), ElementsAre("a 3 early"));
  driver.advance_clock(1min);
  EXPECT_THAT(texts(updates), IsEmpty()) << "nothing has come since";
  input.pipe(sale("a", 4, 3));
  driver.advance_clock(1s);
  EXPECT_THAT(texts(updates), ElementsAre("a 4 early"));
  input.end();
  EXPECT_THAT(texts(updates), IsEmpty()) << "all has been sent";
}

TEST(Refiring, WhicheverOfCountAndClockComesFirst) {
  Topology topology = sums(tumbling(1h).early(every(3)).early(every(1s).by_clock()));
  TestDriver driver(topology);
  auto input = driver.input<Sale>("sales");
  auto updates = driver.output<Sums>("sums");
  input.pipe({sale("a", 1, 1), sale("a", 1, 1), sale("a", 1, 1), sale("a", 1, 2)});
  EXPECT_THAT(texts(updates), ElementsAre("a 3 early"));
  driver.advance_clock(1s);
  EXPECT_THAT(texts(updates), ElementsAre("a 4 early"));
}

TEST(Refiring, ATurnEndsWithItsRows) {
  Topology topology = sums(tumbling(1h).early(every(1).times(2).then(every(3))));
  TestDriver driver(topology);
  auto input = driver.input<Sale>("sales");
  auto updates = driver.output<Sums>("sums");
  for (std::int64_t second = 1; second <= 9; ++second) input.pipe(sale("a", 1, second));
  EXPECT_THAT(texts(updates), ElementsAre("a 1 early", "a 2 early", "a 5 early", "a 8 early"));
  input.end();
  EXPECT_THAT(texts(updates), ElementsAre("a 9 on_time"));
}

TEST(Refiring, WithoutAnotherTurnThereAreNoMoreRows) {
  Topology topology = sums(tumbling(1h).early(every(2).times(1)).retracting());
  TestDriver driver(topology);
  auto input = driver.input<Sale>("sales");
  auto updates = driver.output<Sums>("sums");
  for (std::int64_t second = 1; second <= 5; ++second) input.pipe(sale("a", 1, second));
  EXPECT_THAT(texts(updates), ElementsAre("a 2 early"));
}

TEST(Refiring, AllOfWaitsForEach) {
  Topology topology = sums(tumbling(1min).early(all_of(every(3), every(10s))));
  TestDriver driver(topology);
  auto input = driver.input<Sale>("sales");
  auto updates = driver.output<Sums>("sums");
  const auto after = [&](std::int64_t second) {
    input.pipe(sale("a", 1, second));
    return texts(updates);
  };
  EXPECT_THAT(after(1), IsEmpty());
  EXPECT_THAT(after(12), IsEmpty()) << "a multiple of 10 s has come, two records have";
  EXPECT_THAT(after(13), ElementsAre("a 3 early"));
  EXPECT_THAT(after(14), IsEmpty());
  EXPECT_THAT(after(15), IsEmpty());
  EXPECT_THAT(after(16), IsEmpty()) << "three have come, and no multiple";
  EXPECT_THAT(after(20), ElementsAre("a 7 early")) << "what has arrived, with it";
}

TEST(Refiring, AllOfTheClockAndRecordsIsOneATickOfEnough) {
  Topology topology = sums(tumbling(1h).early(all_of(every(2), every(1s).by_clock())));
  TestDriver driver(topology);
  auto input = driver.input<Sale>("sales");
  auto updates = driver.output<Sums>("sums");
  input.pipe({sale("a", 1, 1), sale("b", 1, 1), sale("b", 1, 1)});
  EXPECT_THAT(texts(updates), IsEmpty());
  driver.advance_clock(1s);
  EXPECT_THAT(texts(updates), ElementsAre("b 2 early"));
  input.pipe(sale("a", 1, 2));
  EXPECT_THAT(texts(updates), ElementsAre("a 2 early")) << "its tick has come before its records";
  input.pipe({sale("a", 1, 2), sale("a", 1, 2)});
  driver.advance_clock(900ms);
  EXPECT_THAT(texts(updates), IsEmpty());
  driver.advance_clock(100ms);
  EXPECT_THAT(texts(updates), ElementsAre("a 4 early"));
}

TEST(Refiring, FinalRowsComeOnceAndAreInTimeForWhatStandsBehind) {
  Topology topology("shop");
  sales(topology)
      .window(tumbling(10s).allowed_lateness(5s).final_only())
      .sum(&Sale::price)
      .named("sums")
      .top(1)
      .named("best");
  TestDriver driver(topology);
  auto input = driver.input<Sale>("sales");
  auto best = driver.output<Ranked<std::string_view, std::int64_t>>("best");
  input.pipe({sale("a", 1, 3), sale("b", 2, 4), sale("a", 0, 12), sale("a", 5, 9)});
  input.advance_watermark(Timestamp{14'999'999});
  EXPECT_TRUE(best.empty());
  input.advance_watermark(Timestamp{15'000'000});
  const auto rows = best.read_all();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(std::string(rows[0].key), "a");
  EXPECT_EQ(rows[0].value, 6);
  EXPECT_EQ(rows[0].window_end, 10'000'000);
}

TEST(Refiring, ARowWithoutResultIsADeadLetterAndTheOneBeforeItStands) {
  Topology topology = sums(tumbling(10s).allowed_lateness(5s).retracting());
  TestDriver driver(topology);
  auto input = driver.input<Sale>("sales");
  auto updates = driver.output<Sums>("sums");
  input.pipe({sale("a", 1, 1), sale("a", 0, 10)});
  input.pipe({sale("a", INT64_MAX, 2), sale("a", 0, 11)});
  EXPECT_THAT(texts(updates), ElementsAre("a 1 on_time"));
  ASSERT_EQ(driver.dead_letters().size(), 1u);
}

TEST(Refiring, RowsShowWhyTheyCame) {
  const auto columns = detail::RowShape<Sums>::columns({{"shop"}, "sum", true});
  ASSERT_EQ(columns.size(), 4u);
  EXPECT_EQ(columns[0].name, "shop");
  EXPECT_EQ(columns[1].name, "sum");
  EXPECT_EQ(columns[2].name, "firing");
  EXPECT_EQ(columns[3].name, "retracted");
  std::string json;
  detail::append_row_json(json, columns, Sums{"a", 3, 0, 10'000'000, Firing::late, true});
  EXPECT_THAT(json, HasSubstr(R"({"shop":"a","sum":3,"firing":"late","retracted":true)"));
}

TEST(Refiring, AViewShowsTheRowThatStands) {
  const auto shown = detail::make_view<Sums>(view("Sums"), {{"shop"}, "sum", true});
  detail::ViewSink<Sums> sink(shown);
  detail::Batch<Sums> batch;
  batch.values = {{"a", 1, 0, 10, Firing::early, false},
                  {"b", 5, 0, 10, Firing::early, false},
                  {"a", 3, 0, 10, Firing::on_time, false},
                  {"b", 5, 0, 10, Firing::late, true}};
  ASSERT_TRUE(sink.write(batch).ok());
  const auto rows = shown->snapshot().rows;
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(std::get<std::int64_t>(rows[0][1]), 3);
  EXPECT_EQ(std::get<std::string>(rows[1][2]), "early");
}

/// Windows of records at the ends of time, and of none, end too.
TEST(Refiring, StampsAtTheEndsOfTime) {
  for (const RefiringWindows& windows :
       {tumbling(10us).allowed_lateness(3us), sliding(10us, 5us).early(every(2us)),
        cumulating(10us, 5us).allowed_lateness(20us).early(every(3us)),
        tumbling(10us).offset(3us).early(every(2))}) {
    Topology topology = sums(windows);
    TestDriver driver(topology);
    auto input = driver.input<Sale>("sales");
    auto updates = driver.output<Sums>("sums");
    for (const Time time : {kTimeMin + 1, Time{0}, kTimeMax - 1})
      input.pipe(Sale{"a", 1, Timestamp{time}});
    input.end();
    std::int64_t on_time = 0;
    for (const Sums& row : updates.read_all())
      on_time += row.firing == Firing::on_time ? row.value : 0;
    EXPECT_GE(on_time, 3) << windows.to_string();
  }
}

class NoOutputs : public detail::Outputs {
 public:
  void push(std::uint32_t, detail::BatchBase& batch) override { rows += batch.size(); }
  void advance_watermark(Time) override {}
  std::size_t rows = 0;
};

TEST(Refiring, WhatIsClosedIsForgotten) {
  detail::MemoryMeter meter;
  detail::Tally tally;
  detail::OperatorContext context;
  context.tally = &tally;
  const detail::CountKernel kernel;
  NoOutputs outputs;
  const RefiringWindows spec = tumbling(10us).allowed_lateness(5us);
  detail::WindowTimeline<std::int64_t, detail::CountKernel, detail::Refires::updates> timeline(
      spec);
  timeline.count_with(&meter);
  std::uint64_t bytes = 0;
  for (Time end = 10; end < 10'000; end += 10) {
    const std::int64_t key = end % 70;
    timeline.add_late({end + 4, {end - 1, {}}, detail::KeyTraits<std::int64_t>::hash(key), key, 1});
    timeline.advance(end + 5, {kernel, context, outputs});
    EXPECT_EQ(timeline.next(), std::nullopt) << "nothing is open behind end + lateness";
    if (end == 1'000) bytes = meter.bytes();
  }
  EXPECT_EQ(meter.bytes(), bytes);
  EXPECT_EQ(outputs.rows, 999u);
}

TEST(Refiring, TextAndValidity) {
  EXPECT_EQ(tumbling(1min).allowed_lateness(10s).early(every(10s)).retracting().to_string(),
            "tumbling(1min).allowed_lateness(10s).early(every(10s)).retracting()");
  EXPECT_EQ(sliding(6h, 15min).early(every(100)).early(every(1s).by_clock()).to_string(),
            "sliding(6h, 15min).early(any_of(every(100), every(1s).by_clock()))");
  EXPECT_EQ(every(10).then(every(2s).times(3)).then(all_of(every(5), every(1min))).to_string(),
            "every(10).then(every(2s).times(3)).then(all_of(every(5), every(1min)))");
  EXPECT_EQ(tumbling(1min).allowed_lateness(5s).final_only().to_string(),
            "tumbling(1min).allowed_lateness(5s).final_only()");
  const auto refused = [](const auto& windows, const char* part) {
    const Status status = windows.validate();
    EXPECT_EQ(status.code(), Code::window_invalid) << windows.to_string();
    EXPECT_THAT(status.message(), HasSubstr(part));
  };
  EXPECT_TRUE(tumbling(1min).early(every(59s)).validate().ok());
  refused(global().allowed_lateness(1s), "no end");
  refused(tumbling(0s).allowed_lateness(1s), "positive durations");
  refused(tumbling(1s).allowed_lateness(-1s), "allowed_lateness is negative");
  refused(tumbling(1s).early(every(0s)), "more than 0");
  refused(tumbling(1s).early(every(0)), "more than 0");
  refused(tumbling(1s).early(every(-1)), "more than 0");
  refused(tumbling(1s).early(every(1s)), "shorter than a window");
  refused(cumulating(1h, 1min).early(every(1min)), "shorter than a window");
  refused(tumbling(1s).early(every(5).times(0)), "more than 0");
  refused(tumbling(1s).early(any_of(every(5).then(every(6)), every(7))), "stand outside any_of");
  refused(tumbling(1s).early(any_of(every(2), every(5).times(3))), "stand outside any_of");
  refused(tumbling(1s).early(any_of(every(5), every(1s))), "shorter than a window");
  EarlyTrigger turns = every(1);
  for (std::size_t n = 2; n < 12; ++n) turns = turns.then(every(n));
  refused(tumbling(1s).early(turns), "too many parts");
  refused(tumbling(1s).early(every(5)).final_only(), "leave these out");
  refused(tumbling(1s).allowed_lateness(1s).retracting().final_only(), "leave these out");
}

}  // namespace
}  // namespace millrace
