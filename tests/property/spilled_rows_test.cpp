// Random programs of states, timers and times to live whose rows are on disk most of the time,
// against the same in memory: what they emit is the same, across images, restores and failing
// calls.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdexcept>

#include "env/random.hpp"
#include "millrace/millrace.hpp"
#include "spill_harness.hpp"

namespace millrace::property {
namespace {

using detail::Random;

struct Visit {
  std::string who;
  Time time = 0;
  std::int64_t number = 0;
};
struct Told {
  std::string who;
  std::string text;
};

/// What it emits says all that it finds.
struct Remembers {
  ValueState<std::string> last{{.name = "last"}};
  ListState<std::int64_t> all{{.name = "all"}};
  MapState<std::int64_t, std::string> by_number{{.ttl = 300us, .name = "by-number"}};
  ReducingState<std::int64_t> sum{{.ttl = 200us, .renewed = TtlRenewal::on_access, .name = "sum"}};
  TtlMapState<std::int64_t, std::int64_t> fading{
      {.ttl = 90us, .ttl_in = TimeKind::processing, .name = "fading"}};

  using Context = KeyedContext<std::string_view>;

  void process(const Visit& visit, Context& context, Output<Told>& out) {
    const std::int64_t number = visit.number;
    if (number % 3 == 0) last.set(std::string(static_cast<std::size_t>(number % 40), 'x'));
    if (number % 4 == 1) all.add(number);
    if (number % 4 == 2) by_number.set(number % 5, visit.who);
    if (number % 5 == 3) sum.add(number);
    if (number % 6 == 4) fading.set(number % 3, number);
    if (number % 7 == 5) context.timers().at(visit.time + number % 160);
    if (number % 14 == 6) context.timers().remove(visit.time + number % 160);
    if (number % 16 == 7) context.timers().clock_after(Duration(number));
    if (number % 9 == 8) clear();
    if (number % 31 == 30) throw std::runtime_error("as asked");
    tell("visit", context, out);
  }
  void on_timer(Time time, Context& context, Output<Told>& out) {
    all.erase_first(1);
    if (time % 3 == 0) clear();
    if (time % 5 == 0 && !context.at_end()) context.timers().at(time + 40);
    tell("timer", context, out);
    if (time % 11 == 0) throw std::runtime_error("as the time asked");
  }
  void on_clock(Time, Context& context, Output<Told>& out) {
    last.clear();
    tell("clock", context, out);
  }
  void clear() {
    last.clear();
    all.clear();
    by_number.clear();
    sum.clear();
    fading.clear();
  }
  void tell(std::string_view what, Context& context, Output<Told>& out) {
    std::string text = fmt::format("{} {} {} sum {}", what, context.time(), last.value_or("none"),
                                   sum.value_or(-1));
    for (const std::int64_t one : all.all()) text += fmt::format(" {}", one);
    for (const auto& [number, name] : by_number.all()) text += fmt::format(" {}={}", number, name);
    for (const auto& [number, value] : fading.all()) text += fmt::format(" {}~{}", number, value);
    out.emit({std::string(context.key()), std::move(text)});
  }
};

/// Visit 0 of a key sets both of its states, visit 1 clears one, visit 2 asks for it.
struct Forgets {
  ValueState<std::int64_t> cleared{{.name = "cleared"}};
  ValueState<std::int64_t> stays{{.name = "stays"}};

