// Checkpoints under loss of power, calls that fail, flipped bits and cut files.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "checkpoint/checkpoint_store.hpp"
#include "checkpoint/checkpoint_stream.hpp"
#include "env/sim_disk.hpp"
#include "state_images.hpp"

namespace millrace::detail {
namespace {

std::uint64_t seeds(std::uint64_t usual) {
  const char* wanted = std::getenv("MILLRACE_SEEDS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : usual;
}

/// A disk with a state folder, and which images were kept there.
class StateFolder {
 public:
  StateFolder(std::uint64_t seed, std::uint64_t bytes_max, CheckpointAccess access = {})
      : disk(seed), random(seed ^ 0x657068), bytes_max_(bytes_max) {
    options_.access = std::move(access);
  }

  /// One life: writes epochs until one fails. False: it could not begin.
  bool live(std::uint64_t epochs) {
    auto store = CheckpointStore::open(disk, "s", options_);
    if (!store) return false;
    for (; epochs > 0; --epochs) {
      attempted_ = random_image(random, last_ + 1, bytes_max_);
      ++last_;
      if (!(*store)->write(*attempted_)) return true;
      kept_ = std::move(*attempted_);
      attempted_.reset();
    }
    return true;
  }

  /// Empty: newest() is what was kept last, or what was attempted behind it.
  std::string check() {
    auto store = CheckpointStore::open(disk, "s", options_);
    if (!store) return store.error().to_string();
    const auto newest = (*store)->newest();
    if (!newest) return newest.error().to_string();
    if (*newest && attempted_ && alike(**newest, *attempted_)) {
      kept_ = std::move(attempted_);
      attempted_.reset();
      return {};
    }
    if (newest->has_value() != kept_.has_value()) return "none is there, or one too many";
    if (kept_ && !alike(**newest, *kept_)) return "it is another one than was kept";
    return {};
  }

  SimDisk disk;
  Random random;

 private:
  std::uint64_t bytes_max_;
  CheckpointStoreOptions options_;
  std::uint64_t last_ = 0;
  std::optional<EpochImage> kept_;
  std::optional<EpochImage> attempted_;
};

TEST(CheckpointPower, WhatWasKeptIsThereAfterEveryCutOfPower) {
  bool came = true;
  std::uint64_t call = 0;
  for (; came; ++call) {
    StateFolder folder(call + 1, 5000);
    ASSERT_TRUE(folder.live(2));
    folder.disk.set_faults({DiskFault::power_cut, call, false});
    (void)folder.live(5);
    came = folder.disk.calls() > call;
    folder.disk.lose_power();
    for (int turn = 0; turn < 2; ++turn) {
      const std::string wrong = folder.check();
      ASSERT_TRUE(wrong.empty()) << "power cut at call " << call << ": " << wrong;
      folder.disk.lose_power();  // what was seen, the device must hold
    }
  }
  EXPECT_GT(call, 35u);
}

TEST(CheckpointPower, AnyLivesWithAnyFaults) {
  static constexpr DiskFault kKinds[] = {DiskFault::none, DiskFault::io_error, DiskFault::no_space,
                                         DiskFault::power_cut, DiskFault::power_cut};
  for (std::uint64_t seed = 1; seed <= seeds(300); ++seed) {
    StateFolder folder(seed, 3000);
    for (auto lives = 1 + folder.random.below(5); lives > 0; --lives) {
      folder.disk.set_faults(
          {kKinds[folder.random.below(5)], folder.random.below(60), folder.random.chance(0.5)});
      (void)folder.live(folder.random.below(6));
      folder.random.chance(0.7) ? folder.disk.lose_power() : folder.disk.kill();
      const std::string wrong = folder.check();
      ASSERT_TRUE(wrong.empty()) << "seed " << seed << ": " << wrong;
      folder.disk.kill();
    }
  }
}

TEST(CheckpointPower, WithoutSyncEpochsAreLost) {
  std::size_t lost = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    StateFolder folder(seed, 3000, {.no_sync = true});
    ASSERT_TRUE(folder.live(4));
    folder.disk.lose_power();
    lost += folder.check().empty() ? 0 : 1;
  }
  EXPECT_GT(lost, 25u);
}

TEST(CheckpointFaults, EveryCallMayFail) {
  for (const DiskFault kind : {DiskFault::io_error, DiskFault::no_space}) {
    for (const bool sticky : {false, true}) {
      bool came = true;
      for (std::uint64_t call = 0; came; ++call) {
        StateFolder folder(call + 1, 5000);
        ASSERT_TRUE(folder.live(2));
        folder.disk.set_faults({kind, call, sticky});
        (void)folder.live(5);
        came = folder.disk.calls() > call;
        folder.disk.kill();
        const std::string wrong = folder.check();
        ASSERT_TRUE(wrong.empty()) << "fault " << static_cast<int>(kind) << " at call " << call
                                   << (sticky ? " and after: " : ": ") << wrong;
      }
    }
  }
}

/// A folder with one checkpoint of several frames, whose file is then damaged.
class CheckpointDamage : public testing::Test {
 protected:
  static constexpr const char* kPath = "s/epoch-0000000001.ckpt";

  void SetUp() override {
    image_.epoch = 1;
    image_.topology = "t";
    image_.stages.push_back(random_stage(random_, 100));
    image_.stages.push_back(random_stage(random_, 100));
    StatePart large{"large", "", PartOwner::key_group, 7, {}};
    large.bytes.assign((1u << 20) + 12345, 'x');
    image_.stages.back().parts.push_back(std::move(large));
    auto store = CheckpointStore::open(disk_, "s", {});
    ASSERT_TRUE(store.has_value());
    ASSERT_TRUE((*store)->write(image_).ok());
    whole_ = disk_.content(kPath);
    EXPECT_EQ((*store)->bytes_written(), whole_.size());
  }

