// Epochs of changes of the panes of windows: what is read back is what the panes held, and what is
// written is what has changed in them.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint_store.hpp"
#include "checkpoint/checkpoint_stream.hpp"
#include "env/sim_disk.hpp"
#include "operator/kept_entries.hpp"
#include "operator/kernels.hpp"
#include "operator/pane_images.hpp"

namespace millrace::detail {
namespace {

constexpr const char* kFolder = "s";
using Panes = PaneSet<std::int64_t, std::int64_t>;
/// Of a pane (where it begins, who reads it first) and key.
using Copy = std::map<std::tuple<Time, Time, std::int64_t>, std::int64_t>;

Copy copy_of(const Panes& panes) {
  Copy copy;
  for (const auto& [key, pane] : panes.panes()) {
    pane.tables->for_each([&, &at = key](std::int64_t name, const std::int64_t& count) {
      copy[{at.start, at.first_end, name}] = count;
    });
  }
  return copy;
}

/// Windows of 10 us whose panes hold 2000 keys each: large enough for their changes to be noted.
class PaneChains : public testing::Test {
 protected:
  static constexpr std::int64_t kKeys = 2000;

  PaneChains() {
    for (Time start = 0; start < 40; start += 10) fill(start, kKeys);
  }
  void fill(Time start, std::int64_t keys) {
    for (std::int64_t key = 0; key < keys; ++key) add(start, key);
  }
  void add(Time time, std::int64_t key) {
    Panes::Tables& tables = *panes_.pane_of(time).tables;
    ++tables.upsert(key, KeyTraits<std::int64_t>::hash(key), [] { return std::int64_t{0}; });
  }
  void close(Time watermark) {
    panes_.close(watermark, [](Time, Time, const auto&) {});
  }
  static std::unique_ptr<CheckpointStore> open_store(SimDisk& disk) {
    return std::move(*CheckpointStore::open(disk, kFolder, {.base_bytes_min = 0}));
  }

  /// Writes an epoch; the bytes of its file.
  std::uint64_t epoch(bool complete = true) {
    wanted_ = complete ? copy_of(panes_) : wanted_;
    StateWriter writer(0, 1);
    writer.chain({++epoch_, store_->base().value()});
    save_panes<std::int64_t>(writer, panes_, kTimeMin, kernel_);
    EXPECT_TRUE(writer.status().ok());
    EpochImage image{epoch_, "t", 0, false, {}};
    image.stages.push_back({"stage", "stage"});
    image.stages.back().parts = writer.take();
    if (complete) EXPECT_TRUE(store_->write(image).ok());
    return store_->bytes_written();
  }
  std::vector<StatePart> newest() {
    auto image = store_->newest();
    EXPECT_TRUE(image && *image) << image.error().to_string();
    return std::move((*image)->stages.at(0).parts);
  }
  /// What `tasks` tasks read of the newest epoch.
  Copy restored(std::uint32_t tasks) { return restored(newest(), tasks); }
  Copy restored(const std::vector<StatePart>& parts, std::uint32_t tasks) {
    Copy all;
    for (std::uint32_t task = 0; task < tasks; ++task) {
      Panes read(tumbling(10us), true);
      StateReader reader(parts, task, tasks);
      restore_panes(reader, read, kernel_);
      EXPECT_TRUE(reader.status().ok()) << reader.status().to_string();
      closed_end_ = read.closed_end();
      all.merge(copy_of(read));
    }
    return all;
  }
  void expect_kept() {
    EXPECT_EQ(restored(1), wanted_);
    EXPECT_EQ(restored(3), wanted_);
  }
  std::uint64_t base() const {
    const std::string path = std::string(kFolder) + "/" + checkpoint_name(epoch_);
    return read_checkpoint_head(disk_, path).value().base.epoch;
  }

