// Tests of bolts with several inputs and several streams, and of what a task knows of its place.
#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "run_harness.hpp"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

struct Order {
  std::int64_t id = 0;
  std::int64_t time = 0;
};
struct Payment {
  std::int64_t order = 0;
  std::string_view bank;
};
struct Match {
  std::int64_t id = 0;
  std::string_view bank;
};

/// Joins in members: right because both inputs are grouped by the order's number.
struct Matcher : Bolt<Inputs<Order, Payment>, Match> {
  void process(const Order& order, Output<Match>& out) override {
    if (order.id == 13) throw std::runtime_error("unlucky");
    ordered.insert(order.id);
    emit_if_both(order.id, out);
  }
  void process(const Payment& payment, Output<Match>& out) override {
    paid[payment.order] = std::string(payment.bank);
    emit_if_both(payment.order, out);
  }
  void emit_if_both(std::int64_t id, Output<Match>& out) {
    const auto found = paid.find(id);
    if (found != paid.end() && ordered.contains(id)) out.emit({id, out.intern(found->second)});
  }
  std::set<std::int64_t> ordered;
  std::map<std::int64_t, std::string> paid;
};

std::vector<Order> orders(std::int64_t from, std::int64_t count) {
  std::vector<Order> list;
  for (std::int64_t at = 0; at < count; ++at) list.push_back({from + at, at});
  return list;
}
std::vector<Payment> payments(std::int64_t count) {
  static constexpr std::array<std::string_view, 3> kBanks = {"a bank with quite a long name", "b",
                                                             "c"};
  std::vector<Payment> list;
  for (std::int64_t at = count - 1; at >= 0; --at) {
    list.push_back({at, kBanks[static_cast<std::size_t>(at % 3)]});
  }
  return list;
}

TEST(SeveralInputs, EachTypeHasItsProcess) {
  for (const std::uint64_t seed : {0u, 1u, 2u, 3u, 4u}) {
    Topology topology("x");
    std::map<std::int64_t, std::string> seen;
    const auto first = topology.from(records<Order>({orders(0, 100)}));
    const auto second = topology.from(records<Order>({orders(100, 100)}));
    const auto paid = topology.from(records<Payment>({payments(150)}));
    topology
        .bolt(
            "match", Matcher{},
            {fields(first, &Order::id), fields(paid, &Payment::order), fields(second, &Order::id)},
            {.tasks = 3})
        .to(each([&seen](const Match& match) { seen[match.id] = match.bank; }));
    const RunOptions options{.executors = 2, .batch_records_max = 1 + 7 * seed};
    const Ended done =
        seed == 0 ? run(topology, {}, options) : simulate(topology, seed, {}, options);
    EXPECT_TRUE(done.status.ok()) << done.status.to_string();
    EXPECT_TRUE(check_counts(done.report, true).ok());
    EXPECT_EQ(seen.size(), 149u);
    EXPECT_EQ(seen[12], "a bank with quite a long name");
    EXPECT_EQ(seen[149], "c");
    EXPECT_FALSE(seen.contains(13));
    ASSERT_EQ(done.report.recent_dead_letters.size(), 1u);
    EXPECT_EQ(done.report.recent_dead_letters.front().record, R"({"id":13,"time":13})");
  }
}

/// Odd numbers to one stream, even ones to another of other records; each third one also goes
/// direct.
using Sorted =
    Streams<std::int64_t, Out<"even", std::string_view>, DirectOut<"work", std::int64_t>>;
struct Sorter : Bolt<Order, Sorted> {
  void process(const Order& order, Output<Sorted>& out) override {
    if (order.id % 3 == 0) {
      out.emit_to<"work">(static_cast<int>(order.id) % out.tasks<"work">(), order.id);
    }
    if (order.id % 2 == 0) {
      out.emit<"even">(out.intern<"even">("number " + std::to_string(order.id)));
    } else {
      out.emit(order.id);
    }
    if (order.id == 6 || order.id == 7) throw std::runtime_error("withdrawn from all streams");
    if (order.id == 8) out.emit_to<"work">(3, 8);
  }
};

