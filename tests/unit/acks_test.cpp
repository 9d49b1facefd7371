// At least once: what is acked when, what is played again, and what becomes of it in the end.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "millrace/topology.hpp"
#include "run_harness.hpp"
#include "runtime/stepped_run.hpp"

namespace millrace {
namespace {

using detail::Ended;
using detail::PlanOptions;
using detail::RunOptions;

/// What the tasks of a test did, by all threads.
struct Seen {
  std::mutex mutex;
  std::map<int, int> times;
  int add(int value) {
    const std::lock_guard lock(mutex);
    return ++times[value];
  }
};

std::vector<int> numbers(int count) {
  std::vector<int> all;
  for (int at = 0; at < count; ++at) all.push_back(at);
  return all;
}

const detail::AckReport& acks(const Ended& ended, const std::string& source) {
  const auto& found = ended.component(source).acks;
  EXPECT_TRUE(found.has_value()) << source;
  static const detail::AckReport kNone;
  return found ? *found : kNone;
}

/// Fails for each multiple of ten until its `tries`-th time.
struct FailsAtFirst {
  std::shared_ptr<Seen> seen;
  int tries;
  int operator()(const int& value) {
    if (seen->add(value) < tries && value % 10 == 0) throw std::runtime_error("not yet");
    return value;
  }
};

struct PassesAtSecond : Bolt<int, int> {
  explicit PassesAtSecond(std::shared_ptr<Seen> all) : seen(std::move(all)) {}
  void process(const int& value, Output<int>& out) override {
    out.emit(value);
    if (value % 10 == 3 && seen->add(value) <= 2) throw std::runtime_error("not yet");
  }
  std::shared_ptr<Seen> seen;
};

/// Emits what it is given, one record a call.
struct Fed : Spout<int> {
  explicit Fed(std::shared_ptr<std::vector<int>> given) : feed(std::move(given)) {}
  bool next(Output<int>& out) override {
    if (feed->empty()) return true;
    out.emit(feed->front());
    feed->erase(feed->begin());
    return true;
  }
  std::shared_ptr<std::vector<int>> feed;
};

TEST(Acks, AFailedMessageAloneIsPlayedAgain) {
  for (const bool fuse : {true, false}) {
    auto seen = std::make_shared<Seen>();
    auto written = std::make_shared<Seen>();
    Topology topology("acks");
    topology.guarantee(at_least_once);
    topology.from(records<int>({numbers(3000)}))
        .named("in")
        .map(FailsAtFirst{seen, 3})
        .named("fails")
        .to(each([written](const int& value) { written->add(value); }));
    const Ended ended = detail::simulate(topology, 7, {.fuse = fuse});
    ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
    ASSERT_EQ(written->times.size(), 3000u);
    for (const auto& [value, times] : written->times) EXPECT_EQ(times, 1) << value;
    for (const auto& [value, times] : seen->times) EXPECT_EQ(times, value % 10 == 0 ? 3 : 1);
    EXPECT_EQ(ended.component("fails").failed, 600u);
    EXPECT_EQ(ended.component("fails").dead_lettered, 0u);
    const auto& told = acks(ended, "in");
    EXPECT_EQ(told.tried, 3600u);
    EXPECT_EQ(told.acked, 3000u);
    EXPECT_EQ(told.failed, 600u);
    EXPECT_EQ(told.replayed, 600u);
    EXPECT_EQ(told.pending + told.held + told.abandoned, 0u);
    EXPECT_EQ(ended.report.dead_letters, 0u);
  }
}

TEST(Acks, TheLastTryIsADeadLetterWithThePlaceOfItsMessage) {
  Topology topology("acks");
  topology.guarantee(at_least_once, {.tries_max = 4});
  auto seen = std::make_shared<Seen>();
  topology.from(records<int>({numbers(40), numbers(30)}))
      .named("in")
      .filter([seen](const int& value) {
        if (value == 35) seen->add(value);
        if (value == 35) throw std::runtime_error("never");
        return true;
      })
      .named("fails")
      .to(each([](const int&) {}));
  const Ended ended = detail::simulate(topology, 3);
  ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
  EXPECT_EQ(seen->times[35], 4);
  const auto& fails = ended.component("fails");
  EXPECT_EQ(fails.failed, 3u);
  EXPECT_EQ(fails.dead_lettered, 1u);
  EXPECT_EQ(fails.received, 73u);
  ASSERT_EQ(ended.report.recent_dead_letters.size(), 1u);
  const auto& letter = ended.report.recent_dead_letters.front();
  EXPECT_EQ(letter.component, "fails");
  EXPECT_EQ(letter.where, "in partition 0, message 35");
  EXPECT_EQ(letter.record, "35");
  ASSERT_EQ(fails.errors.size(), 1u);
  EXPECT_EQ(fails.errors.front().count, 4u);
  EXPECT_EQ(acks(ended, "in").acked, 70u) << "a message in the dead letters is handled";
}

/// What fails behind a ring, in one of several tasks, and in the sink, is played again too.
TEST(Acks, FailuresComeBackAcrossTasks) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto seen = std::make_shared<Seen>();
    auto written = std::make_shared<Seen>();
    Topology topology("acks");
    topology.guarantee(at_least_once, {.tries_max = 6, .pending_max = seed % 2 == 0 ? 16 : 0});
    const auto in = topology.from(records<int>({numbers(500), numbers(500)})).named("in");
    topology.bolt("bolt", PassesAtSecond(seen), shuffle(in)).to(each([written](const int& value) {
      if (written->add(value) == 1 && value % 7 == 0) throw std::runtime_error("not yet");
    }));
    const Ended ended =
        detail::simulate(topology, seed, {.parallelism = 3}, {.batch_records_max = 1 + seed * 7});
    ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
    ASSERT_EQ(written->times.size(), 500u);
    for (const auto& [value, times] : written->times) {
      EXPECT_EQ(times, value % 7 == 0 ? 3 : 2) << value;
    }
    EXPECT_EQ(acks(ended, "in").acked, 1000u);
    EXPECT_EQ(ended.report.dead_letters, 0u);
    if (HasFailure()) return;
  }
}

