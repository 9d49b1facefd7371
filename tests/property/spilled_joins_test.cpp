// Promise: joins whose keys are on disk most of the time emit what they do in memory, when they
// break off anywhere and go on in any number of tasks.
#include "join_subjects.hpp"
#include "spill_harness.hpp"

namespace millrace::property {
namespace {

std::vector<OperatorStep> sides_of_many(Draw& draw) {
  return two_sides_of(draw, [&](Time time) { return note_of_many(draw.random(), time); });
}

template <class Out, class Maker>
using Intervals = detail::IntervalJoin<Note, NoteByName, Note, NoteByName, Out, Maker>;
template <class Out, class Maker>
using InWindows = detail::WindowJoin<Note, NoteByName, Note, NoteByName, Out, Maker>;

/// Within so much time, which is longer than most keys stay away.
Subject by_intervals(JoinKind kind, Duration lateness, bool makes_arrivals) {
  const JoinInterval interval{.before = Duration(90), .after = Duration(300), .lateness = lateness};
  return joining(
      [=](const auto& key) {
        return std::make_unique<Intervals<Met, Meeting>>(interval, kind, key, key, Meeting{kMeet});
      },
      makes_arrivals);
}

TEST(SpilledJoins, OfIntervals) {
  compare_spilled(by_intervals(JoinKind::inner, Duration(25), false), sides_of_many);
  compare_spilled(by_intervals(JoinKind::inner, Duration(0), true), sides_of_many);
  compare_spilled(by_intervals(JoinKind::left, Duration(0), true), sides_of_many);
  compare_spilled(by_intervals(JoinKind::full, Duration(25), false), sides_of_many);
}

TEST(SpilledJoins, OfIntervalsOfRows) {
  compare_spilled(joining_rows(note_fields()),
                  [](Draw& draw) { return as_rows(sides_of_many(draw)); });
}

TEST(SpilledJoins, AsOfATime) {
  using Op = detail::AsOfJoin<Note, NoteByName, Note, NoteByName, Met, Meeting>;
  detail::AsOfTable<Note, Note> table;
  table.deletes = [](const Note& note) { return note.number % 5 == 0; };
  for (const std::optional<Duration> within : {std::optional<Duration>(), {Duration(200)}}) {
    AsOfBounds bounds;
    bounds.within = within;
    bounds.nearest = within.has_value();
    bounds.lateness = Duration(20);
    compare_spilled(joining(
                        [=](const auto& key) {
                          return std::make_unique<Op>(bounds, JoinKind::left, key, key,
                                                      Meeting{kMeet}, table);
                        },
                        true),
                    sides_of_many);
  }
}

TEST(SpilledJoins, OfWindows) {
  const auto make = [](const auto& key) {
    return std::make_unique<InWindows<Met, Meeting>>(sliding(Duration(400), Duration(100)),
                                                     Duration(25), JoinKind::full, key, key,
                                                     Meeting{kMeet});
  };
  compare_spilled(joining(make, true), sides_of_many);
}

TEST(SpilledJoins, OfGroups) {
  using Grouping = detail::GroupMaker<Grouped, decltype(kGroup)>;
  Subject subject = joining(
      [](const auto& key) {
        return std::make_unique<InWindows<Grouped, Grouping>>(
            tumbling(Duration(300)), Duration(0), JoinKind::full, key, key, Grouping{kGroup});
      },
      true);
  subject.show = show_by<Grouped>([](const Grouped& row) { return std::string(row.name); });
  compare_spilled(subject, [](Draw& draw) {
    std::vector<OperatorStep> steps = sides_of_many(draw);
    std::erase_if(steps, [](const OperatorStep& step) {  // whose late notes have no group
      return step.batch && !step.batch->behind.empty();
    });
    return steps;
  });
}

TEST(SpilledJoins, OfTables) {
  using Maker = detail::ChangeMaker<Meeting>;
  using Row = Change<Met>;
  using Op = detail::TableJoin<Note, NoteByName, Note, NoteByName, Row, Maker>;
  for (const JoinKind kind : {JoinKind::inner, JoinKind::full}) {
    typename Op::Rules rules{.kind = kind, .lateness = Duration(10)};
    rules.deletes_left = [](const Note& note) { return note.number % 4 == 0; };
    Subject subject = joining(
        [=](const auto& key) {
          return std::make_unique<Op>(rules, key, key, Maker{Meeting{kMeet}});
        },
        true);
    subject.show = [](std::uint32_t port, const detail::BatchBase& base, std::size_t at) {
      if (port > 0) return show_met()(port, base, at);
      return show_by<Row>([](const Row& row) { return row.record.name; })(port, base, at);
    };
    compare_spilled(subject, sides_of_many);
  }
}

const std::string_view& name_or_throw(const Note& note) {
  if (note.number % 7 == 3) throw std::runtime_error("no key");
  return note.name;
}

TEST(SpilledJoins, ARecordWhoseKeyThrowsIsADeadLetter) {
  using ByFunction = detail::KeyFn<Note, const std::string_view& (*)(const Note&)>;
  using Op = detail::IntervalJoin<Note, ByFunction, Note, ByFunction, Met, Meeting>;
  for (const bool makes_arrivals : {false, true}) {
    Subject subject = by_intervals(JoinKind::full, Duration(0), makes_arrivals);
    const auto key = key_by<Note>(&name_or_throw);
    subject.make = [key]() -> std::unique_ptr<detail::Operator> {
      return std::make_unique<Op>(JoinInterval{.before = Duration(90), .after = Duration(300)},
                                  JoinKind::full, key, key, Meeting{kMeet});
    };
    SpillFolder folder;
    subject.when_cut_open = folder.beyond(0);
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      Draw draw(seed);
      const std::vector<OperatorStep> steps = sides_of_many(draw);
      OperatorTasks in_memory(subject.make, {{&batch_type<Note>()}, {&batch_type<Note>()}},
                              subject.show);
      OperatorTasks on_disk(subject.make, {{&batch_type<Note>()}, {&batch_type<Note>()}},
                            subject.show);
      on_disk.when_open(subject.when_cut_open);
      for (OperatorTasks* const tasks : {&in_memory, &on_disk}) {
        tasks->set_makes_arrivals(makes_arrivals);
        tasks->start(1);
        for (const OperatorStep& step : steps) tasks->play(step);
      }
      EXPECT_EQ(first_difference(in_memory.lanes(), on_disk.lanes()), "") << "seed " << seed;
      EXPECT_EQ(on_disk.letters(), in_memory.letters());
      EXPECT_GT(on_disk.letters(), 0u);
    }
    EXPECT_GT(folder.misses(), 0u);
  }
}

TEST(SpilledJoins, ALateRecordFindsItsPartnerOnDisk) {
  const Subject subject = by_intervals(JoinKind::inner, Duration(25), false);
  SpillFolder folder;
  OperatorTasks tasks(subject.make, subject.inputs, subject.show);
  tasks.when_open(folder.beyond(0));
  tasks.start(1);
  const auto all_at = [](std::uint32_t input, Time time, Time behind) {
    auto batch = std::make_shared<Batch<Note>>();
    for (const std::string& name : names()) {
      if (behind != kTimeMin)
        batch->behind.push_back({static_cast<std::uint32_t>(batch->times.size()), behind});
      batch->values.push_back({{time}, name, 0, 1});
      batch->times.push_back(time);
    }
    return OperatorStep{.input = input, .batch = std::move(batch)};
  };
  tasks.play(all_at(0, 1'000, kTimeMin));
  tasks.play({.kind = OperatorStep::Kind::watermark, .watermark = 1'325});
  tasks.play(all_at(1, 1'300, 1'325));  // as far apart and as late as can be
  EXPECT_EQ(tasks.lanes().size(), names().size());
  EXPECT_EQ(folder.misses(), names().size());
}

/// Orders of very many keys, each asked for once or, of a tenth of the keys, often.
class ManyKeys : public testing::Test {
 protected:
  static constexpr std::uint64_t kMostBytes = 1u << 20;
  static constexpr std::int64_t kKeys = 40'000;
  using Op = detail::IntervalJoin<Note, NoteByKey, Note, NoteByKey, Met, Meeting>;

  ManyKeys()
      : tasks_(
            [] {
              const auto key = key_by<Note>(&Note::key);
              return std::make_unique<Op>(JoinInterval{.before = Duration(0), .after = 1h},
                                          JoinKind::inner, key, key, Meeting{kMeet});
            },
            {{&batch_type<Note>()}, {&batch_type<Note>()}}, show_met()) {
    tasks_.when_open(folder_.beyond(kMostBytes));
    tasks_.start(1);
  }
  template <class KeyOf>
  void play(std::uint32_t input, std::int64_t records, KeyOf key_of) {
    auto batch = std::make_shared<Batch<Note>>();
    for (std::int64_t at = 0; at < records; ++at) {
      batch->values.push_back({{now_}, names()[0], static_cast<std::int32_t>(key_of(at)), 1});
      batch->times.push_back(now_++);
    }
    tasks_.play({.input = input, .batch = std::move(batch)});
    tasks_.play({.kind = OperatorStep::Kind::watermark, .watermark = now_});
    most_ = std::max(most_, tasks_.state_bytes());
  }
  void order_all() {
    for (std::int64_t key = 0; key < kKeys; key += 200)
      play(0, 200, [key](std::int64_t at) { return key + at; });
  }
  std::size_t rows() const {
    std::size_t rows = 0;
    for (const auto& [lane, all] : tasks_.lanes()) rows += all.size();
    return rows;
  }

  SpillFolder folder_;
  OperatorTasks tasks_;
  Random random_{1};
  Time now_ = 1;
  std::uint64_t most_ = 0;
};

TEST_F(ManyKeys, WhatIsUsedStaysAndMemoryIsKept) {
  order_all();
  const std::uint64_t before = folder_.misses();
  const std::uint64_t hits_before = folder_.hits();
  for (int turn = 0; turn < 600; ++turn) {
    play(1, 200, [&](std::int64_t) {
      return random_.chance(0.9) ? random_.below(kKeys / 20) * 20 : random_.below(kKeys);
    });
  }
  EXPECT_EQ(rows(), 600u * 200);
  EXPECT_LT(most_, kMostBytes * 3 / 2) << "records that went to disk gave their room back";
  const auto hits = static_cast<double>(folder_.hits() - hits_before);
  const auto misses = static_cast<double>(folder_.misses() - before);
  EXPECT_GT(hits / (hits + misses), 0.75);
}

TEST_F(ManyKeys, AnImageLeavesNothingInMemory) {
  order_all();
  const std::uint64_t before = tasks_.state_bytes();
  for (int at = 0; at < 3; ++at) {
    const std::vector<StatePart> image = tasks_.image();
    std::size_t bytes = 0;
    for (const StatePart& part : image) bytes += part.bytes.size();
    EXPECT_GT(bytes, static_cast<std::size_t>(kKeys) * 16) << "keys on disk are in it";
  }
  EXPECT_LT(tasks_.state_bytes(), before + before / 4);
}

TEST_F(ManyKeys, WhatIsOverOnDiskIsForgotten) {
  order_all();
  const std::uint64_t before = folder_.misses();
  now_ += std::chrono::microseconds(2h).count();
  tasks_.play({.kind = OperatorStep::Kind::watermark, .watermark = now_});
  for (int turn = 0; turn < 20; ++turn)
    play(1, 200, [&](std::int64_t) { return random_.below(kKeys); });
  EXPECT_EQ(rows(), 0u);
  EXPECT_EQ(folder_.misses(), before) << "nothing that is over comes back";
}

/// Its name lies in the record itself, where it is short.
struct Parcel {
  std::string name;
  std::int64_t number = 0;
};
using ParcelByName = detail::KeyFn<Parcel, std::string Parcel::*>;

TEST(SpilledJoins, KeysThatLieInTheirRecordsAreRestored) {
  constexpr std::int64_t kKeys = 40'000;
  const auto pair = [](const Parcel* left, const Parcel* right) {
    return Met{"", left != nullptr ? left->number : -1, right != nullptr ? right->number : -1};
  };
  using Pairing = detail::PairMaker<JoinKind::full, decltype(pair)>;
  using Op = detail::IntervalJoin<Parcel, ParcelByName, Parcel, ParcelByName, Met, Pairing>;
  SpillFolder folder;
  const auto key = key_by<Parcel>(&Parcel::name);
  OperatorTasks tasks(
      [&] {
        return std::make_unique<Op>(JoinInterval{.before = Duration(0), .after = 1h},
                                    JoinKind::inner, key, key, Pairing{pair});
      },
      {{&batch_type<Parcel>(), key}, {&batch_type<Parcel>(), key}},
      show_by<Met>([](const Met& met) { return met.left == met.right ? "equal" : "not equal"; }));
  tasks.when_open(folder.beyond(1u << 20));
  const auto play = [&](std::uint32_t input, Time time) {
    for (std::int64_t number = 0; number < kKeys;) {
      auto batch = std::make_shared<Batch<Parcel>>();
      for (int left = 200; left > 0; --left, ++number) {
        batch->values.push_back({fmt::format("p{}", number), number});
        batch->times.push_back(time);
      }
      tasks.play({.input = input, .batch = std::move(batch)});
    }
  };
  tasks.start(1);
  play(0, 1'000);
  tasks.restore(tasks.image(), 2);
  play(1, 2'000);
  tasks.play({.kind = OperatorStep::Kind::watermark, .watermark = kTimeMax});
  ASSERT_EQ(tasks.lanes().size(), 1u);
  EXPECT_EQ(tasks.lanes().begin()->first, "equal");
  EXPECT_EQ(tasks.lanes().begin()->second.size(), static_cast<std::size_t>(kKeys));
}

}  // namespace
}  // namespace millrace::property
