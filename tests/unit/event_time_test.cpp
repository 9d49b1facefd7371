// Event time as users see it: strategies, idleness to the microsecond, alignment, ingestion time.
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

struct Event {
  std::string key;
  Timestamp at;
  bool mark = false;
};
Event event(std::int64_t second, bool mark = false) {
  return {"k", Timestamp{second * 1'000'000}, mark};
}
using Count = Aggregate<std::string_view, std::int64_t>;

/// One source, windows of ten seconds, and the watermark behind event_time as whole seconds.
struct Windowed {
  template <class... Time>
  explicit Windowed(std::uint32_t partitions, Time... time)
      : topology(declared(time...)),
        driver(topology),
        input(driver.input<Event>("events", partitions)),
        rows(driver.output<Count>("counts")) {}

  template <class... Time>
  static Topology declared(Time... time) {
    Topology topology("windowed");
    topology.from(records(std::vector<std::vector<Event>>{{}}))
        .named("events")
        .event_time(&Event::at, time...)
        .named("time")
        .key_by(&Event::key)
        .window(tumbling(10s))
        .count()
        .named("counts")
        .to(view("Counts"));
    return topology;
  }
  /// -1: it has not begun.
  std::int64_t watermark() {
    const auto at = driver.counts("time").watermark;
    return at ? at->micros / 1'000'000 : -1;
  }

  Topology topology;
  TestDriver driver;
  TestInput<Event> input;
  TestOutput<Count> rows;
};

