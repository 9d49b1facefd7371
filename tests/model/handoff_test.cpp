// Every order of a ring's, a waker's and a moving task's operations: nothing is lost, doubled,
// reordered, and nobody sleeps while there is work.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ring.hpp"
#include "base/sanitizers.hpp"
#include "interleavings.hpp"
#include "runtime/mailbox.hpp"
#include "runtime/waker.hpp"

namespace millrace::detail {
namespace {

using model::Explored;
using model::Explorer;
using testing::HasSubstr;

using ModelRing = Ring<int, model::Shapes>;
using ModelWaker = BasicWaker<model::Shapes>;
using ModelHome = BasicHome<model::Shapes>;
using ModelMailbox = BasicMailbox<int, model::Shapes>;

/// Fibers and sanitizers do not know each other; there is only one thread here anyway.
#define SKIP_WHEN_SANITIZED() \
  if (kSanitized) GTEST_SKIP() << "the sanitizer cannot follow fibers; one thread runs them all"

constexpr std::uint64_t kSchedulesMax = 3'000'000;
constexpr std::int64_t kForEver = ModelWaker::kForEver;

/// What a receiver took, in a fixed place.
struct Taken {
  std::array<int, 8> items{};
  std::size_t count = 0;
  void add(int item) {
    if (count < items.size()) items[count] = item;
    ++count;
  }
  std::string check(int sent) const {
    if (count != static_cast<std::size_t>(sent)) {
      return std::to_string(sent) + " sent, " + std::to_string(count) + " taken";
    }
    for (int at = 0; at < sent; ++at) {
      if (items[static_cast<std::size_t>(at)] != at + 1) return "out of order";
    }
    return "";
  }
};

/// A ring between two executors that park when it is full, and empty.
struct Hop {
  explicit Hop(std::size_t capacity) : ring(capacity) {}

  void send(int item) {
    while (!push(item)) {
      sender.sleep([&]() -> std::optional<std::int64_t> {
        if (ring.full()) return kForEver;
        return std::nullopt;
      });
    }
  }
  bool push(int& item) {
    if (!ring.push(item)) return false;
    receiver.wake();
    return true;
  }
  bool pop() {
    int item = 0;
    if (!ring.pop(item)) return false;
    taken.add(item);
    sender.wake();
    return true;
  }
  void receive(int items) {
    while (taken.count < static_cast<std::size_t>(items)) {
      if (pop()) continue;
      receiver.sleep([&]() -> std::optional<std::int64_t> {
        if (!pop()) return kForEver;
        return std::nullopt;
      });
    }
  }

  ModelRing ring;
  ModelWaker sender;
  ModelWaker receiver;
  Taken taken;
};

Explored explore_hop(std::size_t capacity, int items) {
  return Explorer::explore(
      [=] {
        auto hop = std::make_shared<Hop>(capacity);
        Explorer::Run run;
        run.bodies.push_back([hop, items] {
          for (int item = 1; item <= items; ++item) hop->send(item);
        });
        run.bodies.push_back([hop, items] { hop->receive(items); });
        run.check = [hop, items] { return hop->taken.check(items); };
        return run;
      },
      kSchedulesMax);
}

TEST(Interleavings, EveryBatchCrossesARingOnceAndInOrderAndNobodySleepsForEver) {
  SKIP_WHEN_SANITIZED();
  for (const std::size_t capacity : {1u, 2u}) {
    const Explored explored = explore_hop(capacity, 3);
    EXPECT_EQ(explored.failure, "") << capacity;
    EXPECT_GT(explored.schedules, 100u);
    RecordProperty("schedules", std::to_string(explored.schedules));
  }
}

/// A task moves from one executor to another while batches are on their way to it.
struct Move {
  Move() : ring(2) { home.move_to(first); }

  void send(int items) {
    for (int item = 1; item <= items; ++item) {
      int sent = item;
      ring.push(sent);
      home.wake();
    }
  }
  bool step() {
    int item = 0;
    if (!ring.pop(item)) return false;
    taken.add(item);
    return true;
  }
  /// The first executor: a step, then it hands the task over.
  void step_and_give() {
    step();
    home.move_to(second);
    mailbox.put(1);
    second.wake();
  }
  void take_and_step(int items) {
    bool mine = false;
    while (taken.count < static_cast<std::size_t>(items)) {
      if (mailbox.has_mail()) mine |= !mailbox.take().empty();
      if (mine && step()) continue;
      second.sleep([&]() -> std::optional<std::int64_t> {
        if (mailbox.has_mail() || (mine && step())) return std::nullopt;
        return kForEver;
      });
    }
  }

