// Images that wait on disk for their last epoch: the pieces of a part are one part, with the same
// bytes, and what the disk does not take stays in memory.
#include "runtime/image_spool.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "env/random.hpp"

namespace millrace::detail {
namespace {

class ImageSpoolTest : public testing::Test {
 protected:
  using Name = std::pair<std::string, std::uint32_t>;

  ImageSpoolTest() {
    char made[] = "/tmp/millrace-image-spool-XXXXXX";
    root_ = ::mkdtemp(made);
  }
  ~ImageSpoolTest() override { std::filesystem::remove_all(root_); }

  static StatePart piece(const std::string& name, PartOwner owner, std::uint32_t number,
                         std::string bytes) {
    return {name, "shape of " + name, owner, number, std::move(bytes)};
  }
  /// Pieces of two names in 128 key groups, of some bytes or many, taken a few at a time.
  void spool_all(ImageSpool& spool, std::uint64_t seed) {
    Random random(seed);
    parts_.push_back(piece("time", PartOwner::task, 0, std::string(100'000, 't')));
    for (int turn = 0; turn < 40; ++turn) {
      for (std::uint64_t left = random.below(30); left > 0; --left) {
        const std::string name = random.chance(0.5) ? "sums" : "texts";
        const auto group = static_cast<std::uint32_t>(random.below(kKeyGroups));
        const std::uint64_t bytes = random.below(random.chance(0.7) ? 60'000 : 50);
        std::string text(bytes, static_cast<char>('a' + random.below(26)));
        wanted_[{name, group}] += text;
        parts_.push_back(piece(name, PartOwner::key_group, group, std::move(text)));
      }
      spool.take(parts_);
    }
  }
  void expect_all() {
    EXPECT_EQ(parts_.size(), wanted_.size() + 1);
    EXPECT_EQ(parts_.at(0).bytes.size(), 100'000u);
    for (const StatePart& part : parts_) {
      if (part.owner != PartOwner::key_group) continue;
      EXPECT_EQ(part.shape, "shape of " + part.name);
      const std::string bytes = part.stored ? part.stored->read().value() : part.bytes;
      EXPECT_EQ(part.size(), bytes.size());
      EXPECT_TRUE(bytes == (wanted_[{part.name, part.number}])) << part.name << " " << part.number;
    }
  }
  /// Bytes of parts of key groups that are in memory.
  std::size_t held_bytes() const {
    std::size_t held = 0;
    for (const StatePart& part : parts_)
      held += part.owner == PartOwner::key_group ? part.bytes.size() : 0;
    return held;
  }

  std::string root_;
  std::vector<StatePart> parts_;
  std::map<Name, std::string> wanted_;
};

TEST_F(ImageSpoolTest, PiecesOfAPartAreOneOnDisk) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    parts_.clear();
    wanted_.clear();
    ImageSpool spool(root_ + "/image");
    spool_all(spool, seed);
    expect_all();
    EXPECT_LT(held_bytes(), 256u * 4096);
  }
  EXPECT_TRUE(std::filesystem::is_empty(root_));
}

TEST_F(ImageSpoolTest, WhatIsReadOutlivesTheSpool) {
  {
    ImageSpool spool(root_ + "/image");
    spool_all(spool, 9);
  }
  expect_all();
}

TEST_F(ImageSpoolTest, WithoutADiskAllStaysInMemory) {
  ImageSpool spool("/proc/no-folder/image");
  spool_all(spool, 5);
  expect_all();
}

}  // namespace
}  // namespace millrace::detail
