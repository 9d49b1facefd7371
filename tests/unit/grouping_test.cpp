// Tests of groupings as users write them: each contract, and fields of every type.
#include <gmock/gmock.h>

#include <atomic>
#include <cmath>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "run_harness.hpp"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

enum class Colour : std::uint8_t { red, green };
struct Place {
  double latitude = 0;
  std::string_view town;
};
/// A member of every type that a record may have.
struct Every {
  bool flag = false;
  std::int8_t small = 0;
  std::uint16_t port = 0;
  std::int32_t number = 0;
  std::uint64_t big = 0;
  float ratio = 0;
  double amount = 0;
  std::string_view view;
  std::string text;
  Timestamp at;
  std::optional<std::int64_t> maybe;
  std::optional<Place> somewhere;
  Place place;
};

std::vector<Every> every(std::size_t count) {
  static constexpr std::array<std::string_view, 4> kTowns = {"", "Ulm", "Paris",
                                                             "Llanfairpwllgwyngyll"};
  std::vector<Every> list;
  for (std::size_t at = 0; at < count; ++at) {
    const auto n = static_cast<std::int64_t>(at % 7) - 3;
    Every one;
    one.flag = at % 2 == 0;
    one.small = static_cast<std::int8_t>(n);
    one.port = static_cast<std::uint16_t>(65'530 + n);
    one.number = static_cast<std::int32_t>(n * 1'000'000);
    one.big = ~std::uint64_t{0} - at % 7;
    one.ratio = static_cast<float>(n) / 2;
    one.amount = at % 14 == 3 ? -0.0 : static_cast<double>(n);
    one.view = kTowns[at % 4];
    one.text = std::string(kTowns[at % 4]) + "!";
    one.at = Timestamp{n * 1'000'000'000};
    if (at % 3 != 0) one.maybe = n;
    if (at % 3 != 1) one.somewhere = Place{static_cast<double>(n), kTowns[at % 4]};
    one.place = {static_cast<double>(at % 5), kTowns[at % 4]};
    list.push_back(std::move(one));
  }
  return list;
}

/// Which task got which record; their views are of literals.
struct Seen {
  std::mutex mutex;
  std::vector<std::pair<Every, int>> records;
};
struct Noting : Bolt<Every, std::int64_t> {
  explicit Noting(std::shared_ptr<Seen> to) : seen(std::move(to)) {}
  void prepare(TaskContext& context) override { task = context.index(); }
  void process(const Every& record, Output<std::int64_t>&) override {
    const std::lock_guard lock(seen->mutex);
    seen->records.emplace_back(record, task);
  }
  std::shared_ptr<Seen> seen;
  int task = 0;
};

constexpr int kTasks = 5;

/// Runs 500 records of every() from two sending tasks through a grouping to five tasks.
template <class Group>
std::vector<std::pair<Every, int>> tasks_of(Group&& group, std::uint64_t seed = 1) {
  Topology topology("x");
  const auto seen = std::make_shared<Seen>();
  const auto source =
      topology.from(records<Every>({every(250), every(250)}, 2)).filter([](const Every&) {
        return true;
      });
  topology.bolt("note", Noting(seen), group(source), {.tasks = kTasks}).to(each([](std::int64_t) {
  }));
  const Ended done = simulate(topology, seed, {}, {.batch_records_max = 16});
  EXPECT_TRUE(done.status.ok()) << done.status.to_string();
  return seen->records;
}

bool equal_parts(const Place& a, const Place& b) {
  return a.latitude == b.latitude && a.town == b.town;
}
bool equal_parts(const std::optional<Place>& a, const std::optional<Place>& b) {
  return a.has_value() == b.has_value() && (!a || equal_parts(*a, *b));
}
template <class M>
bool equal_parts(const M& a, const M& b) {
  return a == b;
}

/// Records whose `get` is equal are all in one task; different ones are not all in one.
template <class... Parts>
void expect_by(Parts... parts) {
  const auto same = [&](const Every& a, const Every& b) {
    return (equal_parts(std::invoke(parts, a), std::invoke(parts, b)) && ...);
  };
  const auto placed = tasks_of([&](const Stream<Every>& in) { return fields(in, parts...); });
  ASSERT_EQ(placed.size(), 500u);
  std::set<int> tasks;
  for (const auto& [record, task] : placed) {
    tasks.insert(task);
    for (const auto& [other, other_task] : placed) {
      ASSERT_TRUE(!same(record, other) || task == other_task);
    }
  }
  EXPECT_GE(tasks.size(), 2u);
}
TEST(Fields, GroupByEveryTypeOfMember) {
  expect_by(&Every::small);
  expect_by(&Every::port);
  expect_by(&Every::number);
  expect_by(&Every::big);
  expect_by(&Every::ratio);
  expect_by(&Every::amount);
  expect_by(&Every::view);
  expect_by(&Every::text);
  expect_by(&Every::at);
  expect_by(&Every::maybe);
  expect_by(&Every::somewhere);
  expect_by(&Every::place);
}
TEST(Fields, GroupBySeveralMembersAndByFunctions) {
  expect_by(&Every::flag, &Every::small);
  expect_by(&Every::view, &Every::maybe, &Every::amount);
  expect_by([](const Every& one) { return one.number % 3; });
  expect_by([](const Every& one) { return std::tuple(one.flag, one.text); });
  expect_by([](const Every& one) { return std::vector<std::int64_t>{one.small, one.port}; });
  expect_by([](const Every& one) { return static_cast<Colour>(one.flag); }, &Every::port);
}
TEST(Fields, TwoBooleansAreTwoKeys) {
  const auto placed = tasks_of([](const auto& in) { return fields(in, &Every::flag); });
  std::set<std::pair<bool, int>> pairs;
  for (const auto& [record, task] : placed) pairs.emplace(record.flag, task);
  EXPECT_EQ(pairs.size(), 2u);
}

TEST(PartialKey, GivesEachKeyAtMostTwoTasks) {
  const auto placed = tasks_of([](const auto& in) { return partial_key(in, &Every::place); });
  ASSERT_EQ(placed.size(), 500u);
  std::map<std::pair<double, std::string_view>, std::set<int>> of_key;
  for (const auto& [record, task] : placed) {
    of_key[{record.place.latitude, record.place.town}].insert(task);
  }
  EXPECT_EQ(of_key.size(), 20u);
  for (const auto& [key, tasks] : of_key) EXPECT_LE(tasks.size(), 2u);
}

TEST(AllGlobalNone, ReachEveryTaskTheFirstAndAny) {
  const auto count_by_task = [](const auto& placed) {
    std::vector<int> counts(kTasks);
    for (const auto& [record, task] : placed) ++counts[static_cast<std::size_t>(task)];
    return counts;
  };
  EXPECT_EQ(count_by_task(tasks_of([](const auto& in) { return all(in); })),
            std::vector<int>(kTasks, 500));
  EXPECT_EQ(count_by_task(tasks_of([](const auto& in) { return global(in); })),
            (std::vector<int>{500, 0, 0, 0, 0}));
  for (const auto& placed : {tasks_of([](const auto& in) { return none(in); }),
                             tasks_of([](const auto& in) { return shuffle(in); }),
                             tasks_of([](const auto& in) { return local_or_shuffle(in); })}) {
    EXPECT_EQ(placed.size(), 500u);
    for (const int count : count_by_task(placed)) EXPECT_GT(count, 0);
  }
}

TEST(None, IsFusedWhereTasksAreEquallyMany) {
  Topology topology("x");
  const auto in = topology.from(records<Every>({every(10)}));
  const auto seen = std::make_shared<Seen>();
  const auto first =
      topology.bolt("first", Noting(seen), shuffle(in), {.tasks = 3}).map([](std::int64_t) {
        return Every();
      });
  topology.bolt("second", Noting(seen), none(first), {.tasks = 3}).to(each([](std::int64_t) {}));
  const Plan plan = make_plan(valid_graph(topology), {});
  EXPECT_EQ(plan.stages[1].chain, plan.stages[3].chain);
  EXPECT_NE(plan.stages[0].chain, plan.stages[1].chain);
}

/// Small numbers to all, large ones to nobody, the rest by their port; knows its sender.
struct Picky : CustomGrouping<Every> {
  void prepare(TaskContext& sender, int tasks) override {
    EXPECT_EQ(sender.component(), "filter");
    EXPECT_LT(sender.index(), 2);
    EXPECT_EQ(tasks, kTasks);
    prepared = true;
  }
  void choose(const Every& record, Targets& targets) override {
    EXPECT_TRUE(prepared);
    EXPECT_EQ(targets.tasks(), kTasks);
    if (record.small == 3) return;
    if (record.small == 2) {
      for (int task = 0; task < targets.tasks(); ++task) targets.add(task);
      return targets.add(kTasks - 1);  // once is enough
    }
    targets.add(record.port % targets.tasks());
  }
  bool prepared = false;
};

TEST(Custom, ChoosesOneSeveralOrNoTasks) {
  const auto placed = tasks_of([](const auto& in) { return custom(in, Picky{}); });
  std::size_t wanted = 0;
  for (const Every& record : every(250)) {
    wanted += record.small == 3 ? 0 : record.small == 2 ? 2 * kTasks : 2;
  }
  EXPECT_EQ(placed.size(), wanted);
  for (const auto& [record, task] : placed) {
    EXPECT_NE(record.small, 3);
    EXPECT_TRUE(record.small == 2 || task == record.port % kTasks);
  }
}

struct Lost : CustomGrouping<Every> {
  void choose(const Every&, Targets& targets) override { targets.add(targets.tasks()); }
};

TEST(Custom, ATaskThatIsNotThereEndsTheRunWithASentence) {
  for (const int tasks : {1, 3}) {
    Topology topology("x");
    const auto in = topology.from(records<Every>({every(10)})).named("in");
    topology.bolt("out", Noting(std::make_shared<Seen>()), custom(in, Lost{}), {.tasks = tasks})
        .to(each([](std::int64_t) {}));
    const Ended done = run(topology);
    EXPECT_EQ(done.status.code(), Code::user_code_failed);
    EXPECT_THAT(
        done.status.message(),
        HasSubstr(fmt::format("a custom grouping chose task {}: the receiver has tasks 0 to "
                              "{}",
                              tasks, tasks - 1)));
  }
}

/// What one task sends another stays in order, whatever the grouping.
TEST(Order, OfOneSenderIsKeptByEveryGrouping) {
  const auto check = [](auto&& group, const char* name) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
      Topology topology("x");
      std::vector<std::vector<Every>> input(1);
      for (std::int32_t at = 0; at < 600; ++at) input[0].push_back(every(8)[at % 8u]);
      for (std::int32_t at = 0; at < 600; ++at) input[0][static_cast<std::size_t>(at)].number = at;
      const auto seen = std::make_shared<Seen>();
      const auto in = topology.from(records(input));
      topology.bolt("note", Noting(seen), group(in), {.tasks = 3}).to(each([](std::int64_t) {}));
      EXPECT_TRUE(simulate(topology, seed, {}, {.batch_records_max = 7, .ring_batches_max = 2})
                      .status.ok());
      std::map<int, std::int32_t> last;
      for (const auto& [record, task] : seen->records) {
        const auto found = last.emplace(task, -1).first;
        ASSERT_LT(found->second, record.number) << name << " to task " << task << " seed " << seed;
        found->second = record.number;
      }
    }
  };
  check([](const auto& in) { return shuffle(in); }, "shuffle");
  check([](const auto& in) { return local_or_shuffle(in); }, "local_or_shuffle");
  check([](const auto& in) { return none(in); }, "none");
  check([](const auto& in) { return fields(in, &Every::view); }, "fields");
  check([](const auto& in) { return partial_key(in, &Every::view); }, "partial_key");
  check([](const auto& in) { return global(in); }, "global");
  check([](const auto& in) { return all(in); }, "all");
}

