// Entries of keyed tables that are moved out, to lie elsewhere: they say whether they have changed,
// those that move up behind them keep their marks, and none counts as erased.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <vector>

#include "state/table_parts.hpp"
#include "state/table_sweep.hpp"

namespace millrace::detail {
namespace {

using Tables = KeyedTables<std::uint64_t, std::int64_t>;
constexpr std::uint64_t kKeys = 20'000;  // runs of slots are long enough in tables of that size

std::uint64_t hash_of(std::uint64_t key) { return KeyTraits<std::uint64_t>::hash(key); }

std::vector<StatePart> image(Tables& tables, const ImageChain& chain) {
  StateWriter writer(0, 1);
  writer.chain(chain);
  save_tables_later(writer, "t", tables);
  return writer.take();
}

TEST(MovedEntries, TakeTheirMarksAndLeaveThoseOfOthers) {
  Tables tables;
  for (std::uint64_t key = 0; key < kKeys; ++key) tables.add(key, hash_of(key), 1);
  (void)image(tables, {1, 0});
  for (std::uint64_t key = 0; key < kKeys; key += 7) *tables.find(key, hash_of(key)) = 2;
  std::size_t taken_as_changed = 0;
  for (std::uint64_t key = 0; key < kKeys; key += 3) {
    std::size_t seen = 0;
    TableSweep<std::uint64_t, std::int64_t>::move_out(
        tables, hash_of(key), [&](std::uint64_t its, std::int64_t value, bool changed) {
          EXPECT_EQ(its, key);
          EXPECT_EQ(value, key % 7 == 0 ? 2 : 1);
          EXPECT_TRUE(changed || key % 7 != 0) << key;
          taken_as_changed += changed ? 1 : 0;
          ++seen;
        });
    EXPECT_EQ(seen, 1u);
    EXPECT_FALSE(tables.holds(hash_of(key)));
  }
  EXPECT_LT(taken_as_changed, kKeys / 3 / 2);  // 1 of 7 has, and some that stood beside those
  const std::vector<StatePart> parts = image(tables, {2, 1});
  for (const StatePart& part : parts) EXPECT_FALSE(part.name.ends_with(kGoneSuffix));
  Tables changed;
  StateReader reader(parts, 0, 1);
  restore_tables(reader, "t", changed);
  EXPECT_TRUE(reader.status().ok());
  EXPECT_LT(changed.size(), kKeys / 2);
  for (std::uint64_t key = 0; key < kKeys; key += 7) {
    if (key % 3 == 0) continue;
    const std::int64_t* const value = changed.look_up(key, hash_of(key));
    ASSERT_NE(value, nullptr) << key;
    EXPECT_EQ(*value, 2);
  }
}

}  // namespace
}  // namespace millrace::detail
