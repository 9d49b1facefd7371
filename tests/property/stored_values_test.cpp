// Promise: stored values come back the same, by a later program too, and damaged bytes do no harm.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "env/random.hpp"
#include "record/stored_value.hpp"

namespace millrace::property {
namespace {

using namespace millrace::detail;  // NOLINT: the codec is internal

enum class Kind : std::int16_t { none, some, other };

struct Leaf {
  std::int16_t small = 0;
  std::optional<double> maybe = {};
  Kind kind = Kind::none;
};
struct Tree {
  std::string name;
  std::uint64_t big = 0;
  bool flag = false;
  std::vector<std::int32_t> numbers = {};
  std::vector<Leaf> leaves = {};
  std::map<std::string, Leaf> named = {};
  std::unordered_map<std::int64_t, std::vector<std::string>> lists = {};
  Bytes bytes = {};
  Decimal<4> price = {};
};
/// The same of a later program.
struct TreeNow {
  std::unordered_map<std::int32_t, std::vector<std::optional<std::string>>> lists = {};
  std::string more = "default";
  std::optional<std::string> name = {};
  struct LeafNow {
    Kind kind = Kind::some;
    std::int64_t small = 0;
  };
  std::vector<LeafNow> leaves = {};
  std::vector<double> numbers = {};
};

class Drawn {
 public:
  explicit Drawn(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  std::string text() { return std::string(below(40), static_cast<char>('a' + below(26))); }
  Leaf leaf() {
    Leaf leaf{static_cast<std::int16_t>(below(65536)), {}, static_cast<Kind>(below(3))};
    if (below(2) == 0) leaf.maybe = static_cast<double>(below(1000)) / 7;
    return leaf;
  }
  Tree tree() {
    Tree tree{text(), random_(), below(2) == 0};
    for (auto left = below(6); left > 0; --left) {
      tree.numbers.push_back(static_cast<std::int32_t>(random_()));
      tree.leaves.push_back(leaf());
      tree.named[text()] = leaf();
      tree.lists[static_cast<std::int32_t>(random_())] = {text(), text()};
    }
    tree.bytes = Bytes::copy_of(text());
    tree.price.units = static_cast<std::int64_t>(random_());
    return tree;
  }

 private:
  Random random_;
};

std::string stored(const Tree& tree) {
  std::string bytes;
  store_value(bytes, tree);
  return bytes;
}

TEST(StoredValues, ComeBackAsTheyWere) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Tree tree = Drawn(seed).tree();
    const std::string bytes = stored(tree);
    BytesCursor in(bytes);
    Tree read;
    ASSERT_TRUE(load_value(in, read)) << seed;
    EXPECT_TRUE(in.rest().empty()) << seed;
    EXPECT_EQ(read.lists, tree.lists) << seed;
    read.lists = tree.lists;  // in the same order
    EXPECT_EQ(stored(read), bytes) << seed;
  }
}

TEST(StoredValues, AreReadByALaterProgram) {
  const auto reader = StoredReader<TreeNow>::of(stored_shape<Tree>());
  ASSERT_TRUE(reader) << reader.error().to_string();
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Tree tree = Drawn(seed).tree();
    const std::string bytes = stored(tree);
    BytesCursor in(bytes);
    TreeNow read;
    ASSERT_TRUE(reader->read(in, read)) << seed;
    EXPECT_TRUE(in.rest().empty()) << seed;
    EXPECT_EQ(read.more, "default");
    EXPECT_EQ(read.name, tree.name);
    EXPECT_EQ(read.numbers, std::vector<double>(tree.numbers.begin(), tree.numbers.end()));
    ASSERT_EQ(read.leaves.size(), tree.leaves.size());
    for (std::size_t at = 0; at < read.leaves.size(); ++at) {
      EXPECT_EQ(read.leaves[at].small, tree.leaves[at].small);
      EXPECT_EQ(read.leaves[at].kind, tree.leaves[at].kind);
    }
    ASSERT_EQ(read.lists.size(), tree.lists.size());
    for (const auto& [key, list] : tree.lists) {
      EXPECT_EQ(read.lists.at(static_cast<std::int32_t>(key)).at(1), list.at(1));
    }
  }
}

/// Cut, changed and made-up bytes: whatever is made of them, nothing is read beyond them.
TEST(StoredValues, DamagedDoNoHarm) {
  const auto reader = StoredReader<TreeNow>::of(stored_shape<Tree>());
  ASSERT_TRUE(reader);
  std::size_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    Drawn drawn(seed);
    std::string bytes = stored(drawn.tree());
    for (auto left = drawn.below(4); left > 0; --left) {
      bytes[drawn.below(bytes.size())] = static_cast<char>(drawn.below(256));
    }
    bytes.resize(bytes.size() - drawn.below(std::min<std::uint64_t>(bytes.size(), 9)));
    // A block of its own, so that AddressSanitizer sees a byte too far.
    const std::vector<char> block(bytes.begin(), bytes.end());
    BytesCursor in({block.data(), block.size()});
    Tree same;
    refused += load_value(in, same) ? 0 : 1;
    BytesCursor again({block.data(), block.size()});
    TreeNow later;
    refused += reader->read(again, later) ? 0 : 1;
  }
  EXPECT_GT(refused, 1000u);
}

/// A shape is data too: any text is refused or read by, never worse.
TEST(StoredValues, OfDamagedShapesDoNoHarm) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    Drawn drawn(seed);
    std::string shape = stored_shape<Tree>();
    const std::string letters = "{}[]<>(),:?=\"ax1";
    for (auto left = 1 + drawn.below(3); left > 0; --left) {
      shape[drawn.below(shape.size())] = letters[drawn.below(letters.size())];
    }
    const auto reader = StoredReader<TreeNow>::of(shape);
    if (!reader) continue;
    const std::string bytes = stored(drawn.tree());
    BytesCursor in(bytes);
    TreeNow read;
    (void)reader->read(in, read);
  }
}

}  // namespace
}  // namespace millrace::property