/// Remembers which of its tasks got which number.
struct Placed : Bolt<std::int64_t, std::pair<std::int64_t, std::int64_t>> {
  void prepare(TaskContext& context) override { task = context.index(); }
  void process(const std::int64_t& number, Output<Record>& out) override {
    out.emit({number, task});
  }
  std::int64_t task = 0;
};

TEST(SeveralStreams, EachIsReadByItself) {
  for (const bool timed : {false, true}) {
    for (const std::uint64_t seed : {0u, 1u, 2u}) {
      Topology topology("x");
      std::vector<std::int64_t> odd;
      std::vector<std::string> even;
      std::map<std::int64_t, std::int64_t> work;
      auto in = topology.from(records<Order>({orders(0, 12)}));
      if (timed) in = in.event_time(&Order::time);
      const auto sorted = topology.bolt("sort", Sorter{}, shuffle(in));
      sorted.to(each([&odd](std::int64_t number) { odd.push_back(number); }));
      sorted.stream<"even">().to(each([&even](std::string_view text) { even.emplace_back(text); }));
      topology.bolt("work", Placed{}, direct(sorted.stream<"work">()), {.tasks = 3})
          .to(each([&work](const auto& placed) { work[placed.first] = placed.second; }));
      const Ended done = seed == 0 ? run(topology, {}, {.executors = 2})
                                   : simulate(topology, seed, {}, {.batch_records_max = seed});
      EXPECT_TRUE(done.status.ok()) << done.status.to_string();
      EXPECT_TRUE(check_counts(done.report, true).ok());
      EXPECT_THAT(odd, ElementsAre(1, 3, 5, 9, 11));
      EXPECT_THAT(even, ElementsAre("number 0", "number 2", "number 4", "number 10"));
      EXPECT_EQ(work, (std::map<std::int64_t, std::int64_t>{{0, 0}, {3, 0}, {9, 0}}));
      ASSERT_EQ(done.report.recent_dead_letters.size(), 3u);
      EXPECT_EQ(done.report.recent_dead_letters.front().reason,
                "a record for task 3 of the direct stream \"work\": its readers have tasks 0 to 2");
      EXPECT_EQ(done.component("sort").emitted, 12u);
    }
  }
}

/// Names the task by the number.
using Jobs = Streams<DirectOut<"jobs", std::int64_t>>;
struct Boss : Bolt<Order, Jobs> {
  void process(const Order& order, Output<Jobs>& out) override {
    out.emit_to<"jobs">(static_cast<int>(order.id) % out.tasks<"jobs">(), order.id);
  }
};

TEST(SeveralStreams, ADirectStreamReachesTheTaskThatItsSenderNames) {
  for (const int tasks : {1, 2, 5}) {
    for (const std::uint64_t seed : {0u, 1u}) {
      Topology topology("x");
      std::map<std::int64_t, std::int64_t> seen;
      const auto in = topology.from(records<Order>({orders(0, 500)}));
      const auto jobs = topology.bolt("boss", Boss{}, shuffle(in), {.tasks = 2});
      topology.bolt("work", Placed{}, direct(jobs.stream<"jobs">()), {.tasks = tasks})
          .to(each([&seen](const auto& placed) { seen.insert(placed); }));
      const RunOptions options{.executors = 3, .batch_records_max = 16};
      const Ended done =
          seed == 0 ? run(topology, {}, options) : simulate(topology, seed, {}, options);
      EXPECT_TRUE(done.status.ok()) << done.status.to_string();
      ASSERT_EQ(seen.size(), 500u);
      for (const auto& [number, task] : seen) ASSERT_EQ(task, number % tasks);
    }
  }
}

/// What is emitted on any stream has the time of its record: windows behind it see the same.
TEST(SeveralStreams, RecordsOfEachStreamHaveTheTimeOfTheirOrigin) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    Topology topology("x");
    std::map<Time, std::int64_t> evens;
    const auto in = topology.from(records<Order>({orders(20, 200)})).event_time(&Order::time);
    const auto sorted = topology.bolt("sort", Sorter{}, shuffle(in), {.tasks = 2});
    sorted.to(each([](std::int64_t) {}));
    sorted.stream<"even">()
        .key_by([](std::string_view) { return 0; })
        .window(tumbling(20us))
        .count()
        .to(each([&evens](const auto& row) { evens[row.window_end] += row.value; }));
    topology.bolt("work", Placed{}, direct(sorted.stream<"work">()), {.tasks = 3})
        .to(each([](const auto&) {}));
    EXPECT_TRUE(simulate(topology, seed, {}, {.batch_records_max = 8}).status.ok());
    EXPECT_EQ(evens.size(), 10u);
    for (const auto& [end, count] : evens) EXPECT_EQ(count, 10) << end;
  }
}

