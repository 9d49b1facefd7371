// What is open of an image when a run fails is let go of before the operator or sink that it reads.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "connector/generator_source.hpp"
#include "epoch_world.hpp"
#include "folder_harness.hpp"
#include "operator/aggregate.hpp"
#include "operator/stateful_sink.hpp"

namespace millrace::detail {
namespace {

/// What became of images that were begun.
struct Images {
  int open = 0;      ///< now
  int let_go = 0;    ///< before all of them was read, while what they read was there
  int outlived = 0;  ///< when what they read was gone
};

/// A table on disk that knows whether its image is open, also at its end.
class WatchedTable final : public DiskTable {
 public:
  WatchedTable(std::unique_ptr<DiskTable> table, Images& images)
      : table_(std::move(table)), images_(images) {}
  ~WatchedTable() override {
    if (open_) ++images_.outlived;
  }

  void put(std::uint64_t key, OverAt over, std::string_view value, bool changed) override {
    table_->put(key, over, value, changed);
  }
  void erase(std::uint64_t key) override { table_->erase(key); }
  Status check() const override { return table_->check(); }
  void find(std::span<const std::uint64_t> keys, const Visit& visit) override {
    table_->find(keys, visit);
  }
  void each(std::uint64_t first, std::uint64_t last, const Visit& visit) override {
    table_->each(first, last, visit);
  }
  void set_time(Time watermark, Time clock) override { table_->set_time(watermark, clock); }
  void begin_image(DiskImage what) override {
    table_->begin_image(what);
    set_open(true);
  }
  std::size_t read_image(std::size_t values, const Visit& visit) override {
    const std::size_t left = table_->read_image(values, visit);
    if (left > 0) set_open(false);
    return left;
  }
  bool is_awaited(std::uint64_t key) const override { return table_->is_awaited(key); }
  void end_image() override {
    images_.let_go += open_ ? 1 : 0;
    table_->end_image();
    set_open(false);
  }
  std::uint64_t bytes() const override { return table_->bytes(); }
  void when_over(std::function<void(std::uint64_t key)> gone) override {
    table_->when_over(std::move(gone));
  }

 private:
  void set_open(bool open) {
    images_.open += static_cast<int>(open) - static_cast<int>(std::exchange(open_, open));
  }

  std::unique_ptr<DiskTable> table_;
  Images& images_;
  bool open_ = false;
};

class WatchedTables final : public DiskTables {
 public:
  explicit WatchedTables(Images& images) : images_(images) {}
  Result<std::unique_ptr<DiskTable>> make(const std::string& folder) override {
    auto made = log_tables().make(folder);
    if (!made) return made.error();
    return std::unique_ptr<DiskTable>(new WatchedTable(std::move(*made), images_));
  }

 private:
  Images& images_;
};

/// Fails while an image is open.
class FailingSink final : public Sink {
 public:
  explicit FailingSink(const Images& images) : images_(images) {}
  Status open(const EndContext&) override { return {}; }
  Status write(const BatchBase&) override {
    if (images_.open == 0) return {};
    return {Code::sink_failed, "it fails while an image is open"};
  }

 private:
  const Images& images_;
};

/// The same, and what it keeps is in the image.
class FailingKeeper final : public StatefulSink {
 public:
  explicit FailingKeeper(Images& images) : images_(images) {}
  ~FailingKeeper() override { *is_there_ = false; }
  Status open(const EndContext&) override { return {}; }
  Status write(const BatchBase& batch) override { return failing_.write(batch); }
  void open_state(MemoryMeter&, bool) override {}
  void marked_up_to(Time) override {}
  void advance(Time) override {}
  void save_state(StateWriter& writer) override {
    writer.later(std::make_unique<Parts>(images_, is_there_));
  }
  void restore_state(StateReader*) override {}

 private:
  /// It takes thousands of steps.
  class Parts final : public OpenParts {
   public:
    Parts(Images& images, std::shared_ptr<const bool> is_there)
        : images_(images), keeper_is_there_(std::move(is_there)) {
      ++images_.open;
    }
    ~Parts() override {
      if (!done()) ++(*keeper_is_there_ ? images_.let_go : images_.outlived);
      --images_.open;
    }
    std::size_t advance(std::size_t slots) override {
      const std::size_t taken = std::min(slots, left_);
      left_ -= taken;
      return slots - taken;
    }
    bool done() const override { return left_ == 0; }
    void give(StateWriter&) override {}

