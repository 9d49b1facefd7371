// Checkpoints whose parts come in pieces: what is read is the image, in one and in many pieces.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint_store.hpp"
#include "checkpoint/checkpoint_stream.hpp"
#include "env/sim_disk.hpp"
#include "state_images.hpp"

namespace millrace::detail {
namespace {

/// One in which no two parts have the same names.
EpochImage distinct_image(Random& random, std::uint64_t epoch) {
  EpochImage image = random_image(random, epoch, 4000);
  std::uint32_t number = 0;
  for (StageImage& stage : image.stages) {
    stage.stage += std::to_string(++number);
    for (StatePart& part : stage.parts) part.name += std::to_string(++number);
  }
  return image;
}

/// Takes the beginnings of parts out of `image`, in any order, those of one part in turn.
std::vector<ImagePiece> take_pieces(Random& random, EpochImage& image) {
  std::vector<ImagePiece> pieces;
  for (int turn = 0; turn < 30; ++turn) {
    if (image.stages.empty()) break;
    StageImage& stage = image.stages[random.below(image.stages.size())];
    if (stage.parts.empty()) continue;
    StatePart& part = stage.parts[random.below(stage.parts.size())];
    const bool whole = part.owner != PartOwner::key_group;
    const std::size_t count = whole ? part.bytes.size() : random.below(part.bytes.size() + 1);
    ImagePiece piece{stage.stage, stage.task, part};
    piece.part.bytes.resize(count);
    part.bytes.erase(0, count);
    pieces.push_back(std::move(piece));
    if (whole) std::erase_if(stage.parts, [&](const StatePart& one) { return &one == &part; });
  }
  return pieces;
}

/// Parts that came first stand first.
void sort_parts(EpochImage& image) {
  for (StageImage& stage : image.stages) {
    std::ranges::sort(stage.parts, {}, &StatePart::name);
    for (StatePart& part : stage.parts) {
      if (part.stored) part.bytes = part.stored->read().value();
    }
  }
}

TEST(CheckpointStreams, PiecesMakeTheImageThatTheyAreOf) {
  std::size_t pieces_all = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    SimDisk disk(seed);
    EpochImage image = distinct_image(random, 1);
    EpochImage rest = image;
    const auto store = std::move(*CheckpointStore::open(disk, "s", {}));
    const auto stream = store->begin(1);
    for (const ImagePiece& piece : take_pieces(random, rest)) {
      ASSERT_TRUE(stream->add(piece).ok());
      ++pieces_all;
    }
    ASSERT_TRUE(stream->end(rest).ok());
    sort_parts(image);
    for (const bool left : {false, true}) {
      ReadCheckpoint read = read_checkpoint(disk, "s/epoch-0000000001.ckpt", {.leave_parts = left});
      ASSERT_TRUE(read.status.ok()) << read.status.to_string();
      sort_parts(read.image);
      EXPECT_TRUE(alike(read.image, image)) << "seed " << seed;
    }
  }
  EXPECT_GT(pieces_all, 3000u);
}

TEST(CheckpointStreams, PartsOfPartitionsAndTasksStandByThemselves) {
  SimDisk disk(1);
  const auto store = std::move(*CheckpointStore::open(disk, "s", {}));
  const auto stream = store->begin(1);
  EpochImage image{1, "t", 0, false, {}};
  image.stages.push_back({"count", "count"});
  for (const PartOwner owner : {PartOwner::partition, PartOwner::task}) {
    const StatePart part{"pending", "", owner, 0, "a batch"};
    for (int time = 0; time < 2; ++time) ASSERT_TRUE(stream->add({"count", 0, part}).ok());
    image.stages.back().parts.push_back(part);
  }
  ASSERT_TRUE(stream->end(image).ok());
  const auto read = store->newest();
  ASSERT_TRUE(read && *read);
  const auto& parts = (*read)->stages.at(0).parts;
  EXPECT_EQ(parts.size(), 6u);
  for (const StatePart& part : parts)
    EXPECT_EQ(part.stored ? *part.stored->read() : part.bytes, "a batch");
}

TEST(CheckpointStreams, OneThatIsGivenUpLeavesNothing) {
  SimDisk disk(1);
  const auto store = std::move(*CheckpointStore::open(disk, "s", {}));
  for (const bool faulty : {false, true}) {
    auto stream = store->begin(1);
    const StatePart part{"cells", "", PartOwner::key_group, 3, std::string(1u << 20, 'x')};
    ASSERT_TRUE(stream->add({"count", 0, part}).ok());
    EXPECT_TRUE(disk.exists("s/epoch-0000000001.ckpt.new"));
    if (faulty) disk.set_faults({DiskFault::no_space, 0});
    EXPECT_EQ(stream->add({"count", 0, part}).ok(), !faulty);
    if (faulty) EXPECT_FALSE(stream->end(EpochImage{1, "t", 0, false, {}}).ok());
    stream.reset();
    EXPECT_EQ(disk.paths(), std::vector<std::string>{"s/LOCK"}) << faulty;
  }
  EXPECT_FALSE(store->newest()->has_value());
}

TEST(CheckpointStreams, StateOfAStageThatIsNotThereIsRefused) {
  SimDisk disk(1);
  const auto store = std::move(*CheckpointStore::open(disk, "s", {}));
  const auto stream = store->begin(1);
  ASSERT_TRUE(stream->add({"count", 0, {"cells", "", PartOwner::task, 0, "x"}}).ok());
  EXPECT_EQ(stream->end(EpochImage{1, "t", 0, false, {}}).code(), Code::internal);
}

}  // namespace
}  // namespace millrace::detail
