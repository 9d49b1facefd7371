// Promise: of partial matches that have gone, or went to disk, little is left in memory where
// others of their time stay.
#include <algorithm>
#include <string>
#include <vector>

#include "millrace/millrace.hpp"
#include "spill_harness.hpp"

namespace millrace::property {
namespace {

struct Path {
  std::int64_t key = 0;
  std::string name;  ///< of the first record
};
const auto kPathOf = [](const Match<Note>& match) {
  return Path{match.at(1).record.key, std::string(match.at(0).record.name)};
};
using Paths = detail::RowOfMatch<decltype(kPathOf)>;
const auto kKeyOf = key_by<Note>(&Note::key);

constexpr std::int32_t kKeys = 40'000;
constexpr std::int32_t kApart = 20;

const std::string& name_of(std::int32_t key) {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> made;
    for (std::int32_t at = 0; at < kKeys; ++at) made.push_back(fmt::format("user number {}", at));
    return made;
  }();
  return kNames[static_cast<std::size_t>(key)];
}

/// A note of number 1 begins a match of its key, one of number 2 completes it; others are nothing
/// to it.
class ManyMatches : public testing::Test {
 protected:
  static constexpr std::uint64_t kMostBytes = 2u << 20;

  ManyMatches()
      : tasks_(make(), {{&batch_type<Note>(), kKeyOf}},
               [](std::uint32_t, const detail::BatchBase& base, std::size_t at) {
                 const Path& path = static_cast<const Batch<Path>&>(base).values[at];
                 return std::pair(fmt::format("{}", path.key), path.name);
               }) {}
  /// 200 notes at a time.
  template <class KeyOf>
  void play(std::int64_t number, std::int32_t notes, KeyOf key_of) {
    for (std::int32_t at = 0; at < notes;) {
      auto batch = std::make_shared<Batch<Note>>();
      for (const std::int32_t end = std::min(at + 200, notes); at < end; ++at) {
        const std::int32_t key = key_of(at);
        batch->values.push_back({{now_}, name_of(key), key, number});
        batch->times.push_back(now_++);
      }
      tasks_.play({.batch = std::move(batch)});
      tasks_.play({.kind = OperatorStep::Kind::watermark, .watermark = now_});
      most_ = std::max(most_, tasks_.state_bytes());
    }
  }
  void begin_all() {
    play(1, kKeys, [](std::int32_t at) { return at; });
  }
  /// Each key's match has come once, with the record that began it.
  void expect_all() const {
    EXPECT_TRUE(tasks_.status().ok()) << tasks_.status().to_string();
    Lanes wanted;
    for (std::int32_t key = 0; key < kKeys; ++key) wanted[fmt::format("{}", key)] = {name_of(key)};
    EXPECT_EQ(first_difference(wanted, tasks_.lanes()), "");
  }

  OperatorTasks tasks_;
  Random random_{1};
  Time now_ = 1;
  std::uint64_t most_ = 0;

