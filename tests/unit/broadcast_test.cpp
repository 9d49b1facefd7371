// Broadcast streams: rules that each task has alike, as they come or from their own time on.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "env/random.hpp"
#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"
#include "run_harness.hpp"

namespace millrace {
namespace {

struct Event {
  Timestamp time;
  std::int32_t user = 0;
  std::int64_t amount = 0;
};
struct Rule {
  Timestamp time;
  std::string name;
  std::int64_t factor = 0;  ///< 0: forget it
};
struct Found {
  std::int32_t user = 0;
  Time time = 0;
  std::int64_t amount = 0;
  std::int64_t factors = 0;  ///< of all rules that hold
  std::int64_t seen = 0;     ///< events of the user so far; -1: a timer
  friend auto operator<=>(const Found&, const Found&) = default;
};
using Context = KeyedContext<std::int32_t>;

struct Matcher {
  ValueState<std::int64_t> seen;
  BroadcastState<std::string, std::int64_t> rules;

  std::int64_t factors() {
    std::int64_t sum = 0;
    for (const auto& [name, factor] : rules) sum += factor;
    return sum;
  }
  void process(const Event& event, Context& context, Output<Found>& out) {
    if (event.amount < 0) rules.set("mine", 1);
    seen.set(seen.value_or(0) + 1);
    if (event.amount % 4 == 0) context.timers().at(event.time.micros + 7);
    out.emit({event.user, context.time(), event.amount, factors(), *seen});
  }
  void on_timer(Time time, Context& context, Output<Found>& out) {
    out.emit({context.key(), time, 0, factors(), -1});
  }
  void on_broadcast(const Rule& rule, BroadcastContext&, Output<Found>&) {
    if (rule.factor == 0) {
      rules.erase(rule.name);
    } else {
      rules.set(rule.name, rule.factor);
    }
    if (rule.factor < 0) throw std::runtime_error("negative");
  }
};

Topology matching(BroadcastOrder order) {
  Topology topology("matching");
  auto rules = topology.from(records(std::vector<std::vector<Rule>>{{}}))
                   .named("rules")
                   .event_time(&Rule::time);
  topology.from(records(std::vector<std::vector<Event>>{{}}))
      .named("events")
      .event_time(&Event::time)
      .key_by(&Event::user)
      .connect(rules.broadcast(order))
      .process(Matcher{})
      .named("matcher")
      .to(each([](const Found&) {}));
  return topology;
}

std::vector<std::int64_t> factors_of(std::vector<Found> rows) {
  std::vector<std::int64_t> factors;
  for (const Found& row : rows) factors.push_back(row.factors);
  return factors;
}
using Numbers = std::vector<std::int64_t>;

TEST(Broadcast, EachTaskHasTheRulesThatHaveCome) {
  Topology topology = matching(as_it_comes);
  TestDriver driver(topology, {.parallelism = 3});
  auto events = driver.input<Event>("events");
  auto rules = driver.input<Rule>("rules");
  auto found = driver.output<Found>("matcher");
  rules.pipe({{{5}, "a", 2}, {{5}, "b", 3}});
  for (int user = 0; user < 20; ++user) events.pipe({{1}, user, 1});
  EXPECT_EQ(factors_of(found.read_all()), Numbers(20, 5));
  rules.pipe({{6}, "a", 0});
  events.pipe({{2}, 1, 1});
  EXPECT_EQ(factors_of(found.read_all()), Numbers{3});
  EXPECT_EQ(driver.counts("matcher").received, 21u + 3 * 3);
}

TEST(Broadcast, CallsThatThrowAndWritesOfTheOtherSideLeaveNoTrace) {
  Topology topology = matching(as_it_comes);
  TestDriver driver(topology, {.parallelism = 2});
  auto events = driver.input<Event>("events");
  auto rules = driver.input<Rule>("rules");
  auto found = driver.output<Found>("matcher");
  rules.pipe({{{1}, "a", 2}, {{2}, "a", -5}, {{2}, "b", -1}});
  events.pipe({{{3}, 1, -1}, {{3}, 1, 1}});
  const auto rows = found.read_all();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows.front().factors, 2);
  EXPECT_EQ(rows.front().seen, 1);
  EXPECT_EQ(driver.counts("matcher").dead_lettered, 2u * 2 + 1);
  bool told = false;
  for (const auto& letter : driver.dead_letters())
    told |= letter.reason.find("written by on_broadcast alone") != std::string::npos;
  EXPECT_TRUE(told);
}

struct Scale {
  BroadcastState<std::string, std::int64_t> rules;
  void process(const Event& event, Output<Event>& out) {
    const auto* const factor = rules.get("scale");
    out.emit({event.time, event.user, event.amount * (factor ? *factor : 1)});
  }
  void on_broadcast(const Rule& rule, BroadcastContext& context, Output<Event>& out) {
    rules.set(rule.name, rule.factor);
    if (rule.name == "told") out.emit({{context.time()}, context.task().index(), -1});
  }
};

TEST(Broadcast, NeedsNoKeyAndNoTime) {
  Topology topology("scale");
  auto rules = topology.from(records(std::vector<std::vector<Rule>>{{}})).named("rules");
  topology.from(records(std::vector<std::vector<Event>>{{}}))
      .named("events")
      .connect(rules.broadcast())
      .process(Scale{})
      .named("scaled")
      .to(each([](const Event&) {}));
  TestDriver driver(topology, {.parallelism = 3});
  auto events = driver.input<Event>("events");
  auto changes = driver.input<Rule>("rules");
  auto scaled = driver.output<Event>("scaled");
  events.pipe({{}, 1, 5});
  changes.pipe({{{}, "scale", 3}, {{}, "told", 1}});
  events.pipe({{}, 1, 5});
  std::vector<std::int64_t> amounts;
  for (const Event& event : scaled.read_all()) amounts.push_back(event.amount);
  EXPECT_EQ(amounts, (Numbers{5, -1, 15}));  // one task, as the events have
}

/// The same by hand, over both inputs in order.
std::vector<Found> model(std::vector<std::pair<Time, Event>> events,
                         std::vector<std::pair<Time, Rule>> rules) {
  const auto by_time = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::stable_sort(events.begin(), events.end(), by_time);
  std::stable_sort(rules.begin(), rules.end(), by_time);
  std::map<std::string, std::int64_t> holding;
  std::map<std::int32_t, std::int64_t> seen;
  std::map<std::pair<Time, std::int32_t>, bool> timers;
  std::vector<Found> rows;
  std::size_t next_rule = 0;
  const auto factors = [&] {
    std::int64_t sum = 0;
    for (const auto& [name, factor] : holding) sum += factor;
    return sum;
  };
  const auto fire_before = [&](Time time) {
    while (!timers.empty() && timers.begin()->first.first < time) {
      const auto [at, user] = timers.begin()->first;
      timers.erase(timers.begin());
      rows.push_back({user, at, 0, factors(), -1});
    }
  };
  const auto rules_until = [&](Time time) {
    for (; next_rule < rules.size() && rules[next_rule].first <= time; ++next_rule) {
      const Rule& rule = rules[next_rule].second;
      fire_before(rules[next_rule].first);
      if (rule.factor == 0) holding.erase(rule.name);
      if (rule.factor > 0) holding[rule.name] = rule.factor;
    }
  };
  for (const auto& [time, event] : events) {
    rules_until(time);
    fire_before(event.time.micros);
    rows.push_back({event.user, event.time.micros, event.amount, factors(), ++seen[event.user]});
    if (event.amount % 4 == 0) timers[{std::max(event.time.micros + 7, time), event.user}] = true;
  }
  rules_until(kTimeMax - 1);
  fire_before(kTimeMax);
  return rows;
}

constexpr std::int64_t kBound = 20;

/// The place of each record in time: late ones stand at the watermark that they are behind.
template <class T>
std::vector<std::pair<Time, T>> placed(const std::vector<T>& records, int& late) {
  std::vector<std::pair<Time, T>> all;
  Time watermark = kTimeMin;
  for (const T& record : records) {
    late += static_cast<int>(record.time.micros < watermark);
    all.push_back({std::max(record.time.micros, watermark), record});
    watermark = std::max(watermark, record.time.micros - kBound);
  }
  return all;
}

TEST(Broadcast, ByEventTimeRulesHoldFromTheirTimeOnWhateverTheSchedule) {
  int late = 0;
  int ties = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    detail::Random random(seed);
    std::vector<Event> events;
    std::vector<Rule> rules;
    for (int at = 0; at < 80; ++at) {
      const std::int64_t time = at * 5 - random.between(0, random.chance(0.1) ? 60 : 20);
      events.push_back({{time}, static_cast<std::int32_t>(random.below(4)), at});
      if (random.chance(0.2)) {
        const std::int64_t from = random.chance(0.5) ? time : at * 5 - random.between(0, 30);
        ties += static_cast<int>(from == time);
        rules.push_back({{from},
                         std::string(1, static_cast<char>('a' + random.below(5))),
                         random.between(-1, 9)});
      }
    }
    std::vector<Found> wanted = model(placed(events, late), placed(rules, late));
    std::sort(wanted.begin(), wanted.end());
    for (std::uint32_t tasks : {1u, 3u}) {
      std::vector<Found> found;
      Topology topology("ordered");
      auto changes = topology.from(records<Rule>({rules}))
                         .event_time(&Rule::time, {.out_of_order = Duration(kBound)});
      topology.from(records<Event>({events}))
          .event_time(&Event::time, {.out_of_order = Duration(kBound)})
          .key_by(&Event::user)
          .connect(changes.broadcast(by_event_time))
          .process(Matcher{})
          .to(each([&found](const Found& row) { found.push_back(row); }));
      detail::RunOptions options;
      options.batch_records_max = 1 + random.below(20);
      const auto ended =
          detail::simulate(topology, seed * 7 + tasks, {.parallelism = tasks}, options);
      ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
      std::sort(found.begin(), found.end());
      ASSERT_EQ(found.size(), wanted.size()) << "seed " << seed;
      for (std::size_t at = 0; at < wanted.size(); ++at) {
        ASSERT_TRUE(found[at] == wanted[at])
            << "seed " << seed << ", " << tasks << " tasks: user " << wanted[at].user << " at "
            << wanted[at].time << ": " << found[at].factors << " for " << wanted[at].factors
            << ", seen " << found[at].seen << " for " << wanted[at].seen;
      }
    }
  }
  EXPECT_GT(late, 50);
  EXPECT_GT(ties, 50);
}

/// At a stop what is held is handled in order, and counted.
TEST(Broadcast, ByEventTimeAStopLosesNothing) {
  Topology topology = matching(by_event_time);
  TestDriver driver(topology);
  auto events = driver.input<Event>("events");
  auto rules = driver.input<Rule>("rules");
  auto found = driver.output<Found>("matcher");
  events.pipe({{{1}, 1, 1}, {{5}, 1, 3}});
  rules.pipe({{4}, "a", 2});
  EXPECT_EQ(factors_of(found.read_all()), Numbers{0});
  EXPECT_EQ(driver.counts("matcher").in_flight, 2u);
  driver.stop();
  EXPECT_EQ(factors_of(found.read_all()), Numbers{2});
  EXPECT_EQ(driver.counts("matcher").in_flight, 0u);
}

}  // namespace
}  // namespace millrace
