// Images whose tables come in pieces: the pieces, the pace at which tasks hand them in, and where
// they go.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "env/sim_env.hpp"
#include "epoch_world.hpp"
#include "state/table_parts.hpp"

namespace millrace::detail {
namespace {

using TextTables = KeyedTables<std::uint64_t, std::string>;

/// Two megabytes in one key group, and a little in others.
void fill(TextTables& tables) {
  const auto put = [&tables](std::uint64_t key, std::size_t bytes) {
    const std::uint64_t hash = KeyTraits<std::uint64_t>::hash(key);
    tables.upsert(key, hash, [bytes] { return std::string(bytes, 'x'); });
  };
  std::uint64_t key = 0;
  for (int left = 250; left > 0; ++key) {
    if (key_group(KeyTraits<std::uint64_t>::hash(key)) != 5) continue;
    put(key, 8000);
    --left;
  }
  for (std::uint64_t at = 0; at < 50; ++at) put(key + at, 10);
}

using BytesOfGroups = std::map<std::uint32_t, std::string>;

TEST(ImagePieces, AreThoseOfTheWholeOneBehindTheOther) {
  TextTables tables;
  fill(tables);
  StateWriter at_once(0, 1);
  save_tables_later(at_once, "t", tables);
  BytesOfGroups wanted;
  for (const StatePart& part : at_once.take()) wanted[part.number] = part.bytes;
  StateWriter writer(0, 1);
  writer.allow_pieces();
  save_tables_later(writer, "t", tables);
  BytesOfGroups found;
  std::size_t largest = 0;
  std::size_t of_large_group = 0;
  for (bool whole = false; !whole;) {
    whole = writer.advance(64);
    for (const StatePart& piece : writer.ready()) {
      found[piece.number] += piece.bytes;
      largest = std::max(largest, piece.bytes.size());
      of_large_group += piece.number == 5 ? 1 : 0;
    }
  }
  EXPECT_EQ(found, wanted);
  EXPECT_GE(of_large_group, 3u);
  EXPECT_LT(largest, 1u << 20);
}

TEST(ImagePieces, AGroupOfWhichSomeWasHandedOverHasBegun) {
  BytesByGroup bytes;
  StateWriter writer(0, 1);
  EXPECT_TRUE(bytes.nothing_of(3));
  bytes.of(3).assign(1u << 20, 'x');
  bytes.give_pieces(writer, "t", "");
  EXPECT_EQ(writer.ready().size(), 1u);
  EXPECT_TRUE(bytes.of(3).empty());
  EXPECT_FALSE(bytes.nothing_of(3));
}

/// Counts how often it is read; may fail.
class CountedBytes final : public StoredBytes {
 public:
  std::uint64_t size() const override { return 5; }
  Result<std::string> read() const override {
    ++reads;
    if (fails) return Status(Code::source_failed, "the disk cannot be read");
    return std::string("bytes");
  }
  mutable int reads = 0;
  bool fails = false;
};

class PartOnADisk : public testing::Test {
 protected:
  std::shared_ptr<CountedBytes> bytes_ = std::make_shared<CountedBytes>();
  std::vector<StatePart> parts_ = {{"t", "int", PartOwner::task, 0, {}, bytes_}};
  StateReader reader_{parts_, 0, 1};
};

TEST_F(PartOnADisk, StaysAsLongAsItsReader) {
  const StatePart* first = nullptr;
  reader_.each("t", [&first](const StatePart& part) { first = &part; });
  reader_.each("t", [first](const StatePart& part) { EXPECT_EQ(&part, first); });
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->bytes, "bytes");
  EXPECT_EQ(first->shape, "int");
  EXPECT_EQ(bytes_->reads, 1);
}

TEST_F(PartOnADisk, IsReadForEachTurnOfLargeOnes) {
  int visits = 0;
  for (int turn = 0; turn < 2; ++turn) {
    reader_.each_in_turn("t", [&visits](const StatePart& part) {
      EXPECT_EQ(part.bytes, "bytes");
      ++visits;
    });
  }
  EXPECT_EQ(visits, 2);
  EXPECT_EQ(bytes_->reads, 2);
}

TEST_F(PartOnADisk, ThatCannotBeReadIsNotVisitedAndSaysWhy) {
  bytes_->fails = true;
  const auto fail = [](const StatePart&) { ADD_FAILURE(); };
  reader_.each("t", fail);
  EXPECT_EQ(reader_.status().message(), "the disk cannot be read");
  reader_.each_in_turn("t", fail);
  EXPECT_EQ(reader_.status().code(), Code::source_failed);
}

/// Tells what came to it.
class PiecesStore final : public EpochStore {
 public:
  std::unique_ptr<EpochStream> begin(std::uint64_t) override {
    return std::make_unique<Stream>(*this);
  }
  Result<std::optional<EpochImage>> newest() override { return std::optional<EpochImage>(); }
  std::uint64_t bytes_written() const override { return 1; }

