// Matches of random patterns in random streams are those of the model whatever the schedule, and
// operators that are cut at random places go on as if nothing had been.
#include "match_model.hpp"
#include "metrics/kept_names.hpp"
#include "spill_harness.hpp"

namespace millrace::property {
namespace {

/// The pattern as a program would build it at run time: a list of stages with functions.
template <class T, class LetterOf>
Pattern<T> made_of(const DrawnPattern& drawn, LetterOf letter_of) {
  const auto where = [&](std::uint32_t number) -> Where<T> {
    if (number == detail::kNoCondition) return {};
    const Asked asked = drawn.conditions[number];
    if (!asked.looks_back && !asked.by_count) {
      return
          [asked, letter_of](const T& record) { return asked.holds({letter_of(record)}, {}, 0); };
    }
    return [asked, letter_of](const T& record, const Matched<T>& matched) {
      std::vector<Letter> letters;
      Taken before;
      for (std::size_t at = 0; at < matched.size(); ++at) {
        letters.push_back(letter_of(matched.at(at).record));
        before.emplace_back(static_cast<int>(at), matched.at(at).stage);
      }
      letters.push_back(letter_of(record));
      return asked.holds(letters, before, static_cast<int>(before.size()));
    };
  };
  const auto convert =
      [&](auto&& self,
          const std::vector<detail::StageShape>& shapes) -> std::vector<PatternStage<T>> {
    std::vector<PatternStage<T>> stages;
    for (const detail::StageShape& shape : shapes) {
      PatternStage<T>& stage = stages.emplace_back(shape.name);
      stage.kind = shape.kind;
      stage.contiguity = shape.contiguity;
      stage.where = where(shape.condition);
      stage.times_min = shape.times_min;
      stage.times_max = shape.times_max;
      stage.inner = shape.inner;
      stage.optional = shape.optional;
      stage.greedy = shape.greedy;
      stage.until = where(shape.until);
      stage.lasting = shape.lasting;
      stage.stages = self(self, shape.stages);
    }
    return stages;
  };
  const detail::PatternShape& shape = drawn.shape;
  Pattern<T> made(convert(convert, shape.stages));
  if (shape.within.count() > 0) made = made.within(shape.within);
  if (shape.within_neighbours.count() > 0) made = made.within_neighbours(shape.within_neighbours);
  if (shape.after_match == AfterMatch::skip_to_next) made = made.skip_to_next();
  if (shape.after_match == AfterMatch::skip_past_last) made = made.skip_past_last();
  if (shape.after_match == AfterMatch::skip_to_first) made = made.skip_to_first(shape.skip_stage);
  if (shape.after_match == AfterMatch::skip_to_last) made = made.skip_to_last(shape.skip_stage);
  return made;
}

struct MatchRow {
  std::string text;
  std::string lane;  ///< of the records' key, where it is their name
};
std::string text_of(const MatchRow& row) { return row.text; }

template <class T>
MatchRow row_of_match(const Match<T>& match) {
  MatchRow row{fmt::format("at {}:", match.time().micros), std::string(match.at(0).record.name)};
  for (std::size_t at = 0; at < match.size(); ++at) {
    const auto one = match.at(at);
    row.text += fmt::format(" {}#{} {}", one.stage, one.record.number, one.record.name);
  }
  return row;
}

// ---- whatever the schedule

struct MatchHits {
  std::uint64_t matches = 0, over = 0, late = 0, equal_stamps = 0;
};

void declare(const MatchCase& drawn, Topology& topology, Rows& rows) {
  const auto row = [](const Match<Event>& match) { return row_of_match(match); };
  const auto matches =
      declare_input(topology, drawn.input)
          .key_by(&Event::key)
          .match(made_of<Event>(drawn.drawn, [](const Event& event) { return letter_of(event); }))
          .select(row, row);
  matches.to(collect_text(rows, "matches"));
  matches.timed_out().to(collect_text(rows, "over"));
  matches.late().to(collect_text(rows, "late"));
}

Rows model(const MatchCase& drawn, MatchHits& hits) {
  const ModelMatches model = model_matches(drawn);
  Rows rows{{"matches", {}}, {"over", {}}, {"late", {}}};
  for (const ModelMatch& match : model.matches) {
    std::string text = fmt::format("at {}:", match.time);
    for (const auto& [stage, record] : match.records)
      text += fmt::format(" {}#{} {}", stage, record.number, record.name);
    rows[match.whole ? "matches" : "over"].push_back({text, 0});
  }
  for (const ModelRecord& record : model.late) rows["late"].push_back({text_of(record.event()), 0});
  hits.matches += rows["matches"].size();
  hits.over += rows["over"].size();
  hits.late += rows["late"].size();
  hits.equal_stamps += model.equal_stamps;
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

TEST(ScheduleDoesNotMatter, MatchesEqualTheModel) {
  MatchHits hits;
  for_each_seed([&](std::uint64_t seed) {
    const MatchCase drawn = draw_match_case(seed);
    SCOPED_TRACE(drawn.drawn.shape.to_string());
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, topology, rows); },
        model(drawn, hits));
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GT(hits.matches, 300u);
  EXPECT_GT(hits.over, 100u);
  EXPECT_GT(hits.late, 40u);
  EXPECT_GT(hits.equal_stamps, 100u);
}

// ---- cut at random places

auto is(int kinds) {
  return [kinds](const Note& note) { return (kinds >> (note.number & 3) & 1) != 0; };
}

Subject subject_of(const Pattern<Note>& wanted) {
  const auto key = key_by<Note>(&Note::name);
  const auto pattern = wanted.compile();
  EXPECT_TRUE(pattern) << pattern.error().to_string();
  const auto row = [](const Match<Note>& match) { return row_of_match(match); };
  using Rows = detail::RowOfMatch<decltype(row)>;
  using Op = detail::PatternMatch<Note, NoteByName, MatchRow, Rows, MatchRow, Rows>;
  const OperatorTasks::Show show = [](std::uint32_t port, const detail::BatchBase& base,
                                      std::size_t at) {
    if (port == 1) {
      const Note& note = static_cast<const Batch<Note>&>(base).values[at];
      return std::pair("late " + std::string(note.name), std::to_string(note.number));
    }
    const MatchRow& found = static_cast<const Batch<MatchRow>&>(base).values[at];
    return std::pair(found.lane, fmt::format("{} {}", port, found.text));
  };
  return {[=] { return std::make_unique<Op>(key, *pattern, Rows{row}, Rows{row}); },
          {{&batch_type<Note>(), key}},
          show};
}

void compare_cuts(const Pattern<Note>& wanted) {
  SCOPED_TRACE(wanted.to_string());
  EXPECT_GT(compare(subject_of(wanted), [](Draw& draw) { return draw.notes(120); }), 0u);
}

TEST(StoredMatches, OfAnotherPatternAreRefused) {
  const auto key = key_by<Note>(&Note::name);
  const auto row = [](const Match<Note>& match) { return row_of_match(match); };
  using Rows = detail::RowOfMatch<decltype(row)>;
  using Op = detail::PatternMatch<Note, NoteByName, MatchRow, Rows, MatchRow, detail::NoRows>;
  const auto start = pattern<Note>("a").where(is(15));
  const auto tasks_of = [&](const Pattern<Note>& wanted) {
    const auto pattern = wanted.compile();
    return OperatorTasks(
        [=] { return std::make_unique<Op>(key, *pattern, Rows{row}, detail::NoRows{}); },
        {{&batch_type<Note>(), key}},
        [](std::uint32_t, const detail::BatchBase&, std::size_t) {
          return std::pair(std::string(), std::string());
        });
  };
  Draw draw(3);
  std::vector<OperatorStep> steps = draw.notes(20);
  steps.pop_back();
  OperatorTasks first = tasks_of(start.followed_by("b").where(is(0)));
  first.start(1);
  for (const OperatorStep& step : steps) first.play(step);
  const std::vector<StatePart> image = first.image();
  OperatorTasks same = tasks_of(start.followed_by("b").where(is(1)));  // conditions may change
  same.start(1);
  same.restore(image, 1);
  EXPECT_TRUE(same.status().ok()) << same.status().to_string();
  OperatorTasks other = tasks_of(start.next("b").where(is(0)));
  other.start(1);
  other.restore(image, 1);
  EXPECT_EQ(other.status().code(), Code::state_unreadable);
  EXPECT_NE(other.status().message().find("a followed_by b"), std::string::npos)
      << other.status().to_string();
}

/// Partial matches of all keys that no batch asks for are on disk.
TEST(StoredMatches, OnDiskAreThoseInMemory) {
  const auto start = pattern<Note>("a").where(is(1));
  const auto steps = [](Draw& draw) { return draw.notes(120); };
  const auto is_higher = [](const Note& note, const Matched<Note>& before) {
    return note.number > before["a"].number;
  };
  const std::vector<Pattern<Note>> patterns = {
      start.followed_by_any("b").where(is(6)).times(1, 3).within(Duration(90)),
      start.followed_by("b")
          .where(is_higher)
          .one_or_more()
          .greedy()
          .followed_by("c")
          .where(is(8))
          .within(Duration(200))
          .skip_past_last(),
      start.not_followed_by("n").where(is(2)).followed_by("b").where(is(4)).skip_to_next(),
      start.not_followed_by("n").where(is(2)).within(Duration(60))};
  for (const Pattern<Note>& wanted : patterns) {
    SCOPED_TRACE(wanted.to_string());
    compare_spilled(subject_of(wanted), steps);
  }
}

TEST(StoredMatches, OnDiskAreCounted) {
  const auto start = pattern<Note>("a").where(is(7));
  SpillFolder folder;
  KeptMost most = kNoMatches;
  Subject subject =
      subject_of(start.followed_by_any("b").where(is(6)).times(1, 3).within(Duration(200)));
  subject.when_cut_open = folder.beyond(0);
  compare_gauges(subject, [](Draw& draw) { return draw.notes(30); }, most);
  EXPECT_GT(folder.misses(), 0u);
  EXPECT_GT(most[detail::kPartialMatches], 5);
}

/// A first record of each of many keys, then a second one: what waits takes the room that it has.
TEST(StoredMatches, OnDiskLetGoOfTheirRecords) {
  constexpr std::size_t kKeys = 6'000;
  constexpr std::uint64_t kRoom = 512u << 10;
  std::vector<std::string> names;
  for (std::size_t at = 0; at < kKeys; ++at) names.push_back(fmt::format("a user named {}", at));
  const Subject subject = subject_of(pattern<Note>("a").where(is(1)).followed_by("b").where(is(2)));
  OperatorTasks tasks(subject.make, subject.inputs, subject.show);
  SpillFolder folder;
  tasks.when_open(folder.beyond(kRoom));
  tasks.start(1);
  std::uint64_t most = 0;
  const auto all = [&](Time time, std::int64_t number) {
    for (std::size_t at = 0; at < kKeys; ++time) {
      auto batch = std::make_shared<Batch<Note>>();
      for (int left = 500; left > 0; --left) {
        batch->values.push_back({{time}, names[at++], 0, number});
        batch->times.push_back(time);
      }
      tasks.play({.batch = std::move(batch)});
      tasks.play({.kind = OperatorStep::Kind::watermark, .watermark = time + 1});
      most = std::max(most, tasks.state_bytes());
    }
  };
  all(0, 0);
  EXPECT_EQ(tasks.gauge(detail::kPartialMatches), static_cast<double>(kKeys));
  tasks.restore(tasks.image(), 1);
  all(1000, 1);
  EXPECT_TRUE(tasks.status().ok()) << tasks.status().to_string();
  EXPECT_EQ(tasks.lanes().size(), kKeys);
  EXPECT_EQ(tasks.gauge(detail::kPartialMatches), 0);
  EXPECT_LE(most, kRoom + kRoom / 2);
  EXPECT_GT(folder.misses(), kKeys / 2);
}

/// See compare_gauges.
void compare_counts(const Pattern<Note>& wanted, KeptMost& most) {
  SCOPED_TRACE(wanted.to_string());
  compare_gauges(subject_of(wanted), [](Draw& draw) { return draw.notes(120); }, most);
}

TEST(StoredMatches, AreCountedAlikeWhereverTheyAreCut) {
  const auto start = pattern<Note>("a").where(is(7));
  const auto is_higher = [](const Note& note, const Matched<Note>& before) {
    return note.number > before["a"].number;
  };
  KeptMost most = kNoMatches;
  compare_counts(start.followed_by_any("b").where(is(6)).times(1, 3).within(Duration(200)), most);
  compare_counts(start.followed_by("b").where(is_higher).within(Duration(200)).skip_past_last(),
                 most);
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GT(most[detail::kPartialMatches], 10);
  EXPECT_GT(most[detail::kPartialMatchKeys], 1);
  EXPECT_GT(most[detail::kWaitingMatches], 0);
}

TEST(StoredMatches, GoOnWhatTheyWaitFor) {
  const auto start = pattern<Note>("a").where(is(1));
  compare_cuts(start.followed_by("b").where(is(2)).optional().followed_by("c").where(is(4)).within(
      Duration(200)));
  compare_cuts(start.followed_by_any("b").where(is(6)).times(1, 3).within(Duration(90)));
  compare_cuts(start.followed_by("b")
                   .where([](const Note& note, const Matched<Note>& before) {
                     return note.number > before["a"].number;
                   })
                   .one_or_more()
                   .greedy()
                   .followed_by("c")
                   .where(is(8))
                   .within(Duration(200))
                   .skip_past_last());
  compare_cuts(
      start.not_followed_by("n").where(is(2)).followed_by("b").where(is(4)).skip_to_next());
  compare_cuts(start.not_followed_by("n").where(is(2)).within(Duration(60)));
}

}  // namespace
}  // namespace millrace::property