  void process(const Visit& visit, KeyedContext<std::string_view>&, Output<Told>& out) {
    if (visit.number == 0) {
      cleared.set(1);
      stays.set(1);
    } else if (visit.number == 1) {
      cleared.clear();
    } else {
      out.emit({visit.who, fmt::format("{} {}", cleared.value_or(0), stays.value_or(0))});
    }
  }
};

using ByWho = detail::KeyFn<Visit, std::string Visit::*>;
const auto kByWho = std::make_shared<const detail::TypedKeyHash<Visit, ByWho>>(ByWho(&Visit::who));

std::vector<Act> draw_acts(Random& random) {
  std::vector<Act> acts;
  Time newest = 0;
  Time watermark = -100;
  const std::uint64_t keys = 1 + random.below(300);
  for (int at = 0; at < 60; ++at) {
    Act& act = acts.emplace_back();
    const std::uint64_t what = random.below(10);
    if (random.chance(0.15)) {
      act.image = 1 + random.below(5);
      act.fails = random.chance(0.2);
    } else if (what == 0) {
      act.restore = 1 + static_cast<std::uint32_t>(random.below(3));
    } else if (what < 3) {
      act.step.kind = OperatorStep::Kind::watermark;
      watermark = std::max(watermark, newest - 20 - static_cast<Time>(random.below(30)));
      act.step.watermark = watermark;
    } else if (what == 3) {
      act.step.kind = OperatorStep::Kind::clock;
      act.step.by = Duration(1 + random.below(60));
    } else {
      auto batch = std::make_shared<detail::Batch<Visit>>();
      for (std::uint64_t left = 1 + random.below(40); left > 0; --left) {
        newest += static_cast<Time>(random.below(4));
        const Time time = newest - static_cast<Time>(random.below(20));
        const std::uint64_t key = random.chance(0.5) ? random.below(keys) : random.below(5);
        batch->values.push_back(
            {fmt::format("visitor {}", key), time, static_cast<std::int64_t>(random.below(5'000))});
        batch->times.push_back(time);
      }
      act.step.batch = std::move(batch);
    }
  }
  acts.emplace_back().step.kind = OperatorStep::Kind::watermark;
  acts.back().step.watermark = kTimeMax;
  return acts;
}

struct Outcome {
  Lanes lanes;
  std::size_t letters = 0;
  std::string status;
};

class SpilledRowsTest : public testing::Test {
 protected:
  template <class P>
  static OperatorTasks tasks_of() {
    using Op = detail::KeyedProcess<Visit, ByWho, P>;
    return OperatorTasks(
        [] { return std::make_unique<Op>(kByWho, P{}); }, {{&detail::batch_type<Visit>(), kByWho}},
        [](std::uint32_t, const detail::BatchBase& base, std::size_t at) {
          const Told& row = static_cast<const detail::Batch<Told>&>(base).values[at];
          return std::pair(row.who, row.text);
        });
  }
  static Outcome run(OperatorTasks& tasks, const std::vector<Act>& acts) {
    tasks.start(2);
    for (std::size_t at = 0; at < acts.size();) at = play_act(tasks, acts, at);
    return {tasks.lanes(), tasks.letters(), tasks.status().to_string()};
  }
  void expect_same(std::uint64_t seed, std::uint64_t most_bytes) {
    SCOPED_TRACE(fmt::format("seed {}, beyond {} bytes", seed, most_bytes));
    Random random(seed);
    const std::vector<Act> acts = draw_acts(random);
    OperatorTasks in_memory = tasks_of<Remembers>();
    OperatorTasks on_disk = tasks_of<Remembers>();
    on_disk.when_open(folder_.beyond(most_bytes));
    const Outcome wanted = run(in_memory, acts);
    const Outcome got = run(on_disk, acts);
    EXPECT_EQ(got.lanes.size(), wanted.lanes.size());
    for (const auto& [who, texts] : wanted.lanes) {
      const auto& its = got.lanes.at(who);
      EXPECT_EQ(its.size(), texts.size()) << who;
      for (std::size_t at = 0; at < std::min(its.size(), texts.size()) && !HasFailure(); ++at)
        EXPECT_EQ(its[at], texts[at]) << who << " row " << at;
    }
    EXPECT_EQ(got.letters, wanted.letters);
    EXPECT_EQ(got.status, wanted.status);
    letters_ += got.letters;
  }

  SpillFolder folder_;
  std::size_t letters_ = 0;
};

TEST_F(SpilledRowsTest, WhenNothingMayStayInMemoryAllIsAsInMemory) {
  for (std::uint64_t seed = 0; seed < 10 && !HasFailure(); ++seed) expect_same(seed, 0);
  EXPECT_GT(folder_.misses(), 0u);
  EXPECT_GT(letters_, 0u);
}

TEST_F(SpilledRowsTest, WhenSomeMayAllIsAsInMemory) {
  for (std::uint64_t seed = 100; seed < 110 && !HasFailure(); ++seed)
    expect_same(seed, (32 + 3 * (seed % 60)) << 10);
  EXPECT_GT(folder_.hits(), 0u);
  EXPECT_GT(folder_.misses(), 0u);
}

TEST_F(SpilledRowsTest, WhatWasClearedInMemoryStaysSoBehindAnImage) {
  const auto visits = [](std::int64_t number) {
    auto batch = std::make_shared<detail::Batch<Visit>>();
    for (int key = 0; key < 1'000; ++key) {
      batch->values.push_back({fmt::format("visitor {}", key), number, number});
      batch->times.push_back(number);
    }
    OperatorStep step;
    step.batch = std::move(batch);
    return Act{.step = std::move(step)};
  };
  OperatorTasks on_disk = tasks_of<Forgets>();
  on_disk.when_open(folder_.beyond(16u << 10));  // room for some of the keys
  const Outcome got =
      run(on_disk, {visits(0), visits(1), Act{.step = {}, .restore = 2}, visits(2)});
  EXPECT_GT(folder_.misses(), 0u);
  EXPECT_EQ(got.lanes.size(), 1'000u);
  for (const auto& [who, texts] : got.lanes) ASSERT_EQ(texts.at(0), "0 1") << who;
}

using Texts = std::vector<std::string>;

const std::string& who_or_throw(const Visit& visit) {
  if (visit.time % 7 == 3) throw std::runtime_error("no key");
  return visit.who;
}

TEST_F(SpilledRowsTest, ARecordWhoseKeyThrowsIsADeadLetter) {
  using ByFunction = detail::KeyFn<Visit, const std::string& (*)(const Visit&)>;
  using Op = detail::KeyedProcess<Visit, ByFunction, Forgets>;
  const auto key = key_by<Visit>(&who_or_throw);
  OperatorTasks tasks([key] { return std::make_unique<Op>(key, Forgets{}); },
                      {{&detail::batch_type<Visit>()}},
                      [](std::uint32_t, const detail::BatchBase& base, std::size_t at) {
                        const Told& row = static_cast<const detail::Batch<Told>&>(base).values[at];
                        return std::pair(row.who, row.text);
                      });
  tasks.when_open(folder_.beyond(0));
  tasks.start(1);
  for (int turn = 0; turn < 3; ++turn) {  // rows are on disk from the second on
    auto batch = std::make_shared<detail::Batch<Visit>>();
    for (Time time = 10; time < 80; ++time) {
      batch->values.push_back({fmt::format("visitor {}", time), time, turn == 0 ? 0 : 2});
      batch->times.push_back(time);
    }
    tasks.play({.batch = std::move(batch)});
  }
  EXPECT_EQ(tasks.letters(), 3u * 10);
  EXPECT_EQ(tasks.lanes().size(), 60u);
  for (const auto& [who, texts] : tasks.lanes()) EXPECT_EQ(texts, (Texts{"1 1", "1 1"})) << who;
  EXPECT_GT(folder_.misses(), 0u);
}

TEST_F(SpilledRowsTest, WhatIsNotSpilledOpensNoFolder) {
  expect_same(7, 1u << 30);
  EXPECT_TRUE(folder_.is_empty());
}

}  // namespace
}  // namespace millrace::property