  Status outcome = {};  ///< of an add
  std::vector<std::string> came = {};

 private:
  class Stream final : public EpochStream {
   public:
    explicit Stream(PiecesStore& store) : store_(store) {}
    ~Stream() override { store_.came.push_back("gone"); }
    Status add(const ImagePiece& piece) override {
      store_.came.push_back(piece.stage + " " + piece.part.name);
      return store_.outcome;
    }
    Status end(const EpochImage& image) override {
      std::size_t parts = 0;
      for (const StageImage& stage : image.stages) parts += stage.parts.size();
      store_.came.push_back("end with " + std::to_string(parts));
      return {};
    }

   private:
    PiecesStore& store_;
  };
};

class HandedPieces : public testing::Test {
 protected:
  HandedPieces() {
    epochs_.add_task(home_, false);
    epochs_.begin_soon();
    look();
    look();
  }
  void look() { (void)epochs_.look(env_.clock.steady_ns()); }
  static std::vector<ImagePiece> piece(std::string name, std::size_t bytes = 1) {
    return {{"count", 0, {std::move(name), "", PartOwner::task, 0, std::string(bytes, 'x')}}};
  }
  TaskImage image_of(std::uint64_t epoch, bool last = false) {
    TaskImage image{.epoch = epoch, .last = last};
    image.stages.push_back({"count", "count"});
    image.stages.back().parts = {piece("rest").front().part};
    return image;
  }