TEST(ReplayPace, TimesFarApartAreDueInTheirOrder) {
  detail::ReplayPace pace(2);
  pace.start(1'000'000, 500);
  EXPECT_EQ(pace.due_ns(3'000'000), 1'000'000'500);
  constexpr std::int64_t kHundredYearsNs = 3'155'760'000'000'000'000;
  EXPECT_GT(pace.due_ns(kTimeMax), kHundredYearsNs);
  EXPECT_LT(pace.due_ns(kTimeMin), -kHundredYearsNs);
}

TEST(EventTime, MonotonousAndBoundedWatermarksFollowTheNewestRecord) {
  Windowed in_order(1);
  in_order.input.pipe({event(3), event(20), event(7)});
  EXPECT_EQ(in_order.watermark(), 20);
  EXPECT_EQ(in_order.driver.late("counts"), 1u);
  Windowed bounded(1, EventTimeOptions{.out_of_order = 15s});
  bounded.input.pipe({event(3), event(20), event(7)});
  EXPECT_EQ(bounded.watermark(), 5);
  EXPECT_EQ(bounded.driver.late("counts"), 0u);
}

TEST(EventTime, PunctuatedWatermarksMoveAtMarksAlone) {
  Windowed windowed(1, punctuated(&Event::mark));
  windowed.input.pipe({event(30), event(2), event(25)});
  EXPECT_EQ(windowed.watermark(), -1);
  windowed.input.pipe({event(12, true), event(11), event(9)});
  EXPECT_EQ(windowed.watermark(), 12);
  EXPECT_EQ(windowed.rows.read()->value, 1);  // the one at 2; that at 9 came behind the mark
  EXPECT_EQ(windowed.driver.late("counts"), 1u);
}

TEST(EventTime, AMarkMaySayAnotherTimeThanItsOwn) {
  Windowed windowed(1, punctuated([](const Event& event) -> std::optional<Timestamp> {
                      if (!event.mark) return std::nullopt;
                      return Timestamp{event.at.micros - 1'000'000};
                    }));
  windowed.input.pipe({event(30), event(21, true)});
  EXPECT_EQ(windowed.watermark(), 20);
}

/// Three records make a watermark at the least of them.
struct LeastOfThree {
  std::optional<Timestamp> after(const Event&, Timestamp time) {
    least = std::min(least, time.micros);
    if (++seen % 3 != 0) return std::nullopt;
    const Timestamp at{least};
    least = kTimeMax;
    return at;
  }
  int seen = 0;
  Time least = kTimeMax;
};

TEST(EventTime, OwnWatermarksHaveACopyForEachPartition) {
  Windowed windowed(2, watermarks(LeastOfThree{}));
  windowed.input.pipe({event(30), event(21), event(25)});
  EXPECT_EQ(windowed.watermark(), -1);  // the other partition holds it
  windowed.input.partition(1).pipe({event(40), event(50)});
  EXPECT_EQ(windowed.watermark(), -1);
  windowed.input.partition(1).pipe(event(22));
  EXPECT_EQ(windowed.watermark(), 21);
}

/// No record is on its way for longer than five seconds of the clock.
struct FiveSecondsOnTheWay {
  std::optional<Timestamp> after(const Event&, Timestamp) { return std::nullopt; }
  std::optional<Timestamp> on_time(Timestamp now) {
    ++asked;
    return Timestamp{now.micros - 5'000'000};
  }
  int asked = 0;
};

TEST(EventTime, OwnWatermarksMayFollowTheClock) {
  Windowed windowed(2, watermarks(FiveSecondsOnTheWay{}));
  windowed.input.pipe(event(3));
  windowed.driver.advance_clock(1h);  // nothing comes, and time goes on
  const auto passed = windowed.driver.counts("time").watermark;
  ASSERT_TRUE(passed.has_value());
  windowed.driver.advance_clock(10s);
  EXPECT_EQ(windowed.driver.counts("time").watermark->micros, passed->micros + 10'000'000);
}

TEST(EventTime, IngestionTimeFollowsTheClock) {
  Topology topology("ingestion");
  topology.from(records(std::vector<std::vector<Event>>{{}}))
      .named("events")
      .ingestion_time()
      .key_by(&Event::key)
      .window(tumbling(10s))
      .count()
      .named("counts")
      .to(view("Counts"));
  TestDriver driver(topology, {.start = Timestamp{1'000'000'000}});
  auto input = driver.input<Event>("events");
  auto rows = driver.output<Count>("counts");
  input.pipe({event(77), event(5)});
  driver.advance_clock(9900ms);
  EXPECT_TRUE(rows.empty());
  driver.advance_clock(100ms);  // no record came, and the window closes all the same
  const auto row = rows.read();
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->value, 2);
  EXPECT_EQ(row->window_start, 1'000'000'000);
  EXPECT_EQ(driver.late("counts"), 0u);
}

constexpr EventTimeOptions kIdle{.idle_after = 10s};

TEST(Idleness, FiresAtExactlyItsTimeAndNotBefore) {
  Windowed windowed(2, kIdle);
  auto other = windowed.input.partition(1);
  windowed.input.pipe(event(100));
  other.pipe(event(20));
  windowed.driver.advance_clock(4s);
  windowed.input.pipe(event(101));  // only the other one is quiet since the beginning
  EXPECT_EQ(windowed.watermark(), 20);
  windowed.driver.advance_clock(6s - 1us);
  EXPECT_EQ(windowed.watermark(), 20);
  windowed.driver.advance_clock(1us);
  EXPECT_EQ(windowed.watermark(), 101);
}

TEST(Idleness, APartitionThatNeverGaveAnythingFallsIdleToo) {
  Windowed windowed(2, kIdle);
  windowed.input.pipe(event(100));
  EXPECT_EQ(windowed.watermark(), -1);
  windowed.driver.advance_clock(9s);
  windowed.input.pipe(event(102));
  windowed.driver.advance_clock(1s);
  EXPECT_EQ(windowed.watermark(), 102);
}

TEST(Idleness, IsToldWhereAViewIsEmpty) {
  Windowed windowed(2, kIdle);
  windowed.input.pipe(event(5));
  windowed.driver.advance_clock(9s);
  EXPECT_THAT(windowed.driver.why_empty("Counts"), HasSubstr("\"events partition 1\" holds it"));
  windowed.input.pipe(event(6));
  windowed.driver.advance_clock(1s);
  EXPECT_THAT(windowed.driver.why_empty("Counts"),
              HasSubstr("it is at 1970-01-01T00:00:06Z now. Idle and not waited for: "
                        "\"events partition 1\""));
  windowed.driver.advance_clock(10s);
  EXPECT_THAT(windowed.driver.why_empty("Counts"), HasSubstr("All partitions are idle"));
}

TEST(Idleness, WithoutItAQuietPartitionHoldsTimeForEver) {
  Windowed windowed(2);
  windowed.input.pipe(event(100));
  windowed.input.partition(1).pipe(event(20));
  windowed.driver.advance_clock(24h);
  EXPECT_EQ(windowed.watermark(), 20);
}

TEST(Idleness, WhoWakesDoesNotMoveTimeBack) {
  Windowed windowed(2, kIdle);
  auto other = windowed.input.partition(1);
  other.pipe(event(20));
  windowed.driver.advance_clock(9s);
  windowed.input.pipe(event(100));
  windowed.driver.advance_clock(1s);
  EXPECT_EQ(windowed.watermark(), 100);
  other.pipe({event(21), event(99), event(100), event(130)});
  EXPECT_EQ(windowed.watermark(), 100);
  EXPECT_EQ(windowed.driver.late("counts"), 2u);  // 21 and 99: their windows have fired
  windowed.input.pipe(event(120));
  EXPECT_EQ(windowed.watermark(), 120);
}

TEST(Idleness, WhenAllAreQuietTimeStandsAtTheFurthestAndGoesOnWithTheFirst) {
  Windowed windowed(3, kIdle);
  windowed.input.pipe(event(50));
  windowed.input.partition(1).pipe(event(70));
  windowed.input.partition(2).pipe(event(60));
  EXPECT_EQ(windowed.watermark(), 50);
  windowed.driver.advance_clock(10s);
  EXPECT_EQ(windowed.watermark(), 70);
  windowed.driver.advance_clock(1h);
  EXPECT_EQ(windowed.watermark(), 70);
  windowed.input.pipe(event(80));
  EXPECT_EQ(windowed.watermark(), 80);
}

TEST(Idleness, AllMayFallQuietAgain) {
  Windowed windowed(2, kIdle);
  windowed.input.pipe(event(50));
  windowed.input.partition(1).pipe(event(70));
  windowed.driver.advance_clock(10s);
  windowed.input.pipe(event(80));
  EXPECT_EQ(windowed.watermark(), 80);
  windowed.driver.advance_clock(10s);
  EXPECT_EQ(windowed.watermark(), 80);
  windowed.input.pipe(event(90));
  EXPECT_EQ(windowed.watermark(), 90);
  EXPECT_EQ(windowed.driver.late("counts"), 0u);
}

TEST(Idleness, IsNotCountedWhileTheSourceIsPaused) {
  Windowed windowed(2, kIdle);
  windowed.input.pipe(event(100));
  windowed.input.partition(1).pipe(event(20));
  windowed.driver.advance_clock(4s);
  windowed.driver.pause();
  windowed.driver.advance_clock(1h);
  windowed.driver.resume();
  EXPECT_EQ(windowed.watermark(), 20);
  windowed.driver.advance_clock(3s);
  windowed.input.pipe(event(101));
  windowed.driver.advance_clock(3s - 1us);
  EXPECT_EQ(windowed.watermark(), 20);
  windowed.driver.advance_clock(1us);
  EXPECT_EQ(windowed.watermark(), 101);
}

TEST(Idleness, IsNotCountedWhileAReplayHoldsTheSource) {
  Topology topology = Windowed::declared(kIdle);
  TestDriver driver(topology, {.speed = 1});
  auto input = driver.input<Event>("events", 2);
  driver.output<Count>("counts");
  input.partition(1).pipe(event(0));
  input.pipe({event(0), event(60)});  // the second one is due in a minute
  driver.advance_clock(59s);
  EXPECT_EQ(driver.counts("time").watermark->micros, 0);
  driver.advance_clock(1s);
  EXPECT_EQ(driver.counts("time").in_flight, 0u);
  driver.advance_clock(9s);
  EXPECT_EQ(driver.counts("time").watermark->micros, 0);
  driver.advance_clock(1s);
  EXPECT_EQ(driver.counts("time").watermark->micros, 60'000'000);
}

TEST(Idleness, AnEndNeitherHoldsNorJumpsTime) {
  Windowed windowed(3, kIdle);
  windowed.input.pipe(event(50));
  windowed.input.partition(1).pipe(event(70));
  windowed.input.partition(2).pipe(event(10));
  windowed.input.partition(2).end();
  EXPECT_EQ(windowed.watermark(), 50);
  windowed.driver.advance_clock(10s);  // the two others are idle, and one has ended
  EXPECT_EQ(windowed.watermark(), 70);
  windowed.input.end();
  EXPECT_EQ(windowed.watermark(), 70);
  windowed.input.partition(1).end();
  EXPECT_TRUE(windowed.driver.ended());
}

/// Two sources that meet in one window.
struct Merged {
  explicit Merged(EventTimeOptions options, TestDriverOptions run = {},
                  std::uint32_t left_partitions = 1)
      : topology("merged") {
    const auto source = [&](const char* name) {
      return topology.from(records(std::vector<std::vector<Event>>{{}}))
          .named(name)
          .event_time(&Event::at, options);
    };
    source("left")
        .merge(source("right"))
        .key_by(&Event::key)
        .window(tumbling(10s))
        .count()
        .named("counts")
        .to(view("Counts"));
    driver.emplace(topology, run);
    left.emplace(driver->input<Event>("left", left_partitions));
    right.emplace(driver->input<Event>("right"));
  }
  std::int64_t watermark() { return driver->counts("Counts").watermark->micros / 1'000'000; }

  Topology topology;
  std::optional<TestDriver> driver;
  std::optional<TestInput<Event>> left;
  std::optional<TestInput<Event>> right;
};

TEST(Idleness, AQuietSourceGoesOnWithTheOthers) {
  Merged merged(kIdle);
  merged.left->pipe(event(20));
  merged.right->pipe(event(100));
  EXPECT_EQ(merged.watermark(), 20);
  merged.driver->advance_clock(5s);
  merged.right->pipe(event(110));
  merged.driver->advance_clock(5s - 1us);
  EXPECT_EQ(merged.watermark(), 20);
  merged.driver->advance_clock(1us);
  EXPECT_EQ(merged.watermark(), 110);
  merged.right->pipe(event(150));
  EXPECT_EQ(merged.watermark(), 150);
  merged.left->pipe({event(139), event(149), event(151)});
  EXPECT_EQ(merged.driver->late("counts"), 2u);  // 139 and 149: their windows have fired
  EXPECT_EQ(merged.watermark(), 150);
}

TEST(Idleness, SourcesThatNeverMeetAreNoBusinessOfEachOther) {
  Topology topology("apart");
  for (const char* name : {"left", "right"}) {
    topology.from(records(std::vector<std::vector<Event>>{{}}))
        .named(name)
        .event_time(&Event::at, kIdle)
        .key_by(&Event::key)
        .window(tumbling(10s))
        .count()
        .named(std::string(name) + " counts")
        .to(view(name + std::string(" view")));
  }
  TestDriver driver(topology);
  auto left = driver.input<Event>("left");
  auto right = driver.input<Event>("right");
  left.pipe(event(20));
  driver.advance_clock(5s);
  right.pipe(event(100));
  driver.advance_clock(5s);
  EXPECT_EQ(driver.counts("left counts").watermark->micros, 20'000'000);
}

TEST(Alignment, WhoIsAheadWaits) {
  Merged merged({.align_within = 30s});
  merged.left->pipe(event(10));
  merged.right->pipe(event(40));
  EXPECT_EQ(merged.right->waiting(), 0u);
  merged.right->pipe(event(41));  // 31 s ahead: the next one waits
  merged.right->pipe(event(42));
  EXPECT_EQ(merged.right->waiting(), 1u);
  merged.left->pipe(event(11));
  EXPECT_EQ(merged.right->waiting(), 0u);
  merged.right->pipe(event(90));
  EXPECT_EQ(merged.right->waiting(), 1u);
  merged.left->end();  // nobody waits for who has ended
  EXPECT_EQ(merged.right->waiting(), 0u);
}

TEST(Alignment, NobodyWaitsForWhoIsIdleAndTheWaitIsNoIdleness) {
  Merged merged({.idle_after = 10s, .align_within = 30s});
  merged.left->pipe(event(10));
  merged.right->pipe(event(41));
  merged.right->pipe(event(50));
  merged.driver->advance_clock(8s);
  merged.left->pipe(event(10));
  merged.driver->advance_clock(9s);  // right was not read for 17 s: it is not idle
  EXPECT_EQ(merged.right->waiting(), 1u);
  EXPECT_EQ(merged.watermark(), 10);
  merged.driver->advance_clock(1s);
  EXPECT_EQ(merged.right->waiting(), 0u);
  EXPECT_EQ(merged.watermark(), 50);
}

TEST(Alignment, PartitionsOfOneSourceWaitForEachOther) {
  Windowed windowed(3, EventTimeOptions{.align_within = 30s});
  auto left = windowed.input;
  auto right = windowed.input.partition(1);
  right.pipe(event(40));  // nobody else has begun
  left.pipe(event(10));
  right.pipe(event(41));  // 30 s ahead when it is read: exactly the span is allowed
  EXPECT_EQ(right.waiting(), 0u);
  right.pipe(event(12));
  EXPECT_EQ(right.waiting(), 1u);
  left.pipe({event(10), event(11)});  // who is behind is read all the while
  EXPECT_EQ(right.waiting(), 0u);
  windowed.input.partition(2).pipe(event(90));
  windowed.input.partition(2).pipe(event(91));
  EXPECT_EQ(windowed.input.partition(2).waiting(), 1u);
  right.end();
  EXPECT_EQ(windowed.input.partition(2).waiting(), 1u);
  left.end();  // nobody waits for who has ended
  EXPECT_EQ(windowed.input.partition(2).waiting(), 0u);
  EXPECT_EQ(windowed.driver.counts("time").received, 8u);
}

TEST(Alignment, OfPartitionsNobodyWaitsForWhoIsIdleAndTheWaitIsNoIdleness) {
  Windowed windowed(2, EventTimeOptions{.idle_after = 10s, .align_within = 30s});
  auto left = windowed.input;
  auto right = windowed.input.partition(1);
  left.pipe(event(10));
  right.pipe(event(41));
  right.pipe(event(50));
  windowed.driver.advance_clock(8s);
  left.pipe(event(10));
  windowed.driver.advance_clock(9s);  // right was not read for 17 s: it is not idle
  EXPECT_EQ(right.waiting(), 1u);
  EXPECT_EQ(windowed.watermark(), 10);
  windowed.driver.advance_clock(1s);
  EXPECT_EQ(right.waiting(), 0u);
  EXPECT_EQ(windowed.watermark(), 50);
}

TEST(Alignment, APartitionWaitsForOneOfAnotherSource) {
  Merged merged({.align_within = 30s}, {}, 2);
  merged.left->partition(1).pipe(event(45));
  merged.left->pipe(event(30));
  merged.right->pipe(event(10));
  merged.left->partition(1).pipe(event(46));
  EXPECT_EQ(merged.left->partition(1).waiting(), 1u);  // 35 s before the other source
  merged.left->pipe(event(40));
  EXPECT_EQ(merged.left->waiting(), 0u);  // 20 s
  merged.right->pipe(event(15));
  EXPECT_EQ(merged.left->partition(1).waiting(), 0u);
}

TEST(EventTime, WrongOptionsAreRefused) {
  const auto problem = [](auto... time) {
    const Topology topology = Windowed::declared(time...);
    const auto problems = topology.declaration().graph.validate();
    return problems.empty() ? std::string() : problems.front().to_string();
  };
  EXPECT_THAT(problem(EventTimeOptions{.idle_after = -1s}), HasSubstr("idle_after is negative"));
  EXPECT_THAT(problem(EventTimeOptions{.align_within = -1s}),
              HasSubstr("align_within is negative"));
  EXPECT_THAT(problem(EventTimeOptions{.out_of_order = -1s}),
              HasSubstr("out_of_order is negative"));
  EXPECT_THAT(problem(punctuated(&Event::mark), EventTimeOptions{.out_of_order = 1s}),
              HasSubstr("leave one of them out"));
  EXPECT_EQ(problem(punctuated(&Event::mark), EventTimeOptions{.idle_after = 1s}), "");
}

}  // namespace
}  // namespace millrace
