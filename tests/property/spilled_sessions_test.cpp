// Promise: sessions, those that emit more than once too, and windows by records whose keys are on
// disk most of the time emit what they do in memory, when they break off anywhere and go on in any
// number of tasks.
#include <algorithm>
#include <map>

#include "millrace/millrace.hpp"
#include "spill_harness.hpp"

namespace millrace::property {
namespace {

/// Texts of a slot, of a table's arena, and of neither.
const std::vector<std::string>& many_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> made;
    for (int at = 0; at < 60; ++at)
      made.push_back(std::string(static_cast<std::size_t>(at % 23), 'n') + fmt::format("{}", at));
    return made;
  }();
  return kNames;
}

/// A few keys come all the time, the others now and then; time goes on, to its end.
std::vector<OperatorStep> timed_notes(Draw& draw) {
  std::vector<OperatorStep> steps;
  Random& random = draw.random();
  while (steps.size() < 90) {
    const std::uint64_t what = random.below(10);
    if (what > 6) {
      steps.push_back(what > 8 ? draw.clock() : draw.watermark());
      continue;
    }
    steps.push_back(draw.batch<Note>(0, [&](Time time) {
      const std::uint64_t key =
          random.chance(0.4) ? random.below(6) : random.below(many_names().size());
      return Note{{time},
                  many_names()[key],
                  static_cast<std::int32_t>(random.below(90)),
                  random.between(-30, 60)};
    }));
  }
  steps.push_back({.kind = OperatorStep::Kind::watermark, .watermark = kTimeMax});
  return steps;
}

/// Rows leave by port 0, records that came too late by port 1.
template <class Op, class Row, class Spec, class Kernel>
Subject subject_of(const Spec& spec, const Kernel& kernel) {
  const auto key = key_by<Note>(&Note::name);
  const OperatorTasks::Show rows = show_by<Row>([](const Row& row) { return row.key; });
  const OperatorTasks::Show late = show_by<Note>([](const Note& note) { return note.name; });
  return {[=] { return std::make_unique<Op>(spec, key, kernel); },
          {{&batch_type<Note>(), key}},
          [=](std::uint32_t port, const detail::BatchBase& base, std::size_t at) {
            return (port == 0 ? rows : late)(port, base, at);
          }};
}
template <class Kernel>
using RowOf = Aggregate<std::string_view, typename Kernel::Value>;

/// `Gap`: Duration, or what tells the gap of a record.
template <class Gap, class Spec, class Kernel>
Subject sessions(const Spec& spec, const Kernel& kernel) {
  using Op = detail::SessionAggregate<Note, NoteByName, Kernel, Gap>;
  return subject_of<Op, RowOf<Kernel>>(spec, kernel);
}
template <class Spec>
auto kernel_of(const Spec& spec) {
  return spec.template kernel<Note>();
}

TEST(SpilledSessions, OfNumbersAreAsInMemory) {
  compare_spilled(sessions<Duration>(session(15us), kernel_of(count())), timed_notes);
  compare_spilled(sessions<Duration>(session(60us), kernel_of(sum(&Note::number))), timed_notes);
}

TEST(SpilledSessions, OfWhatHoldsMemoryOfItsOwnAreAsInMemory) {
  compare_spilled(sessions<Duration>(session(40us), kernel_of(max(&Note::name))), timed_notes);
  compare_spilled(sessions<Duration>(session(80us), kernel_of(distinct(&Note::number))),
                  timed_notes);
  compare_spilled(sessions<Duration>(session(80us), kernel_of(list(&Note::name, 5))), timed_notes);
}

TEST(SpilledSessions, WithAGapOfEachRecordAreAsInMemory) {
  using Gap = Duration (*)(const Note&);
  const Gap own = [](const Note& note) { return Duration(note.key - 3); };  // some are refused
  const Sessions<Gap> spec = session(own);
  compare_spilled(sessions<Gap>(spec, kernel_of(last(&Note::number))), timed_notes);
}

TEST(SpilledSessions, ThatWaitForLateRecordsAreAsInMemory) {
  compare_spilled(
      sessions<Duration>(session(15us).allowed_lateness(30us).final_only(), kernel_of(count())),
      timed_notes);
}

/// What a list of each key's times makes of the same records.
Lanes counted_by_hand(const std::vector<OperatorStep>& steps, Time gap) {
  std::map<std::string_view, std::vector<Time>> times;
  for (const OperatorStep& step : steps) {
    if (step.kind != OperatorStep::Kind::batch) continue;
    const auto& batch = static_cast<const Batch<Note>&>(*step.batch);
    std::size_t cursor = 0;
    for (std::size_t at = 0; at < batch.values.size(); ++at) {
      if (batch.times[at] >= detail::behind_at(batch, at, cursor))
        times[batch.values[at].name].push_back(batch.times[at]);
    }
  }
  Lanes lanes;
  for (auto& [name, its] : times) {
    std::sort(its.begin(), its.end());
    for (std::size_t at = 0; at < its.size();) {
      const std::size_t first = at++;
      while (at < its.size() && its[at] - its[at - 1] <= gap) ++at;
      lanes[std::string(name)].push_back(
          fmt::format("{} {} {}", its[first], its[at - 1] + gap, at - first));
    }
  }
  return lanes;
}

