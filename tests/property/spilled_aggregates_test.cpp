// Promise: running aggregates, alerts and groups of tables whose keys are on disk most of the time
// emit what they do in memory, when they break off anywhere and go on in any number of tasks.
#include <algorithm>
#include <map>

#include "millrace/millrace.hpp"
#include "spill_harness.hpp"

namespace millrace::property {
namespace {

/// A few keys come all the time, the others now and then.
std::vector<OperatorStep> notes_of_many(Draw& draw) {
  std::vector<OperatorStep> steps;
  Random& random = draw.random();
  while (steps.size() < 60) {
    steps.push_back(draw.batch<Note>(0, [&](Time time) { return note_of_many(random, time); }));
  }
  return steps;
}

template <class Kernel>
Subject running(const Kernel& kernel) {
  using Op = detail::RunningAggregate<Note, NoteByName, Kernel>;
  const auto key = key_by<Note>(&Note::name);
  return {[key, kernel] { return std::make_unique<Op>(key, kernel); },
          {{&batch_type<Note>(), key}},
          show_by<typename Op::Row>([](const auto& row) { return row.key; })};
}
template <class Spec>
void expect_as_in_memory(const Spec& spec) {
  compare_spilled(running(spec.template kernel<Note>()), notes_of_many);
}

void append_number(std::string& all, const Note& note) {
  if (note.number == 13) throw std::runtime_error("as asked");
  all += fmt::format("{} ", note.number);
}
using Appending =
    detail::FoldKernel<Note, std::string, void (*)(std::string&, const Note&), detail::NoMerge>;
const Appending kAppending{"all: ", append_number, {}};

TEST(SpilledAggregates, NumbersAreAsInMemory) {
  expect_as_in_memory(count());
  expect_as_in_memory(sum(&Note::number));
  expect_as_in_memory(mean(&Note::key));
}

TEST(SpilledAggregates, WhatHoldsMemoryOfItsOwnIsAsInMemory) {
  expect_as_in_memory(max(&Note::name));
  expect_as_in_memory(distinct(&Note::number));
  expect_as_in_memory(list(&Note::name, 5));
  expect_as_in_memory(quantile(&Note::number, 0.25));
  expect_as_in_memory(top_k_approx(&Note::number, 3, 8));
  compare_spilled(running(kAppending), notes_of_many);  // some of them are dead letters
}

/// What a map of texts makes of the same records.
Lanes appended_by_hand(const std::vector<OperatorStep>& steps) {
  std::map<std::string_view, std::string> all;
  Lanes lanes;
  for (const OperatorStep& step : steps) {
    for (const Note& note : static_cast<const Batch<Note>&>(*step.batch).values) {
      if (note.number == 13) continue;
      std::string& its = all.try_emplace(note.name, "all: ").first->second;
      its += fmt::format("{} ", note.number);
      lanes[std::string(note.name)].push_back(its);
    }
  }
  return lanes;
}

TEST(SpilledAggregates, AreWhatAMapSays) {
  using Row = Aggregate<std::string_view, std::string>;
  SpillFolder folder;
  Subject subject = running(kAppending);
  subject.show = [](std::uint32_t, const detail::BatchBase& base, std::size_t at) {
    const Row& row = static_cast<const Batch<Row>&>(base).values[at];
    return std::pair(std::string(row.key), row.value);
  };
  subject.when_cut_open = folder.beyond(0);
  subject.task_counts = 4;
  for (std::uint64_t seed = 1; seed <= (seeds() + 9) / 10 && !HasFailure(); ++seed) {
    Draw draw(seed);
    const std::vector<OperatorStep> steps = notes_of_many(draw);
    Random random(seed + 7);
    const Played cut = play(subject, steps, &random);
    EXPECT_EQ(first_difference(appended_by_hand(steps), cut.lanes), "") << "seed " << seed;
  }
  EXPECT_GT(folder.misses(), 0u);
}

std::string_view name_or_throw(const Note& note) {
  if (note.number % 7 == 3) throw std::runtime_error("no key");
  return note.name;
}

TEST(SpilledAggregates, ARecordWhoseKeyThrowsIsADeadLetter) {
  using ByFunction = detail::KeyFn<Note, std::string_view (*)(const Note&)>;
  using Op = detail::RunningAggregate<Note, ByFunction, detail::CountKernel>;
  const auto key = key_by<Note>(&name_or_throw);
  SpillFolder folder;
  OperatorTasks tasks([key] { return std::make_unique<Op>(key, detail::CountKernel{}); },
                      {{&batch_type<Note>()}},
                      show_by<Op::Row>([](const auto& row) { return row.key; }));
  tasks.when_open(folder.beyond(0));
  tasks.start(1);
  Draw draw(1);
  std::size_t bad = 0;
  std::size_t good = 0;
  for (const OperatorStep& step : notes_of_many(draw)) {
    for (const Note& note : static_cast<const Batch<Note>&>(*step.batch).values)
      ++(note.number % 7 == 3 ? bad : good);
    tasks.play(step);
  }
  std::size_t emitted = 0;
  for (const auto& [name, rows] : tasks.lanes()) emitted += rows.size();
  EXPECT_EQ(emitted, good);
  EXPECT_EQ(tasks.letters(), bad);
  EXPECT_GT(bad, 0u);
  EXPECT_GT(folder.misses(), 0u);
}

/// Restored where there is no room for any of it.
TEST(SpilledAggregates, AnImageThatMemoryHasNoRoomForIsRestored) {
  constexpr std::int64_t kKeys = 20'000;
  using Row = Aggregate<std::int64_t, std::int64_t>;
  using ByNumber = detail::KeyFn<Note, std::int64_t Note::*>;
  using Op = detail::RunningAggregate<Note, ByNumber, detail::CountKernel>;
  const auto key = key_by<Note>(&Note::number);
  OperatorTasks tasks([key] { return std::make_unique<Op>(key, detail::CountKernel{}); },
                      {{&batch_type<Note>(), key}},
                      [](std::uint32_t, const detail::BatchBase& base, std::size_t at) {
                        const Row& row = static_cast<const Batch<Row>&>(base).values[at];
                        return std::pair(fmt::format("{}", row.key), fmt::format("{}", row.value));
                      });
  const auto count_all = [&] {
    for (std::int64_t number = 0; number < kKeys;) {
      auto batch = std::make_shared<Batch<Note>>();
      for (int left = 500; left > 0; --left) batch->values.push_back({{}, "", 0, number++});
      tasks.play({.batch = std::move(batch)});
    }
  };
  constexpr std::uint64_t kRoom = 64u << 10;
  SpillFolder folder;
  tasks.start(3);
  count_all();
  EXPECT_GT(tasks.state_bytes(), 5 * kRoom);
  tasks.when_open(folder.beyond(kRoom));
  tasks.restore(tasks.image(), 2);
  EXPECT_LE(tasks.state_bytes(), 2 * kRoom);
  count_all();
  tasks.restore(tasks.image(), 5);
  count_all();
  EXPECT_TRUE(tasks.status().ok()) << tasks.status().to_string();
  EXPECT_EQ(tasks.lanes().size(), static_cast<std::size_t>(kKeys));
  for (const auto& [number, counts] : tasks.lanes())
    ASSERT_EQ(counts, (std::vector<std::string>{"1", "2", "3"})) << number;
}

TEST(SpilledAggregates, AlertsAreAsInMemory) {
  const auto key = key_by<Note>(&Note::name);
  const auto limits = [](const Note&) { return AlertLimits{20, 5, 2}; };
  using Step = detail::AlertStep<Note, std::string_view, std::int64_t Note::*, decltype(limits)>;
  using Op = detail::KeyedStep<Note, NoteByName, Hysteresis, Alert<std::string_view>, Step>;
  compare_spilled({[key, limits] { return std::make_unique<Op>(key, Step{&Note::number, limits}); },
                   {{&batch_type<Note>(), key}},
                   show_by<Alert<std::string_view>>([](const auto& alert) { return alert.key; })},
                  notes_of_many);
}

/// Rows of a table that come, change and go, as the groups by their names take them.
std::vector<OperatorStep> turns(Draw& draw) {
  using Turn = detail::RowTurn<Note>;
  std::vector<OperatorStep> steps;
  std::vector<Note> rows;
  Random& random = draw.random();
  while (steps.size() < 60) {
    steps.push_back(draw.batch<Turn>(0, [&](Time time) {
      Turn turn;
      turn.goes = !rows.empty() && random.chance(0.5);
      turn.comes = !turn.goes || random.chance(0.3);
      std::size_t row = random.below(rows.size() + (turn.goes ? 0 : 1));
      if (turn.goes) turn.before = rows[row];
      if (!turn.goes) rows.emplace_back(), row = rows.size() - 1;
      turn.now = {{time},
                  turn.goes ? turn.before.name : names()[random.below(names().size())],
                  0,
                  random.between(-9, 9)};
      if (turn.comes) rows[row] = turn.now;
      if (!turn.comes) rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(row));
      return turn;
    }));
  }
  return steps;
}

template <class Spec>
void expect_groups_as_in_memory(const Spec& spec) {
  using Turn = detail::RowTurn<Note>;
  using Part = detail::TurnPart<Note, std::string_view Note::*>;
  const auto key = key_by<Turn>(Part{&Note::name});
  using OfRows = decltype(spec.template kernel<Note>());
  const detail::TurnKernel<Note, OfRows> kernel{
      detail::Retracting<OfRows>{spec.template kernel<Note>()}};
  using Op = detail::GroupedRows<Turn, detail::KeyFn<Turn, Part>, detail::TurnKernel<Note, OfRows>>;
  compare_spilled({[key, kernel] { return std::make_unique<Op>(key, kernel); },
                   {{&batch_type<Turn>(), key}},
                   show_by<typename Op::Row>([](const auto& row) { return row.record.key; })},
                  turns);
}

TEST(SpilledAggregates, GroupsOfTablesAreAsInMemory) {
  expect_groups_as_in_memory(count());
  expect_groups_as_in_memory(max(&Note::number));
}

}  // namespace
}  // namespace millrace::property