  mutable SimDisk disk_{1};
  std::unique_ptr<CheckpointStore> store_ = open_store(disk_);
  CountKernel kernel_;
  Panes panes_{tumbling(10us), true};
  std::uint64_t epoch_ = 0;
  Copy wanted_;
  Time closed_end_ = kTimeMin;  ///< of the task that was restored last
};

TEST_F(PaneChains, AreAsLargeAsWhatHasChanged) {
  const std::uint64_t whole = epoch();
  for (std::int64_t key = 0; key < 50; ++key) add(10, key);
  EXPECT_LT(epoch(), whole / 8);
  EXPECT_EQ(base(), 1u);
  expect_kept();
  EXPECT_LT(epoch(), whole / 12);  // the directory, and nothing of panes
  expect_kept();
}

TEST_F(PaneChains, ANewPaneIsWrittenWholeAndOthersAreNot) {
  const std::uint64_t whole = epoch();
  fill(40, kKeys);
  EXPECT_LT(epoch(), whole / 2);
  EXPECT_EQ(base(), 1u);
  expect_kept();
}

TEST_F(PaneChains, APaneThatHasClosedDoesNotComeBack) {
  epoch();
  add(30, 7);
  close(20);
  epoch();
  EXPECT_EQ(base(), 1u);
  EXPECT_EQ(wanted_.size(), 2u * kKeys);
  expect_kept();
  EXPECT_EQ(closed_end_, 20);
  epoch();  // which is changes of changes
  expect_kept();
}

TEST_F(PaneChains, TheTablesOfAClosedPaneHoldTheNextOne) {
  epoch();
  close(10);
  fill(40, kKeys / 2);
  add(50, 3);
  epoch();
  EXPECT_EQ(base(), 1u);
  expect_kept();
  close(20);
  add(40, 1);
  epoch();
  expect_kept();
}

TEST_F(PaneChains, BehindAnEpochThatFailedNothingIsMissing) {
  epoch();
  add(0, 7);
  epoch(false);
  add(10, 8);
  epoch();
  expect_kept();
}

TEST_F(PaneChains, WhereAllPanesAreNewTheyAreWhole) {
  epoch();
  close(40);
  fill(50, kKeys);
  epoch();
  EXPECT_EQ(base(), 0u);
  expect_kept();
  close(60);
  epoch();
  EXPECT_EQ(base(), 0u);
  EXPECT_TRUE(restored(2).empty());
}

TEST_F(PaneChains, SmallPanesAreWrittenWholeBesideLargeOnes) {
  fill(40, 20);
  epoch();
  add(45, 3);
  add(45, 77);
  epoch();
  EXPECT_EQ(base(), 1u);
  expect_kept();
  fill(40, kKeys);
  epoch();
  add(40, 5);
  epoch();
  expect_kept();
}

TEST_F(PaneChains, ATableThatIsOverIsNoLongerAttended) {
  epoch();
  Panes::Tables& first = *panes_.pane_of(0).tables;
  close(10);
  ASSERT_EQ(panes_.pane_of(40).tables, &first);  // taken up again
  const std::uint64_t hash = KeyTraits<std::int64_t>::hash(1);
  first.add(1, hash, 5);
  EXPECT_EQ(first.take_changes(key_group(hash), 0), 0u);
}

TEST_F(PaneChains, ToldAreThePanesThatAreOpen) {
  epoch();
  close(30);
  epoch();
  std::map<Time, int> told;
  tell_parts(newest(), [&](const KeptEntry& entry) {
    EXPECT_EQ(entry.state, "panes");
    EXPECT_EQ(entry.value, "1");
    ++told[entry.start];
  });
  EXPECT_EQ(told, (std::map<Time, int>{{30, kKeys}}));
}

TEST_F(PaneChains, ANumberThatNoPaneHasIsNobodys) {
  epoch();
  std::vector<StatePart> parts = newest();
  for (StatePart& part : parts) {
    if (part.name == kOpenPanes) part.bytes.resize(sizeof(Time));
  }
  EXPECT_TRUE(restored(parts, 2).empty());
}

TEST_F(PaneChains, ADamagedListIsRefused) {
  epoch();
  std::vector<StatePart> parts = newest();
  for (StatePart& part : parts) {
    if (part.name == kOpenPanes) part.bytes.pop_back();
  }
  Panes read(tumbling(10us), true);
  StateReader reader(parts, 0, 1);
  restore_panes(reader, read, kernel_);
  EXPECT_EQ(reader.status().code(), Code::state_unreadable);
}

/// Versions without numbers: the end of the last window that fired, and of each pane its key, how
/// many entries, and these.
TEST_F(PaneChains, ThoseOfEarlierVersionsAreRead) {
  std::vector<StatePart> parts;
  const std::string shape = entry_shape<std::int64_t>(shape_of_kind("tumbling(10us)", "int64"));
  Copy wanted;
  for (std::int64_t key = 0; key < 300; ++key) {
    const std::uint32_t group = key_group(KeyTraits<std::int64_t>::hash(key));
    const auto same = [group](const StatePart& part) { return part.number == group; };
    auto part = std::ranges::find_if(parts, same);
    if (part == parts.end()) {
      part = parts.insert(part, {"panes", shape, PartOwner::key_group, group, {}});
      put_number(part->bytes, Time{20});
    }
    for (const Time start : {20, 30}) {
      put_number(part->bytes, start);
      put_number(part->bytes, kTimeMin);
      put_varint(part->bytes, 1);
      store_value(part->bytes, key);
      store_value(part->bytes, key + start);
      wanted[{start, kTimeMin, key}] = key + start;
    }
  }
  EXPECT_EQ(restored(parts, 2), wanted);
  EXPECT_EQ(closed_end_, 20);
  std::size_t told = 0;
  tell_parts(parts, [&](const KeptEntry& entry) { told += entry.start >= 20 ? 1 : 0; });
  EXPECT_EQ(told, wanted.size());
}

}  // namespace
}  // namespace millrace::detail
