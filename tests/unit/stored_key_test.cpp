// Tests of the stored forms of keys: owning, comparing and hashing numbers, texts, times and
// tuples.
#include "state/stored_key.hpp"

#include <gtest/gtest.h>

#include <set>

namespace millrace::detail {
namespace {

TEST(StoredText, KeepsAndComparesTextsOfEveryLength) {
  Arena arena(64);
  for (std::size_t size = 0; size <= 40; ++size) {
    std::string text(size, 'a');
    const StoredText stored(text, arena);
    EXPECT_EQ(stored.view(), text);
    EXPECT_TRUE(stored.equals(text));
    EXPECT_FALSE(stored.equals(text + "a"));
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = text;
      other[at] = 'b';
      EXPECT_FALSE(stored.equals(other)) << size << " at " << at;
    }
    const StoredText copy = stored;  // the slot of a table is moved by copying it
    text.assign(size, 'z');
    EXPECT_EQ(copy.view(), std::string(size, 'a'));
  }
}

TEST(StoredText, BytesOfAnyValueAreText) {
  Arena arena(64);
  const std::string text("a\0b\xff", 4);
  EXPECT_TRUE(StoredText(text, arena).equals(text));
  EXPECT_FALSE(StoredText(text, arena).equals(std::string("a\0c\xff", 4)));
}

TEST(KeyTraits, PlusAndMinusZeroAreOneKey) {
  EXPECT_EQ(KeyTraits<double>::hash(0.0), KeyTraits<double>::hash(-0.0));
  EXPECT_TRUE(KeyTraits<double>::equals(0.0, -0.0));
}

TEST(KeyTraits, NeighbouringNumbersSpreadOverTheGroupsAndSlots) {
  std::set<std::uint64_t> groups;
  std::set<std::uint64_t> slots;
  for (std::int64_t key = 0; key < 1'000; ++key) {
    groups.insert(KeyTraits<std::int64_t>::hash(key) >> 57);
    slots.insert(KeyTraits<std::int64_t>::hash(key) & 1023);
  }
  EXPECT_EQ(groups.size(), 128u);
  EXPECT_GT(slots.size(), 500u);
}

TEST(KeyTraits, TheOrderOfATuplesMembersMatters) {
  using View = std::tuple<std::string_view, std::string_view>;
  EXPECT_NE(KeyTraits<View>::hash({"a", "b"}), KeyTraits<View>::hash({"b", "a"}));
  EXPECT_NE(KeyTraits<View>::hash({"ab", ""}), KeyTraits<View>::hash({"a", "b"}));
  Arena arena(64);
  const auto stored = KeyTraits<View>::store({"a", std::string(30, 'b')}, arena);
  EXPECT_TRUE(KeyTraits<View>::equals(stored, {"a", std::string(30, 'b')}));
  EXPECT_FALSE(KeyTraits<View>::equals(stored, {"a", std::string(29, 'b')}));
}

TEST(KeyTraits, InternedKeysLieInTheArena) {
  ArenaRef arena = ArenaRef::make(64);
  std::string text = "some text that moves";
  const std::string_view kept = KeyTraits<std::string_view>::intern(text, *arena);
  text.assign(text.size(), '-');
  EXPECT_EQ(kept, "some text that moves");
  const auto owned = KeyTraits<std::string_view>::own(kept);
  EXPECT_EQ(owned, "some text that moves");
}

TEST(KeyTraits, FunctionsThatReturnTextsHaveViewsAsKeys) {
  static_assert(std::is_same_v<KeyView<const std::string&>, std::string_view>);
  static_assert(std::is_same_v<KeyView<const char*>, std::string_view>);
  static_assert(
      std::is_same_v<KeyView<std::tuple<std::string, int>>, std::tuple<std::string_view, int>>);
  static_assert(KeyType<Timestamp> && KeyType<std::tuple<int, std::string_view>>);
  static_assert(!KeyType<std::vector<int>>);
}

}  // namespace
}  // namespace millrace::detail
