// Messages with ids, and bolts that take them into their own hands.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "millrace/topology.hpp"
#include "run_harness.hpp"
#include "runtime/stepped_run.hpp"

namespace millrace {
namespace {

using detail::AckReport;
using detail::Ended;

/// What a queue would see: messages given, and what became of them.
struct Queue {
  std::deque<int> waiting;
  std::map<int, int> given;
  std::vector<int> acked;
  std::vector<int> failed;
  bool again = true;  ///< failed ones are put back
  bool closed = true;
};

struct QueueSpout : ReliableSpout<int> {
  explicit QueueSpout(std::shared_ptr<Queue> from) : queue(std::move(from)) {}
  bool next(MessageOutput<int>& out) override {
    if (queue->waiting.empty()) return !queue->closed;
    const int value = queue->waiting.front();
    queue->waiting.pop_front();
    ++queue->given[value];
    out.emit(value, static_cast<MessageId>(1000 + value));
    return true;
  }
  void ack(MessageId id) override { queue->acked.push_back(static_cast<int>(id) - 1000); }
  void fail(MessageId id) override {
    const int value = static_cast<int>(id) - 1000;
    queue->failed.push_back(value);
    if (queue->again) queue->waiting.push_back(value);
  }
  std::shared_ptr<Queue> queue;
};

std::shared_ptr<Queue> queue_of(int count) {
  auto queue = std::make_shared<Queue>();
  for (int at = 0; at < count; ++at) queue->waiting.push_back(at);
  return queue;
}

AckReport acks_of(const detail::Report& report) {
  for (const auto& part : report.components) {
    if (part.acks) return *part.acks;
  }
  ADD_FAILURE() << "nothing is tracked";
  return {};
}

TEST(AcksByHand, ASpoutLearnsWhatBecameOfItsMessages) {
  auto queue = queue_of(500);
  Topology topology("ids");
  topology.guarantee(at_least_once, {.tries_max = 3, .pending_max = 50});
  topology.spout("in", QueueSpout(queue))
      .filter([tries = std::map<int, int>()](const int& value) mutable {
        const int until = value == 7 ? 1000 : value % 100 == 0 ? 2 : 0;
        if (++tries[value] <= until) throw std::runtime_error("not yet");
        return true;
      })
      .named("fails")
      .to(each([](const int&) {}));
  const Ended ended = detail::simulate(topology, 5, {.fuse = false});
  ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
  std::sort(queue->acked.begin(), queue->acked.end());
  ASSERT_EQ(queue->acked.size(), 500u) << "the one in the dead letters is handled too";
  for (int at = 0; at < 500; ++at) EXPECT_EQ(queue->acked[static_cast<std::size_t>(at)], at);
  EXPECT_EQ(queue->failed.size(), 5u * 2 + 2);
  EXPECT_EQ(queue->given[7], 3);
  EXPECT_EQ(queue->given[100], 3);
  EXPECT_EQ(queue->given[1], 1);
  EXPECT_EQ(ended.component("fails").dead_lettered, 1u);
  const AckReport acks = acks_of(ended.report);
  EXPECT_EQ(acks.tried, 512u);
  EXPECT_EQ(acks.replayed, 12u);
}

TEST(AcksByHand, WithoutTrackingEachMessageIsAckedAtOnce) {
  auto queue = queue_of(30);
  Topology topology("ids");
  topology.spout("in", QueueSpout(queue)).to(each([](const int&) {}));
  ASSERT_TRUE(detail::simulate(topology, 5).status.ok());
  EXPECT_EQ(queue->acked.size(), 30u);
}

/// Acks ten at a time; what is left in finish().
struct Tens : AckingBolt<int, int> {
  void process(const int& value, Message& message, AnchoredOutput<int>& out) override {
    if (value % 50 == 0) out.emit(value);
    held.push_back(std::move(message));
    if (held.size() == 10) let_go();
  }
  void finish(AnchoredOutput<int>&) override { let_go(); }
  void let_go() {
    for (Message& message : held) message.ack();
    held.clear();
  }
  std::vector<Message> held;
  Tens() = default;
  Tens(const Tens&) {}
};

TEST(AcksByHand, ManyAtOnceAndTheRestAtTheEnd) {
  for (const bool fuse : {true, false}) {
    auto queue = queue_of(205);
    Topology topology("tens");
    topology.guarantee(at_least_once, {.pending_max = 40});
    auto in = topology.spout("in", QueueSpout(queue));
    topology.bolt("tens", Tens(), shuffle(in)).to(each([](const int&) {}));
    const Ended ended = detail::simulate(topology, 5, {.fuse = fuse});
    ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
    EXPECT_EQ(queue->acked.size(), 205u);
    EXPECT_TRUE(queue->failed.empty());
  }
}

struct Pair {
  int a = 0;
  int b = 0;
};

/// Joins neighbours; what it makes belongs to both.
struct Joins : AckingBolt<int, Pair> {
  void process(const int& value, Message& message, AnchoredOutput<Pair>& out) override {
    if (!other) {
      first = value;
      other = std::move(message);
      return;
    }
    out.anchor_to(other, message).emit({first, value});
    other.ack();
    other = Message();
  }
  Joins() = default;
  Joins(const Joins&) {}
  int first = 0;
  Message other;
};

TEST(AcksByHand, WhatIsMadeOfTwoFailsBoth) {
  auto queue = queue_of(4);
  Topology topology("joins");
  topology.guarantee(at_least_once);
  auto in = topology.spout("in", QueueSpout(queue));
  std::vector<Pair> seen;
  topology.bolt("joins", Joins(), shuffle(in))
      .filter([times = 0](const Pair&) mutable {
        if (times++ == 0) throw std::runtime_error("the first one");
        return true;
      })
      .to(each([&seen](const Pair& pair) { seen.push_back(pair); }));
  const Ended ended = detail::simulate(topology, 5);
  ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
  EXPECT_EQ(queue->failed, (std::vector<int>{0, 1}));
  EXPECT_EQ(queue->acked.size(), 4u);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[1].a, 0);
  EXPECT_EQ(seen[1].b, 1);
}

/// Takes all messages, and emits of each in finish().
struct AtTheEnd : AckingBolt<int, int> {
  void process(const int& value, Message& message, AnchoredOutput<int>&) override {
    held.emplace_back(value, std::move(message));
  }
  void finish(AnchoredOutput<int>& out) override {
    for (auto& [value, message] : held) {
      out.anchor_to(message).emit(value);
      message.ack();
    }
    held.clear();
  }
  std::vector<std::pair<int, Message>> held;
  AtTheEnd() = default;
  AtTheEnd(const AtTheEnd&) {}
};

TEST(AcksByHand, WhatFailsBehindTheEndHasHadItsLastTry) {
  for (const bool fuse : {true, false}) {
    auto queue = queue_of(4);
    Topology topology("end");
    topology.guarantee(at_least_once);
    auto in = topology.spout("in", QueueSpout(queue));
    topology.bolt("end", AtTheEnd(), shuffle(in))
        .filter([](const int& value) {
          if (value == 2) throw std::runtime_error("two");
          return true;
        })
        .to(each([](const int&) {}));
    const Ended ended = detail::simulate(topology, 5, {.fuse = fuse});
    ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
    EXPECT_TRUE(queue->failed.empty()) << "nobody would play it again";
    EXPECT_EQ(queue->acked.size(), 4u);
    ASSERT_EQ(ended.report.recent_dead_letters.size(), 1u);
    EXPECT_EQ(ended.report.recent_dead_letters[0].record, "2");
  }
}

/// Holds messages until it is told: "fail", "ack", or, every second, to stir.
struct Holds : AckingBolt<int, int> {
  struct Told {
    std::vector<std::pair<int, Message>> held;
    int stirs = -1;  ///< the value whose time-out is reset at each tick
  };
  explicit Holds(std::shared_ptr<Told> by) : told(std::move(by)) {}
  void process(const int& value, Message& message, AnchoredOutput<int>&) override {
    if (value < 0) return message.fail("negative");
    told->held.emplace_back(value, std::move(message));
  }
  void tick(AnchoredOutput<int>&) override {
    for (auto& [value, message] : told->held) {
      if (value == told->stirs) message.reset_timeout();
    }
  }
  std::shared_ptr<Told> told;
};

TEST(AcksByHand, TimeOutsCountSilence) {
  auto queue = queue_of(3);
  queue->closed = false;
  queue->again = false;
  auto told = std::make_shared<Holds::Told>();
  told->stirs = 1;
  Topology topology("time-outs");
  topology.guarantee(at_least_once, {.timeout = 8s});
  auto in = topology.spout("in", QueueSpout(queue));
  topology.bolt("holds", Holds(told), shuffle(in), {.tick = 1s}).to(each([](const int&) {}));
  detail::SimEnv env(1);
  detail::SteppedRun run(detail::valid_graph(topology), {}, {}, env);
  ASSERT_TRUE(run.open().ok());
  ASSERT_TRUE(run.settle().ok());
  EXPECT_EQ(acks_of(run.report()).in_hand, 3u);
  ASSERT_TRUE(run.advance(7s).ok());
  EXPECT_TRUE(queue->failed.empty()) << "not before the time-out";
  ASSERT_TRUE(run.advance(4s).ok());
  EXPECT_EQ(queue->failed, (std::vector<int>{0, 2})) << "those alone to which nothing happened";
  EXPECT_FALSE(told->held[0].second) << "it cannot be acked any more";
  ASSERT_TRUE(run.advance(60s).ok());
  EXPECT_EQ(queue->failed.size(), 2u) << "however old it is, it is not silent";
  told->held[1].second.ack();
  told->held[0].second.ack();
  ASSERT_TRUE(run.settle().ok());
  EXPECT_EQ(queue->acked, std::vector<int>{1});
  const AckReport acks = acks_of(run.report());
  EXPECT_EQ(acks.timed_out, 2u);
  EXPECT_EQ(acks.pending + acks.in_hand, 0u);
}

TEST(AcksByHand, FailedDroppedAndForgottenMessagesAreNotLost) {
  auto told = std::make_shared<Holds::Told>();
  Topology topology("failed");
  topology.guarantee(at_least_once, {.tries_max = 2});
  auto in = topology.from(records<int>({{5, -3, 6, 7}})).named("in");
  topology.bolt("holds", Holds(told), shuffle(in)).to(each([](const int&) {}));
  detail::SimEnv env(1);
  detail::SteppedRun run(detail::valid_graph(topology), {}, {}, env);
  ASSERT_TRUE(run.open().ok());
  // -3 fails twice and is a dead letter of the bolt; nothing else moves, so the input ends, and
  // what is held until then is a dead letter of the source.
  ASSERT_TRUE(run.settle().ok());
  EXPECT_FALSE(run.ended()) << "it is played again after a while";
  ASSERT_TRUE(run.advance(1s).ok());
  EXPECT_TRUE(run.ended());
  const detail::Report report = run.report();
  const AckReport acks = acks_of(report);
  EXPECT_EQ(acks.given_up, 3u);
  EXPECT_EQ(acks.acked, 1u);
  EXPECT_EQ(acks.tried, 5u);
  EXPECT_EQ(report.dead_letters, 4u);
  std::map<std::string, std::string> letters;
  for (const auto& letter : report.recent_dead_letters) letters[letter.record] = letter.reason;
  EXPECT_EQ(letters["-3"], "negative");
  EXPECT_EQ(letters["6"], "holds: was held to the end, neither acked nor failed");
  told->held.clear();
}

}  // namespace
}  // namespace millrace