/// A verb takes its records by the grouping before it.
TEST(Verbs, FollowAGrouping) {
  Topology topology("x");
  const auto in = topology.from(records<Every>({every(100)})).named("in");
  std::int64_t count = 0;
  fields(in, &Every::view)
      .stream()
      .map([](const Every& one) { return std::int64_t{one.small}; })
      .named("mapped")
      .to(each([&count](std::int64_t) { ++count; }));
  const Ended done = run(topology, {.parallelism = 3}, {.executors = 2});
  EXPECT_EQ(count, 100);
  EXPECT_EQ(done.component("mapped").tasks, 3u);
  EXPECT_EQ(done.report.edges.front().grouping, "fields");
}

/// Takes a millisecond for each record in its first task, nothing in the others.
struct SlowFirst : Bolt<std::int64_t, std::int64_t> {
  using Counts = std::array<std::atomic<int>, 3>;
  explicit SlowFirst(std::shared_ptr<Counts> to) : counts(std::move(to)) {}
  void prepare(TaskContext& context) override { task = static_cast<std::size_t>(context.index()); }
  void process(const std::int64_t&, Output<std::int64_t>&) override {
    ++(*counts)[task];
    if (task == 0) std::this_thread::sleep_for(1ms);
  }
  std::shared_ptr<Counts> counts;
  std::size_t task = 0;
};

/// The source and task 0 share an executor or not: the tasks that keep up do the work.
TEST(Shuffle, UsesTheTasksThatKeepUp) {
  Topology topology("x");
  const auto counts = std::make_shared<SlowFirst::Counts>();
  const auto in = topology.from(
      generate(9'000, [](std::uint64_t at) { return static_cast<std::int64_t>(at); }));
  topology.bolt("work", SlowFirst(counts), shuffle(in), {.tasks = 3}).to(each([](std::int64_t) {}));
  const Ended done =
      run(topology, {}, {.executors = 4, .batch_records_max = 16, .ring_batches_max = 4});
  EXPECT_TRUE(done.status.ok());
  EXPECT_EQ((*counts)[0] + (*counts)[1] + (*counts)[2], 9'000);
  EXPECT_LT((*counts)[0], 1'500) << "an even share would be 3,000";
  // How the other two share the rest is the machine's business: an executor may start late.
  EXPECT_GT((*counts)[1], 0);
  EXPECT_GT((*counts)[2], 0);
}

}  // namespace
}  // namespace millrace::detail