  SimEnv env_{1};
  Home home_;
  PiecesStore store_;
  EpochCoordinator epochs_{store_, {}, "t", env_.env(), {}, 0};
};

using Came = std::vector<std::string>;

TEST_F(HandedPieces, AreWrittenBeforeTheImageIsWhole) {
  epochs_.hand_in_pieces(1, piece("a"));
  EXPECT_EQ(epochs_.due_ns(), 0);
  look();
  EXPECT_EQ(store_.came, Came{"count a"});
  epochs_.hand_in_pieces(1, piece("b"));
  epochs_.hand_in(0, image_of(1));
  look();
  EXPECT_EQ(store_.came, (Came{"count a", "count b", "end with 1", "gone"}));
  EXPECT_EQ(epochs_.complete(), 1u);
}

TEST_F(HandedPieces, OfAnotherEpochAreDropped) {
  epochs_.hand_in_pieces(2, piece("a", 100u << 20));
  EXPECT_FALSE(epochs_.is_full());
  epochs_.hand_in(0, image_of(1));
  look();
  EXPECT_EQ(store_.came, (Came{"end with 1", "gone"}));
}

TEST_F(HandedPieces, ThatWaitForTheDiskHoldTasksBack) {
  epochs_.hand_in_pieces(1, piece("a", 15u << 20));
  EXPECT_FALSE(epochs_.is_full());
  epochs_.hand_in_pieces(1, piece("b", 1u << 20));
  EXPECT_TRUE(epochs_.is_full());
  look();
  EXPECT_FALSE(epochs_.is_full());
}

/// Rows that came back while the disk was slow have left their copies in an image: they come at
/// once.
TEST_F(HandedPieces, BeyondWhatTasksMayHandInAreCounted) {
  MemoryMeter memory;
  epochs_.count_with(memory);
  epochs_.hand_in_pieces(1, piece("a", 15u << 20));
  EXPECT_EQ(memory.bytes(), 0u);
  epochs_.hand_in_pieces(1, piece("b", 50u << 20));
  EXPECT_EQ(memory.bytes(), std::uint64_t{49} << 20);
  look();
  EXPECT_EQ(memory.bytes(), 0u);
}

TEST_F(HandedPieces, ThatCannotBeWrittenEndTheEpoch) {
  store_.outcome = {Code::sink_failed, "the disk is full"};
  epochs_.hand_in_pieces(1, piece("a", 20u << 20));
  look();
  EXPECT_EQ(store_.came, (Came{"count a", "gone"}));
  EXPECT_FALSE(epochs_.is_full());
  EXPECT_EQ(epochs_.complete(), 0u);
}

TEST_F(HandedPieces, ALastImageHasItsPartsInEachLaterEpoch) {
  Home other;
  EpochCoordinator epochs(store_, {}, "t", env_.env(), {}, 0);
  (void)epochs.add_task(home_, false);
  (void)epochs.add_task(other, false);
  epochs.hand_in(0, image_of(1, true));
  for (std::uint64_t epoch = 1; epoch <= 2; ++epoch) {
    epochs.begin_soon();
    (void)epochs.look(env_.clock.steady_ns());
    epochs.hand_in(1, image_of(epoch));
    (void)epochs.look(env_.clock.steady_ns());
  }
  EXPECT_EQ(store_.came, (Came{"end with 2", "gone", "end with 2", "gone"}));
}

/// Batches behind the barrier of each epoch until it was whole.
struct BatchesOfEpochs {
  int now = 0;
  int at_barrier = 0;
  std::vector<int> until_whole = {};
};

/// Each batch takes ten milliseconds; its tables take a hundred pieces and more.
class SlowKeeper final : public Operator {
 public:
  SlowKeeper(SimEnv& env, BatchesOfEpochs& batches) : env_(env), batches_(batches) {
    for (std::uint64_t key = 0; key < 10'000; ++key) {
      const std::uint64_t hash = KeyTraits<std::uint64_t>::hash(key);
      tables_.upsert(key, hash, [] { return std::string(10, 'x'); });
    }
  }
  void process(BatchBase& batch, bool, Outputs&) override {
    env_.clock.advance(std::chrono::milliseconds(10));
    ++batches_.now;
    tally().processed += batch.size();
  }
  void save_state(StateWriter& to) override {
    batches_.at_barrier = batches_.now;
    save_tables_later(to, "t", tables_);
  }

 private:
  SimEnv& env_;
  BatchesOfEpochs& batches_;
  TextTables tables_;
};

class BatchesStore final : public EpochStore {
 public:
  explicit BatchesStore(BatchesOfEpochs& batches) : batches_(batches) {}
  std::unique_ptr<EpochStream> begin(std::uint64_t) override {
    return std::make_unique<Stream>(batches_);
  }
  Result<std::optional<EpochImage>> newest() override { return std::optional<EpochImage>(); }
  std::uint64_t bytes_written() const override { return 1; }

 private:
  class Stream final : public EpochStream {
   public:
    explicit Stream(BatchesOfEpochs& batches) : batches_(batches) {}
    Status add(const ImagePiece&) override { return {}; }
    Status end(const EpochImage&) override {
      batches_.until_whole.push_back(batches_.now - batches_.at_barrier);
      return {};
    }

