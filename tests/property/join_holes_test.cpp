// Promise: what records that went leave behind in their chunks is counted, and is no more than an
// eighth of what a join keeps in memory, whatever goes.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operator/join_spill.hpp"
#include "operator/table_join.hpp"
#include "spill_harness.hpp"

namespace millrace::property {
namespace {

using detail::JoinedBytes;
using detail::JoinedRecords;
using detail::MemoryMeter;

struct Order {
  std::int64_t key = 0;
  std::int64_t number = 0;
};
struct Named {
  std::int64_t key = 0;
  std::string_view name;
};

/// Keeps the records `first`, `first` + 1, … and returns the slot of the first.
template <class T>
std::uint64_t keep(JoinedRecords<T>& records, std::vector<T> values) {
  Batch<T> batch;
  std::vector<std::uint32_t> picks;
  for (std::uint32_t at = 0; at < values.size(); ++at) picks.push_back(at);
  batch.values = std::move(values);
  return records.keep(batch, picks);
}

// ---- what is counted

/// How many records of each chunk came and have not gone; chunks of which none is left begin anew.
struct CountedChunks {
  struct Chunk {
    std::uint64_t came = 0;
    std::uint64_t left = 0;
  };
  void come(std::uint64_t slot) {
    ++chunks[slot >> 32].came;
    ++chunks[slot >> 32].left;
  }
  void go(std::uint64_t slot) {
    const auto at = chunks.find(slot >> 32);
    if (--at->second.left == 0) chunks.erase(at);
  }
  JoinedBytes bytes_of(std::size_t record_bytes) const {
    JoinedBytes bytes;
    for (const auto& [number, chunk] : chunks) {
      bytes.taken += chunk.came * record_bytes;
      bytes.wasted += (chunk.came - chunk.left) * record_bytes;
    }
    return bytes;
  }
  std::map<std::uint64_t, Chunk> chunks;
};

TEST(JoinHoles, AreCountedAsRecordsComeMoveAndGo) {
  const std::size_t record_bytes = batch_type<Order>().record_bytes() + sizeof(detail::Arrival);
  for_each_seed([&](std::uint64_t seed) {
    SCOPED_TRACE(fmt::format("MILLRACE_SEED={}", seed));
    Random random(seed);
    MemoryMeter meter;
    JoinedRecords<Order> records;
    records.count_with(&meter);
    CountedChunks model;
    std::vector<std::uint64_t> slots;
    for (int step = 0; step < 400; ++step) {
      const std::size_t count = 1 + random.below(200);
      const std::uint64_t first = keep(records, std::vector<Order>(count));
      for (std::uint64_t at = 0; at < count; ++at) {
        slots.push_back(first + at);
        model.come(first + at);
      }
      while (slots.size() > 2'000 || (!slots.empty() && random.chance(0.99))) {
        std::swap(slots[random.below(slots.size())], slots.back());
        records.gone(slots.back());
        model.go(slots.back());
        slots.pop_back();
      }
      if (random.chance(0.1)) {
        records.leave_sparse(random.below(40'000));
        for (std::uint64_t& slot : slots) {
          if (!records.leaves(slot)) continue;
          const std::uint64_t moved = records.move(slot);
          model.come(moved);
          model.go(std::exchange(slot, moved));
        }
      }
      const JoinedBytes expected = model.bytes_of(record_bytes);
      EXPECT_EQ(records.bytes().taken, expected.taken);
      EXPECT_EQ(records.bytes().wasted, expected.wasted);
      EXPECT_EQ(records.bytes().taken, meter.bytes());
      if (testing::Test::HasFailure()) return false;
    }
    for (const std::uint64_t slot : slots) records.gone(slot);
    EXPECT_EQ(records.bytes().taken, 0u);
    EXPECT_EQ(records.bytes().wasted, 0u);
    return true;
  });
}

TEST(JoinHoles, OfTextsCountWhatTheTextsTake) {
  MemoryMeter meter;
  JoinedRecords<Named> records;
  records.count_with(&meter);
  const std::string text(300, 't');
  const std::uint64_t first = keep(records, std::vector<Named>(1'000, Named{1, text}));
  EXPECT_GT(records.bytes().taken, 300'000u);
  for (std::uint64_t at = 0; at < 900; ++at) records.gone(first + at);
  EXPECT_EQ(records.bytes().taken, meter.bytes());
  EXPECT_NEAR(static_cast<double>(records.bytes().wasted), 0.9 * static_cast<double>(meter.bytes()),
              1'000);
}

/// What has no room for its texts leaves no trace but in its chunk.
TEST(JoinHoles, RecordsBehindRefusedOnesKeepTheirPlaces) {
  MemoryMeter meter(nullptr, 40'000);
  JoinedRecords<Named> records;
  records.count_with(&meter);
  const std::string text(3'000, 't');
  std::map<std::uint64_t, std::uint64_t> numbers;  // by slot
  std::uint64_t refused = 0;
  for (std::uint64_t number = 0; number < 100; ++number) {
    Batch<Named> batch;
    batch.values.push_back({1, number % 3 == 0 ? std::string_view(text) : "short"});
    batch.arrivals.push_back(detail::Arrival::at(1, 0, number));
    try {
      numbers[records.keep(batch, std::vector<std::uint32_t>{0})] = number;
    } catch (const detail::MemoryRefused&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 10u);
  EXPECT_GT(numbers.rbegin()->second, 90u) << "some come behind those that were refused";
  for (const auto& [slot, number] : numbers) {
    EXPECT_EQ(records.place_of(slot), detail::Arrival::at(1, 0, number));
    EXPECT_EQ(records.record(slot).name.size(), number % 3 == 0 ? text.size() : 5u);
    records.gone(slot);
  }
  EXPECT_EQ(records.bytes().taken, 0u);
  EXPECT_EQ(meter.bytes(), 0u);
}

// ---- what is filled

/// What a table join keeps of a key; says how often rows are looked at for records that move.
struct LookedAtRow : detail::TableRows {
  template <class Move>
  void move(Move&& move) {
    ++looks;
    detail::TableRows::move(move);
  }
  static inline std::size_t looks = 0;
};

/// Tables of very many keys, of which a tenth is asked for nine of ten times.
class FilledJoinHoles : public testing::Test {
 protected:
  static constexpr std::uint64_t kMostBytes = 1u << 20;
  static constexpr std::int64_t kKeys = 20'000;

  FilledJoinHoles() {
    left_.count_with(&state_);
    right_.count_with(&state_);
    spill_.spill_to(folder_.place(state_, kMostBytes));
  }
  std::int64_t draw_key(Random& random) {
    return static_cast<std::int64_t>(random.chance(0.9) ? random.below(kKeys / 10) * 10
                                                        : random.below(kKeys));
  }
  /// The newest records of these keys: those before them go.
  void put(JoinedRecords<Named>& records, const std::vector<std::int64_t>& keys) {
    std::vector<std::uint64_t> hashes;
    std::vector<Named> values;
    for (const std::int64_t key : keys) {
      hashes.push_back(detail::KeyTraits<std::int64_t>::hash(key));
      values.push_back({key, names()[static_cast<std::size_t>(++number_) % names().size()]});
    }
    spill_.bring(hashes);
    const int side = &records == &left_ ? 0 : 1;
    std::uint64_t slot = keep(records, values);
    for (std::size_t at = 0; at < keys.size(); ++at) {
      LookedAtRow& row = keys_.upsert(keys[at], hashes[at], [] { return LookedAtRow(); });
      if (row.has(side)) records.gone(row.at(side));
      row.at(side) = slot++;
      newest_[{side, keys[at]}] = values[at].name;
    }
    spill_.make_room();
  }
  void put_some(Random& random, std::size_t records) {
    std::vector<std::int64_t> keys;
    while (keys.size() < records) keys.push_back(draw_key(random));
    put(random.chance(0.7) ? left_ : right_, keys);
  }
  std::size_t wasted() const { return left_.bytes().wasted + right_.bytes().wasted; }
  std::size_t eighth() const {
    return (left_.bytes().taken + right_.bytes().taken + keys_.bytes()) / 8;
  }
  /// Each record lies where its key says.
  void expect_all_there() {
    for (const auto& [where, name] : newest_) {
      const auto& [side, key] = where;
      const std::uint64_t hash = detail::KeyTraits<std::int64_t>::hash(key);
      spill_.bring_one(hash);
      LookedAtRow* const row = keys_.find(key, hash);
      ASSERT_TRUE(row != nullptr && row->has(side)) << "key " << key;
      const Named& found = (side == 0 ? left_ : right_).record(row->at(side));
      ASSERT_EQ(found.key, key);
      ASSERT_EQ(found.name, name);
      if (key % 256 == 0) spill_.make_room();
    }
  }

  SpillFolder folder_;
  MemoryMeter state_;
  detail::KeyedTables<std::int64_t, LookedAtRow> keys_{&state_};
  JoinedRecords<Named> left_, right_;
  detail::JoinSpill<std::int64_t, LookedAtRow, Named, Named> spill_{
      keys_, {left_, nullptr}, {right_, nullptr}, &state_, {}};
  std::map<std::pair<int, std::int64_t>, std::string_view> newest_;
  std::int64_t number_ = 0;
};

TEST_F(FilledJoinHoles, AreAnEighthAtMostBehindEachBatch) {
  Random random(1);
  std::size_t most = 0;
  for (int turn = 0; turn < 1'500; ++turn) {
    put_some(random, 1 + random.below(400));
    if (!spill_.any()) continue;
    ASSERT_LE(wasted(), eighth()) << "turn " << turn;
    most = std::max(most, wasted());
  }
  ASSERT_TRUE(spill_.any());
  EXPECT_GT(most, kMostBytes / 16) << "or nothing was to be filled";
  EXPECT_LT(state_.peak_bytes(), kMostBytes * 3 / 2) << "what moves takes little room";
  expect_all_there();
}

TEST_F(FilledJoinHoles, ThatNobodyCanFillAreNotTriedAgainEachBatch) {
  Random random(2);
  while (!spill_.any()) put_some(random, 200);
  // Of keys that come later: nobody says where they are.
  const std::uint64_t first = keep(right_, std::vector<Named>(4'000, {0, names()[22]}));
  for (std::uint64_t at = 0; at < 4'000; ++at) {
    if (at % 5 != 0) right_.gone(first + at);
  }
  put_some(random, 1);
  ASSERT_GT(wasted(), eighth());
  LookedAtRow::looks = 0;
  constexpr std::size_t kTurns = 1'000;
  for (std::size_t turn = 0; turn < kTurns; ++turn) put_some(random, 1);
  EXPECT_GT(keys_.size(), 500u);
  EXPECT_LT(LookedAtRow::looks, keys_.size() * kTurns / 20);
  for (std::uint64_t at = 0; at < 4'000; at += 5) right_.gone(first + at);
  for (int turn = 0; turn < 100; ++turn) {
    put_some(random, 200);
    EXPECT_LE(wasted(), eighth());
  }
  expect_all_there();
}

}  // namespace
}  // namespace millrace::property
