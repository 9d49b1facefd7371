// Epochs of changes of keyed tables against copies of them: what is read back is what the tables
// held, whichever epochs failed in between, and however many tasks read it.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint_store.hpp"
#include "checkpoint/checkpoint_stream.hpp"
#include "env/sim_disk.hpp"
#include "state/table_parts.hpp"
#include "table_script.hpp"

namespace millrace::detail {
namespace {

constexpr const char* kFolder = "s";

std::unique_ptr<CheckpointStore> open_store(SimDisk& disk) {
  return std::move(*CheckpointStore::open(disk, kFolder, {.base_bytes_min = 0}));
}

/// What `tasks` tasks read of an epoch.
Copy restored(const EpochImage& image, std::uint32_t tasks) {
  Copy all;
  for (std::uint32_t task = 0; task < tasks; ++task) {
    Tables tables;
    StateReader reader(image.stages.at(0).parts, task, tasks);
    restore_tables(reader, "t", tables);
    EXPECT_TRUE(reader.status().ok()) << reader.status().to_string();
    for (auto& [key, value] : copy_of(tables)) {
      EXPECT_TRUE(all.emplace(key, value).second) << "two tasks have " << key;
    }
  }
  return all;
}

/// One task that keeps its tables in epochs.
class KeptTables {
 public:
  KeptTables(SimDisk& disk, std::uint64_t seed)
      : disk_(disk), random_(seed * 7), script_(tables_, seed), store_(open_store(disk)) {}

  Tables& tables() { return tables_; }
  TableScript& script() { return script_; }
  CheckpointStore& store() { return *store_; }
  const Copy& wanted() const { return wanted_; }

  /// An epoch, while which the tables change. Not complete: it is given up somewhere; its image may
  /// be written to the end all the same.
  void epoch(bool complete, bool changes_meanwhile = true) {
    ++epoch_;
    Copy copy = copy_of(tables_);
    StateWriter writer(0, 1);
    writer.chain({epoch_, store_->base().value()});
    writer.allow_pieces();
    save_tables_later(writer, "t", tables_);
    auto stream = store_->begin(epoch_);
    const bool to_the_end = complete || random_.below(2) == 0;
    for (bool whole = false; !whole && (to_the_end || random_.below(20) > 0);) {
      if (changes_meanwhile) script_.some(random_.below(10));
      whole = writer.advance(random_.below(2000));
      for (StatePart& part : writer.ready()) {
        ASSERT_TRUE(stream->add({"stage", 0, std::move(part)}).ok());
      }
    }
    if (!complete) return;
    EpochImage image{epoch_, "t", 0, false, {}};
    image.stages.push_back({"stage", "stage"});
    ASSERT_TRUE(stream->end(image).ok());
    wanted_ = std::move(copy);
  }
  /// As another run on the same folder, with the same tables.
  void begin_again() {
    store_.reset();
    store_ = open_store(disk_);
  }
  /// Reads the newest epoch back.
  void expect_kept(std::uint32_t tasks) {
    const auto newest = store_->newest();
    ASSERT_TRUE(newest) << newest.error().to_string();
    ASSERT_TRUE(newest->has_value());
    EXPECT_EQ(restored(**newest, tasks), wanted_) << "epoch " << (*newest)->epoch;
    EXPECT_TRUE(verify_checkpoints(disk_, kFolder)->damage.empty());
  }
  /// Of the file of the last epoch.
  CheckpointHead head() const {
    return read_checkpoint_head(disk_, std::string(kFolder) + "/" + checkpoint_name(epoch_))
        .value();
  }