/// Windows, order buffers and records that wait for timers hold their messages until they fire.
TEST(Acks, WhatStateHoldsIsAckedWhenItIsDoneWith) {
  using detail::SteppedRun;
  auto feed = std::make_shared<std::vector<int>>();
  Topology topology("acks");
  topology.guarantee(at_least_once, {.pending_max = 4});
  topology.spout("in", Fed(feed))
      .event_time([](const int& second) { return Time{second} * 1'000'000; })
      .key_by([](const int&) { return 1; })
      .window(tumbling(10s))
      .count()
      .named("count")
      .to(each([](const auto&) {}));
  detail::SimEnv env(1);
  SteppedRun run(detail::valid_graph(topology), {}, {}, env);
  ASSERT_TRUE(run.open().ok());
  const auto told = [&](std::vector<int> seconds) {
    *feed = std::move(seconds);
    EXPECT_TRUE(run.settle().ok());
    for (const auto& part : run.report().components) {
      if (part.acks) return *part.acks;
    }
    return detail::AckReport();
  };
  auto acks = told({0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(acks.held, 8u) << "more than may be pending: what is held does not count";
  EXPECT_EQ(acks.acked + acks.pending, 0u);
  ASSERT_EQ(acks.slowest.empty(), false);
  EXPECT_EQ(acks.slowest.front().first, "in partition 0, message 0");
  EXPECT_EQ(acks.slowest.front().held, 1u);
  acks = told({12});
  EXPECT_EQ(acks.acked, 8u) << "the window up to 10 s has fired";
  EXPECT_EQ(acks.held, 1u);
  *feed = {};
  EXPECT_TRUE(run.stop().ok());
  acks = told({});
  EXPECT_EQ(acks.abandoned, 1u) << "its window never fires";
}

}  // namespace
}  // namespace millrace
