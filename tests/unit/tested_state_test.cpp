// What a test driver reads of states and timers; states with elements that live apart.
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

struct Click {
  Timestamp time;
  std::string user;
  std::int64_t amount = 0;
};
using Clicks = std::vector<std::vector<Click>>;

struct MeanOf {
  struct Acc {
    std::int64_t sum = 0, count = 0;
  };
  Acc init() const { return {}; }
  void add(Acc& acc, std::int64_t amount) const {
    if (amount == 13) throw std::runtime_error("13");
    acc.sum += amount;
    ++acc.count;
  }
  double result(const Acc& acc) const {
    return static_cast<double>(acc.sum) / static_cast<double>(acc.count);
  }
};

/// One of each kind.
struct Everything {
  ValueState<std::int64_t> total{{.ttl = 1min, .ttl_in = TimeKind::processing}};
  ListState<std::int64_t> amounts;
  MapState<std::string, std::int64_t> by_size;
  ReducingState<std::int64_t> sum;
  AggregatingState<MeanOf> mean;
  ValueState<std::int64_t> lately{{.ttl = 10s}};

  void process(const Click& click, KeyedContext<std::string_view>& context, Output<double>& out) {
    total.set(total.value_or(0) + click.amount);
    amounts.add(click.amount);
    by_size.set(click.amount < 10 ? "small" : "large", click.amount);
    sum.add(click.amount);
    lately.set(click.amount);
    context.timers().at(click.time + 30s);
    context.timers().clock_after(5s);
    mean.add(click.amount);
    out.emit(context.is_late() ? -mean.result() : mean.result());
  }
  void on_timer(Time, KeyedContext<std::string_view>&, Output<double>&) {}
  void on_clock(Time, KeyedContext<std::string_view>&, Output<double>&) {}
};

struct Driven {
  Topology topology{"states"};
  std::unique_ptr<TestDriver> driver;
  template <class P>
  Driven(P processor, int parallelism) {
    topology.from(records(Clicks{{}}))
        .named("clicks")
        .event_time(&Click::time)
        .key_by(&Click::user)
        .process(processor)
        .named("states")
        .to(each([](const auto&) {}));
    driver = std::make_unique<TestDriver>(topology, TestDriverOptions{.parallelism = parallelism});
  }
};
Timestamp at(std::int64_t second) { return Timestamp{second * 1'000'000}; }

/// What a call throws.
template <class Call>
std::string thrown(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing";
}

TEST(TestedState, IsWhatTheClassKeepsOfAKey) {
  for (const int tasks : {1, 3}) {
    Driven run(Everything{}, tasks);
    auto clicks = run.driver->input<Click>("clicks");
    clicks.pipe({{at(1), "ann", 5}, {at(2), "ann", 20}, {at(2), "bob", 7}});
    auto& driver = *run.driver;
    EXPECT_EQ((driver.state<ValueState<std::int64_t>>("states", "total", "ann")), 25);
    EXPECT_THAT((driver.state<ListState<std::int64_t>>("states", "amounts", "ann")),
                ElementsAre(5, 20));
    EXPECT_EQ(
        (driver.state<MapState<std::string, std::int64_t>>("states", "by_size", "ann")).size(), 2u);
    EXPECT_EQ((driver.state<ReducingState<std::int64_t>>("states", "sum", std::string("bob"))), 7);
    EXPECT_EQ((driver.state<AggregatingState<MeanOf>>("states", "mean", "ann"))->count, 2);
    EXPECT_FALSE((driver.state<ValueState<std::int64_t>>("states", "total", "eve")));
    EXPECT_THAT(driver.timers("states", "ann"), ElementsAre(at(31), at(32)));
    EXPECT_THAT(driver.clock_timers("states", "bob"), ElementsAre(at(5)));
    clicks.advance_watermark(at(12));
    EXPECT_FALSE((driver.state<ValueState<std::int64_t>>("states", "lately", "ann")));
    EXPECT_EQ((driver.state<ValueState<std::int64_t>>("states", "total", "ann")), 25);
    driver.advance_clock(5s);
    EXPECT_TRUE(driver.clock_timers("states", "bob").empty());
  }
}

TEST(TestedState, SaysWhatThereIsWhenItIsAskedForSomethingElse) {
  Driven run(Everything{}, 1);
  auto& driver = *run.driver;
  EXPECT_THAT(thrown([&] { driver.state<ValueState<std::int64_t>>("states", "totals", "ann"); }),
              testing::AllOf(HasSubstr("2010"), HasSubstr("value \"total\""),
                             HasSubstr("list \"amounts\"")));
  EXPECT_THAT(thrown([&] { driver.state<ValueState<int>>("states", "total", "ann"); }),
              HasSubstr("\"total\" of that type"));
  EXPECT_THAT(thrown([&] { driver.timers("states", 5); }), HasSubstr("another type"));
  EXPECT_THAT(thrown([&] { driver.timers("clicks", "ann"); }), HasSubstr("no states or timers"));
  EXPECT_THAT(thrown([&] { driver.timers("state", "ann"); }), HasSubstr("did you mean \"states\""));
}