 private:
  SimDisk& disk_;
  Random random_;
  Tables tables_;
  TableScript script_;
  std::unique_ptr<CheckpointStore> store_;
  std::uint64_t epoch_ = 0;
  Copy wanted_;
};

TEST(TableChains, HoldWhatTheTablesHeldAtTheirBarriers) {
  std::size_t of_changes = 0;
  std::size_t whole = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SimDisk disk(seed);
    KeptTables kept(disk, seed);
    Random random(seed);
    kept.script().range(4000);
    kept.script().some(10'000);
    for (int turn = 0; turn < 40; ++turn) {
      if (random.below(8) == 0) kept.script().range(std::uint64_t{1} << random.below(14));
      kept.script().some(random.below(random.below(4) == 0 ? 4000 : 60));
      const bool complete = random.below(5) > 0;
      kept.epoch(complete);
      if (!complete) continue;
      (kept.head().base.epoch != 0 ? of_changes : whole) += 1;
      kept.expect_kept(1 + static_cast<std::uint32_t>(random.below(5)));
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_GT(of_changes, 150u);
  EXPECT_GT(whole, 50u);
}

/// Some keys among many: tables that do not grow, and no epoch that fails.
class ChainOfTables : public testing::Test {
 protected:
  ChainOfTables() {
    for (int key = 0; key < 5000; ++key) set(key, "begin");
    kept_.epoch(true, false);
  }
  void set(int key, const std::string& value) {
    const std::string text = "key " + std::to_string(key);
    kept_.tables().upsert(text, hash_of(text), [] { return std::string(); }) = value;
  }
  void erase(int key) {
    const std::string text = "key " + std::to_string(key);
    EXPECT_TRUE(kept_.tables().erase(text, hash_of(text)));
  }

  SimDisk disk_{1};
  KeptTables kept_{disk_, 1};
};

TEST_F(ChainOfTables, IsAsLargeAsWhatHasChanged) {
  const std::uint64_t whole = kept_.store().bytes_written();
  for (int key = 0; key < 50; ++key) set(key, "later");
  kept_.epoch(true, false);
  EXPECT_EQ(kept_.head().base.epoch, 1u);
  // The directory names the parts of 128 key groups, whatever is in them.
  EXPECT_LT(kept_.store().bytes_written(), whole / 8);
  kept_.expect_kept(2);
}

TEST_F(ChainOfTables, KeysThatAreGoneDoNotComeBack) {
  for (int key = 0; key < 40; ++key) erase(key);
  for (int key = 0; key < 10; ++key) set(key, "again");
  kept_.epoch(true, false);
  kept_.epoch(true, false);
  EXPECT_EQ(kept_.head().base.epoch, 2u);
  kept_.expect_kept(3);
  EXPECT_EQ(kept_.wanted().size(), 5000u - 30);
}

TEST_F(ChainOfTables, BehindAnEpochThatFailedNothingIsMissing) {
  set(7, "in the epoch that fails");
  erase(8);
  kept_.epoch(false, false);
  set(9, "in the next one");
  kept_.epoch(true, false);
  kept_.expect_kept(1);
}

TEST_F(ChainOfTables, IsWholeAgainBehindEightEpochsOfChanges) {
  for (int turn = 1; turn <= 9; ++turn) {
    set(turn, "changed");
    kept_.epoch(true, false);
    EXPECT_EQ(kept_.head().base.epoch, turn == 9 ? 0u : static_cast<std::uint64_t>(turn));
    kept_.expect_kept(1);
  }
}

/// Whole are the epochs 1, 10 and 19.
TEST_F(ChainOfTables, WhatItNeedsStaysAndAnEpochThatNeedsNoneOfIt) {
  const auto first_and_count = [this] {
    const auto files = list_checkpoints(disk_, kFolder).value();
    return std::pair(files.front().epoch, files.size());
  };
  for (std::uint64_t epoch = 2; epoch <= 13; ++epoch) kept_.epoch(true, false);
  EXPECT_EQ(first_and_count(), std::pair(std::uint64_t{1}, std::size_t{13}));
  for (std::uint64_t epoch = 14; epoch <= 19; ++epoch) kept_.epoch(true, false);
  kept_.expect_kept(1);
  EXPECT_EQ(first_and_count(), std::pair(std::uint64_t{10}, std::size_t{10}));
  disk_.put("s/" + checkpoint_name(19), "damaged");
  const auto newest = kept_.store().newest();
  ASSERT_TRUE(newest && *newest);
  EXPECT_EQ((*newest)->epoch, 18u);
  EXPECT_EQ(restored(**newest, 1), kept_.wanted());
}

TEST_F(ChainOfTables, IsWholeAgainWhenChangesAreHalfAsLarge) {
  for (int key = 0; key < 4000; ++key) set(key, "changed");
  kept_.epoch(true, false);
  EXPECT_EQ(kept_.head().base.epoch, 1u);
  kept_.epoch(true, false);
  EXPECT_EQ(kept_.head().base.epoch, 0u);
}

TEST_F(ChainOfTables, DamageInItIsNamedAndTheEpochBeforeIsTaken) {
  set(1, "in epoch 2");
  kept_.epoch(true, false);
  const Copy before = kept_.wanted();
  set(1, "in epoch 3");
  kept_.epoch(true, false);
  const std::string path = "s/" + checkpoint_name(3);
  std::string bytes = disk_.content(path);
  bytes[bytes.size() / 2] ^= 1;
  disk_.put(path, bytes);
  const auto newest = kept_.store().newest();
  ASSERT_TRUE(newest && *newest);
  EXPECT_EQ((*newest)->epoch, 2u);
  EXPECT_EQ(restored(**newest, 1), before);
}

TEST_F(ChainOfTables, WithoutWhatItChangesItIsRefusedByName) {
  set(1, "in epoch 2");
  kept_.epoch(true, false);
  const std::string base = "s/" + checkpoint_name(1);
  const std::string bytes = disk_.content(base);
  ASSERT_TRUE(disk_.remove(base).ok());
  auto newest = kept_.store().newest();
  ASSERT_FALSE(newest);
  EXPECT_NE(newest.error().message().find(base), std::string::npos) << newest.error().message();
  EXPECT_EQ(verify_checkpoints(disk_, kFolder)->damage.size(), 1u);
  // Whole in itself, yet not the file that the changes are of.
  EpochImage other{1, "t", 0, false, {}};
  other.stages.push_back({"stage", "stage"});
  ASSERT_TRUE(write_checkpoint(disk_, kFolder, checkpoint_name(1), other, {}).has_value());
  newest = kept_.store().newest();
  ASSERT_TRUE(newest && *newest);
  EXPECT_EQ((*newest)->epoch, 1u);
  EXPECT_EQ(verify_checkpoints(disk_, kFolder)->damage.size(), 1u);
}

TEST_F(ChainOfTables, ASavepointStandsAlone) {
  set(1, "changed");
  erase(2);
  kept_.epoch(true, false);
  ASSERT_EQ(kept_.head().base.epoch, 1u);
  ASSERT_EQ(save_epoch(disk_, {kFolder, std::nullopt}, "saved", {}).value(), 2u);
  EXPECT_EQ(list_checkpoints(disk_, "saved")->size(), 1u);
  const auto saved = read_epoch(disk_, {"saved", std::nullopt});
  ASSERT_TRUE(saved);
  EXPECT_EQ(restored(*saved, 2), kept_.wanted());
}

TEST_F(ChainOfTables, AnotherRunBeginsAWholeOne) {
  set(1, "changed");
  kept_.epoch(true, false);
  EXPECT_EQ(kept_.store().base(), 2u);
  kept_.begin_again();
  EXPECT_EQ(kept_.store().base(), 0u);
  kept_.epoch(true, false);
  EXPECT_EQ(kept_.head().base.epoch, 0u);
  kept_.expect_kept(1);
}

}  // namespace
}  // namespace millrace::detail
