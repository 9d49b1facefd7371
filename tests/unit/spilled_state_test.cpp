// Runs whose keyed state is ten times what memory has for it: on disk all of it is right, and
// without a disk they are refused by name.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>

#include "epoch_world.hpp"
#include "millrace/millrace.hpp"
#include "running_topology.hpp"

namespace millrace::detail {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;

struct Purchase {
  std::uint64_t buyer = 0;
  std::uint64_t cents = 0;
};
struct Total {
  std::uint64_t buyer = 0;
  std::uint64_t purchases = 0;
  std::uint64_t cents = 0;
};
struct Sums {
  ValueState<Total> total;
  ValueState<std::string> note;
  void process(const Purchase& purchase, KeyedContext<std::uint64_t>& context, Output<Total>& out) {
    if (!note) note.set(std::string(1000, static_cast<char>('a' + context.key() % 26)));
    total.update([&](Total& sum) {
      sum.buyer = context.key();
      ++sum.purchases;
      sum.cents += purchase.cents;
    });
    if (note.get()->front() == 'a' + static_cast<char>(context.key() % 26)) out.emit(*total);
  }
};

constexpr std::uint64_t kBuyers = 40'000;
constexpr std::uint64_t kPurchases = 2 * kBuyers;

/// Each buyer buys twice, half of the stream apart.
void declare_purchases(Topology& topology, std::uint64_t& last, std::uint64_t& cents) {
  topology
      .from(
          generate(kPurchases, [](std::uint64_t at) { return Purchase{at * 7919 % kBuyers, at}; }))
      .key_by(&Purchase::buyer)
      .process(Sums{})
      .named("sums")
      .to(each([&](const Total& total) {
        last += total.purchases == 2;
        cents += total.purchases == 2 ? total.cents : 0;
      }));
}

/// What is kept of a buyer without process(): more than a KB of it beside the tables.
struct Bought {
  std::string note;
  std::uint64_t purchases = 0;
  std::uint64_t cents = 0;
};
void add_purchase(Bought& bought, const Purchase& purchase) {
  if (bought.note.empty()) bought.note.assign(1000, static_cast<char>('a' + purchase.buyer % 26));
  if (bought.note.front() != static_cast<char>('a' + purchase.buyer % 26)) return;
  ++bought.purchases;
  bought.cents += purchase.cents;
}
/// The same, of a type that nobody can store.
struct Shared {
  std::shared_ptr<std::uint64_t> purchases = std::make_shared<std::uint64_t>(0);
  std::array<std::uint64_t, 100> more = {};
};
void count_purchase(Shared& shared, const Purchase&) { ++*shared.purchases; }

/// As declare_purchases(), with what `fold` says.
template <class A, class Take>
void declare_folds(Topology& topology, void (*fold)(A&, const Purchase&), Take take) {
  topology
      .from(
          generate(kPurchases, [](std::uint64_t at) { return Purchase{at * 7919 % kBuyers, at}; }))
      .key_by(&Purchase::buyer)
      .fold(A{}, fold)
      .named("sums")
      .to(each([take](const Aggregate<std::uint64_t, A>& row) { take(row.value); }));
}

class SpilledStateTest : public testing::Test {
 protected:
  SpilledStateTest() {
    char made[] = "/tmp/millrace-spilled-state-XXXXXX";
    root_ = ::mkdtemp(made);
  }
  ~SpilledStateTest() override { std::filesystem::remove_all(root_); }
  /// Rows get less than 6 of 16 MB, and take more than a KB each.
  RunOptions tenth() const {
    RunOptions run;
    run.memory_bytes = 16 * kMiB;
    run.spill = {&log_tables(), root_ + "/purchases", false};
    return run;
  }
  /// Runs to the end, with most of the buyers on disk.
  void expect_spilled(Topology& topology) {
    RunningTopology running(topology, {}, tenth());
    ASSERT_TRUE(running.started().ok());
    running.wait();
    const Report report = running.report();
    const SpilledReport& spilled = component_of(report, "sums").spilled;
    EXPECT_GT(spilled.keys, kBuyers * 8 / 10);
    EXPECT_GT(spilled.misses, kBuyers * 8 / 10);
    EXPECT_LE(report.memory.state_peak_bytes, 12 * kMiB);
    const Status status = running.stop();
    EXPECT_TRUE(status.ok()) << status.to_string();
  }
  void expect_refused(Topology& topology, const RunOptions& run) {
    RunningTopology running(topology, {}, run);
    running.wait();
    const Status status = running.stop();
    EXPECT_EQ(status.code(), Code::memory_exceeded);
    EXPECT_NE(status.message().find("\"sums\""), std::string::npos) << status.message();
    EXPECT_NE(status.message().find("--spill-dir"), std::string::npos) << status.message();
  }
  std::string root_;
};

TEST_F(SpilledStateTest, AStreamOfTenTimesTheMemoryIsCountedRight) {
  std::uint64_t twice = 0;
  std::uint64_t cents = 0;
  Topology topology("purchases");
  declare_purchases(topology, twice, cents);
  expect_spilled(topology);
  EXPECT_EQ(twice, kBuyers);
  EXPECT_EQ(cents, kPurchases * (kPurchases - 1) / 2);
  EXPECT_TRUE(std::filesystem::is_empty(root_ + "/purchases"));
}

/// Most keys of the window are on disk when they come again, and when it fires.
TEST_F(SpilledStateTest, AWindowOfTenTimesTheMemoryIsCountedRight) {
  constexpr std::uint64_t kMany = 400'000;
  const auto run_with = [](RunOptions run, std::uint64_t& rows, std::int64_t& counted) {
    Topology topology("purchases");
    topology
        .from(generate(2 * kMany, [](std::uint64_t at) { return Purchase{at * 7919 % kMany, at}; }))
        .key_by(&Purchase::buyer)
        .window(global())
        .count()
        .named("counts")
        .to(each([&](const auto& row) {
          ++rows;
          counted += row.value == 2;
        }));
    run.memory_bytes = 6 * kMiB;
    RunningTopology running(topology, {}, run);
    running.wait();
    EXPECT_LE(running.report().memory.state_peak_bytes, run.memory_bytes * 3 / 4);
    return running.stop();
  };
  std::uint64_t rows = 0;
  std::int64_t counted = 0;
  RunOptions run;
  EXPECT_EQ(run_with(run, rows, counted).code(), Code::memory_exceeded);
  rows = counted = 0;
  run.spill = {&log_tables(), root_ + "/purchases", false};
  const Status status = run_with(run, rows, counted);
  EXPECT_TRUE(status.ok()) << status.to_string();
  EXPECT_EQ(rows, kMany);
  EXPECT_EQ(counted, static_cast<std::int64_t>(kMany));
  EXPECT_TRUE(std::filesystem::is_empty(root_ + "/purchases"));
}

TEST_F(SpilledStateTest, ARunningAggregateOfTenTimesTheMemoryIsRight) {
  std::uint64_t twice = 0;
  std::uint64_t cents = 0;
  Topology topology("purchases");
  declare_folds(topology, add_purchase, [&](const Bought& bought) {
    twice += bought.purchases == 2;
    cents += bought.purchases == 2 ? bought.cents : 0;
  });
  expect_spilled(topology);
  EXPECT_EQ(twice, kBuyers);
  EXPECT_EQ(cents, kPurchases * (kPurchases - 1) / 2);
  EXPECT_TRUE(std::filesystem::is_empty(root_ + "/purchases"));
}

/// Their task is done, so each later epoch has its image: one of rows that fit fits as well.
TEST_F(SpilledStateTest, TheLastImageOfRowsInMemoryStaysThere) {
  for (const std::uint64_t memory : {512 * kMiB, 16 * kMiB}) {
    std::uint64_t twice = 0;
    std::uint64_t cents = 0;
    Topology topology("purchases");
    declare_purchases(topology, twice, cents);
    MemoryStore store;
    RunOptions run = tenth();
    run.memory_bytes = memory;
    run.epochs = &store;
    RunningTopology running(topology, {}, run);
    running.wait();
    const Status status = running.stop();
    EXPECT_TRUE(status.ok()) << status.to_string();
    EXPECT_EQ(twice, kBuyers);
    EXPECT_GT(store.writes(), 0);
    EXPECT_EQ(std::filesystem::exists(root_ + "/purchases"), memory == 16 * kMiB);
  }
}

TEST_F(SpilledStateTest, WhatCannotBeStoredStaysInMemory) {
  Topology topology("purchases");
  declare_folds(topology, count_purchase, [](const Shared&) {});
  expect_refused(topology, tenth());
}

TEST_F(SpilledStateTest, WithoutADiskItIsRefusedByName) {
  std::uint64_t twice = 0;
  std::uint64_t cents = 0;
  Topology topology("purchases");
  declare_purchases(topology, twice, cents);
  RunOptions run = tenth();
  run.spill = {};
  expect_refused(topology, run);
}

TEST_F(SpilledStateTest, ADiskThatTakesNothingEndsTheRunWithItsFolder) {
  std::uint64_t twice = 0;
  std::uint64_t cents = 0;
  Topology topology("purchases");
  declare_purchases(topology, twice, cents);
  std::ofstream(root_ + "/file") << "no folder";
  RunOptions run;
  run.memory_bytes = 16 * kMiB;
  run.spill = {&log_tables(), root_ + "/file", false};
  RunningTopology running(topology, {}, run);
  running.wait();
  const Status status = running.stop();
  EXPECT_EQ(status.code(), Code::sink_failed);
  EXPECT_NE(status.message().find(root_ + "/file"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("\"sums\""), std::string::npos) << status.message();
}

}  // namespace
}  // namespace millrace::detail
