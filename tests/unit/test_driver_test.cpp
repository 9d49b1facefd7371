// TestDriver: what users' tests rely on: time stands still, nothing is lost, errors are sentences.
#include "millrace/test_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "millrace/millrace.hpp"

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Click {
  std::string page;
  Timestamp at;
};
Click click(std::string page, std::int64_t second) {
  return {std::move(page), Timestamp{second * 1'000'000}};
}

struct Rows {
  std::vector<std::string> texts;
  template <class Output>
  explicit Rows(Output output) {
    for (const auto& row : output.read_all()) {
      texts.push_back(std::string(row.key) + " " + std::to_string(row.value) + " @" +
                      std::to_string(row.window_start / 1'000'000));
    }
  }
};

/// What a call throws, as "CODE sentence".
template <class Call>
std::string thrown(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing";
}

Topology clicks_per_minute() {
  Topology topology("clicks");
  topology.from(records(std::vector<std::vector<Click>>{{}}))
      .named("clicks")
      .event_time(&Click::at, {.out_of_order = 5s})
      .key_by(&Click::page)
      .window(tumbling(1min))
      .count()
      .named("counts")
      .to(view("Clicks"));
  return topology;
}

TEST(TestDriver, WindowsFireWhenTheTestMovesTime) {
  Topology topology = clicks_per_minute();
  TestDriver driver(topology);
  auto clicks = driver.input<Click>("clicks");
  auto counts = driver.output<Aggregate<std::string_view, std::int64_t>>("counts");
  clicks.pipe({click("a", 1), click("b", 2), click("a", 59)});
  EXPECT_TRUE(counts.empty());
  EXPECT_THAT(driver.why_empty("Clicks"), HasSubstr("1970-01-01T00:01:00Z"));
  clicks.pipe(click("a", 64));  // one second short of the bound
  EXPECT_TRUE(counts.empty());
  clicks.advance_watermark(Timestamp{60'000'000});
  EXPECT_THAT(Rows(counts).texts, ElementsAre("a 2 @0", "b 1 @0"));
  EXPECT_EQ(driver.why_empty("Clicks"), "");
  clicks.pipe(click("a", 3));
  EXPECT_EQ(driver.late("counts"), 1u);
  clicks.end();
  EXPECT_THAT(Rows(counts).texts, ElementsAre("a 1 @60"));
  EXPECT_TRUE(driver.ended());
}

TEST(TestDriver, AnHourOfWindowsAtAnyParallelism) {
  for (const int parallelism : {1, 4}) {
    Topology topology = clicks_per_minute();
    TestDriver driver(topology, {.parallelism = parallelism});
    auto clicks = driver.input<Click>("clicks");
    auto counts = driver.output<Aggregate<std::string_view, std::int64_t>>("Clicks");
    std::vector<Click> hour;
    for (int second = 0; second < 3600; ++second)
      hour.push_back(click("page" + std::to_string(second % 7), second));
    clicks.pipe(hour);
    clicks.end();
    EXPECT_EQ(counts.size(), 60u * 7u);
    EXPECT_EQ(driver.counts("counts").received, 3600u);
  }
}

struct Ticker : Bolt<int, std::string> {
  void process(const int& number, Output<std::string>& out) override {
    if (number < 0) throw std::runtime_error("negative");
    out.emit(std::to_string(number));
  }
  void tick(Output<std::string>& out) override { out.emit("tick"); }
};

TEST(TestDriver, TheClockMovesOnlyWhenToldAndTicksComeAtTheirTimes) {
  Topology topology("ticks");
  auto numbers = topology.from(generate(std::nullopt, [](std::uint64_t at) { return int(at); }))
                     .named("numbers");
  auto said = topology.bolt("said", Ticker{}, global(numbers), {.tick = 250ms});
  TestDriver driver(topology, {.start = Timestamp{1'000'000}});
  auto input = driver.input<int>("numbers");
  auto texts = driver.output(said);
  input.pipe({1, 2});
  EXPECT_THAT(texts.read_all(), ElementsAre("1", "2"));
  driver.advance_clock(249ms);
  EXPECT_TRUE(texts.empty());
  driver.advance_clock(1ms);
  EXPECT_THAT(texts.read_all(), ElementsAre("tick"));
  driver.advance_clock(1h);
  EXPECT_EQ(texts.read_all().size(), 4u * 3600u);
  EXPECT_EQ(driver.now().micros, 1'000'000 + 250'000 + 3'600'000'000);
}

