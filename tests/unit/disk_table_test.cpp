// Tables on a scratch disk: what is put is found, what is erased is not, and what is over goes.
#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "env/disk_table.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace millrace::detail {
namespace {

class DiskTableTest : public testing::Test {
 protected:
  DiskTableTest() {
    char made[] = "/tmp/millrace-disk-table-XXXXXX";
    root_ = ::mkdtemp(made);
  }
  ~DiskTableTest() override { std::filesystem::remove_all(root_); }

  std::unique_ptr<DiskTable> make(const std::string& name) {
    auto made = rocks_tables().make(root_ + "/" + name, {});
    EXPECT_TRUE(made) << made.error().to_string();
    return made ? std::move(*made) : nullptr;
  }
  static std::map<std::uint64_t, std::string> found(DiskTable& table,
                                                    const std::vector<std::uint64_t>& keys) {
    std::map<std::uint64_t, std::string> values;
    EXPECT_TRUE(table.find(keys, [&](auto key, auto value) { values[key] = value; }));
    return values;
  }
  static std::vector<std::uint64_t> walked(DiskTable& table, std::uint64_t first,
                                           std::uint64_t last) {
    std::vector<std::uint64_t> keys;
    EXPECT_TRUE(table.each(first, last, [&](auto key, auto) { keys.push_back(key); }));
    return keys;
  }
  std::string root_;
};

TEST_F(DiskTableTest, WhatIsPutIsFoundFromTheNextWriteOn) {
  const auto table = make("a/b");
  table->put(3, {}, "three");
  table->put(~0ull, {}, "");
  EXPECT_TRUE(found(*table, {3}).empty());
  ASSERT_TRUE(table->write());
  EXPECT_EQ(found(*table, {2, 3, ~0ull}),
            (std::map<std::uint64_t, std::string>{{3, "three"}, {~0ull, ""}}));
  table->put(3, {}, "anew");
  table->erase(~0ull);
  ASSERT_TRUE(table->write());
  EXPECT_EQ(found(*table, {3, ~0ull}), (std::map<std::uint64_t, std::string>{{3, "anew"}}));
}

TEST_F(DiskTableTest, RangesAreWalkedInTheOrderOfTheNumbers) {
  const auto table = make("walked");
  for (const std::uint64_t key : {256ull, 1ull, 255ull, 1ull << 63}) table->put(key, {}, "x");
  ASSERT_TRUE(table->write());
  EXPECT_EQ(walked(*table, 0, ~0ull), (std::vector<std::uint64_t>{1, 255, 256, 1ull << 63}));
  EXPECT_EQ(walked(*table, 255, 256), (std::vector<std::uint64_t>{255, 256}));
}

TEST_F(DiskTableTest, ManyValuesGoToFilesAndAreFoundThere) {
  const auto made = rocks_tables().make(root_ + "/many", {1u << 20, 256u << 10});
  ASSERT_TRUE(made);
  DiskTable& table = **made;
  const std::string value(100, 'v');
  std::vector<std::uint64_t> keys;
  for (std::uint64_t key = 0; key < 20000; ++key) {
    keys.push_back(key * 7);
    table.put(key * 7, {}, value + std::to_string(key));
    if (key % 100 == 99) ASSERT_TRUE(table.write());
  }
  const auto values = found(table, keys);
  EXPECT_EQ(values.size(), 20000u);
  EXPECT_EQ(values.at(7 * 12345), value + "12345");
  EXPECT_GT(table.bytes(), 100u << 10);
}

TEST_F(DiskTableTest, OneFolderIsOneTablesAndEmptyAfterwards) {
  {
    const auto table = make("one");
    table->put(1, {}, "x");
    ASSERT_TRUE(table->write());
    const auto second = rocks_tables().make(root_ + "/one", {});
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message().find(root_ + "/one"), std::string::npos);
  }
  EXPECT_FALSE(std::filesystem::exists(root_ + "/one"));
  EXPECT_TRUE(found(*make("one"), {1}).empty());
}

TEST_F(DiskTableTest, AFolderThatCannotBeMadeIsRefused) {
  const auto table = rocks_tables().make("/proc/nowhere/table", {});
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code(), Code::sink_failed);
}

TEST_F(DiskTableTest, WhatIsOverGoesWhenFilesAreMerged) {
  const auto made = rocks_tables().make(root_ + "/over", {1u << 20, 128u << 10});
  ASSERT_TRUE(made);
  DiskTable& table = **made;
  table.set_time(100, 100);
  const std::string value(1000, 'v');
  for (std::uint64_t key = 0; key < 100; ++key) {
    table.put(key, {100, 100}, value);
    table.put(1000 + key, {100, 101}, value);
    table.put(2000 + key, {101, 100}, value);
  }
  ASSERT_TRUE(table.write());
  const auto over = [&] { return walked(table, 0, 999).size(); };
  for (int round = 0; round < 2000 && over() > 0; ++round) {
    for (std::uint64_t key = 0; key < 100; ++key) table.put(5000 + key, {}, value);
    ASSERT_TRUE(table.write());
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // files are merged meanwhile
  }
  EXPECT_EQ(over(), 0u);
  EXPECT_EQ(walked(table, 1000, 2999).size(), 200u);
}

}  // namespace
}  // namespace millrace::detail