  void expect_found(std::string bytes, const std::string& what) {
    disk_.put(kPath, std::move(bytes));
    const ReadCheckpoint read = read_checkpoint(disk_, kPath, {});
    ASSERT_EQ(read.status.code(), Code::state_unreadable) << what;
    EXPECT_TRUE(read.damaged) << what;
    EXPECT_NE(read.status.message().find("\"s/epoch-0000000001.ckpt\" is damaged at byte "),
              std::string::npos)
        << what << ": " << read.status.message();
  }

  Random random_{7};
  SimDisk disk_{1};
  EpochImage image_;
  std::string whole_;
};

TEST_F(CheckpointDamage, EveryFlippedBitIsFound) {
  for (int turn = 0; turn < 2000; ++turn) {
    std::string bytes = whole_;
    // Half of them near the beginning, where lengths and names are.
    const std::size_t at = random_.below(turn % 2 == 0 ? 600 : bytes.size());
    const auto bit = static_cast<unsigned>(random_.below(8));
    bytes[at] = static_cast<char>(bytes[at] ^ (1u << bit));
    expect_found(std::move(bytes), fmt::format("bit {} of byte {}", bit, at));
  }
}

TEST_F(CheckpointDamage, EveryCutAndEveryTailIsFound) {
  for (int turn = 0; turn < 300; ++turn) {
    const std::size_t length = turn < 100   ? static_cast<std::size_t>(turn)
                               : turn < 200 ? whole_.size() - static_cast<std::size_t>(turn - 99)
                                            : random_.below(whole_.size());
    expect_found(whole_.substr(0, length), fmt::format("cut to {} bytes", length));
  }
  expect_found(whole_ + '\0', "a byte more");
  expect_found(whole_ + whole_, "twice");
}

/// Where the frame begins and ends that has the byte `at`.
std::pair<std::size_t, std::size_t> frame_around(const std::string& bytes, std::size_t at) {
  for (std::size_t begin = 16;;) {
    std::uint32_t length = 0;
    std::memcpy(&length, bytes.data() + begin, sizeof length);
    const std::size_t end = begin + length + 8;
    if (at < end) return {begin, end};
    begin = end;
  }
}

TEST_F(CheckpointDamage, TheFrameOfAnotherCheckpointIsFound) {
  image_.stages.back().parts.back().bytes.front() = 'y';
  ASSERT_TRUE(write_checkpoint(disk_, "s", "other", image_, {}).has_value());
  const std::string other = disk_.content("s/other");
  ASSERT_EQ(other.size(), whole_.size());
  const auto differ = std::ranges::mismatch(whole_, other).in1 - whole_.begin();
  const auto [begin, end] = frame_around(whole_, static_cast<std::size_t>(differ));
  expect_found(whole_.substr(0, begin) + other.substr(begin, end - begin) + whole_.substr(end),
               "a frame of another one");
  expect_found(whole_.substr(0, end) + other.substr(end), "the end of another one");
}

/// What is left in the file is looked at first, and again when it is read.
TEST_F(CheckpointDamage, WhatIsDamagedBehindTheFirstLookIsFound) {
  const ReadCheckpoint left = read_checkpoint(disk_, kPath, {.leave_parts = true});
  ASSERT_TRUE(left.status.ok()) << left.status.to_string();
  const StatePart& large = left.image.stages.back().parts.back();
  ASSERT_NE(large.stored, nullptr);
  EXPECT_EQ(large.size(), (1u << 20) + 12345);
  EXPECT_EQ(large.stored->read().value(), image_.stages.back().parts.back().bytes);
  const auto file = std::move(*disk_.open(kPath, DiskOpen::write));
  ASSERT_TRUE(file->write_at(whole_.size() / 2, "y").ok());
  EXPECT_EQ(large.stored->read().error().code(), Code::state_unreadable);
  EXPECT_TRUE(read_checkpoint(disk_, kPath, {.leave_parts = true}).damaged);
}

TEST_F(CheckpointDamage, WithoutChecksumsItIsNot) {
  std::string bytes = whole_;
  bytes[bytes.size() / 2] ^= 1;
  disk_.put(kPath, std::move(bytes));
  const ReadCheckpoint read = read_checkpoint(disk_, kPath, {.no_checksum = true});
  EXPECT_TRUE(read.status.ok()) << read.status.to_string();
  EXPECT_FALSE(alike(read.image, image_));
}

TEST(CheckpointImages, AnyImageIsReadAsItWasWritten) {
  for (std::uint64_t seed = 1; seed <= seeds(300); ++seed) {
    Random random(seed);
    SimDisk disk(seed);
    (void)disk.make_folder("s");
    const EpochImage image = random_image(random, 1 + random.below(1'000'000), 4000);
    const auto bytes = write_checkpoint(disk, "s", "one", image, {.program = "0.1.0"});
    ASSERT_TRUE(bytes.has_value()) << bytes.error().to_string();
    EXPECT_EQ(*bytes, disk.content("s/one").size());
    const ReadCheckpoint read = read_checkpoint(disk, "s/one", {});
    ASSERT_TRUE(read.status.ok()) << read.status.to_string();
    EXPECT_TRUE(alike(read.image, image)) << "seed " << seed;
    EXPECT_EQ(read.bytes, *bytes);
  }
}

}  // namespace
}  // namespace millrace::detail
