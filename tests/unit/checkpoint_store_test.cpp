// The state folder: which checkpoint counts, what stays, who is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/hash.hpp"
#include "checkpoint/checkpoint_store.hpp"
#include "env/sim_disk.hpp"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class Lines final : public LogSink {
 public:
  void write(LogLevel, std::string_view event, std::string_view text) override {
    lines.push_back(std::string(event) + " " + std::string(text));
  }
  std::vector<std::string> lines;
};

EpochImage image_of(std::uint64_t epoch) {
  EpochImage image;
  image.epoch = epoch;
  image.topology = "t";
  StageImage stage;
  stage.stage = stage.component = "count";
  stage.parts.push_back({"cells", "int", PartOwner::key_group, 3, std::to_string(epoch)});
  image.stages.push_back(stage);
  return image;
}

class CheckpointFolder : public testing::Test {
 protected:
  std::unique_ptr<CheckpointStore> open(std::uint32_t keep = 3) {
    auto store = CheckpointStore::open(
        disk_, "s", {.keep = keep, .holder = "process 12", .log = Log(&log_, LogLevel::info)});
    EXPECT_TRUE(store.has_value()) << store.error().to_string();
    return store ? std::move(*store) : nullptr;
  }
  void write(CheckpointStore& store, std::uint64_t first, std::uint64_t last) {
    for (; first <= last; ++first) ASSERT_TRUE(store.write(image_of(first)).ok());
  }
  /// Of newest(); 0: there is none.
  static std::uint64_t newest(CheckpointStore& store) {
    const auto image = store.newest();
    EXPECT_TRUE(image.has_value()) << image.error().to_string();
    return image && *image ? (*image)->epoch : 0;
  }
  void damage(const std::string& path, std::size_t at = 40) {
    std::string bytes = disk_.content(path);
    bytes[at] ^= 1;
    disk_.put(path, bytes);
  }

  SimDisk disk_{1};
  Lines log_;
};

TEST_F(CheckpointFolder, AnEmptyOneHasNone) {
  const auto store = open();
  EXPECT_EQ(newest(*store), 0u);
  EXPECT_EQ(store->highest(), 0u);
}

TEST_F(CheckpointFolder, TheNewestCountsAndTheLastThreeStay) {
  const auto store = open();
  write(*store, 1, 11);
  EXPECT_EQ(newest(*store), 11u);
  EXPECT_EQ(store->highest(), 11u);
  EXPECT_THAT(disk_.paths(), ElementsAre("s/LOCK", "s/epoch-0000000009.ckpt",
                                         "s/epoch-0000000010.ckpt", "s/epoch-0000000011.ckpt"));
}

TEST_F(CheckpointFolder, ASecondProcessIsRefusedAndToldWhoHasIt) {
  const auto store = open();
  const auto second = CheckpointStore::open(disk_, "s", {.holder = "process 13"});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), Code::state_in_use);
  EXPECT_THAT(second.error().message(), HasSubstr("\"s\" is in use by process 12: end it first"));
}

TEST_F(CheckpointFolder, TheLockEndsWithItsStore) {
  open().reset();
  EXPECT_NE(open(), nullptr);
}

TEST_F(CheckpointFolder, LeftoversOfWritingAreRemovedAndNothingElse) {
  open().reset();
  disk_.put("s/epoch-0000000004.ckpt.new", "half");
  disk_.put("s/epoch-x.ckpt.new", "mine");
  disk_.put("s/notes.txt", "mine");
  const auto store = open();
  EXPECT_THAT(disk_.paths(), ElementsAre("s/LOCK", "s/epoch-x.ckpt.new", "s/notes.txt"));
  EXPECT_THAT(log_.lines, ElementsAre(HasSubstr("checkpoint_leftover_removed")));
}

TEST_F(CheckpointFolder, OneThatCannotBeWrittenLeavesNothingHalf) {
  const auto store = open();
  std::uint64_t epoch = 1;
  for (std::uint64_t at = 0; at < 20; ++at) {
    disk_.set_faults({DiskFault::no_space, at});
    (void)store->write(image_of(epoch++));
    for (const std::string& path : disk_.paths()) EXPECT_THAT(path, Not(EndsWith(".new"))) << at;
  }
  disk_.set_faults({});
  EXPECT_TRUE(store->write(image_of(epoch)).ok());
  EXPECT_EQ(newest(*store), epoch);
}