TEST(SpilledSessions, AreWhatAListOfTimesSays) {
  SpillFolder folder;
  Subject subject = sessions<Duration>(session(20us), kernel_of(count()));
  subject.show = [](std::uint32_t, const detail::BatchBase& base, std::size_t at) {
    const auto& row = static_cast<const Batch<RowOf<detail::CountKernel>>&>(base).values[at];
    return std::pair(std::string(row.key),
                     fmt::format("{} {} {}", row.window_start, row.window_end, row.value));
  };
  subject.when_cut_open = folder.beyond(0);
  subject.task_counts = 4;
  for (std::uint64_t seed = 1; seed <= (seeds() + 9) / 10 && !HasFailure(); ++seed) {
    Draw draw(seed);
    const std::vector<OperatorStep> steps = timed_notes(draw);
    Random random(seed + 7);
    const Played cut = play(subject, steps, &random);
    EXPECT_EQ(first_difference(counted_by_hand(steps, 20), cut.lanes), "") << "seed " << seed;
  }
  EXPECT_GT(folder.misses(), 0u);
}

template <class Spec, class Kernel>
Subject records(const Spec& spec, const Kernel& kernel) {
  using Op = detail::RecordAggregate<Note, NoteByName, Kernel, Spec>;
  return subject_of<Op, RowOf<Kernel>>(spec, kernel);
}

TEST(SpilledRecordWindows, AreAsInMemory) {
  compare_spilled(records(count_window(5), kernel_of(sum(&Note::number))), timed_notes);
  compare_spilled(records(count_window(6, 4), kernel_of(mean(&Note::number))), timed_notes);
  compare_spilled(records(millrace::last(4), kernel_of(distinct(&Note::number))), timed_notes);
  compare_spilled(records(millrace::last(30us), kernel_of(max(&Note::name))), timed_notes);
}

/// What they emit, and when, is the same whatever is cut; early rows by clock and by records hold
/// what has arrived.
template <bool kRemembers, class Kernel>
Subject refiring(const RefiringSessions<Duration>& spec, const Kernel& kernel) {
  using Op = detail::RefiringSessionAggregate<Note, NoteByName, Kernel, Duration, kRemembers>;
  using Row = WindowUpdate<std::string_view, typename Kernel::Value>;
  return subject_of<Op, Row>(spec, kernel);
}

TEST(SpilledSessions, ThatEmitAgainAreAsInMemory) {
  const auto late = session(15us).allowed_lateness(40us);
  compare_spilled(refiring<false>(late, kernel_of(sum(&Note::number))), timed_notes);
  compare_spilled(refiring<false>(late.discarding(), kernel_of(count())), timed_notes);
  compare_spilled(refiring<true>(late.retracting(), kernel_of(max(&Note::name))), timed_notes);
}

TEST(SpilledSessions, ThatEmitEarlyAreAsInMemory) {
  const auto late = session(40us).allowed_lateness(20us);
  compare_spilled(refiring<false>(late.early(every(6us)), kernel_of(count())), timed_notes);
  compare_spilled(refiring<false>(late.early(every(2)), kernel_of(list(&Note::name, 5))),
                  timed_notes);
}

/// Many sessions, of which all end at once: neither they nor their image come into memory whole.
TEST(SpilledSessions, ThatEndTogetherFireInPieces) {
  constexpr std::int64_t kKeys = 20'000;
  constexpr std::uint64_t kRoom = 1u << 20;
  using ByNumber = detail::KeyFn<Note, std::int64_t Note::*>;
  using Op = detail::SessionAggregate<Note, ByNumber, detail::CountKernel, Duration>;
  using Row = Aggregate<std::int64_t, std::int64_t>;
  const auto key = key_by<Note>(&Note::number);
  std::uint64_t most = 0;
  OperatorTasks* watched = nullptr;
  OperatorTasks tasks(
      [key] { return std::make_unique<Op>(session(100us), key, detail::CountKernel{}); },
      {{&batch_type<Note>(), key}},
      [&](std::uint32_t, const detail::BatchBase& base, std::size_t at) {
        if (at == 0) most = std::max(most, watched->state_bytes());
        const Row& row = static_cast<const Batch<Row>&>(base).values[at];
        return std::pair(fmt::format("{}", row.key), fmt::format("{}", row.value));
      });
  watched = &tasks;
  const auto count_all = [&](Time time) {
    for (std::int64_t number = 0; number < kKeys;) {
      auto batch = std::make_shared<Batch<Note>>();
      for (int left = 500; left > 0; --left) {
        batch->values.push_back({{time}, "", 0, number++});
        batch->times.push_back(time);
      }
      tasks.play({.batch = std::move(batch)});
    }
  };
  SpillFolder folder;
  tasks.start(1);
  count_all(0);
  const std::uint64_t in_memory = tasks.state_bytes();
  EXPECT_GT(in_memory, 2 * kRoom);
  tasks.when_open(folder.beyond(kRoom));
  tasks.restore(tasks.image(), 1);
  EXPECT_LE(tasks.state_bytes(), kRoom + kRoom / 4);
  count_all(50);
  tasks.restore(tasks.image(), 1);
  tasks.play({.kind = OperatorStep::Kind::watermark, .watermark = 151});
  EXPECT_TRUE(tasks.status().ok()) << tasks.status().to_string();
  EXPECT_EQ(tasks.lanes().size(), static_cast<std::size_t>(kKeys));
  for (const auto& [number, counts] : tasks.lanes())
    ASSERT_EQ(counts, (std::vector<std::string>{"2"})) << number;
  EXPECT_GT(most, 0u);
  EXPECT_LE(most, kRoom + kRoom / 4);
  EXPECT_GT(folder.misses(), static_cast<std::uint64_t>(kKeys) / 2);
}

}  // namespace
}  // namespace millrace::property
