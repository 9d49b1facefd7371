// TablesImage against a copy that is made at once, while the tables change in every way they can.
#include "state/tables_image.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "table_script.hpp"

namespace millrace::detail {
namespace {

/// What an image has read.
struct Read {
  Copy entries = {};
  std::size_t twice = 0;

  auto put() {
    return [this](std::uint32_t group, std::string_view key, const std::string& value) {
      EXPECT_EQ(group, key_group(hash_of(key)));
      twice += entries.emplace(key, value).second ? 0 : 1;
    };
  }
};
using Image = TablesImage<std::string_view, std::string, decltype(std::declval<Read&>().put())>;

TEST(TablesImage, HoldsWhatTheTablesHeldWhenItWasMade) {
  std::size_t changed_meanwhile = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Tables tables;
    TableScript changes(tables, seed);
    for (int turn = 0; turn < 8; ++turn) {
      changes.range(std::uint64_t{1} << changes.below(14));
      for (std::uint64_t left = changes.below(6000); left > 0; --left) changes.one();
      const Copy wanted = copy_of(tables);
      Read read;
      Image image(tables, read.put());
      changes.range(std::uint64_t{1} << changes.below(14));
      while (!image.done()) {
        for (std::uint64_t left = changes.below(40); left > 0; --left) changes.one();
        (void)image.advance(changes.below(600));
      }
      EXPECT_EQ(read.entries, wanted) << "seed " << seed;
      EXPECT_EQ(read.twice, 0u) << "seed " << seed;
      changed_meanwhile += copy_of(tables) != wanted ? 1 : 0;
    }
  }
  EXPECT_GT(changed_meanwhile, 40u);
}

/// Many groups are about to grow: a record later most of their blocks are still to be read.
TEST(TablesImage, IsWholeWhereTablesGrowMeanwhile) {
  Tables tables;
  const auto put = [&tables](int at) {
    const std::string key = "key " + std::to_string(at);
    tables.upsert(key, hash_of(key), [] { return std::string(); }) += "x";
  };
  for (int at = 0; at < 32'000; ++at) put(at);
  const Copy wanted = copy_of(tables);
  Read read;
  Image image(tables, read.put());
  EXPECT_EQ(image.advance(640), 0u);
  for (int at = 32'000; at < 80'000; ++at) put(at);
  (void)image.advance(std::size_t{1} << 30);
  EXPECT_TRUE(image.done());
  EXPECT_EQ(read.entries, wanted);
  EXPECT_EQ(read.twice, 0u);
}

TEST(TablesImage, ReadsAllBeforeTablesGo) {
  auto tables = std::make_unique<Tables>();
  TableScript changes(*tables, 5);
  changes.range(5000);
  for (int at = 0; at < 20'000; ++at) changes.one();
  const Copy wanted = copy_of(*tables);
  ASSERT_GT(wanted.size(), 1000u);
  Read read;
  Image image(*tables, read.put());
  EXPECT_EQ(image.advance(640), 0u);
  EXPECT_FALSE(image.done());
  tables.reset();
  EXPECT_TRUE(image.done());
  EXPECT_EQ(read.entries, wanted);
}

TEST(TablesImage, IsDroppedWithoutATrace) {
  Tables tables;
  TableScript changes(tables, 6);
  changes.range(1000);
  for (int at = 0; at < 5000; ++at) changes.one();
  Read read;
  {
    const Image image(tables, read.put());
  }
  for (int at = 0; at < 5000; ++at) changes.one();
  EXPECT_TRUE(read.entries.empty());
}

TEST(TablesImage, ReadsTheRestWhenAnotherOneIsMade) {
  Tables tables;
  TableScript changes(tables, 7);
  changes.range(1000);
  for (int at = 0; at < 5000; ++at) changes.one();
  const Copy wanted = copy_of(tables);
  Read first;
  Read second;
  Image earlier(tables, first.put());
  Image later(tables, second.put());
  EXPECT_TRUE(earlier.done());
  EXPECT_FALSE(later.done());
  for (int at = 0; at < 100; ++at) changes.one();
  while (!later.done()) (void)later.advance(64);
  EXPECT_EQ(first.entries, wanted);
  EXPECT_EQ(second.entries, wanted);
}

/// What a change costs is the reading of a block or two, however large the tables are.
TEST(TablesImage, AChangeReadsFewEntries) {
  Tables tables;
  for (int at = 0; at < 200'000; ++at) {
    const std::string key = "key " + std::to_string(at);
    tables.add(key, hash_of(key), std::string());
  }
  Read read;
  Image image(tables, read.put());
  const std::string key = "key 77";
  *tables.find(key, hash_of(key)) = "changed";
  EXPECT_GE(read.entries.size(), 1u);
  EXPECT_LE(read.entries.size(), 128u);
  EXPECT_EQ(read.entries.at(key), "");
}

}  // namespace
}  // namespace millrace::detail
