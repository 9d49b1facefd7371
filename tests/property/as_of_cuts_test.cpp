// As-of joins that are cut at random places, and go on in other tasks, give what a naive look over
// the whole input gives: a thousand cases and more.
#include <algorithm>
#include <map>
#include <tuple>

#include "millrace/millrace.hpp"
#include "operator_cuts.hpp"

namespace millrace::property {
namespace {

using detail::Arrival;
using detail::JoinKind;

/// Who meets whom, by the numbers of their places.
struct Valued {
  std::string_view name;
  std::int64_t left = 0;
  std::int64_t right = -1;  ///< -1: none
};

const auto kValue = [](const Note* left, const Note* right) {
  return Valued{left->name, left->number, right != nullptr ? right->number : -1};
};
using Valuing = detail::PairMaker<JoinKind::full, decltype(kValue)>;

struct DrawnAsOf {
  AsOfBounds bounds;
  std::vector<OperatorStep> steps;
};

/// Numbers notes as their places, so that a row tells which records it is made of.
DrawnAsOf draw_as_of_steps(std::uint64_t seed) {
  Draw draw(seed);
  DrawnAsOf drawn;
  std::int64_t number = 0;
  Random& random = draw.random();
  if (random.chance(0.7)) drawn.bounds.within = Duration(random.between(0, 30));
  drawn.bounds.nearest = drawn.bounds.within && random.chance(0.5);
  drawn.bounds.lateness = Duration(random.chance(0.5) ? 0 : random.between(1, 40));
  while (drawn.steps.size() < 40) {
    const std::uint64_t what = random.below(10);
    if (what >= 7) {
      drawn.steps.push_back(draw.watermark());
      continue;
    }
    drawn.steps.push_back(draw.batch<Note>(what < 4 ? 0 : 1, [&](Time time) {
      Note note = draw.note(time);
      note.name = kNames[random.below(3)];
      note.number = number++;
      return note;
    }));
  }
  drawn.steps.push_back({.kind = OperatorStep::Kind::watermark, .watermark = kTimeMax});
  return drawn;
}

/// How often records that differ might be taken.
struct AsOfTies {
  std::size_t as_near = 0;  ///< one before, one after
  std::size_t of_one_time = 0;
};

/// Rows by name: left number, right number; late ones with the port in front.
std::map<std::string, std::vector<std::string>> naive(const DrawnAsOf& drawn, AsOfTies& ties) {
  const AsOfBounds& bounds = drawn.bounds;
  std::vector<Note> sides[2];
  std::map<std::string, std::vector<std::string>> rows;
  for (const OperatorStep& step : drawn.steps) {
    if (!step.batch) continue;
    const auto& batch = static_cast<const Batch<Note>&>(*step.batch);
    std::size_t cursor = 0;
    for (std::size_t at = 0; at < batch.values.size(); ++at) {
      const Note& note = batch.values[at];
      const Time behind = detail::behind_at(batch, at, cursor);
      if (behind != kTimeMin && batch.times[at] + bounds.lateness.count() < behind) {
        rows[std::string(note.name)].push_back(
            fmt::format("late {} {}", step.input + 1, note.number));
      } else {
        sides[step.input].push_back(note);
      }
    }
  }
  for (const Note& left : sides[0]) {
    std::tuple<std::int64_t, std::int64_t, std::int64_t> best(INT64_MAX, 0, 0);
    for (const Note& right : sides[1]) {
      const std::int64_t away = left.time.micros - right.time.micros;
      if (right.name != left.name || (away < 0 && !bounds.nearest)) continue;
      if (bounds.within && std::abs(away) > bounds.within->count()) continue;
      const std::tuple one(std::abs(away), right.time.micros, -right.number);
      const bool as_near = std::get<0>(one) == std::get<0>(best);
      const bool same_time = std::get<1>(one) == std::get<1>(best);
      if (as_near) ++(same_time ? ties.of_one_time : ties.as_near);
      best = std::min(best, one);
    }
    const bool none = std::get<0>(best) == INT64_MAX;
    rows[std::string(left.name)].push_back(
        fmt::format("{} {} {}", left.time.micros, left.number, none ? -1 : -std::get<2>(best)));
  }
  for (auto& [name, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

OperatorTasks::Show show_valued() {
  return [](std::uint32_t port, const detail::BatchBase& base, std::size_t at) {
    if (port > 0) {
      const Note& note = static_cast<const Batch<Note>&>(base).values[at];
      return std::pair(std::string(note.name), fmt::format("late {} {}", port, note.number));
    }
    const Valued& row = static_cast<const Batch<Valued>&>(base).values[at];
    return std::pair(std::string(row.name),
                     fmt::format("{} {} {}", base.times[at], row.left, row.right));
  };
}

void check_cuts(const detail::AsOfTable<Note, Note>& table) {
  using Op = detail::AsOfJoin<Note, NoteByName, Note, NoteByName, Valued, Valuing>;
  const auto key = key_by<Note>(&Note::name);
  const std::shared_ptr<const detail::KeyHash> spread = key_by<Note>(&Note::number);
  AsOfTies ties;
  std::size_t waiting = 0, found = 0, alone = 0, late = 0, nearest = 0;
  for (std::uint64_t seed = 1; seed <= 1'500; ++seed) {
    const DrawnAsOf drawn = draw_as_of_steps(seed);
    const bool everywhere = table.reach == detail::TableReach::everywhere;
    const Subject subject{[&] {
                            return std::make_unique<Op>(drawn.bounds, JoinKind::left, key, key,
                                                        Valuing{kValue}, table);
                          },
                          {{&batch_type<Note>(), everywhere ? spread : key},
                           {&batch_type<Note>(), everywhere ? nullptr : key, everywhere}},
                          show_valued()};
    Random random(seed ^ 0x5eed);
    Played cut = play(subject, drawn.steps, seed % 4 == 0 ? nullptr : &random);
    for (auto& [name, list] : cut.lanes) std::sort(list.begin(), list.end());
    ASSERT_EQ(first_difference(naive(drawn, ties), cut.lanes), "") << "seed " << seed;
    waiting += cut.cut_while_waiting;
    nearest += drawn.bounds.nearest ? 1 : 0;
    for (const auto& [name, list] : cut.lanes) {
      for (const std::string& row : list)
        ++(row.starts_with("late") ? late : row.ends_with(" -1") ? alone : found);
    }
  }
  EXPECT_GT(waiting, 1'000u);
  EXPECT_GT(found, 10'000u);
  EXPECT_GT(alone, 5'000u);
  EXPECT_GT(late, 3'000u);
  EXPECT_GT(nearest, 300u);
  EXPECT_GT(ties.as_near, 100u);
  EXPECT_GT(ties.of_one_time, 100u);
}

TEST(AsOfCuts, EqualANaiveLook) { check_cuts({}); }
TEST(AsOfCuts, OfGlobalTablesEqualANaiveLook) {
  check_cuts({.reach = detail::TableReach::everywhere});
}

/// One task has gone on and forgotten what another still needs: the image is of the latter.
TEST(AsOfCuts, AGlobalTableIsRestoredFromTheTaskThatIsBehind) {
  using Op = detail::AsOfJoin<Note, NoteByName, Note, NoteByName, Valued, Valuing>;
  const auto key = key_by<Note>(&Note::name);
  const detail::AsOfTable<Note, Note> table{.reach = detail::TableReach::everywhere};
  OperatorTasks tasks(
      [&] {
        return std::make_unique<Op>(AsOfBounds{}, JoinKind::left, key, key, Valuing{kValue}, table);
      },
      {{&batch_type<Note>(), nullptr}, {&batch_type<Note>(), nullptr, true}}, show_valued());
  const auto batch = [](std::uint32_t input, std::initializer_list<Time> times) {
    auto notes = std::make_shared<Batch<Note>>();
    for (const Time time : times) {
      notes->values.push_back({{time}, kNames[1], 0, time});
      notes->times.push_back(time);
    }
    return OperatorStep{
        .kind = OperatorStep::Kind::batch, .input = input, .batch = std::move(notes)};
  };
  for (const std::size_t ahead : {0u, 1u}) {
    tasks.start(2);
    tasks.play(batch(1, {10, 20, 30}));
    tasks.task<Op>(ahead).advance(40, tasks.outputs());
    tasks.task<Op>(1 - ahead).advance(15, tasks.outputs());
    tasks.restore(tasks.image(), 3);
    tasks.play(batch(0, {16, 25, 35}));
    tasks.play({.kind = OperatorStep::Kind::watermark, .watermark = kTimeMax});
    ASSERT_TRUE(tasks.status().ok()) << tasks.status().to_string();
  }
  const std::vector<std::string> once = {"16 16 10", "25 25 20", "35 35 30"};
  std::vector<std::string> rows = once;
  rows.insert(rows.end(), once.begin(), once.end());
  EXPECT_EQ(tasks.lanes().at(std::string(kNames[1])), rows);
}

/// Right records that are of no use any more are given back.
TEST(AsOfCuts, KeepOneVersionOfAKey) {
  using Op = detail::AsOfJoin<Note, NoteByName, Note, NoteByName, Valued, Valuing>;
  const auto key = key_by<Note>(&Note::name);
  for (const bool within : {false, true}) {
    AsOfBounds bounds;
    if (within) bounds.within = Duration(50);
    OperatorTasks tasks(
        [&] { return std::make_unique<Op>(bounds, JoinKind::left, key, key, Valuing{kValue}); },
        {{&batch_type<Note>(), key}, {&batch_type<Note>(), key}}, show_valued());
    tasks.start(1);
    for (Time now = 0; now < 200'000; now += 100) {
      auto batch = std::make_shared<Batch<Note>>();
      for (Time time = now; time < now + 100; ++time) {
        batch->values.push_back({{time}, kNames[1], 0, time});
        batch->times.push_back(time);
      }
      tasks.play({.kind = OperatorStep::Kind::batch, .input = 1, .batch = std::move(batch)});
      tasks.play({.kind = OperatorStep::Kind::watermark, .watermark = now});
    }
    EXPECT_LT(tasks.state_bytes(), 200'000u) << "of 200,000 records, some of a thousand are there";
    tasks.play({.kind = OperatorStep::Kind::watermark, .watermark = 300'000});
    EXPECT_EQ(tasks.image().size(), within ? 1u : 2u) << "the newest one, or none";
  }
}

}  // namespace
}  // namespace millrace::property
