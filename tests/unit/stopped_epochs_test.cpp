// A run that is stopped keeps what its operators hold for the next one, and hands none of it on.
#include <gtest/gtest.h>

#include <utility>

#include "epoch_world.hpp"

namespace millrace::detail {
namespace {

/// Holds its records until the end of input, as an order buffer holds them until a watermark.
class Holding final : public Operator {
 public:
  void process(BatchBase& base, bool, Outputs&) override {
    const auto& records = static_cast<Batch<Numbered>&>(base).values;
    held_.values.insert(held_.values.end(), records.begin(), records.end());
  }
  void advance(Time watermark, Outputs& out) override {
    if (watermark == kTimeMax) hand_on(out);
  }
  Waiting waiting() const override { return {held_.values.size(), kNeverDue}; }
  void release(std::int64_t, bool drain, Outputs& out) override {
    if (drain) hand_on(out);
  }
  void save_state(StateWriter& to) override {
    std::string& bytes = to.task_part("held", "numbers");
    for (const Numbered& record : held_.values) {
      put_number(bytes, record.key);
      put_number(bytes, record.number);
    }
  }
  void restore_state(StateReader& from) override {
    from.each("held", [&](const StatePart& part) {
      BytesCursor cursor(part.bytes);
      while (!cursor.rest().empty()) {
        const auto key = cursor.number<std::int64_t>();
        held_.values.push_back({key, cursor.number<std::int64_t>()});
      }
      if (!cursor.ok()) from.refuse(part, "it is cut");
    });
  }

 private:
  void hand_on(Outputs& out) {
    tally().processed += held_.values.size();
    if (held_.size() > 0) out.push(0, held_);
    held_.clear();
  }

  Batch<Numbered> held_;
};

/// numbers -> holding -> out
struct HoldingWorld {
  EpochWorld world;

  Graph graph() {
    Graph graph("holding");
    Node numbers;
    numbers.name = numbers.kind = "numbers";
    numbers.output = &batch_type<Numbered>();
    numbers.make_source = [] { return std::make_unique<Numbers>(2, 40); };
    Node holding;
    holding.name = holding.kind = "holding";
    holding.output = &batch_type<Numbered>();
    holding.inputs = {{graph.add(std::move(numbers)), 0, {}}};
    holding.make_operator = [] { return std::make_unique<Holding>(); };
    Node out;
    out.name = out.kind = "out";
    out.inputs = {{graph.add(std::move(holding)), 0, {}}};
    out.make_sink = [this] { return std::make_unique<OutboxSink>(world.running); };
    (void)graph.add(std::move(out));
    return graph;
  }
  Report live(SimulationOptions simulated) {
    const Graph declared = graph();
    SimEnv env(simulated.seed);
    Simulation simulation(declared, make_plan(declared, {}), world.options(), env, simulated);
    const auto ran = simulation.run();
    EXPECT_TRUE(ran) << ran.error().to_string();
    return simulation.report();
  }
};

TEST(StoppedEpochs, WhatIsHeldIsKeptForTheNextRun) {
  HoldingWorld held;
  const Report stopped = held.live({.seed = 3, .stop_at_step = 20});
  EXPECT_TRUE(held.world.running.seen().empty());
  EXPECT_GT(stopped.components[1].in_flight, 0u);
  EXPECT_EQ(stopped.components[1].in_flight, stopped.components[1].received);
  EXPECT_FALSE((*held.world.store.newest())->finished);
  held.live({.seed = 4});
  std::vector<Shown> all;
  for (std::int64_t key = 0; key < 2; ++key) {
    for (std::int64_t at = 1; at <= 40; ++at) all.emplace_back(key, at);
  }
  EXPECT_EQ(held.world.running.seen(), all);
}

/// What the next run goes on from at once, in memory, is what its epoch says.
TEST(StoppedEpochs, TheLastOneOfARunThatHandsOverIsTheNextAndTheOnlyOne) {
  SimEnv env{1};
  MemoryStore store;
  EpochCoordinator epochs(store, {}, "world", env.env(), Log{}, 0);
  const Home homes[2];
  for (const Home& home : homes) epochs.add_task(home, true);
  const auto look = [&](int seconds) {
    env.clock.advance(std::chrono::seconds(seconds));
    return epochs.look(env.clock.steady_ns());
  };
  look(0);
  look(10);
  EXPECT_FALSE(epochs.begin_last()) << "one is under way";
  for (std::size_t task = 0; task < 2; ++task) epochs.hand_in(task, {.epoch = 1});
  look(0);
  for (std::size_t task = 0; task < 2; ++task) epochs.committed(task, 1);
  EXPECT_FALSE(look(60)) << "another one would be under way when it asks again";
  EXPECT_TRUE(epochs.begin_last());
  (void)epochs.ask();
  EXPECT_FALSE(look(60));
  EXPECT_EQ(epochs.requested(), 1u);
  const auto end = [&](std::size_t task, const char* name) {
    StageImage image{.stage = name, .component = name, .prepared = {"token"}};
    image.parts.push_back({.name = name, .shape = "", .bytes = "bytes"});
    epochs.hand_in(task, {.epoch = 2, .stages = {std::move(image)}, .last = true});
  };
  end(0, "a");
  EXPECT_FALSE(look(60));
  end(1, "b");
  look(0);
  EXPECT_TRUE(epochs.over()) << "that all is seen the next run says";
  for (std::size_t task = 0; task < 2; ++task) epochs.committed(task, 2);
  const EpochImage last = epochs.take_last();
  EXPECT_EQ(last.epoch, 2u);
  EXPECT_FALSE(last.finished);
  ASSERT_EQ(last.stages.size(), 2u);
  for (const StageImage& stage : last.stages) {
    EXPECT_EQ(stage.parts.size(), 1u);
    EXPECT_EQ(stage.prepared.size(), 1u) << "as in the epoch";
  }
}

}  // namespace
}  // namespace millrace::detail
