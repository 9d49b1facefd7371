// Tables on a scratch disk: what is put is found, what is erased is not, what is over goes, and
// what is dead is written over.
#include "env/disk_table.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "env/random.hpp"

namespace millrace::detail {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;

class DiskTableTest : public testing::Test {
 protected:
  DiskTableTest() {
    char made[] = "/tmp/millrace-disk-table-XXXXXX";
    root_ = ::mkdtemp(made);
  }
  ~DiskTableTest() override { std::filesystem::remove_all(root_); }

  std::unique_ptr<DiskTable> make(const std::string& name) {
    auto made = log_tables().make(root_ + "/" + name);
    EXPECT_TRUE(made) << made.error().to_string();
    return made ? std::move(*made) : nullptr;
  }
  static std::map<std::uint64_t, std::string> found(DiskTable& table,
                                                    const std::vector<std::uint64_t>& keys) {
    std::map<std::uint64_t, std::string> values;
    table.find(keys, [&](auto key, auto value) { values[key] = value; });
    return values;
  }
  static std::map<std::uint64_t, std::string> walked(DiskTable& table, std::uint64_t first,
                                                     std::uint64_t last) {
    std::map<std::uint64_t, std::string> values;
    table.each(first, last, [&](auto key, auto value) {
      EXPECT_TRUE(values.emplace(key, value).second) << "twice: " << key;
    });
    return values;
  }
  std::string root_;
};

TEST_F(DiskTableTest, WhatIsPutIsFound) {
  const auto table = make("a/b");
  EXPECT_TRUE(found(*table, {3}).empty());
  table->put(3, {}, "three");
  table->put(~0ull, {}, "");
  EXPECT_EQ(found(*table, {2, 3, ~0ull}),
            (std::map<std::uint64_t, std::string>{{3, "three"}, {~0ull, ""}}));
  table->put(3, {}, "anew");
  table->erase(~0ull);
  table->erase(4);  // was never there
  EXPECT_EQ(found(*table, {3, ~0ull}), (std::map<std::uint64_t, std::string>{{3, "anew"}}));
  EXPECT_TRUE(table->check());
}

TEST_F(DiskTableTest, ItsOwnerIsToldOnceOfEachValueThatGoesAsItIsOver) {
  constexpr std::uint64_t kKeys = 4'000;
  const auto table = make("told");
  std::map<std::uint64_t, int> told;
  table->when_over([&](std::uint64_t key) { ++told[key]; });
  const std::string value(200, 'v');
  for (std::uint64_t key = 0; key < kKeys; ++key) table->put(key, {10, kTimeMin}, value);
  table->erase(0);           // its owner knows
  table->put(1, {}, value);  // what was there had an end
  table->set_time(10, kTimeMin);
  EXPECT_TRUE(found(*table, {2, 3}).empty());
  EXPECT_EQ(told, (std::map<std::uint64_t, int>{{2, 1}, {3, 1}}));
  for (std::uint64_t key = kKeys; key < 5 * kKeys; ++key) table->put(key, {}, value);
  EXPECT_EQ(told.size(), kKeys - 2);  // nobody asked for the others
  for (const auto& [key, times] : told) EXPECT_TRUE(key > 1 && times == 1) << key;
}

TEST_F(DiskTableTest, RangesHaveTheirFirstAndTheirLast) {
  const auto table = make("walked");
  for (const std::uint64_t key : {256ull, 1ull, 255ull, 1ull << 63, ~0ull})
    table->put(key, {}, "x");
  EXPECT_EQ(walked(*table, 0, ~0ull).size(), 5u);
  EXPECT_EQ(walked(*table, 255, 256),
            (std::map<std::uint64_t, std::string>{{255, "x"}, {256, "x"}}));
  EXPECT_EQ(walked(*table, 257, ~0ull),
            (std::map<std::uint64_t, std::string>{{1ull << 63, "x"}, {~0ull, "x"}}));
}

TEST_F(DiskTableTest, KeysThatFollowOneAnotherAreFoundToo) {
  const auto table = make("many");
  const std::string value(100, 'v');
  std::vector<std::uint64_t> keys;
  for (std::uint64_t key = 0; key < 20000; ++key) {
    keys.push_back(key * 7);
    table->put(key * 7, {}, value + std::to_string(key));
  }
  const auto values = found(*table, keys);
  EXPECT_EQ(values.size(), 20000u);
  EXPECT_EQ(values.at(7 * 12345), value + "12345");
  EXPECT_GT(table->bytes(), 20000u * 100);
}

TEST_F(DiskTableTest, LongValuesAreFoundWhole) {
  const auto table = make("long");
  const std::string value(9 * kMiB, 'v');
  table->put(1, {}, value);
  table->put(2, {}, value.substr(1));
  table->put(1, {}, "short");
  const auto values = found(*table, {1, 2});
  EXPECT_EQ(values.at(1), "short");
  EXPECT_TRUE(values.at(2) == value.substr(1));
}

TEST_F(DiskTableTest, FilesHaveNoNamesAndTheFolderGoes) {
  {
    const auto table = make("one");
    const auto second = make("one");  // of another process, say
    table->put(1, {}, "x");
    EXPECT_TRUE(found(*second, {1}).empty());
    EXPECT_TRUE(std::filesystem::is_empty(root_ + "/one"));
  }
  EXPECT_FALSE(std::filesystem::exists(root_ + "/one"));
}

TEST_F(DiskTableTest, AFolderThatGoesMeanwhileIsMadeAgain) {
  const auto table = make("gone");
  std::filesystem::remove(root_ + "/gone");
  table->put(1, {}, "x");
  EXPECT_TRUE(table->check());
  EXPECT_EQ(found(*table, {1}).size(), 1u);
}

TEST_F(DiskTableTest, WhatOthersHaveInTheFolderStays) {
  std::filesystem::create_directory(root_ + "/shared");
  std::filesystem::create_directory(root_ + "/shared/theirs");
  make("shared").reset();
  EXPECT_TRUE(std::filesystem::exists(root_ + "/shared/theirs"));
}

TEST_F(DiskTableTest, AFolderThatCannotBeMadeIsRefused) {
  const auto table = log_tables().make("/proc/nowhere/table");
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code(), Code::sink_failed);
  EXPECT_NE(table.error().message().find("/proc/nowhere/table"), std::string::npos);
}

