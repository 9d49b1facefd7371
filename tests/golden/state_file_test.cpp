// Checkpoints of every format are read by every later program; the newest format is written byte by
// byte the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/crc32c.hpp"
#include "checkpoint/checkpoint_image.hpp"
#include "checkpoint/checkpoint_stream.hpp"
#include "env/sim_disk.hpp"
#include "source_folder.hpp"

namespace millrace::detail {
namespace {

constexpr int kNewest = 3;

/// One of everything, and a text longer than a frame.
EpochImage golden_image() {
  EpochImage image{42, "trending", 1'442'016'000'123'456, true, {}};
  StageImage source;
  source.stage = source.component = "edits";
  source.replayable = true;
  source.positions = {{"edits.jsonl", "12345"}, {"a/\xc3\xa4.jsonl.gz", std::string(1, '\0')}};
  source.parts = {{"arrivals", "", PartOwner::partition, 1, "\x2a"}};
  StageImage count;
  count.stage = count.component = "count";
  count.task = 1;
  count.tasks = 3;
  count.parts = {{"cells", "{key:text,n:int}", PartOwner::key_group, 127, "abc"},
                 {"long", "", PartOwner::key_group, 0, std::string((1u << 20) + 77, 'r')},
                 {"watermark", "int", PartOwner::task, 1, ""}};
  StageImage sink;
  sink.stage = sink.component = "out";
  sink.prepared = {"token 41", "token 42"};
  image.stages = {source, count, sink};
  return image;
}

std::string golden_bytes(int format) {
  std::ifstream file(
      source_folder() + "/tests/golden/state/format-" + std::to_string(format) + ".ckpt",
      std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

ReadCheckpoint read(const std::string& bytes) {
  SimDisk disk(1);
  disk.put("f", bytes);
  return read_checkpoint(disk, "f", {});
}

/// The same bytes as a file of another format version, whose first checksum fits.
std::string of_version(std::string bytes, char version) {
  bytes[8] = version;
  const std::uint32_t crc = crc32c(bytes.substr(0, 12));
  bytes.replace(12, 4, reinterpret_cast<const char*>(&crc), 4);
  return bytes;
}

class StateFile : public testing::TestWithParam<int> {};

TEST_P(StateFile, TheCheckpointOfThisFormatIsRead) {
  const ReadCheckpoint golden = read(golden_bytes(GetParam()));
  ASSERT_TRUE(golden.status.ok()) << golden.status.to_string();
  const EpochImage wanted = golden_image();
  EXPECT_EQ(golden.image.epoch, wanted.epoch);
  EXPECT_EQ(golden.image.topology, wanted.topology);
  EXPECT_EQ(golden.image.taken_at, wanted.taken_at);
  EXPECT_TRUE(golden.image.finished);
  ASSERT_EQ(golden.image.stages.size(), 3u);
  const StageImage& source = golden.image.stages[0];
  EXPECT_TRUE(source.replayable);
  ASSERT_EQ(source.positions.size(), 2u);
  EXPECT_EQ(source.positions[1].partition, wanted.stages[0].positions[1].partition);
  EXPECT_EQ(source.positions[1].bytes, wanted.stages[0].positions[1].bytes);
  const StageImage& count = golden.image.stages[1];
  EXPECT_EQ(count.component, "count");
  EXPECT_EQ(count.task, 1u);
  EXPECT_EQ(count.tasks, 3u);
  ASSERT_EQ(count.parts.size(), 3u);
  EXPECT_EQ(count.parts[0].shape, "{key:text,n:int}");
  EXPECT_EQ(count.parts[0].owner, PartOwner::key_group);
  EXPECT_EQ(count.parts[0].number, 127u);
  EXPECT_EQ(count.parts[1].bytes, wanted.stages[1].parts[1].bytes);
  EXPECT_EQ(golden.image.stages[2].prepared, wanted.stages[2].prepared);
}

INSTANTIATE_TEST_SUITE_P(Formats, StateFile, testing::Range(1, kNewest + 1));

TEST(StateFileBytes, TheSameImageIsWrittenAsTheSameBytes) {
  SimDisk disk(1);
  ASSERT_TRUE(disk.make_folder("s").ok());
  ASSERT_TRUE(write_checkpoint(disk, "s", "f", golden_image(), {.program = "0.1.0"}).has_value());
  EXPECT_TRUE(disk.content("s/f") == golden_bytes(kNewest))
      << "the format has changed: raise its version, keep reading those before";
}

TEST(StateFileBytes, ALaterFormatIsRefusedWithASentence) {
  const ReadCheckpoint later = read(of_version(golden_bytes(kNewest), kNewest + 1));
  EXPECT_EQ(later.status.code(), Code::state_unreadable);
  EXPECT_FALSE(later.damaged);
  EXPECT_THAT(later.status.message(),
              testing::HasSubstr("has format version 4, this program knows versions 1 to 3: use "
                                 "the program that wrote it"));
}

}  // namespace
}  // namespace millrace::detail