/// What a task found in its context, as lines.
struct Curious : Bolt<Inputs<Order, Payment>, Streams<Order, Out<"spare", Order>>> {
  using Lines = std::vector<std::string>;
  explicit Curious(std::shared_ptr<Lines> to) : lines(std::move(to)) {}
  void prepare(TaskContext& context) override {
    if (context.index() != 1) return;
    say("{} {} of {} in {}", context.component(), context.index(), context.tasks(),
        context.topology().name);
    for (const InputInfo& input : context.inputs()) {
      say("input {} from {} {} {}", input.input, input.component, input.stream, input.grouping);
    }
    for (const OutputInfo& output : context.outputs()) {
      say("output {}", output.stream);
      for (const TargetInfo& target : output.targets) {
        say("  to {} {} {}", target.component, target.grouping, target.tasks);
      }
    }
    for (const ComponentInfo& one : context.topology().components) {
      say("{} {} {}", one.kind, one.name, one.tasks);
    }
    say("spout {}", context.find("orders") ? context.find("orders")->kind : "none");
    say("nobody {}", context.find("nobody") == nullptr);
    say("retries {} region {} pause {}", context.config().get<int>("retries"),
        context.config().get<std::string>("region"),
        context.config().get<Duration>("pause", 5s).count());
  }
  void process(const Order& order, Output<Record>& out) override { out.emit(order); }
  void process(const Payment&, Output<Record>&) override {}
  template <class... Args>
  void say(fmt::format_string<Args...> text, Args&&... args) {
    lines->push_back(fmt::format(text, std::forward<Args>(args)...));
  }
  std::shared_ptr<Lines> lines;
};

TEST(TaskContext, KnowsItselfItsPeersAndTheTopology) {
  Topology topology("shop");
  topology.configure({{"retries", "1"}, {"region", "north"}});
  const auto lines = std::make_shared<Curious::Lines>();
  const auto in = topology.from(records<Order>({orders(0, 3)})).named("orders");
  const auto paid = topology.from(records<Payment>({payments(3)})).named("payments");
  const auto out = topology.bolt("curious", Curious(lines), {fields(in, &Order::id), all(paid)},
                                 {.tasks = 2, .config = {{"retries", "3"}}});
  out.key_by(&Order::id).count().named("counts").to(view("shown"));
  EXPECT_TRUE(run(topology, {.parallelism = 3}).status.ok());
  EXPECT_THAT(*lines,
              ElementsAre("curious 1 of 2 in shop", "input 0 from orders default fields",
                          "input 1 from payments default all", "output default",
                          "  to counts fields 3", "output spare", "source orders 1",
                          "source payments 1", "bolt curious 2", "count counts 3", "view shown 1",
                          "spout source", "nobody true", "retries 3 region north pause 5000000"));
}