/// What the table says of a disk that has no room for files of more than `most` bytes.
TEST_F(DiskTableTest, ADiskWithoutRoomIsAnErrorThatStays) {
  const auto table = make("full");
  table->put(1, {}, "early");
  struct sigaction ignored{};
  struct sigaction before{};
  ignored.sa_handler = SIG_IGN;
  ::sigaction(SIGXFSZ, &ignored, &before);
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit little{kMiB / 2, limit.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &little);
  for (std::uint64_t key = 2; key < 20000; ++key) table->put(key, {}, std::string(100, 'v'));
  ::setrlimit(RLIMIT_FSIZE, &limit);
  ::sigaction(SIGXFSZ, &before, nullptr);
  const Status status = table->check();
  EXPECT_EQ(status.code(), Code::sink_failed);
  EXPECT_NE(status.message().find(root_ + "/full"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("--spill-dir"), std::string::npos) << status.message();
  table->put(1, {}, "late");
  EXPECT_FALSE(table->check());
  EXPECT_EQ(found(*table, {1}).at(1), "early");
}

TEST_F(DiskTableTest, WhatIsDeadIsWrittenOver) {
  const auto table = make("dead");
  const std::string value(100, 'v');
  constexpr std::uint64_t kKeys = 20000;
  std::vector<int> newest(kKeys);
  Random random(1);
  for (int round = 0; round < 60; ++round) {
    for (std::uint64_t key = 0; key < kKeys; ++key) {
      // A tenth is seldom put, so that there is some of it in all segments and none dies by itself.
      if (round != 0 && key % 10 == 0 && random.below(30) != 0) continue;
      newest[key] = round;
      table->put(key * 7919, {}, value + std::to_string(round));
    }
  }
  ASSERT_TRUE(table->check());
  EXPECT_LT(table->bytes(), 3 * kKeys * 128 + 4 * kMiB);
  std::map<std::uint64_t, std::string> wanted;
  for (std::uint64_t key = 0; key < kKeys; ++key)
    wanted[key * 7919] = value + std::to_string(newest[key]);
  EXPECT_TRUE(walked(*table, 0, ~0ull) == wanted);
}

TEST_F(DiskTableTest, WhatIsOverIsNotFoundAndGoes) {
  const auto table = make("over");
  const std::string value(1000, 'v');
  for (std::uint64_t key = 0; key < 3000; ++key) {
    table->put(key, {100, 100}, value);
    table->put(10000 + key, {100, 101}, value);
    table->put(20000 + key, {101, 100}, value);
  }
  const std::uint64_t before = table->bytes();
  EXPECT_EQ(walked(*table, 0, 9999).size(), 3000u);
  table->set_time(100, 100);
  EXPECT_TRUE(walked(*table, 0, 9999).empty());
  EXPECT_TRUE(found(*table, {0, 1, 2999}).empty());
  EXPECT_EQ(walked(*table, 10000, 29999).size(), 6000u);
  table->set_time(101, 101);
  for (std::uint64_t round = 0; round < 100; ++round) {
    for (std::uint64_t key = 0; key < 300; ++key) table->put(50000 + key, {}, value);
  }
  EXPECT_LT(table->bytes(), before / 2);
  EXPECT_EQ(walked(*table, 0, ~0ull).size(), 300u);
}

}  // namespace
}  // namespace millrace::detail
