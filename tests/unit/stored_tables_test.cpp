// Images of keyed tables: parts by key group, read by who owns them, refused where they do not fit.
#include "state/stored_tables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace millrace::detail {
namespace {

using testing::HasSubstr;

struct Seen {
  std::int64_t times = 0;
  std::string last;
};
struct SeenNow {
  double times = 0;
  bool known = true;
};
using Key = std::tuple<std::string_view, int>;
using Tables = KeyedTables<Key, Seen>;

constexpr int kKeys = 1000;

std::vector<StatePart> image() {
  Tables tables;
  for (int at = 0; at < kKeys; ++at) {
    const std::string name = "a key of some length " + std::to_string(at);
    const Key key(name, at);
    tables.add(key, KeyTraits<Key>::hash(key), Seen{at, name});
  }
  StateWriter writer(0, 1);
  save_tables(writer, "seen", tables);
  EXPECT_TRUE(writer.status().ok());
  return writer.take();
}

TEST(StoredTables, AreReadByAnyNumberOfTasks) {
  const std::vector<StatePart> parts = image();
  EXPECT_EQ(parts.size(), kKeyGroups);
  for (const std::uint32_t tasks : {1u, 2u, 3u, 5u, 128u}) {
    std::map<int, int> found;
    for (std::uint32_t task = 0; task < tasks; ++task) {
      Tables tables;
      StateReader reader(parts, task, tasks);
      restore_tables(reader, "seen", tables);
      EXPECT_TRUE(reader.status().ok()) << reader.status().to_string();
      tables.for_each([&](const Key& key, const Seen& seen) {
        EXPECT_EQ(task_of_hash(KeyTraits<Key>::hash(key), tasks), task);
        EXPECT_EQ(seen.times, std::get<1>(key));
        EXPECT_EQ(seen.last, std::get<0>(key));
        ++found[std::get<1>(key)];
      });
    }
    EXPECT_EQ(found.size(), kKeys);
    for (const auto& [key, times] : found) EXPECT_EQ(times, 1) << key;
  }
}

TEST(StoredTables, OfAnOlderProgramAreReadByName) {
  const std::vector<StatePart> parts = image();
  KeyedTables<Key, SeenNow> tables;
  StateReader reader(parts, 0, 1);
  restore_tables(reader, "seen", tables);
  EXPECT_TRUE(reader.status().ok()) << reader.status().to_string();
  EXPECT_EQ(tables.size(), kKeys);
  tables.for_each([](const Key& key, const SeenNow& seen) {
    EXPECT_EQ(seen.times, std::get<1>(key));
    EXPECT_TRUE(seen.known);
  });
}

template <class K, class V>
std::string refusal(const std::vector<StatePart>& parts) {
  KeyedTables<K, V> tables;
  StateReader reader(parts, 0, 1);
  restore_tables(reader, "seen", tables);
  return reader.status().to_string();
}

TEST(StoredTables, ThatDoNotFitAreRefused) {
  std::vector<StatePart> parts = image();
  EXPECT_THAT((refusal<std::int64_t, Seen>(parts)), HasSubstr("it was stored as {key:{key1:text"));
  EXPECT_THAT((refusal<Key, std::string>(parts)), HasSubstr("state \"seen\" cannot be restored"));
  parts[3].bytes.pop_back();
  EXPECT_THAT((refusal<Key, Seen>(parts)), HasSubstr("does not fit"));
  parts = image();
  std::swap(parts[3].bytes, parts[4].bytes);
  EXPECT_THAT((refusal<Key, Seen>(parts)), HasSubstr("another key group"));
}

TEST(StoredTables, OfWhatCannotBeStoredAreRefusedWhenTheyAreWritten) {
  KeyedTables<std::int64_t, int*> tables;
  StateWriter writer(0, 1);
  save_tables(writer, "pointers", tables);
  EXPECT_THAT(writer.status().to_string(), HasSubstr("state \"pointers\" cannot be kept"));
}

}  // namespace
}  // namespace millrace::detail
