// Streams from and to a journal: records and keys, partitions, where reading begins, what is
// refused.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "env/sim_env.hpp"
#include "journal/journal.hpp"
#include "millrace/journal_ends.hpp"
#include "run_harness.hpp"

namespace millrace::detail {
namespace {

struct Order {
  std::string_view page;
  int amount = 0;
  Timestamp at;
};

class JournalEnds : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "millrace_ends_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ / "j";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Ended write(int orders, JournalWriting options = {}) {
    Topology topology("writes");
    topology
        .from(generate(
            static_cast<std::uint64_t>(orders),
            [](std::uint64_t index) {
              static constexpr std::string_view kPages[] = {"a", "b", "c"};
              return Order{kPages[index % 3], static_cast<int>(index), {static_cast<Time>(index)}};
            }))
        .event_time(&Order::at)
        .to(journal(path_, "orders", options));
    return run(topology);
  }

  /// "page amount" of every record, in the order of coming.
  std::vector<std::string> read(JournalReading options, Ended* ended = nullptr) {
    std::vector<std::string> found;
    std::mutex mutex;
    Topology topology("reads");
    options.follow = false;
    topology.from(journal<Order>(path_, "orders", options)).to(each([&](const Order& order) {
      const std::lock_guard lock(mutex);
      found.push_back(fmt::format("{} {}", order.page, order.amount));
    }));
    Ended done = run(topology);
    if (ended == nullptr) {
      EXPECT_TRUE(done.status) << done.status.to_string();
    } else {
      *ended = std::move(done);
    }
    return found;
  }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(JournalEnds, WhatOneTopologyWritesAnotherReads) {
  ASSERT_TRUE(write(3000).status);
  const std::vector<std::string> all = read({});
  ASSERT_EQ(all.size(), 3000u);
  EXPECT_EQ(all[0], "a 0");
  EXPECT_EQ(all[2999], "c 2999");
  EXPECT_EQ(read({.from = "2990"}).size(), 10u);
  EXPECT_EQ(read({.from = "1970-01-01T00:00:00.002Z"}).front(), "c 2000");
  EXPECT_TRUE(read({.from = "latest"}).empty());
  ASSERT_TRUE(write(1).status);
  EXPECT_EQ(read({}).size(), 3001u);
}

/// The journal "j" of a simulated machine: writes orders to it, and says how that ended.
Status write_simulated(SimEnv& env, int orders) {
  Topology topology("writes");
  topology
      .from(generate(static_cast<std::uint64_t>(orders),
                     [](std::uint64_t index) {
                       return Order{"p", static_cast<int>(index), {static_cast<Time>(index)}};
                     }))
      .to(journal("j", "orders"));
  const Graph& graph = valid_graph(topology);
  return Simulation(graph, make_plan(graph, {}), {.batch_records_max = 16}, env,
                    {.seed = env.env().seed})
      .run()
      .error();
}

/// Their amounts, in the order of coming.
std::vector<int> read_simulated(SimEnv& env) {
  std::vector<int> found;
  Topology topology("reads");
  topology.from(journal<Order>("j", "orders", {.follow = false})).to(each([&](const Order& order) {
    found.push_back(order.amount);
  }));
  const Graph& graph = valid_graph(topology);
  const Status status =
      Simulation(graph, make_plan(graph, {}), {}, env, {.seed = env.env().seed}).run().error();
  EXPECT_TRUE(status) << status.to_string();
  return found;
}

TEST(JournalInSimulation, ALossOfPowerLeavesTheFirstOnes) {
  std::size_t cut_short = 0;
  bool came = true;
  for (std::uint64_t call = 0; came; ++call) {
    SimEnv env(call + 1);
    {
      // The topic is there before, so that it can be read after.
      auto made = Journal::open(env.disk, env.clock, "j", {});
      ASSERT_TRUE((*made)->create_topic("orders", {}).has_value());
    }
    env.disk.set_faults({DiskFault::power_cut, call, false});
    const Status ended = write_simulated(env, 200);
    came = env.disk.calls() > call;
    EXPECT_EQ(came, !ended) << "call " << call;
    env.disk.lose_power();
    {
      auto recovered = Journal::open(env.disk, env.clock, "j", {});
      ASSERT_TRUE(recovered.has_value()) << recovered.error().to_string();
    }
    const std::vector<int> found = read_simulated(env);
    for (std::size_t at = 0; at < found.size(); ++at)
      ASSERT_EQ(found[at], static_cast<int>(at)) << "call " << call;
    cut_short += found.size() < 200 ? 1 : 0;
    EXPECT_TRUE(came || found.size() == 200);
    ASSERT_LT(call, 1000u);
  }
  EXPECT_GT(cut_short, 3u);
}

TEST_F(JournalEnds, AKeyHasOnePartitionAndKeepsItsOrder) {
  ASSERT_TRUE(write(300, {.key = "page", .partitions = 4}).status);
  auto opened = Journal::open(real_disk(), *real_env().clock, path_, {.read_only = true});
  ASSERT_TRUE(opened.has_value()) << opened.error().to_string();
  Topic& topic = **(*opened)->topic("orders");
  ASSERT_EQ(topic.partitions(), 4u);
  for (std::uint32_t number = 0; number < 4; ++number) {
    LogReader reader(topic.view(number), 0);
    for (JournalRecord record; *reader.next(record);) {
      EXPECT_EQ(topic.partition_of(record.key.value()), number);
      EXPECT_NE(record.value->find(fmt::format("\"page\":\"{}\"", *record.key)), std::string::npos);
    }
  }
  for (const std::uint32_t tasks : {1u, 2u}) {
    const std::vector<std::string> all = read({.tasks = tasks});
    EXPECT_EQ(all.size(), 300u);
    std::vector<std::string> of_b;
    std::copy_if(all.begin(), all.end(), std::back_inserter(of_b),
                 [](const std::string& text) { return text[0] == 'b'; });
    for (std::size_t at = 0; at < of_b.size(); ++at)
      EXPECT_EQ(of_b[at], fmt::format("b {}", at * 3 + 1));
  }
}

TEST_F(JournalEnds, AValueThatDoesNotFitIsADeadLetter) {
  ASSERT_TRUE(write(2).status);
  {
    auto opened = Journal::open(real_disk(), *real_env().clock, path_, {});
    std::vector<JournalRecord> records(2);
    records[0].value = "{\"page\":1}";
    ASSERT_TRUE((*(*opened)->topic("orders"))->log(0)->append(records).has_value());
  }
  Ended ended;
  EXPECT_EQ(read({}, &ended).size(), 2u);
  EXPECT_TRUE(ended.status);
  std::uint64_t dead = 0;
  for (const auto& component : ended.report.components) dead += component.dead_lettered;
  EXPECT_EQ(dead, 2u);
}

TEST_F(JournalEnds, WhatCannotBeIsRefused) {
  Ended ended;
  read({}, &ended);
  EXPECT_EQ(ended.status.code(), Code::source_failed);
  ASSERT_TRUE(write(1).status);
  read({.from = "noon"}, &ended);
  EXPECT_EQ(ended.status.code(), Code::parameter_invalid);
  Topology topology("no such column");
  topology.from(records<int>({{1}})).to(journal(path_, "t", {.key = "page"}));
  ASSERT_EQ(topology.declaration().graph.validate().size(), 1u);
  EXPECT_EQ(topology.declaration().graph.validate()[0].code(), Code::parameter_invalid);
}

}  // namespace
}  // namespace millrace::detail
