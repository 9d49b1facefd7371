// Tests that runs whose epochs hold changes, and which are killed again and again, show what one
// run without kills shows, whatever the schedule, the number of tasks and the epochs that fail.
#include <gtest/gtest.h>

#include "../unit/epoch_world.hpp"
#include "checkpoint/checkpoint_store.hpp"
#include "env/sim_disk.hpp"
#include "millrace/millrace.hpp"
#include "schedule_run.hpp"

namespace millrace::detail {
namespace {

/// Epochs on a disk, some of which fail.
class FailingStore final : public EpochStore {
 public:
  FailingStore(SimDisk& disk, std::uint64_t seed)
      : random_(seed),
        store_(std::move(*CheckpointStore::open(
            disk, "s", {.base_bytes_min = 0, .changes_percent_max = 1000}))) {}

  std::optional<std::uint64_t> base() const override { return store_->base(); }
  std::unique_ptr<EpochStream> begin(std::uint64_t epoch) override {
    auto stream = store_->begin(epoch);
    return std::make_unique<Stream>(*this, std::move(stream));
  }
  Result<std::optional<EpochImage>> newest() override { return store_->newest(); }
  std::uint64_t bytes_written() const override { return store_->bytes_written(); }
  /// Epochs of changes that were complete.
  std::size_t of_changes() const { return of_changes_; }

 private:
  class Stream final : public EpochStream {
   public:
    Stream(FailingStore& store, std::unique_ptr<EpochStream> to)
        : store_(store), to_(std::move(to)), changes_(*store.base() != 0) {}
    Status add(const ImagePiece& piece) override { return to_->add(piece); }
    Status end(const EpochImage& image) override {
      if (store_.random_.chance(0.2)) return {Code::sink_failed, "the disk is full"};
      Status status = to_->end(image);
      if (status && changes_) ++store_.of_changes_;
      return status;
    }

   private:
    FailingStore& store_;
    std::unique_ptr<EpochStream> to_;
    bool changes_;
  };

  Random random_;
  std::unique_ptr<CheckpointStore> store_;
  std::size_t of_changes_ = 0;
};

/// Keeps a number for a while, and forgets it.
struct Forgets {
  ValueState<std::int64_t> sum{{.name = "sum"}};
  MapState<std::int64_t, std::int64_t> counts{{.name = "counts"}};

  void process(const Numbered& of, KeyedContext<std::int64_t>& context, Output<Numbered>& out) {
    sum.update([&](std::int64_t& value) { value += of.number; });
    counts.update(of.number % 4, [](std::int64_t& count) { ++count; });
    if (of.number % 11 == 5) counts.clear();
    if (of.number % 17 == 8) {
      sum.clear();
      counts.clear();
    }
    if (of.number % 5 == 2) context.timers().at(of.number + 3);
    std::int64_t all = sum.value_or(-1);
    for (const auto& [key, count] : counts.all()) all = all * 31 + key * 7 + count;
    out.emit({context.key(), all});
  }
  void on_timer(Time time, KeyedContext<std::int64_t>& context, Output<Numbered>& out) {
    out.emit({context.key(), -time});
  }
};

/// A replayable source, whose numbers are summed by key, and go through a class with states.
struct ChainWorld {
  SimDisk disk{1};
  std::array<Outbox, 2> outboxes = {};

  void declare(Topology& topology, std::uint32_t tasks) {
    Node node;
    node.name = node.kind = "numbers";
    node.tasks = tasks;
    node.output = &batch_type<Numbered>();
    node.make_source = [] { return std::make_unique<Numbers>(3, 150); };
    Declaration& declaration = topology.declaration();
    const NodeId id = declaration.graph.add(std::move(node));
    const auto keyed =
        Stream<Numbered>(declaration, {{id, 0}})
            .event_time([](const Numbered& of) { return of.number; })
            .key_by([](const Numbered& of) { return of.key * 100 + of.number % 40; });
    const auto sums = keyed.sum(&Numbered::number).named("sums");
    show(topology,
         sums.map([](const auto& row) { return Numbered{row.key, row.value}; }).named("rows"), 0);
    show(topology, keyed.process(Forgets{}).named("forgets"), 1);
  }

  /// One life, cut at some step but the last. False: the run could not be.
  bool live(Random& random, bool last, std::size_t& of_changes) {
    FailingStore store(disk, random());
    Topology topology("chains");
    declare(topology, static_cast<std::uint32_t>(1 + random.below(3)));
    RunOptions options;
    options.epochs = &store;
    auto newest = store.newest();
    EXPECT_TRUE(newest) << newest.error().to_string();
    if (!newest) return false;
    if (*newest) options.restore = std::make_shared<EpochImage>(std::move(**newest));
    if (options.restore && options.restore->finished) return true;
    options.epoch_options.failures_max = 1000;
    options.batch_records_max = 1 + random.below(8);
    options.ring_batches_max = 1 + random.below(4);
    SimulationOptions simulated;
    simulated.seed = random();
    simulated.steps_between_epochs = 10 + random.below(60);
    if (!last) simulated.cut_at_step = 300 + random.below(2500);
    PlanOptions plan;
    plan.parallelism = static_cast<std::uint32_t>(1 + random.below(4));
    const Graph& graph = topology.declaration().graph;
    SimEnv env(simulated.seed);
    Simulation simulation(graph, make_plan(graph, plan), options, env, simulated);
    const Result<std::uint64_t> ran = simulation.run();
    EXPECT_TRUE(ran) << ran.error().to_string();
    of_changes += store.of_changes();
    return static_cast<bool>(ran);
  }

 private:
  void show(Topology& topology, const Stream<Numbered>& rows, std::size_t at) {
    Node node;
    node.name = node.kind = "shown " + std::to_string(at);
    node.tasks = 1;
    node.inputs = rows.inputs({});
    node.make_sink = [this, at] { return std::make_unique<OutboxSink>(outboxes[at]); };
    (void)topology.declaration().graph.add(std::move(node));
  }
};

TEST(ExactlyOnce, KilledRunsWithEpochsOfChangesShowWhatOneRunShows) {
  ChainWorld whole;
  Random one(1);
  std::size_t of_changes = 0;
  ASSERT_TRUE(whole.live(one, true, of_changes));
  for (const Outbox& outbox : whole.outboxes) ASSERT_GT(outbox.seen().size(), 300u);
  property::for_each_seed([&](std::uint64_t seed) {
    Random random(seed);
    ChainWorld world;
    const std::uint64_t kills = 1 + random.below(5);
    for (std::uint64_t kill = 0; kill <= kills; ++kill) {
      if (!world.live(random, kill == kills, of_changes)) return false;
    }
    for (std::size_t at = 0; at < world.outboxes.size(); ++at) {
      EXPECT_EQ(world.outboxes[at].seen(), whole.outboxes[at].seen())
          << "MILLRACE_SEED=" << seed << ", rows " << at;
    }
    return !testing::Test::HasFailure();
  });
  EXPECT_GT(of_changes, 100u);
}

}  // namespace
}  // namespace millrace::detail