   private:
    Images& images_;
    std::shared_ptr<const bool> keeper_is_there_;
    std::size_t left_ = 10'000;
  };

  Images& images_;
  FailingSink failing_{images_};
  std::shared_ptr<bool> is_there_ = std::make_shared<bool>(true);
};

/// Numbers of very many keys -> how many of each key -> a sink that fails.
class FailingRun {
 public:
  using MakeSink = std::function<std::unique_ptr<Sink>()>;

  /// Most of the counts are on disk, or none.
  explicit FailingRun(bool on_disk) : on_disk_(on_disk) {}
  /// `alone`: nothing is fused, so another task than that of the operator fails.
  void run(const MakeSink& make_sink, bool alone) {
    const Graph declared = graph(make_sink, alone);
    SimEnv env(1);
    SimulationOptions simulated;
    simulated.steps_between_epochs = 100;
    MemoryStore store;
    Simulation simulation(declared, make_plan(declared, {}), options(store), env, simulated);
    const auto ran = simulation.run();
    ASSERT_FALSE(ran);
    EXPECT_EQ(ran.error().message(), "it fails while an image is open");
  }
  Images images;

 private:
  static constexpr std::int64_t kKeys = 100'000;

  RunOptions options(MemoryStore& store) {
    RunOptions options;
    options.epochs = &store;
    options.epoch_options.image_slots = 1;
    if (!on_disk_) return options;
    options.memory_bytes = 8u << 20;
    options.spill = {&tables_, folder_.path("rows"), true};
    return options;
  }
  static Numbered make(std::uint64_t at) {
    return {static_cast<std::int64_t>(at) * 7919 % kKeys, 1};
  }
  static Graph graph(const MakeSink& make_sink, bool alone) {
    using Counts = RunningAggregate<Numbered, NumberedKey, CountKernel>;
    using Make = Numbered (*)(std::uint64_t);
    const auto key =
        std::make_shared<const TypedKeyHash<Numbered, NumberedKey>>(NumberedKey(&Numbered::key));
    Graph graph("failing");
    Node numbers;
    numbers.name = numbers.kind = "numbers";
    numbers.output = &batch_type<Numbered>();
    numbers.alone = alone;
    numbers.make_source = [] {
      return std::make_unique<GeneratorSource<Numbered, Make>>(&make, std::nullopt);
    };
    Node counts;
    counts.name = counts.kind = "counts";
    counts.output = &batch_type<Counts::Row>();
    counts.alone = alone;
    counts.inputs = {{graph.add(std::move(numbers)), 0, {GroupingKind::fields, key}}};
    counts.make_operator = [key] { return std::make_unique<Counts>(key, CountKernel{}); };
    Node end;
    end.name = end.kind = "end";
    end.inputs = {{graph.add(std::move(counts)), 0, {}}};
    end.make_sink = make_sink;
    (void)graph.add(std::move(end));
    return graph;
  }

  bool on_disk_;
  FolderHarness folder_;
  WatchedTables tables_{images};
};

TEST(OpenImages, OfRowsOnDiskGoBeforeTheirOperator) {
  for (const bool alone : {false, true}) {
    SCOPED_TRACE(alone ? "another task fails" : "its task fails");
    FailingRun failing(true);
    const Images& images = failing.images;
    failing.run([&] { return std::make_unique<FailingSink>(images); }, alone);
    EXPECT_EQ(images.let_go, 1);
    EXPECT_EQ(images.outlived, 0);
    EXPECT_EQ(images.open, 0);
  }
}

TEST(OpenImages, OfWhatASinkKeepsGoBeforeTheSink) {
  FailingRun failing(false);
  const Images& images = failing.images;
  failing.run([&] { return std::make_unique<FailingKeeper>(failing.images); }, false);
  EXPECT_EQ(images.let_go, 1);
  EXPECT_EQ(images.outlived, 0);
  EXPECT_EQ(images.open, 0);
}

}  // namespace
}  // namespace millrace::detail