   private:
    BatchesOfEpochs& batches_;
  };
  BatchesOfEpochs& batches_;
};

TEST(ImagePieces, OfASlowTaskTakeAsLongAsItsRecords) {
  SimEnv env(7);
  BatchesOfEpochs batches;
  BatchesStore store(batches);
  Graph graph("slow");
  Node numbers;
  numbers.name = numbers.kind = "numbers";
  numbers.output = &batch_type<Numbered>();
  numbers.make_source = [] { return std::make_unique<Numbers>(1, 3'000); };
  Node keeper;
  keeper.name = keeper.kind = "keeper";
  keeper.output = &batch_type<Numbered>();
  keeper.inputs = {{graph.add(std::move(numbers)), 0, {}}};
  keeper.make_operator = [&] { return std::make_unique<SlowKeeper>(env, batches); };
  (void)graph.add(std::move(keeper));
  RunOptions options;
  options.epochs = &store;
  options.epoch_options.interval = std::chrono::seconds(1);
  options.epoch_options.image_slots = 64;
  Simulation simulation(graph, make_plan(graph, {}), options, env, {.seed = 7});
  const auto ran = simulation.run();
  ASSERT_TRUE(ran) << ran.error().to_string();
  ASSERT_GE(batches.until_whole.size(), 5u);
  EXPECT_EQ(batches.now, 1'000);
  for (const int until_whole : batches.until_whole) EXPECT_LE(until_whole, 10);
}

/// What was written of images.
struct WrittenEntries {
  std::size_t all = 0;
  std::size_t at_barrier = 0;  ///< between a batch and the barrier behind it, at most
};

/// Each entry of its tables takes a millisecond to write; when all records are there it
/// keeps nothing.
class SlowWriter final : public Operator {
 public:
  static constexpr std::size_t kRecords = 3'000;
  static constexpr std::uint64_t kEntries = 10'000;

  SlowWriter(SimEnv& env, WrittenEntries& written) : env_(env), written_(written) {
    for (std::uint64_t key = 0; key < kEntries; ++key) {
      const std::uint64_t hash = KeyTraits<std::uint64_t>::hash(key);
      tables_.upsert(key, hash, [] { return std::string(10, 'x'); });
    }
  }
  void process(BatchBase& batch, bool, Outputs&) override {
    env_.clock.advance(std::chrono::milliseconds(10));
    tally().processed += batch.size();
    records_ += batch.size();
    before_ = written_.all;
  }
  void save_state(StateWriter& to) override {
    if (records_ == kRecords) return;
    written_.at_barrier = std::max(written_.at_barrier, written_.all - before_);
    save_tables_later(to, "t", tables_, "x", [this](std::string& out, const std::string& value) {
      env_.clock.advance(std::chrono::milliseconds(1));
      ++written_.all;
      store_value(out, value);
    });
  }

 private:
  SimEnv& env_;
  WrittenEntries& written_;
  std::size_t before_ = 0;  ///< behind the last batch
  std::size_t records_ = 0;
  TextTables tables_;
};

/// No step reads the rest of it, however much that is.
TEST(ImagePieces, OfAnEpochThatWasGivenUpAreNotWrittenAtTheNextBarrier) {
  SimEnv env(7);
  WrittenEntries written;
  MemoryStore store;
  Graph graph("slow");
  Node numbers;
  numbers.name = numbers.kind = "numbers";
  numbers.output = &batch_type<Numbered>();
  numbers.make_source = [] { return std::make_unique<Numbers>(1, SlowWriter::kRecords); };
  Node keeper;
  keeper.name = keeper.kind = "keeper";
  keeper.output = &batch_type<Numbered>();
  keeper.inputs = {{graph.add(std::move(numbers)), 0, {}}};
  keeper.make_operator = [&] { return std::make_unique<SlowWriter>(env, written); };
  (void)graph.add(std::move(keeper));
  RunOptions options;
  options.epochs = &store;
  options.epoch_options.interval = std::chrono::seconds(2);
  options.epoch_options.timeout = std::chrono::seconds(1);
  options.epoch_options.failures_max = 1'000;
  options.epoch_options.image_slots = 64;
  Simulation simulation(graph, make_plan(graph, {}), options, env, {.seed = 7});
  const auto ran = simulation.run();
  ASSERT_TRUE(ran) << ran.error().to_string();
  EXPECT_GT(store.writes(), 0) << "when the records are over";
  EXPECT_GT(written.all, SlowWriter::kEntries);
  EXPECT_LT(written.at_barrier, SlowWriter::kEntries / 10);
}

}  // namespace
}  // namespace millrace::detail
