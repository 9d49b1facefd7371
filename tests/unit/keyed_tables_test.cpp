// Tests of KeyedTables against std::unordered_map, and of the stored forms of keys.
#include <gtest/gtest.h>

#include <map>
#include <unordered_map>

#include "env/random.hpp"
#include "state/state.hpp"

namespace millrace::detail {
namespace {

template <class K>
std::uint64_t hash_of(const K& key) {
  return KeyTraits<K>::hash(key);
}

std::string random_text(Random& random) {
  std::string text(random.below(41), ' ');
  for (char& letter : text) letter = static_cast<char>('a' + random.below(2));
  return text;
}

TEST(KeyedTables, TextsAgreeWithAMapOverRandomRounds) {
  Random random(3);
  KeyedTables<std::string_view, std::int64_t> tables;
  for (int round = 0; round < 6; ++round) {
    std::unordered_map<std::string, std::int64_t> model;
    for (int at = 0; at < 20'000; ++at) {
      const std::string key = random_text(random);
      const auto by = static_cast<std::int64_t>(random.below(100));
      tables.upsert(key, hash_of<std::string_view>(key), [] { return std::int64_t{0}; }) += by;
      model[key] += by;
    }
    ASSERT_EQ(tables.size(), model.size());
    std::size_t seen = 0;
    tables.for_each([&](std::string_view key, std::int64_t& value) {
      ++seen;
      ASSERT_EQ(model.at(std::string(key)), value);
    });
    EXPECT_EQ(seen, model.size());
    for (const auto& [key, value] : model) {
      const std::int64_t* found = tables.find(key, hash_of<std::string_view>(key));
      ASSERT_NE(found, nullptr);
      ASSERT_EQ(*found, value);
    }
    EXPECT_EQ(tables.find("never seen", hash_of<std::string_view>("never seen")), nullptr);
    tables.clear();
    EXPECT_EQ(tables.size(), 0u);
    EXPECT_EQ(tables.find("", hash_of<std::string_view>("")), nullptr);
  }
}

TEST(KeyedTables, OwnTheTextOfTheirKeys) {
  KeyedTables<std::string_view, int> tables;
  for (const std::size_t size : {0u, 1u, 7u, 16u, 17u, 40u, 1000u}) {
    std::string key(size, 'k');
    tables.upsert(key, hash_of<std::string_view>(key), [] { return 1; });
    key.assign(size, 'x');
  }
  EXPECT_EQ(tables.size(), 7u);
  for (const std::size_t size : {0u, 1u, 7u, 16u, 17u, 40u, 1000u}) {
    const std::string key(size, 'k');
    EXPECT_NE(tables.find(key, hash_of<std::string_view>(key)), nullptr) << size;
  }
}

TEST(KeyedTables, EqualHashesOfDifferentKeysStayApart) {
  KeyedTables<std::string_view, int> tables;
  constexpr std::uint64_t kHash = 0x1234'5678'9abc'def0;
  for (int at = 0; at < 2; ++at) {  // no more: a table that grows hashes its keys anew
    const std::string key = "key " + std::to_string(at);
    tables.upsert(key, kHash, [at] { return at; });
  }
  EXPECT_EQ(*tables.find("key 0", kHash), 0);
  EXPECT_EQ(*tables.find("key 1", kHash), 1);
  EXPECT_EQ(tables.find("key 2", kHash), nullptr);
}

TEST(KeyedTables, ValuesThatOwnMemoryMoveWithGrowthAndAreDestroyedOnce) {
  const auto shared = std::make_shared<int>(0);
  {
    KeyedTables<std::int64_t, std::vector<std::shared_ptr<int>>> tables;
    for (int round = 0; round < 3; ++round) {
      for (std::int64_t key = 0; key < 5'000; ++key) {
        for (int copy = 0; copy < 2; ++copy) {
          tables.upsert(key, hash_of(key), [] { return std::vector<std::shared_ptr<int>>(); })
              .push_back(shared);
        }
      }
      EXPECT_EQ(tables.size(), 5'000u);
      EXPECT_EQ(shared.use_count(), 1 + 2 * 5'000);
      if (round < 2) tables.clear();
    }
  }
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(KeyedTables, GrowToManyKeysAndPrefetchAnywhere) {
  KeyedTables<std::int64_t, std::int64_t> tables;
  for (std::int64_t key = -100'000; key < 100'000; ++key) {
    tables.prefetch(hash_of(key));
    tables.upsert(key, hash_of(key), [key] { return key; });
  }
  EXPECT_EQ(tables.size(), 200'000u);
  EXPECT_TRUE(tables.is_wide());
  for (std::int64_t key = -100'000; key < 100'000; ++key) {
    ASSERT_EQ(*tables.find(key, hash_of(key)), key);
  }
}

TEST(KeyedTables, TupleKeysAgreeWithAMap) {
  using View = std::tuple<std::string_view, std::int32_t>;
  Random random(4);
  KeyedTables<View, int> tables;
  std::map<std::pair<std::string, std::int32_t>, int> model;
  for (int at = 0; at < 10'000; ++at) {
    const std::string text(random.below(24), 't');
    const auto number = static_cast<std::int32_t>(random.between(-4, 4));
    const View key(text, number);
    ++tables.upsert(key, hash_of(key), [] { return 0; });
    ++model[{text, number}];
  }
  EXPECT_EQ(tables.size(), model.size());
  tables.for_each([&](const View& key, int& value) {
    ASSERT_EQ((model.at({std::string(std::get<0>(key)), std::get<1>(key)})), value);
  });
}

TEST(KeyedTables, EveryHashBelongsToOneTaskInContiguousRanges) {
  Random random(5);
  for (std::uint32_t tasks = 1; tasks <= kKeyGroups; ++tasks) {
    EXPECT_EQ(task_of_hash(0, tasks), 0u);
    EXPECT_EQ(task_of_hash(~std::uint64_t{0}, tasks), tasks - 1);
    for (int at = 0; at < 50; ++at) {
      const std::uint64_t hash = random();
      ASSERT_LT(task_of_hash(hash, tasks), tasks);
      ASSERT_LE(task_of_hash(hash >> 1, tasks), task_of_hash(hash | (hash >> 1), tasks));
    }
  }
}

}  // namespace
}  // namespace millrace::detail
