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

}  // namespace
}  // namespace millrace::property