TEST_F(CheckpointFolder, ADamagedOneIsNamedAndTheOneBeforeTaken) {
  write(*open(), 1, 3);
  damage("s/epoch-0000000003.ckpt");
  const auto store = open();
  EXPECT_EQ(newest(*store), 2u);
  EXPECT_EQ(store->highest(), 3u);
  ASSERT_THAT(log_.lines, SizeIs(1));
  EXPECT_THAT(log_.lines[0], HasSubstr("checkpoint_damaged \"s/epoch-0000000003.ckpt\" is damaged "
                                       "at byte "));
  EXPECT_THAT(log_.lines[0], HasSubstr("going on from epoch 2"));
}

TEST_F(CheckpointFolder, ADamagedOneIsNotOneOfThoseThatStay) {
  write(*open(), 1, 3);
  damage("s/epoch-0000000003.ckpt");
  const auto store = open();
  EXPECT_EQ(newest(*store), 2u);
  write(*store, 4, 5);
  EXPECT_THAT(disk_.paths(),
              ElementsAre("s/LOCK", "s/epoch-0000000002.ckpt", "s/epoch-0000000003.ckpt",
                          "s/epoch-0000000004.ckpt", "s/epoch-0000000005.ckpt"));
}

TEST_F(CheckpointFolder, WithoutAWholeOneItIsRefused) {
  write(*open(), 1, 2);
  damage("s/epoch-0000000001.ckpt");
  damage("s/epoch-0000000002.ckpt");
  const auto image = open()->newest();
  ASSERT_FALSE(image.has_value());
  EXPECT_EQ(image.error().code(), Code::state_unreadable);
  EXPECT_THAT(image.error().message(), HasSubstr("epoch-0000000002.ckpt\" is damaged at byte"));
  EXPECT_THAT(image.error().message(), HasSubstr("no other checkpoint there is whole"));
}

TEST_F(CheckpointFolder, AFileOfAnotherEpochIsDamage) {
  write(*open(), 1, 2);
  disk_.put("s/epoch-0000000003.ckpt", disk_.content("s/epoch-0000000001.ckpt"));
  EXPECT_EQ(newest(*open()), 2u);
  EXPECT_THAT(log_.lines, ElementsAre(HasSubstr("it is that of epoch 1")));
}

TEST_F(CheckpointFolder, ADiskThatCannotBeReadIsNoDamage) {
  write(*open(), 1, 2);
  const auto store = open();
  disk_.set_faults({DiskFault::io_error, 3, true});
  EXPECT_EQ(store->newest().error().code(), Code::source_failed);
  EXPECT_THAT(log_.lines, IsEmpty());
}

TEST_F(CheckpointFolder, AllFilesAreVerified) {
  write(*open(), 1, 3);
  damage("s/epoch-0000000001.ckpt");
  const auto verdict = verify_checkpoints(disk_, "s");
  ASSERT_TRUE(verdict.has_value());
  EXPECT_EQ(verdict->files, 3u);
  ASSERT_THAT(verdict->damage, SizeIs(1));
  EXPECT_THAT(verdict->damage[0].message(), HasSubstr("epoch-0000000001.ckpt"));
}

TEST_F(CheckpointFolder, AHeadSaysWhatItIs) {
  write(*open(), 7, 7);
  const auto head = read_checkpoint_head(disk_, "s/epoch-0000000007.ckpt");
  ASSERT_TRUE(head.has_value()) << head.error().to_string();
  EXPECT_EQ(head->epoch, 7u);
  EXPECT_EQ(head->topology, "t");
  EXPECT_EQ(head->stages, 1u);
}

/// Stored state lies by key groups: when this fails, raise kKeyHashVersion.
TEST(KeyHashVersion, HashesAreThoseOfVersion1) {
  EXPECT_EQ(kKeyHashVersion, 1u);
  EXPECT_EQ(hash_integer(42), 17661420565428282140ull);
  EXPECT_EQ(hash_bytes(""), 1242729866831462710ull);
  EXPECT_EQ(hash_bytes("millrace"), 1068329009304397712ull);
  EXPECT_EQ(hash_bytes("a text of more than sixteen bytes"), 11953846580164870534ull);
  EXPECT_EQ(hash_combine(1, 2), 99911161831446778ull);
  EXPECT_EQ(kKeyGroups, 128u);
}

}  // namespace
}  // namespace millrace::detail
