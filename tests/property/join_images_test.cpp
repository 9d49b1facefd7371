// Promise: joins that are cut at random places go on from their images, in as many tasks or others,
// as if nothing had been.
#include "join_subjects.hpp"

namespace millrace::property {
namespace {

/// What is drawn besides the records.
struct JoinSetting {
  JoinKind kind;
  std::int64_t lateness;
  bool makes_arrivals;
};

TEST(JoinImages, OfIntervals) {
  using Op = detail::IntervalJoin<Note, NoteByName, Note, NoteByName, Met, Meeting>;
  for (const JoinSetting& setting : {JoinSetting{JoinKind::inner, 25, false},
                                     {JoinKind::left, 0, true},
                                     {JoinKind::full, 0, false},
                                     {JoinKind::full, 25, true}}) {
    const JoinInterval interval{
        .before = Duration(12), .after = Duration(20), .lateness = Duration(setting.lateness)};
    const auto make = [=](const auto& key) {
      return std::make_unique<Op>(interval, setting.kind, key, key, Meeting{kMeet});
    };
    const std::size_t waiting = compare(joining(make, setting.makes_arrivals), two_sides);
    EXPECT_EQ(waiting > 0, setting.makes_arrivals) << "records wait for those before them";
  }
}

TEST(JoinImages, OfWindows) {
  using Op = detail::WindowJoin<Note, NoteByName, Note, NoteByName, Met, Meeting>;
  const Windows overlapping = sliding(Duration(60), Duration(20));
  for (const JoinSetting& setting : {JoinSetting{JoinKind::left, 0, false},
                                     {JoinKind::full, 25, false},
                                     {JoinKind::full, 0, true}}) {
    const auto make = [=](const auto& key) {
      return std::make_unique<Op>(overlapping, Duration(setting.lateness), setting.kind, key, key,
                                  Meeting{kMeet});
    };
    compare(joining(make, setting.makes_arrivals), two_sides);
  }
}

TEST(JoinImages, OfGroups) {
  using Grouping = detail::GroupMaker<Grouped, decltype(kGroup)>;
  using Op = detail::WindowJoin<Note, NoteByName, Note, NoteByName, Grouped, Grouping>;
  const auto key = key_by<Note>(&Note::name);
  const Subject subject{[key] {
                          return std::make_unique<Op>(sliding(Duration(60), Duration(20)),
                                                      Duration(25), JoinKind::full, key, key,
                                                      Grouping{kGroup});
                        },
                        {{&batch_type<Note>(), key}, {&batch_type<Note>(), key}},
                        show_by<Grouped>([](const Grouped& row) { return std::string(row.name); }),
                        true};
  compare(subject, two_sides);
}

/// Files of before hold records alone, those that wait for their turn among them.
TEST(JoinImages, OfRecordsAloneAreReadOn) {
  using Op = detail::IntervalJoin<Note, NoteByName, Note, NoteByName, Met, Meeting>;
  const auto make = [](const auto& key) {
    return std::make_unique<Op>(JoinInterval{.before = Duration(9), .after = Duration(9)},
                                JoinKind::full, key, key, Meeting{kMeet});
  };
  const Subject subject = joining(make, true);
  const auto notes = [](std::uint32_t input, Time time) {
    auto batch = std::make_shared<Batch<Note>>();
    for (const std::string_view name : kNames) {
      batch->values.push_back({{time}, name, 1, 1});
      batch->times.push_back(time);
      batch->arrivals.push_back(detail::Arrival::at(1, input, batch->arrivals.size()));
    }
    return OperatorStep{.input = input, .batch = std::move(batch)};
  };
  for (const detail::JoinMark mark : {detail::JoinMark::waiting, detail::JoinMark::open}) {
    OperatorTasks tasks(subject.make, subject.inputs, subject.show);
    tasks.set_makes_arrivals(true);
    tasks.start(1);
    tasks.play(notes(0, 1'000));
    std::vector<StatePart> image = tasks.image();
    std::size_t renamed = 0;
    for (StatePart& part : image) {
      if (part.name != ":left-waiting") continue;
      part.name = ":left";
      part.bytes[0] = static_cast<char>(mark);
      ++renamed;
    }
    EXPECT_GT(renamed, 1u);
    tasks.restore(image, 3);
    EXPECT_TRUE(tasks.status().ok()) << tasks.status().to_string();
    tasks.play(notes(1, 1'005));
    tasks.play({.kind = OperatorStep::Kind::watermark, .watermark = kTimeMax});
    EXPECT_EQ(tasks.lanes().size(), kNames.size());
    for (const auto& [name, rows] : tasks.lanes()) EXPECT_EQ(rows.size(), 1u) << name;
  }
}

TEST(JoinImages, OfAnotherWayToJoinAreRefused) {
  using ByTime = detail::IntervalJoin<Note, NoteByName, Note, NoteByName, Met, Meeting>;
  using ByWindow = detail::WindowJoin<Note, NoteByName, Note, NoteByName, Met, Meeting>;
  const auto by_time = [](const auto& key) {
    return std::make_unique<ByTime>(JoinInterval{}, JoinKind::full, key, key, Meeting{kMeet});
  };
  const auto by_window = [](const auto& key) {
    return std::make_unique<ByWindow>(tumbling(1s), Duration(0), JoinKind::full, key, key,
                                      Meeting{kMeet});
  };
  const Subject was = joining(by_time, false);
  const Subject is = joining(by_window, false);
  OperatorTasks before(was.make, was.inputs, was.show);
  before.start(2);
  OperatorTasks after(is.make, is.inputs, is.show);
  after.restore(before.image(), 1);
  EXPECT_NE(after.status().message().find("it is of another join, by intervals, not by windows"),
            std::string::npos)
      << after.status().to_string();
}

TEST(JoinImages, OfRows) { compare(joining_rows(note_fields()), two_sides_of_rows); }

TEST(JoinImages, OfRowsWithOtherFieldsAreRefused) {
  const Subject subject = joining_rows(note_fields());
  OperatorTasks tasks(subject.make, subject.inputs, subject.show);
  tasks.start(1);
  Draw draw(1);
  std::vector<OperatorStep> steps = two_sides_of_rows(draw);
  steps.pop_back();
  for (const OperatorStep& step : steps) tasks.play(step);
  const std::vector<StatePart> image = tasks.image();
  const Subject other = joining_rows(std::make_shared<const RowSchema>(
      std::vector<ColumnInfo>{{"name", ColumnType::text}, {"other", ColumnType::text}}));
  OperatorTasks others(other.make, other.inputs, other.show);
  others.restore(image, 1);
  EXPECT_NE(others.status().message().find("state \":left\" cannot be restored"), std::string::npos)
      << others.status().to_string();
}

TEST(JoinImages, ThatAreDamagedAreRefused) {
  const Subject subject = joining_rows(note_fields());
  OperatorTasks tasks(subject.make, subject.inputs, subject.show);
  tasks.start(1);
  Draw draw(2);
  std::vector<OperatorStep> steps = two_sides_of_rows(draw);
  steps.pop_back();
  for (const OperatorStep& step : steps) tasks.play(step);
  const std::vector<StatePart> image = tasks.image();
  std::size_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    std::vector<StatePart> damaged = image;
    StatePart& part = damaged[random.below(damaged.size())];
    if (random.chance(0.5)) {
      part.bytes.resize(random.below(part.bytes.size()));
    } else {
      part.bytes[random.below(part.bytes.size())] ^= static_cast<char>(1 + random.below(255));
    }
    OperatorTasks others(subject.make, subject.inputs, subject.show);
    others.restore(damaged, 1);
    refused += others.status().ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 50u) << "what is read wrong must only not crash";
}

}  // namespace
}  // namespace millrace::property
