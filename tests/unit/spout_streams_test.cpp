// Tests of spouts that emit several streams: named ones, direct ones, their order, ends and limits.
#include <gmock/gmock.h>

#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "run_harness.hpp"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Odd numbers on the unnamed stream, texts of even ones on "even", each third one direct.
using Sorted =
    Streams<std::int64_t, Out<"even", std::string_view>, DirectOut<"work", std::int64_t>>;
struct Numbers : Spout<Sorted> {
  explicit Numbers(std::int64_t to, std::int64_t at_once = 1) : end(to), step(at_once) {}
  void open(TaskContext& context) override {
    next_number = context.index();
    stride = context.tasks();
  }
  bool next(Output<Sorted>& out) override {
    for (std::int64_t left = step; left > 0 && next_number < end; --left) {
      emit(next_number, out);
      next_number += stride;
    }
    return next_number < end;
  }
  void emit(std::int64_t number, Output<Sorted>& out) {
    if (number % 3 == 0) {
      out.emit_to<"work">(static_cast<int>(number) % out.tasks<"work">(), number);
    }
    if (number % 2 == 0) {
      out.emit<"even">(out.intern<"even">("a text of the number " + std::to_string(number)));
    } else {
      out.emit(number);
    }
  }
  std::int64_t end;
  std::int64_t step;
  std::int64_t next_number = 0;
  std::int64_t stride = 1;
};

/// Remembers which of its tasks got which number.
struct Placed : Bolt<std::int64_t, std::pair<std::int64_t, std::int64_t>> {
  void prepare(TaskContext& context) override { task = context.index(); }
  void process(const std::int64_t& number, Output<Record>& out) override {
    out.emit({number, task});
  }
  std::int64_t task = 0;
};

struct Read {
  std::vector<std::int64_t> odd;
  std::vector<std::string> even;
  std::map<std::int64_t, std::int64_t> work;
};

void declare(Topology& topology, Read& read, const Numbers& spout, int tasks) {
  const auto numbers = topology.spout("numbers", spout, {.tasks = tasks});
  numbers.to(each([&read](std::int64_t number) { read.odd.push_back(number); }));
  numbers.stream<"even">().to(
      each([&read](std::string_view text) { read.even.emplace_back(text); }));
  topology.bolt("work", Placed{}, direct(numbers.stream<"work">()), {.tasks = 3})
      .to(each([&read](const auto& placed) { read.work.insert(placed); }));
}

TEST(SpoutStreams, EachIsReadByItselfInOrder) {
  for (const std::uint64_t seed : {0u, 1u, 2u, 3u}) {
    for (const std::size_t batch : {1u, 3u, 64u}) {
      Topology topology("x");
      Read read;
      declare(topology, read, Numbers(600, 1 + static_cast<std::int64_t>(seed) * 5), 1);
      const RunOptions options{.executors = 2, .batch_records_max = batch};
      const Ended done =
          seed == 0 ? run(topology, {}, options) : simulate(topology, seed, {}, options);
      EXPECT_TRUE(done.status.ok()) << done.status.to_string();
      EXPECT_TRUE(check_counts(done.report, true).ok());
      EXPECT_EQ(done.component("numbers").emitted, 800u);
      ASSERT_EQ(read.odd.size(), 300u);
      for (std::size_t at = 0; at < 300; ++at) {
        ASSERT_EQ(read.odd[at], static_cast<std::int64_t>(2 * at + 1));
      }
      ASSERT_EQ(read.even.size(), 300u);
      for (std::size_t at = 0; at < 300; ++at) {
        ASSERT_EQ(read.even[at], "a text of the number " + std::to_string(2 * at));
      }
      ASSERT_EQ(read.work.size(), 200u);
      for (const auto& [number, task] : read.work) ASSERT_EQ(task, number % 3);
    }
  }
}

TEST(SpoutStreams, OfSeveralTasksLoseNothing) {
  for (const std::uint64_t seed : {0u, 1u, 2u}) {
    Topology topology("x");
    Read read;
    declare(topology, read, Numbers(600, 7), 4);
    const RunOptions options{.executors = 2, .batch_records_max = 16};
    const Ended done =
        seed == 0 ? run(topology, {}, options) : simulate(topology, seed, {}, options);
    EXPECT_TRUE(done.status.ok()) << done.status.to_string();
    EXPECT_TRUE(check_counts(done.report, true).ok());
    EXPECT_EQ(std::accumulate(read.odd.begin(), read.odd.end(), std::int64_t{0}), 300 * 300);
    EXPECT_EQ(read.even.size(), 300u);
    EXPECT_EQ(read.work.size(), 200u);
  }
}

/// A limit counts the records of all streams, and cuts direct ones with the tasks they go to.
TEST(SpoutStreams, TogetherKeepALimit) {
  for (const std::uint64_t limit : {1u, 5u, 40u, 99u}) {
    Topology topology("x");
    Read read;
    declare(topology, read, Numbers(10'000, 30), 1);
    const Ended done = simulate(topology, 1, {}, {.batch_records_max = 64, .limit = limit});
    EXPECT_TRUE(done.status.ok()) << done.status.to_string();
    EXPECT_EQ(read.odd.size() + read.even.size() + read.work.size(), limit);
    for (const auto& [number, task] : read.work) EXPECT_EQ(task, number % 3);
  }
}

struct Timed {
  std::int64_t number = 0;
  std::int64_t time = 0;
};
using TwoTimed = Streams<Out<"a", Timed>, Out<"b", Timed>>;
struct TimedSpout : Spout<TwoTimed> {
  bool next(Output<TwoTimed>& out) override {
    if (at % 5 == 4) {
      out.emit<"b">({at, at});
    } else {
      out.emit<"a">({at, at});
    }
    return ++at < 1000;
  }
  std::int64_t at = 0;
};

/// Each stream has an event time of its own; a window over both waits for the slower.
TEST(SpoutStreams, HaveEventTimeEach) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    Topology topology("x");
    std::map<Time, std::int64_t> counts;
    const auto both = topology.spout("both", TimedSpout{});
    both.stream<"a">()
        .event_time(&Timed::time)
        .merge(both.stream<"b">().event_time(&Timed::time))
        .key_by([](const Timed&) { return 0; })
        .window(tumbling(100us))
        .count()
        .to(each([&counts](const auto& row) { counts[row.window_end] += row.value; }));
    const Ended done = simulate(topology, seed, {}, {.batch_records_max = 32});
    EXPECT_TRUE(done.status.ok()) << done.status.to_string();
    EXPECT_EQ(counts.size(), 10u);
    for (const auto& [end, count] : counts) EXPECT_EQ(count, 100) << end;
  }
}

using OnlyDirect = Streams<DirectOut<"work", std::int64_t>>;
struct Lost : Spout<OnlyDirect> {
  bool next(Output<OnlyDirect>& out) override {
    out.emit_to<"work">(3, 1);
    return true;
  }
};

TEST(SpoutStreams, ATaskThatIsNotThereEndsTheRunWithASentence) {
  Topology topology("x");
  const auto lost = topology.spout("lost", Lost{});
  topology.bolt("work", Placed{}, direct(lost.stream<"work">()), {.tasks = 3})
      .to(each([](const auto&) {}));
  const Ended done = run(topology);
  EXPECT_FALSE(done.status.ok());
  EXPECT_THAT(done.status.to_string(), HasSubstr("\"work\""));
  EXPECT_THAT(done.status.to_string(), HasSubstr("tasks 0 to 2"));
}

}  // namespace
}  // namespace millrace::detail
