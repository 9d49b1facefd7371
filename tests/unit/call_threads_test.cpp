// Calls to the outside in runs with threads: replies from anywhere, functions that block, ends.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "millrace/millrace.hpp"
#include "run_harness.hpp"

namespace millrace::detail {
namespace {

struct Question {
  std::int64_t id = 0;
};

std::vector<std::vector<Question>> questions(std::int64_t count, std::int64_t partitions) {
  std::vector<std::vector<Question>> all(static_cast<std::size_t>(partitions));
  for (std::int64_t id = 0; id < count; ++id)
    all[static_cast<std::size_t>(id % partitions)].push_back({id});
  return all;
}

/// Collects from one task.
struct Collected {
  std::mutex mutex;
  std::vector<std::int64_t> ids;
  void add(std::int64_t id) {
    const std::lock_guard lock(mutex);
    ids.push_back(id);
  }
};

TEST(CallThreads, EachRecordHasItsResultInOrder) {
  Collected seen;
  std::set<std::thread::id> threads;
  std::mutex mutex;
  Topology topology("calls");
  topology.from(records(questions(2'000, 1)))
      .call(
          [&](const Question& of) {
            {
              const std::lock_guard lock(mutex);
              threads.insert(std::this_thread::get_id());
            }
            if (of.id % 64 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            return Question{of.id + 1'000'000};
          },
          {.in_flight_max = 50, .time_out = 60s, .threads = 4})
      .to(each([&](const Question& of) { seen.add(of.id); }));
  const Ended ended = run(topology);
  ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
  ASSERT_EQ(seen.ids.size(), 2'000u);
  for (std::size_t at = 0; at < seen.ids.size(); ++at)
    ASSERT_EQ(seen.ids[at], 1'000'000 + static_cast<std::int64_t>(at));
  EXPECT_LE(threads.size(), 4u);
  EXPECT_GT(threads.size(), 1u);
  EXPECT_TRUE(check_counts(ended.report, true).ok());
}

TEST(CallThreads, EachThreadHasACopyOfTheFunction) {
  struct OneAtATime {
    OneAtATime() = default;
    OneAtATime(const OneAtATime&) {}  // the flag is each copy's own
    std::atomic<bool> inside{false};
    std::atomic<int>* overlaps = nullptr;
  };
  std::atomic<int> overlaps{0};
  std::atomic<int> calls{0};
  Topology topology("calls");
  topology.from(records(questions(400, 2)))
      .call(
          [&, own = OneAtATime()](const Question& of) mutable {
            if (own.inside.exchange(true)) ++overlaps;
            std::this_thread::sleep_for(std::chrono::microseconds(50));
            own.inside = false;
            ++calls;
            return of;
          },
          {.time_out = 60s, .ordered = false, .threads = 3})
      .to(each([](const Question&) {}));
  ASSERT_TRUE(run(topology, {.parallelism = 2}, {.executors = 2}).status.ok());
  EXPECT_EQ(overlaps, 0);
  EXPECT_EQ(calls, 400);
}

/// Answers from threads of its own, some twice and some too late.
class Outside {
 public:
  Outside() {
    for (std::uint64_t number = 0; number < 3; ++number)
      threads_.emplace_back([this, number] { work(number); });
  }
  ~Outside() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  void ask(std::int64_t id, Reply<Question> reply) {
    const std::lock_guard lock(mutex_);
    asked_.emplace_back(id, std::move(reply));
  }

 private:
  void work(std::uint64_t number) {
    Random random(number + 1);
    while (!over_) {
      std::optional<std::pair<std::int64_t, Reply<Question>>> next;
      {
        const std::lock_guard lock(mutex_);
        if (!asked_.empty()) {
          const std::size_t at = random.below(asked_.size());
          std::swap(asked_[at], asked_.back());
          next = std::move(asked_.back());
          asked_.pop_back();
        }
      }
      if (!next) {
        std::this_thread::sleep_for(std::chrono::microseconds(100));
        continue;
      }
      if (random.chance(0.02)) std::this_thread::sleep_for(std::chrono::milliseconds(8));
      if (random.chance(0.1)) next->second.fail("busy");
      next->second({next->first});
      if (random.chance(0.3)) next->second({-1});
    }
  }

  std::mutex mutex_;
  std::vector<std::pair<std::int64_t, Reply<Question>>> asked_;
  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

TEST(CallThreads, RepliesComeFromAnyThread) {
  Collected seen;
  Collected letters;
  {
    auto outside = std::make_shared<Outside>();
    Topology topology("calls");
    const auto called =
        topology.from(records(questions(3'000, 3)))
            .call([outside](const Question& of,
                            Reply<Question> reply) { outside->ask(of.id, std::move(reply)); },
                  {.in_flight_max = 40,
                   .time_out = 5ms,
                   .tries = 4,
                   .back_off = 1ms,
                   .ordered = false});
    called.to(each([&](const Question& of) { seen.add(of.id); }));
    called.errors().to(each([&](const DeadLetter&) { letters.add(1); }));
    const Ended ended = run(topology, {.parallelism = 3}, {.executors = 2});
    ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
    EXPECT_TRUE(check_counts(ended.report, true).ok());
  }
  EXPECT_EQ(seen.ids.size() + letters.ids.size(), 3'000u);
  const std::set<std::int64_t> distinct(seen.ids.begin(), seen.ids.end());
  EXPECT_EQ(distinct.size(), seen.ids.size());
  EXPECT_FALSE(distinct.contains(-1));
}

TEST(CallThreads, TriesOfOneThreadAreAnsweredByOthers) {
  std::atomic<int> woken{0};
  CallFigures figures;
  CallTries<std::uint32_t> tries(
      {.in_flight_max = 20, .time_out = 2ms, .tries = 3, .back_off = 0ms}, [&woken] { ++woken; });
  CallThreads threads(4);
  constexpr std::uint32_t kUnits = 500;
  for (std::uint32_t unit = 0; unit < kUnits; ++unit) tries.admit(unit, 0);
  std::size_t answered = 0;
  std::size_t failed = 0;
  const auto begin = [&](std::uint32_t unit, Reply<std::uint32_t> reply) {
    threads.run([unit, reply](std::size_t) {
      if (unit % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(3));
      if (unit % 7 == 0) reply.fail("seven");
      reply(unit * 2);
    });
  };
  std::vector<std::uint32_t> over;
  const auto done = [&](std::uint32_t unit, std::optional<std::uint32_t> result, std::string) {
    if (result) EXPECT_EQ(*result, unit * 2);
    ++(result ? answered : failed);
    over.push_back(unit);
  };
  Clock& clock = *real_env().clock;
  while (answered + failed < kUnits) {
    tries.pass(clock.steady_ns(), figures, begin, done);
    for (const std::uint32_t unit : over) tries.release(unit);
    over.clear();
  }
  EXPECT_GE(failed, kUnits / 7);
  EXPECT_GT(woken, 0);
  EXPECT_EQ(tries.in_flight(), 0u);
}

TEST(CallThreads, AStopWaitsNoLongerThanTheTimeOut) {
  Topology topology("calls");
  topology.from(records(questions(10, 1)))
      .call(
          [](const Question&, Reply<Question> reply) {
            std::thread([reply] {
              std::this_thread::sleep_for(std::chrono::milliseconds(300));
            }).detach();
          },
          {.time_out = 20ms})
      .to(each([](const Question&) {}));
  const auto began = std::chrono::steady_clock::now();
  const Ended ended = run(topology);
  EXPECT_TRUE(ended.status.ok());
  EXPECT_EQ(ended.component("call").dead_lettered, 10u);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(280));
  std::this_thread::sleep_for(std::chrono::milliseconds(400));  // they reply when all is over
}

}  // namespace
}  // namespace millrace::detail
