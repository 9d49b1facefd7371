// Which rows make room: what comes again and again stays, whatever comes once beside it.
#include "operator/table_clock.hpp"

#include <gtest/gtest.h>

#include "env/random.hpp"

namespace millrace::detail {
namespace {

constexpr std::uint64_t kHot = 20'000;
constexpr std::uint64_t kKeys = 20 * kHot;

/// A cache of keys: nine of ten look-ups are of a twentieth of them.
class Cache {
 public:
  explicit Cache(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  /// Returns how many of the look-ups of hot keys found theirs.
  double run(Random& random, std::uint64_t look_ups) {
    std::uint64_t hot = 0;
    std::uint64_t found = 0;
    for (std::uint64_t at = 0; at < look_ups; ++at) {
      const bool is_hot = random.below(10) != 0;
      const std::uint64_t key = random.below(is_hot ? kHot : kKeys);
      const std::uint64_t hash = KeyTraits<std::uint64_t>::hash(key);
      const bool there = rows_.find(key, hash) != nullptr;
      if (there) {
        clock_.used(hash);
      } else {
        rows_.add(key, hash, 1);
      }
      hot += is_hot;
      found += is_hot && there;
      if (at % 500 == 499) make_room();
    }
    return static_cast<double>(found) / static_cast<double>(hot);
  }
  std::size_t bytes() const { return rows_.bytes(); }
  std::size_t size() const { return rows_.size(); }

 private:
  void make_room() {
    const auto put_away = [this](std::uint64_t hash) {
      rows_.erase_of_hash(hash, [](std::uint64_t, std::uint64_t&) { return true; });
    };
    if (rows_.bytes() * 9 / 8 < most_bytes_) return;
    clock_.make_room(put_away);
    for (int step = 0; step < 128 && rows_.bytes() > most_bytes_; ++step) clock_.shrink(put_away);
  }

  std::size_t most_bytes_;
  KeyedTables<std::uint64_t, std::uint64_t> rows_;
  TableClock<std::uint64_t, std::uint64_t> clock_{rows_};
};

TEST(TableClock, KeysThatComeAgainAndAgainStay) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Cache cache(3u << 20);  // for less than a sixth of the keys
    cache.run(random, 500'000);
    const double found = cache.run(random, 500'000);
    EXPECT_LT(cache.size(), kKeys / 6);
    EXPECT_GT(found, 0.98);
  }
}

TEST(TableClock, TablesGetNoLargerThanTheyMay) {
  Random random(1);
  Cache cache(600u << 10);  // less than the hot ones need
  cache.run(random, 300'000);
  EXPECT_LE(cache.bytes(), 600u << 10);
  EXPECT_GT(cache.size(), 1'000u);
}

}  // namespace
}  // namespace millrace::detail
