// Tests of KeyedTables against std::unordered_map, and of the stored forms of keys.
#include <gtest/gtest.h>

#include <algorithm>
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

/// A value whose construction and destruction are counted.
class Counted {
 public:
  explicit Counted(std::int64_t of) : value(of) { ++alive; }
  Counted(Counted&& other) noexcept : value(other.value) { ++alive; }
  ~Counted() {
    --alive;
    value = -1;
  }
  std::int64_t value;
  static inline int alive = 0;  // of a test's one thread
};

TEST(KeyedTables, ErasedKeysAreGoneAsInAMapOverRandomRounds) {
  Random random(6);
  int erased = 0;
  int missed = 0;
  {
    KeyedTables<std::string_view, Counted> tables;
    std::unordered_map<std::string, std::int64_t> model;
    for (int round = 0; round < 40; ++round) {
      // Rounds that mostly add take turns with rounds that mostly erase, so that tables shrink.
      const std::uint64_t of_ten_erase = round % 2 == 0 ? 2 : 9;
      for (int at = 0; at < 4'000; ++at) {
        const std::string key = random_text(random);
        const std::uint64_t hash = hash_of<std::string_view>(key);
        if (random.below(10) < of_ten_erase) {
          const bool was_there = model.erase(key) == 1;
          ASSERT_EQ(tables.erase(key, hash), was_there);
          ++(was_there ? erased : missed);
        } else {
          tables.upsert(key, hash, [] { return Counted(0); }).value += at;
          model[key] += at;
        }
      }
      ASSERT_EQ(tables.size(), model.size());
      ASSERT_EQ(static_cast<std::size_t>(Counted::alive), model.size());
      std::size_t seen = 0;
      tables.for_each([&](std::string_view key, Counted& value) {
        ++seen;
        ASSERT_EQ(model.at(std::string(key)), value.value);
      });
      ASSERT_EQ(seen, model.size());
      for (const auto& [key, value] : model) {
        const Counted* found = tables.find(key, hash_of<std::string_view>(key));
        ASSERT_NE(found, nullptr);
        ASSERT_EQ(found->value, value);
      }
    }
  }
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_GT(erased, 5'000);
  EXPECT_GT(missed, 5'000);
}

TEST(KeyedTables, ErasingFromAFullRunThatWrapsKeepsTheRest) {
  // Keys of one group whose homes are the last two slots of a table of eight.
  std::vector<std::int64_t> keys;
  for (std::int64_t key = 0; keys.size() < 4; ++key) {
    const std::uint64_t hash = hash_of(key);
    if (key_group(hash) == 7 && (hash & 7) >= 6) keys.push_back(key);
  }
  std::vector<std::int64_t> order = {0, 1, 2, 3};
  do {
    KeyedTables<std::int64_t, char> tables;  // so small a value that eight slots take four keys
    for (const std::int64_t key : keys) tables.upsert(key, hash_of(key), [] { return 'a'; });
    for (std::size_t gone = 0; gone < order.size(); ++gone) {
      const std::int64_t key = keys[static_cast<std::size_t>(order[gone])];
      ASSERT_TRUE(tables.erase(key, hash_of(key)));
      ASSERT_FALSE(tables.erase(key, hash_of(key)));
      for (std::size_t left = gone + 1; left < order.size(); ++left) {
        const std::int64_t other = keys[static_cast<std::size_t>(order[left])];
        ASSERT_NE(tables.find(other, hash_of(other)), nullptr);
      }
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(KeyedTables, KeysThatComeAndGoTakeNoMoreMemoryThanThoseThatStay) {
  MemoryMeter meter;
  KeyedTables<std::string_view, std::int64_t> tables(&meter);
  const auto key_of = [](int at) { return std::string(100, 'k') + std::to_string(at); };
  std::size_t full_bytes = 0;
  constexpr int kAlive = 20'000;
  for (int at = 0; at < 10 * kAlive; ++at) {
    const std::string key = key_of(at);
    tables.upsert(key, hash_of<std::string_view>(key), [at] { return at; });
    if (at == kAlive) full_bytes = tables.bytes();
    if (at >= kAlive) {
      const std::string old = key_of(at - kAlive);
      ASSERT_TRUE(tables.erase(old, hash_of<std::string_view>(old)));
    }
  }
  EXPECT_LT(tables.bytes(), 3 * full_bytes);
  EXPECT_EQ(meter.bytes(), tables.bytes());
  tables.for_each([&](std::string_view key, std::int64_t& value) {
    ASSERT_EQ(key, key_of(static_cast<int>(value)));
  });
  for (int at = 9 * kAlive; at < 10 * kAlive; ++at) {
    const std::string key = key_of(at);
    ASSERT_TRUE(tables.erase(key, hash_of<std::string_view>(key)));
  }
  EXPECT_EQ(tables.size(), 0u);
  EXPECT_LT(tables.bytes(), full_bytes / 10);
}

/// Short keys lie in their slots, the texts of long ones are stored anew as others of them go.
template <class K, class Make>
void expect_short_keys_to_stay(Make key_of) {
  constexpr int kLengths = 64;
  constexpr int kShort = 14;
  constexpr int kAlive = 30 * kLengths;
  const auto text_of = [](int at) {
    return std::string(static_cast<std::size_t>(at % kLengths), 'k') + std::to_string(at);
  };
  KeyedTables<K, int> tables;
  for (int at = 0; at < 20 * kAlive; ++at) {
    const std::string text = text_of(at);
    const K key = key_of(text);
    tables.upsert(key, hash_of<K>(key), [at] { return at; });
    if (at < kAlive || at % kLengths < kShort) continue;
    const std::string old_text = text_of(at - kAlive);
    const K old = key_of(old_text);
    ASSERT_TRUE(tables.erase(old, hash_of<K>(old)));
  }
  for (int at = 0; at < 20 * kAlive; ++at) {
    if (at % kLengths >= kShort) continue;
    const std::string text = text_of(at);
    const K key = key_of(text);
    const int* const value = tables.find(key, hash_of<K>(key));
    ASSERT_TRUE(value != nullptr) << text;
    ASSERT_EQ(*value, at);
  }
}

TEST(KeyedTables, ShortKeysStayWhereLongOnesComeAndGo) {
  expect_short_keys_to_stay<std::string_view>([](std::string_view text) { return text; });
  using Pair = std::tuple<std::string_view, std::int32_t>;
  expect_short_keys_to_stay<Pair>([](std::string_view text) { return Pair(text, 1); });
}

TEST(KeyedTables, AKeyIsErasedAlsoWhereMemoryIsRefused) {
  std::vector<std::string> keys;
  for (int at = 0; at < 3'000; ++at) keys.push_back(std::string(60, 'k') + std::to_string(at));
  MemoryMeter limited(nullptr, 1u << 20);
  KeyedTables<std::string_view, std::int64_t> tight(&limited);
  std::size_t taken = 0;
  try {
    for (; taken < keys.size(); ++taken) {
      tight.upsert(keys[taken], hash_of<std::string_view>(keys[taken]), [] { return 1; });
    }
  } catch (const MemoryRefused&) {
  }
  limited.grow(limited.limit_bytes() - limited.bytes());  // not a byte is left
  for (std::size_t at = 0; at < taken; ++at) {
    ASSERT_TRUE(tight.erase(keys[at], hash_of<std::string_view>(keys[at])));
  }
  EXPECT_EQ(tight.size(), 0u);
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