TEST(TestedState, OfWindowsIsWhenTheNextFires) {
  Topology topology("windows");
  topology.from(records(Clicks{{}}))
      .named("clicks")
      .event_time(&Click::time)
      .key_by(&Click::user)
      .window(tumbling(1min))
      .count()
      .named("counts")
      .to(each([](const auto&) {}));
  TestDriver driver(topology);
  auto clicks = driver.input<Click>("clicks");
  EXPECT_EQ(driver.next_window("counts"), std::nullopt);
  clicks.pipe({at(61), "ann", 1});
  EXPECT_EQ(driver.next_window("counts"), at(120));
}

TEST(States, LiveByTheWallClockToTheMicrosecond) {
  Driven run(Everything{}, 1);
  auto clicks = run.driver->input<Click>("clicks");
  const auto total = [&] {
    return run.driver->state<ValueState<std::int64_t>>("states", "total", "ann");
  };
  clicks.pipe({at(1), "ann", 5});
  run.driver->advance_clock(1min - Duration(1));
  clicks.pipe({at(1), "ann", 1});
  EXPECT_EQ(total(), 6);
  run.driver->advance_clock(1min - Duration(1));
  EXPECT_EQ(total(), 6);
  run.driver->advance_clock(Duration(1));
  EXPECT_EQ(total(), std::nullopt);
  clicks.pipe({at(1), "ann", 2});
  EXPECT_EQ(total(), 2);
}

TEST(States, AggregateAndForgetWhatThrew) {
  Driven run(Everything{}, 1);
  auto means = run.driver->output<double>("states");
  auto clicks = run.driver->input<Click>("clicks");
  clicks.pipe({{at(50), "ann", 4}, {at(51), "ann", 13}, {at(52), "ann", 6}});
  clicks.advance_watermark(at(60));
  clicks.pipe({at(55), "ann", 8});  // late: handled all the same
  EXPECT_THAT(means.read_all(), ElementsAre(4, 5, -6));
  EXPECT_THAT((run.driver->state<ListState<std::int64_t>>("states", "amounts", "ann")),
              ElementsAre(4, 6, 8));
  EXPECT_EQ(run.driver->counts("states").dead_lettered, 1u);
}

/// Elements that live for ten seconds, each by itself.
struct Recent {
  TtlListState<std::int64_t> amounts{{.ttl = 10s}};
  TtlMapState<std::string, std::int64_t> by_size{{.ttl = 10s, .ttl_in = TimeKind::processing}};

  void process(const Click& click, KeyedContext<std::string_view>&, Output<std::string>& out) {
    amounts.add(click.amount);
    by_size.update(click.amount < 10 ? "small" : "large",
                   [&click](std::int64_t& sum) { sum += click.amount; });
    std::string text;
    for (const std::int64_t amount : amounts.all()) text += std::to_string(amount) + " ";
    for (const auto& [size, sum] : by_size.all()) text += size + "=" + std::to_string(sum) + " ";
    if (click.amount == 13) throw std::runtime_error("13");
    out.emit(text);
  }
};

TEST(TtlStates, LetEachElementLiveForItsOwnTime) {
  Driven run(Recent{}, 1);
  auto texts = run.driver->output<std::string>("states");
  auto clicks = run.driver->input<Click>("clicks");
  clicks.pipe({{at(1), "ann", 5}, {at(5), "ann", 20}, {at(11) - Duration(1), "ann", 6}});
  EXPECT_THAT(texts.read_all(),
              ElementsAre("5 small=5 ", "5 20 large=20 small=5 ", "5 20 6 large=20 small=11 "));
  clicks.pipe({{at(11), "ann", 7}, {at(12), "ann", 13}, {at(15), "ann", 8}});
  EXPECT_THAT(texts.read_all(),
              ElementsAre("20 6 7 large=20 small=18 ", "6 7 8 large=20 small=26 "));
  run.driver->advance_clock(10s);
  clicks.pipe({at(15), "ann", 30});
  EXPECT_THAT(texts.read_all(), ElementsAre("6 7 8 30 large=30 "));
}

/// What is over is given back, though the key is written on and on.
TEST(TtlStates, GiveBackWhatIsOver) {
  Driven run(Recent{}, 1);
  auto clicks = run.driver->input<Click>("clicks");
  for (int second = 0; second < 3'000; ++second) clicks.pipe({at(second), "ann", second});
  EXPECT_LT((run.driver->state<TtlListState<std::int64_t>>("states", "amounts", "ann")).size(),
            40u);
}

}  // namespace
}  // namespace millrace
