// Restored tables get their room at once: nothing is moved while they grow.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/memory_meter.hpp"
#include "state/stored_tables.hpp"

namespace millrace::detail {
namespace {

using Counts = KeyedTables<std::int64_t, std::int64_t>;
using Texts = KeyedTables<std::int64_t, std::string>;

template <class K>
std::uint64_t room_hash(K key) {
  return KeyTraits<K>::hash(key);
}

template <class V, class ValueOf>
std::vector<StatePart> parts_of(std::int64_t keys, ValueOf value_of) {
  KeyedTables<std::int64_t, V> tables;
  for (std::int64_t key = 0; key < keys; ++key)
    tables.upsert(key, room_hash(key), [&] { return value_of(key); });
  StateWriter writer(0, 1);
  save_tables(writer, "x", tables);
  return writer.take();
}

/// Counts how often its kind is moved: a table that grows moves all that it has.
struct MovedCount {
  MovedCount() = default;
  MovedCount(MovedCount&& other) noexcept : value(other.value) { ++moves; }
  MovedCount& operator=(MovedCount&&) = delete;
  std::int64_t value = 0;
  inline static std::size_t moves = 0;
};

TEST(TableRoom, ARestoreDoesNotMoveWhatItHasPutIn) {
  constexpr std::int64_t kKeys = 400'000;
  const auto parts = parts_of<std::int64_t>(kKeys, [](std::int64_t key) { return key + 1; });
  KeyedTables<std::int64_t, MovedCount> tables;
  StateReader reader(parts, 0, 1);
  MovedCount::moves = 0;
  restore_tables(reader, "x", tables, stored_shape<std::int64_t>(),
                 [](BytesCursor& in, MovedCount& into) {
                   into.value = in.number<std::int64_t>();
                   return in.ok();
                 });
  ASSERT_TRUE(reader.status().ok());
  EXPECT_EQ(tables.size(), static_cast<std::size_t>(kKeys));
  EXPECT_EQ(tables.find(kKeys - 1, room_hash(kKeys - 1))->value, kKeys);
  EXPECT_LT(MovedCount::moves, kKeys + kKeys / 10);  // into the tables, and of the first few
}

TEST(TableRoom, ARestoreTakesAsMuchMemoryAsGrowing) {
  constexpr std::int64_t kKeys = 400'000;
  const auto parts = parts_of<std::int64_t>(kKeys, [](std::int64_t key) { return key + 1; });
  MemoryMeter of_restore;
  Counts restored(&of_restore);
  StateReader reader(parts, 0, 1);
  restore_tables(reader, "x", restored);
  MemoryMeter of_growing;
  Counts grown(&of_growing);
  for (std::int64_t key = 0; key < kKeys; ++key)
    grown.upsert(key, room_hash(key), [] { return 1; });
  EXPECT_EQ(of_restore.bytes(), of_growing.bytes());
}

/// Where the first entries are small and the others are not, and the other way round.
TEST(TableRoom, AWrongGuessLosesNothing) {
  for (const bool large_first : {false, true}) {
    const auto parts = parts_of<std::string>(50'000, [&](std::int64_t key) {
      return std::string((key < 25'000) == large_first ? 500 : 1, 'x');
    });
    Texts tables;
    StateReader reader(parts, 0, 1);
    restore_tables(reader, "x", tables);
    ASSERT_TRUE(reader.status().ok());
    EXPECT_EQ(tables.size(), 50'000u);
    EXPECT_EQ(tables.find(7, room_hash<std::int64_t>(7))->size(), large_first ? 500u : 1u);
  }
}

TEST(TableRoom, WhatTheMeterRefusesIsTakenLittleByLittle) {
  MemoryMeter meter(nullptr, 1u << 20);
  Counts tables(&meter);
  tables.upsert(5, room_hash<std::int64_t>(5), [] { return 6; });
  tables.reserve(key_group(room_hash<std::int64_t>(5)), 1u << 20);
  EXPECT_LT(meter.bytes(), 1u << 20);
  EXPECT_EQ(*tables.find(5, room_hash<std::int64_t>(5)), 6);
  tables.upsert(6, room_hash<std::int64_t>(6), [] { return 7; });
  EXPECT_EQ(tables.size(), 2u);
}

}  // namespace
}  // namespace millrace::detail