 private:
  static OperatorTasks::Make make() {
    const auto is = [](std::int64_t number) {
      return [number](const Note& note) { return note.number == number; };
    };
    const auto compiled = pattern<Note>("a").where(is(1)).followed_by("b").where(is(2)).compile();
    using Op = detail::PatternMatch<Note, NoteByKey, Path, Paths, Path, Paths>;
    return [compiled] {
      return std::make_unique<Op>(kKeyOf, *compiled, Paths{kPathOf}, Paths{kPathOf});
    };
  }
};

/// Of each chunk of records a twentieth stays.
TEST_F(ManyMatches, ThatStayHoldLittleOfTheRest) {
  tasks_.start(1);
  begin_all();
  const std::uint64_t all = tasks_.state_bytes();
  play(2, kKeys - kKeys / kApart, [](std::int32_t at) { return at + at / (kApart - 1) + 1; });
  EXPECT_EQ(tasks_.lanes().size(), std::size_t{kKeys - kKeys / kApart});
  EXPECT_LT(tasks_.state_bytes(), all / 3);
  play(2, kKeys / kApart, [](std::int32_t at) { return at * kApart; });
  expect_all();
}

/// They would go to disk, too, as long as chunks are held for a few of their records each.
TEST_F(ManyMatches, ThatAreUsedStayInMemory) {
  SpillFolder folder;
  tasks_.when_open(folder.beyond(kMostBytes));
  tasks_.start(1);
  begin_all();
  const std::uint64_t misses_before = folder.misses();
  const std::uint64_t hits_before = folder.hits();
  play(3, 3 * kKeys, [this](std::int32_t) {
    const std::uint64_t key =
        random_.chance(0.9) ? random_.below(kKeys / kApart) * kApart : random_.below(kKeys);
    return static_cast<std::int32_t>(key);
  });
  const auto hits = static_cast<double>(folder.hits() - hits_before);
  const auto misses = static_cast<double>(folder.misses() - misses_before);
  EXPECT_GT(hits / (hits + misses), 0.7);
  EXPECT_LT(most_, kMostBytes * 3 / 2);
  tasks_.restore(tasks_.image(), 3);
  play(2, kKeys, [](std::int32_t at) { return at; });
  expect_all();
}

/// What it borrows cannot be found: it has a constructor.
class Opaque {
 public:
  Opaque(std::int64_t key_of, std::int64_t number_of, std::string_view name_of_it)
      : key(key_of), number(number_of), name(name_of_it) {}
  std::int64_t key;
  std::int64_t number;
  std::string_view name;
};

/// A chunk keeps the texts of whole batches as long as one of its records stays. Moved, the last
/// record of each would keep those of all.
TEST(KeptMatches, OfUnknownTextsLetTheseGoWithTheirTime) {
  constexpr std::int64_t kOnes = 20'000;
  const auto kOpaquePath = [](const Match<Opaque>& match) {
    return Path{match.at(1).record.key, std::string(match.at(0).record.name)};
  };
  using Rows = detail::RowOfMatch<decltype(kOpaquePath)>;
  using ByKey = detail::KeyFn<Opaque, std::int64_t Opaque::*>;
  using Op = detail::PatternMatch<Opaque, ByKey, Path, Rows, Path, Rows>;
  const auto key = key_by<Opaque>(&Opaque::key);
  const auto is = [](std::int64_t number) {
    return [number](const Opaque& one) { return one.number == number; };
  };
  const auto compiled = pattern<Opaque>("a").where(is(1)).followed_by("b").where(is(2)).compile();
  std::size_t rows = 0;
  OperatorTasks tasks(
      [&] { return std::make_unique<Op>(key, *compiled, Rows{kOpaquePath}, Rows{kOpaquePath}); },
      {{&batch_type<Opaque>(), key}},
      [&](std::uint32_t, const detail::BatchBase&, std::size_t) {
        ++rows;
        return std::pair(std::string(), std::string());
      });
  tasks.start(1);
  detail::MemoryMeter texts;
  Time now = 1;
  const auto play = [&](std::int64_t number, const std::vector<std::int64_t>& keys) {
    for (std::size_t at = 0; at < keys.size();) {
      auto batch = std::make_shared<Batch<Opaque>>();
      const detail::ArenaRef arena = detail::ArenaRef::make(1u << 10, &texts);
      if (number == 1) batch->pin(arena);
      for (const std::size_t end = std::min(at + 200, keys.size()); at < end; ++at) {
        const std::string text = fmt::format("key {}", keys[at]);
        batch->values.emplace_back(keys[at], number, number == 1 ? arena->intern(text) : "");
        batch->times.push_back(now++);
      }
      tasks.play({.batch = std::move(batch)});
      tasks.play({.kind = OperatorStep::Kind::watermark, .watermark = now});
    }
  };
  std::vector<std::int64_t> all, most, first_half;
  for (std::int64_t at = 0; at < kOnes; ++at) {
    all.push_back(at);
    if (at % kApart != 0)
      most.push_back(at);
    else if (at < kOnes / 2)
      first_half.push_back(at);
  }
  play(1, all);
  const std::uint64_t of_all = texts.bytes();
  EXPECT_GT(of_all, std::uint64_t{kOnes} * 5);
  play(2, most);
  play(2, first_half);
  EXPECT_LT(texts.bytes(), of_all * 6 / 10);
  EXPECT_EQ(rows, most.size() + first_half.size());
}

}  // namespace
}  // namespace millrace::property