  ModelRing ring;
  ModelWaker first;
  ModelWaker second;
  ModelHome home;
  ModelMailbox mailbox;
  Taken taken;
};

Explored explore_move(int items, const std::function<void(Move&)>& give) {
  return Explorer::explore(
      [items, give] {
        auto move = std::make_shared<Move>();
        Explorer::Run run;
        run.bodies.push_back([move, items] { move->send(items); });
        run.bodies.push_back([move, give] { give(*move); });
        run.bodies.push_back([move, items] { move->take_and_step(items); });
        run.check = [move, items] { return move->taken.check(items); };
        return run;
      },
      kSchedulesMax);
}

TEST(Interleavings, ATaskThatMovesMeetsEveryBatchThatIsOnItsWay) {
  SKIP_WHEN_SANITIZED();
  const Explored explored = explore_move(2, [](Move& move) { move.step_and_give(); });
  EXPECT_EQ(explored.failure, "");
  EXPECT_GT(explored.schedules, 100u);
  RecordProperty("schedules", std::to_string(explored.schedules));
}

/// The explorer finds what is wrong: a home that is moved after the task was handed over.
TEST(Interleavings, AHomeThatMovesTooLateIsFound) {
  SKIP_WHEN_SANITIZED();
  const Explored explored = explore_move(2, [](Move& move) {
    move.step();
    move.mailbox.put(1);
    move.second.wake();
    move.home.move_to(move.second);
  });
  EXPECT_THAT(explored.failure, HasSubstr("thread 2 is never woken"));
}

/// And a sleeper that looks before it announces its sleep.
TEST(Interleavings, ASleeperThatLooksTooEarlyIsFound) {
  SKIP_WHEN_SANITIZED();
  const Explored explored = Explorer::explore(
      [] {
        auto hop = std::make_shared<Hop>(2);
        Explorer::Run run;
        run.bodies.push_back([hop] { hop->send(1); });
        run.bodies.push_back([hop] {
          if (!hop->pop()) hop->receiver.sleep([] { return std::optional(kForEver); });
        });
        run.check = [] { return std::string(); };
        return run;
      },
      kSchedulesMax);
  EXPECT_THAT(explored.failure, HasSubstr("thread 1 is never woken"));
}

/// And a ring that two threads push to.
TEST(Interleavings, ARingWithTwoSendersIsFound) {
  SKIP_WHEN_SANITIZED();
  const Explored explored = Explorer::explore(
      [] {
        auto ring = std::make_shared<ModelRing>(4);
        auto pushed = std::make_shared<int>(0);
        Explorer::Run run;
        for (int at = 0; at < 2; ++at) {
          run.bodies.push_back([ring, pushed] {
            int item = 1;
            *pushed += ring->push(item) ? 1 : 0;
          });
        }
        run.check = [ring, pushed] {
          int item = 0;
          int popped = 0;
          while (ring->pop(item)) ++popped;
          return popped == *pushed ? std::string() : std::string("a record is lost");
        };
        return run;
      },
      kSchedulesMax);
  EXPECT_THAT(explored.failure, HasSubstr("a record is lost"));
}

/// A step that takes too long: exactly one of its thread and the one that cuts it off goes on.
TEST(Interleavings, AStepIsEitherCutOffOrReturnsInTime) {
  SKIP_WHEN_SANITIZED();
  struct Turn {
    model::Atomic<std::uint64_t> turn{0};
    int owners = 0;
  };
  const Explored explored = Explorer::explore(
      [] {
        auto shared = std::make_shared<Turn>();
        Explorer::Run run;
        run.bodies.push_back([shared] {
          std::uint64_t turn = 1;
          shared->turn.store(turn, std::memory_order_release);
          shared->owners +=
              shared->turn.compare_exchange_strong(turn, 2, std::memory_order_acq_rel) ? 1 : 0;
        });
        run.bodies.push_back([shared] {
          std::uint64_t turn = shared->turn.load(std::memory_order_acquire);
          if (turn % 2 == 0) return;
          shared->owners +=
              shared->turn.compare_exchange_strong(turn, 2, std::memory_order_acq_rel) ? 1 : 0;
        });
        run.check = [shared] {
          return shared->owners == 1 ? std::string() : std::string("owners are not one");
        };
        return run;
      },
      kSchedulesMax);
  EXPECT_EQ(explored.failure, "");
}

}  // namespace
}  // namespace millrace::detail
