// Promise: how many keys are on disk is told exactly, whichever way they leave it: they come back,
// are forgotten, or are over, while images are read or not.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

#include "env/random.hpp"
#include "operator/spilled_rows.hpp"
#include "random_input.hpp"
#include "spill_harness.hpp"

namespace millrace::property {
namespace {

using detail::Random;

/// A row is over at a time of the watermark.
struct EndCodec {
  struct Row {
    Time end = kTimeMax;
  };
  Row fresh() const { return {}; }
  void store(std::string& out, const Row& row) const { detail::put_number(out, row.end); }
  bool load(detail::BytesCursor& in, Row& row) const {
    row.end = in.number<Time>();
    return in.ok();
  }
  detail::OverAt over_at(const Row& row) const { return {row.end, kTimeMin}; }
  std::int64_t heap_of(const Row&) const { return 0; }
};

constexpr std::int64_t kKeys = 5'000;

/// The rows of an operator, and what happens to them.
class Keys {
 public:
  using Tables = detail::KeyedTables<std::int64_t, EndCodec::Row>;
  using Hashes = std::vector<std::uint64_t>;

  Keys() {
    rows_.spill_to(folder_.place(state_, 64u << 10));
    for (std::int64_t key = 0; key < kKeys; ++key) all_.push_back(hash_of(key));
  }
  /// A batch of keys that are put in, changed, or forgotten.
  void play(Random& random) {
    std::vector<std::int64_t> keys;
    Hashes hashes;
    for (std::uint64_t left = random.below(400); left > 0; --left) {
      keys.push_back(static_cast<std::int64_t>(random.below(kKeys)));
      hashes.push_back(hash_of(keys.back()));
    }
    if (rows_.active()) rows_.bring(hashes);
    for (const std::int64_t key : keys) {
      const bool goes = random.chance(0.2);
      EndCodec::Row& row = tables_.upsert(key, hash_of(key), [] { return EndCodec::Row{}; });
      row.end = random.chance(0.7) ? now_ + static_cast<Time>(random.below(200)) : kTimeMax;
      if (!goes) continue;
      tables_.erase(key, hash_of(key));
      if (rows_.active()) rows_.forgotten(hash_of(key));
    }
    rows_.shed(0);
    now_ += static_cast<Time>(random.below(40));
    rows_.reach(now_, kTimeMin);
    image(random);
    rows_.tell();
  }
  /// Time goes on, and others go to disk.
  void reach(Time time) {
    rows_.shed(0);
    rows_.reach(time, kTimeMin);
    rows_.tell();
  }
  void put(std::int64_t key, Time end) {
    tables_.upsert(key, hash_of(key), [&] { return EndCodec::Row{end}; });
  }
  /// As the operator counts them, and tells them.
  std::uint64_t keys() const { return rows_.keys(); }
  std::uint64_t told() const { return folder_.keys(); }

  /// That are on disk alone. Who looks lets go of what is over.
  std::uint64_t there() {
    std::uint64_t count = 0;
    rows_.look(all_, [&](std::int64_t key, const EndCodec::Row&) {
      count += tables_.holds(hash_of(key)) ? 0 : 1;
    });
    return count;
  }

 private:
  static std::uint64_t hash_of(std::int64_t key) {
    return detail::KeyTraits<std::int64_t>::hash(key);
  }
  void image(Random& random) {
    if (!rows_.active()) return;
    if (random.chance(0.2)) {
      const auto what = static_cast<detail::DiskImage>(random.below(3));
      number_ = rows_.begin_image(what, [](std::uint32_t, std::int64_t, EndCodec::Row&) {});
    } else if (random.chance(0.2)) {
      rows_.end_image(number_);
    } else {
      (void)rows_.read_image(number_, random.below(1'000));
    }
  }

  detail::MemoryMeter state_;
  Tables tables_{&state_};
  std::int64_t heap_ = 0;
  SpillFolder folder_;
  detail::SpilledRows<std::int64_t, EndCodec> rows_{EndCodec{}, tables_, heap_};
  Hashes all_;
  Time now_ = 0;
  std::uint64_t number_ = 0;
};

TEST(SpilledKeys, AreThoseThatAreFoundThere) {
  for (std::uint64_t seed = 1; seed <= (seeds() + 9) / 10 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Random random(seed);
    Keys keys;
    std::uint64_t most = 0;
    for (int batch = 0; batch < 300 && !testing::Test::HasFailure(); ++batch) {
      keys.play(random);
      if (batch % 3 != 0) continue;
      EXPECT_EQ(keys.there(), keys.keys()) << "batch " << batch;
      most = std::max(most, keys.keys());
    }
    EXPECT_GT(most, 1'000u);
  }
}

/// Nobody asks for them: the log is looked through while others are put.
TEST(SpilledKeys, AreToldLessWhenTheirTimeIsOver) {
  Keys keys;
  std::uint64_t most = 0;
  for (std::int64_t key = 0; key < 20 * kKeys; ++key) {
    keys.put(key, key + kKeys);
    if (key % 100 == 0) keys.reach(key);
    most = std::max(most, keys.told());
  }
  EXPECT_GT(most, 2'000u);
  EXPECT_LT(most, 8u * kKeys);  // a piece of the log late
}

}  // namespace
}  // namespace millrace::property