TEST(Config, ReadsWhatIsAskedForOrSaysWhy) {
  const Config config = {{"yes", "true"}, {"int", "-7"},    {"big", "4000000000"},
                         {"real", "2.5"}, {"text", "a, b"}, {"time", "250ms"}};
  EXPECT_TRUE(config.get<bool>("yes"));
  EXPECT_EQ(config.get<int>("int"), -7);
  EXPECT_EQ(config.get<std::uint32_t>("big"), 4'000'000'000u);
  EXPECT_EQ(config.get<double>("real"), 2.5);
  EXPECT_EQ(config.get<std::string>("text"), "a, b");
  EXPECT_EQ(config.get<Duration>("time"), 250ms);
  EXPECT_EQ(config.get("none", 3), 3);
  const auto refused = [](auto&& read) -> std::string {
    try {
      read();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "nothing";
  };
  EXPECT_THAT(refused([&] { return config.get<int>("none"); }), HasSubstr("\"none\" is missing"));
  EXPECT_THAT(refused([&] { return config.get<int>("big"); }), HasSubstr("an integer in range"));
  EXPECT_THAT(refused([&] { return config.get<unsigned>("int"); }), HasSubstr("\"-7\""));
  EXPECT_THAT(refused([&] { return config.get<int>("real"); }), HasSubstr("\"2.5\""));
  EXPECT_THAT(refused([&] { return config.get("text", true); }), HasSubstr("true or false"));
  EXPECT_THAT(refused([&] { return config.get<double>("text"); }), HasSubstr("a number"));
  EXPECT_THAT(refused([&] { return config.get<Duration>("real"); }), HasSubstr("250ms"));
}

/// A connection that the tasks of a worker share.
struct Pool {
  std::atomic<int> uses{0};
  bool closed = false;
};
struct PoolHook : WorkerHook {
  explicit PoolHook(std::shared_ptr<Pool> shared) : pool(std::move(shared)) {}
  void start(WorkerContext& context) override {
    if (context.config().get("broken", false)) throw std::runtime_error("no route to the pool");
    context.share("pool", pool);
  }
  void shutdown() override { pool->closed = true; }
  std::shared_ptr<Pool> pool;
};
struct Using : Bolt<Order, Order> {
  explicit Using(std::string of = "pool") : name(std::move(of)) {}
  void prepare(TaskContext& context) override { pool = &context.resource<Pool>(name); }
  void process(const Order&, Output<Order>&) override {
    if (pool->closed) throw std::runtime_error("the pool was closed before the last task");
    ++pool->uses;
  }
  void cleanup() override { EXPECT_FALSE(pool->closed); }
  std::string name;
  Pool* pool = nullptr;
};

struct Shared {
  std::shared_ptr<Pool> pool = std::make_shared<Pool>();
  Ended ended;
  explicit Shared(const std::string& resource, Config config = {}) {
    Topology topology("x");
    topology.configure(std::move(config));
    topology.worker_hook(std::make_shared<PoolHook>(pool));
    const auto in = topology.from(records<Order>({orders(0, 100)}));
    topology.bolt("use", Using(resource), shuffle(in), {.tasks = 4}).to(each([](const Order&) {}));
    ended = run(topology, {}, {.executors = 2});
  }
};

TEST(WorkerHook, SharesResourcesFromBeforeTheFirstTaskToBehindTheLast) {
  const Shared shared("pool");
  EXPECT_TRUE(shared.ended.status.ok()) << shared.ended.status.to_string();
  EXPECT_EQ(shared.pool->uses, 100);
  EXPECT_TRUE(shared.pool->closed);
  EXPECT_EQ(shared.pool.use_count(), 1);
}

TEST(WorkerHook, WhatIsMissingOrBrokenIsSaid) {
  const Shared missing("lake");
  EXPECT_THAT(missing.ended.status.message(),
              HasSubstr("no worker hook shares a resource \"lake\""));
  EXPECT_TRUE(missing.pool->closed);
  const Shared broken("pool", {{"broken", "true"}});
  EXPECT_EQ(broken.ended.status.code(), Code::user_code_failed);
  EXPECT_THAT(broken.ended.status.message(), HasSubstr("no route to the pool"));
  EXPECT_FALSE(broken.pool->closed);
  Resources resources;
  resources.share("pool", std::make_shared<Pool>());
  EXPECT_THROW(resources.get<int>("pool"), std::invalid_argument);
}

/// Sums what it is told, by component and stream.
struct Watching : TaskHook {
  void prepare(TaskContext& context) override { count("prepare " + context.component(), 1); }
  void emitted(const EmitInfo& info) override {
    count(fmt::format("{} emitted on {}", info.component, info.stream), info.records);
  }
  void executed(const ExecuteInfo& info) override {
    EXPECT_GE(info.took.count(), 0);
    count(fmt::format("{} executed from {} {}", info.component, info.source, info.stream),
          info.records);
  }
  void cleanup() override { count("cleanup", 1); }
  void count(const std::string& what, std::size_t by) {
    const std::lock_guard lock(mutex);
    sums[what] += by;
  }
  std::mutex mutex;
  std::map<std::string, std::size_t> sums;
};
struct Hooked : Sorter {
  explicit Hooked(std::shared_ptr<TaskHook> own) : hook(std::move(own)) {}
  void prepare(TaskContext& context) override { context.add_hook(hook); }
  void process(const Order& order, Output<Sorted>& out) override { Sorter::process(order, out); }
  std::shared_ptr<TaskHook> hook;
};

TEST(TaskHook, SeesWhatItsTasksExecuteAndEmit) {
  Topology topology("x");
  const auto of_all = std::make_shared<Watching>();
  const auto of_one = std::make_shared<Watching>();
  topology.hook(of_all);
  const auto in = topology.from(records<Order>({orders(20, 100)})).named("in");
  const auto sorted = topology.bolt("sort", Hooked(of_one), shuffle(in), {.tasks = 2});
  sorted.to(each([](std::int64_t) {}));
  sorted.stream<"even">().to(each([](std::string_view) {}));
  EXPECT_TRUE(run(topology).status.ok());
  const std::map<std::string, std::size_t> of_sort = {{"sort executed from in default", 100},
                                                      {"sort emitted on default", 50},
                                                      {"sort emitted on even", 50},
                                                      {"sort emitted on work", 33},
                                                      {"cleanup", 2}};
  EXPECT_EQ(of_one->sums, of_sort);
  EXPECT_EQ(of_all->sums["prepare sort"], 2u);
  EXPECT_EQ(of_all->sums["cleanup"], 5u);
  EXPECT_EQ(of_all->sums["in emitted on default"], 100u);
  EXPECT_EQ(of_all->sums["each executed from sort default"], 50u);
  EXPECT_EQ(of_all->sums["each-2 executed from sort even"], 50u);
}

struct Measuring : Bolt<Order, Order> {
  void prepare(TaskContext& context) override {
    seen = &context.counter("seen");
    EXPECT_EQ(seen, &context.counter("seen"));
    EXPECT_THROW(context.gauge("seen"), std::invalid_argument);
    EXPECT_THROW(context.gauge("a \"b\""), std::invalid_argument);
    EXPECT_THROW(context.timer(""), std::invalid_argument);
    context.gauge("level").set(2.5);
    ids = &context.histogram("ids");
    took = &context.timer("took");
  }
  void process(const Order& order, Output<Order>&) override {
    const auto timed = took->measure();
    seen->add(1);
    ids->add(order.id);
    took->add(2ms);
  }
  Counter* seen = nullptr;
  millrace::Histogram* ids = nullptr;
  Timer* took = nullptr;
};

TEST(UserMetrics, AreSummedOverTheTasks) {
  Topology topology("x");
  const auto in = topology.from(records<Order>({orders(0, 1000)}));
  topology.bolt("measure", Measuring{}, shuffle(in), {.tasks = 4}).to(each([](const Order&) {}));
  const Ended done = simulate(topology, 1);
  const auto& metrics = done.component("measure").metrics;
  ASSERT_EQ(metrics.size(), 4u);
  EXPECT_EQ(metrics[0].name, "ids");
  EXPECT_EQ(metrics[0].kind, "histogram");
  EXPECT_EQ(metrics[0].count, 1000u);
  EXPECT_EQ(metrics[0].value, 499'500);
  EXPECT_NEAR(metrics[0].p50, 500, 500 / 16.0);
  EXPECT_NEAR(metrics[0].p99, 990, 990 / 16.0);
  EXPECT_EQ(metrics[0].greatest, 999);
  EXPECT_EQ(metrics[1].name, "level");
  EXPECT_EQ(metrics[1].value, 10);
  EXPECT_EQ(metrics[2].kind, "counter");
  EXPECT_EQ(metrics[2].value, 1000);
  EXPECT_EQ(metrics[3].kind, "timer");
  EXPECT_EQ(metrics[3].count, 2000u);
  EXPECT_EQ(metrics[3].value, 2'000'000) << "the clock of a simulation stands still meanwhile";
  EXPECT_EQ(metrics[3].greatest, 2000);
  EXPECT_TRUE(done.component("each").metrics.empty());
}

}  // namespace
}  // namespace millrace::detail
