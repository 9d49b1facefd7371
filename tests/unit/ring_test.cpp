// Tests of Ring: capacity, full and empty, and every item once and in order between two threads.
#include "base/ring.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace millrace::detail {
namespace {

using Item = std::unique_ptr<int>;

TEST(Ring, CapacityIsAPowerOfTwoAndAtLeastOne) {
  EXPECT_EQ(Ring<int>(0).capacity(), 1u);
  EXPECT_EQ(Ring<int>(1).capacity(), 1u);
  EXPECT_EQ(Ring<int>(5).capacity(), 8u);
  EXPECT_EQ(Ring<int>(16).capacity(), 16u);
}

TEST(Ring, AFullRingLeavesTheItemAlone) {
  Ring<Item> ring(2);
  for (int at = 0; at < 2; ++at) {
    Item item = std::make_unique<int>(at);
    ASSERT_TRUE(ring.push(item));
    EXPECT_EQ(item, nullptr);
  }
  EXPECT_TRUE(ring.full());
  Item kept = std::make_unique<int>(2);
  EXPECT_FALSE(ring.push(kept));
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(*kept, 2);
  Item out;
  ASSERT_TRUE(ring.pop(out));
  EXPECT_EQ(*out, 0);
  EXPECT_TRUE(ring.push(kept));
}

TEST(Ring, AnEmptyRingPopsNothing) {
  Ring<Item> ring(1);
  Item out = std::make_unique<int>(7);
  EXPECT_FALSE(ring.pop(out));
  EXPECT_EQ(*out, 7);
  EXPECT_TRUE(ring.empty());
  EXPECT_EQ(ring.size(), 0u);
}

TEST(Ring, TwoThreadsSeeEveryItemOnceAndInOrder) {
  for (const std::size_t capacity : {1u, 2u, 8u}) {
    const int items = 400 * static_cast<int>(capacity);  // a loaded machine switches for each few
    Ring<Item> ring(capacity);
    std::thread producer([&ring, items] {
      for (int at = 0; at < items; ++at) {
        Item item = std::make_unique<int>(at);
        while (!ring.push(item)) std::this_thread::yield();
      }
    });
    for (int wanted = 0; wanted < items; ++wanted) {
      Item item;
      while (!ring.pop(item)) std::this_thread::yield();
      ASSERT_EQ(*item, wanted);
    }
    producer.join();
    EXPECT_TRUE(ring.empty());
  }
}

}  // namespace
}  // namespace millrace::detail