TEST(TestDriver, DeadLettersAndCountsCanBeRead) {
  Topology topology("dead");
  auto numbers =
      topology.from(generate(0, [](std::uint64_t at) { return int(at); })).named("numbers");
  topology.bolt("said", Ticker{}, global(numbers)).to(print());
  TestDriver driver(topology);
  auto input = driver.input<int>("numbers");
  auto errors = driver.output<DeadLetter>("said", "errors");
  input.pipe({1, -2, 3});
  ASSERT_EQ(driver.dead_letters().size(), 1u);
  EXPECT_EQ(driver.dead_letters().front().reason, "negative");
  EXPECT_EQ(errors.read()->record, "-2");
  EXPECT_EQ(driver.counts("said").processed, 2u);
  EXPECT_EQ(driver.file("-"), "{\"value\":\"1\"}\n{\"value\":\"3\"}\n");
}

TEST(TestDriver, FilesAreItsOwn) {
  Topology topology("files");
  topology.from(json_lines<Click>("in.jsonl")).to(csv("out.csv"));
  TestDriver driver(topology);
  driver.put_file("in.jsonl", "{\"page\":\"a\",\"at\":1000}\n");
  driver.run();
  EXPECT_EQ(driver.file("out.csv"), "page,at\na,1970-01-01T00:00:01Z\n");
  TestDriver without(topology);
  EXPECT_THAT(thrown([&] { without.run(); }), HasSubstr("put_file(...) gives it"));
}

TEST(TestDriver, WrongUseIsASentence) {
  Topology topology = clicks_per_minute();
  TestDriver driver(topology);
  EXPECT_THAT(thrown([&] { driver.input<Click>("click"); }),
              HasSubstr("2002 test driver: there is no component \"click\" to be an input: did you "
                        "mean \"clicks\"?"));
  EXPECT_THAT(thrown([&] { driver.input<int>("clicks"); }),
              HasSubstr("2010 test driver: input<int>(\"clicks\"): its records are of"));
  EXPECT_THAT(thrown([&] { driver.input<Click>("counts"); }), HasSubstr("reads what others emit"));
  EXPECT_THAT(thrown([&] { driver.output<int>("counts"); }), HasSubstr("output<int>(\"counts\")"));
  EXPECT_THAT(thrown([&] { driver.output<int>("counts", "best"); }), HasSubstr("no stream"));
  auto clicks = driver.input<Click>("clicks");
  EXPECT_THAT(thrown([&] { (void)clicks.partition(1); }), HasSubstr("no partition 1"));
  clicks.end();
  EXPECT_THAT(thrown([&] { clicks.pipe(click("a", 1)); }), HasSubstr("this input has ended"));
  EXPECT_THAT(thrown([&] { driver.output<int>("counts"); }), HasSubstr("too late"));
}

TEST(TestDriver, ASourceWithoutEndIsASentence) {
  Topology topology("endless");
  topology.from(generate(std::nullopt, [](std::uint64_t at) { return int(at); }))
      .named("numbers")
      .to(each([](int) {}));
  TestDriver driver(topology);
  EXPECT_THAT(thrown([&] { driver.run(); }), HasSubstr("\"numbers\" has given"));
}

TEST(TestDriver, StopDrainsAndFiresNothing) {
  Topology topology = clicks_per_minute();
  TestDriver driver(topology);
  auto clicks = driver.input<Click>("clicks");
  auto counts = driver.output<Aggregate<std::string_view, std::int64_t>>("counts");
  clicks.pipe(click("a", 1));
  driver.stop();
  EXPECT_TRUE(driver.ended());
  EXPECT_TRUE(counts.empty());
}

}  // namespace
}  // namespace millrace
