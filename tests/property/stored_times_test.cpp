// Operators of event time, rankings, trends and alerts that are cut at random places: as
// stored_operators_test.cpp, for what has no states of its own.
#include "millrace/millrace.hpp"
#include "operator/clock_time.hpp"
#include "operator/event_time.hpp"
#include "operator/split.hpp"
#include "operator_cuts.hpp"

namespace millrace::property {
namespace {

using Row = Aggregate<std::int32_t, std::int64_t>;
using RowKey = detail::KeyFn<Row, std::int32_t Row::*>;

TEST(StoredOperators, AlertsGoOn) {
  const auto key = key_by<Note>(&Note::key);
  const auto limits = [](const Note&) { return AlertLimits{40, 20, 2}; };
  using Step = detail::AlertStep<Note, std::int32_t, std::int64_t Note::*, decltype(limits)>;
  using Op = detail::KeyedStep<Note, NoteByKey, Hysteresis, Alert<std::int32_t>, Step>;
  const Subject subject{
      [key, limits] { return std::make_unique<Op>(key, Step{&Note::number, limits}); },
      {{&batch_type<Note>(), key}},
      show_by<Alert<std::int32_t>>([](const auto& alert) { return alert.key; })};
  compare(subject, [](Draw& draw) { return draw.notes(100); });
}

/// Rows of windows of 100, as tasks that make them would send them, and when they saw the first.
std::vector<OperatorStep> windows(Draw& draw) {
  std::vector<OperatorStep> steps;
  auto begin = std::make_shared<Batch<detail::StreamBegin>>();
  begin->values.push_back({200});
  begin->times.push_back(299);
  steps.push_back({.kind = OperatorStep::Kind::batch, .input = 1, .batch = std::move(begin)});
  for (Time start = 300; start < 3'000; start += 100) {
    for (std::int32_t key = 0; key < 6; ++key) {
      if (draw.random().chance(0.2)) continue;
      auto batch = std::make_shared<Batch<Row>>();
      batch->values.push_back({key, draw.random().between(0, 50), start, start + 100});
      batch->times.push_back(start + 99);
      steps.push_back({.kind = OperatorStep::Kind::batch, .batch = std::move(batch)});
    }
    if (start > 600 || draw.random().chance(0.3))
      steps.push_back({.kind = OperatorStep::Kind::watermark, .watermark = start + 100});
  }
  steps.push_back({.kind = OperatorStep::Kind::watermark, .watermark = kTimeMax});
  return steps;
}

TEST(StoredOperators, TrendsGoOn) {
  const auto key = key_by<Row>(&Row::key);
  using Op = detail::TrendOperator<std::int32_t, std::int64_t>;
  const Subject subject{
      [key] { return std::make_unique<Op>(key, TrendOptions{.learn_windows = 2}); },
      {{&batch_type<Row>(), key}, {.type = &batch_type<detail::StreamBegin>(), .to_all = true}},
      show_by<Aggregate<std::int32_t, Trend>>([](const auto& row) { return row.key; })};
  EXPECT_GT(compare(subject, windows), 0u);
}

TEST(StoredOperators, TheBeginOfWindowsIsToldOnce) {
  const Subject subject{[] { return std::make_unique<detail::BeginOfWindows<Row>>(); },
                        {{&batch_type<Row>()}},
                        show_by<detail::StreamBegin>([](const auto&) { return 0; })};
  const auto rows_alone = [](Draw& draw) {
    std::vector<OperatorStep> steps = windows(draw);
    steps.erase(steps.begin());
    return steps;
  };
  compare(subject, rows_alone, true);
}

/// Two phases in one: the rows of the first are those of the second.
TEST(StoredOperators, RankingsGoOnAndTheirFirstPhaseKeepsNothing) {
  const auto score = [](std::int64_t value) { return value; };
  using Score = decltype(score);
  using Final = detail::TopOperator<std::int32_t, std::int64_t, Score, true>;
  using First = detail::TopOperator<std::int32_t, std::int64_t, Score, false>;
  const Subject last{[score] { return std::make_unique<Final>(3, score); },
                     {{&batch_type<Row>()}},
                     show_by<Ranked<std::int32_t, std::int64_t>>([](const auto&) { return 0; })};
  const auto rows_alone = [](Draw& draw) {
    std::vector<OperatorStep> steps = windows(draw);
    steps.erase(steps.begin());
    return steps;
  };
  compare(last, rows_alone, true);

  OperatorTasks first([score] { return std::make_unique<First>(2, score); }, {{&batch_type<Row>()}},
                      show_by<Row>([](const Row& row) { return row.window_end; }));
  first.start(1);
  Draw draw(1);
  for (const OperatorStep& step : rows_alone(draw)) {
    if (step.kind != OperatorStep::Kind::batch) continue;
    first.play(step);
    break;
  }
  EXPECT_TRUE(first.image().empty());
  EXPECT_EQ(first.lanes().size(), 1u);
}

TEST(StoredOperators, SamplesOfRecordsWithoutPlacesGoOn) {
  const auto notes = [](Draw& draw) {
    std::vector<OperatorStep> steps = draw.notes(80);
    for (OperatorStep& step : steps) {
      if (step.batch) step.batch->arrivals.clear();
    }
    return steps;
  };
  const Subject subject{[] { return std::make_unique<detail::SampleOperator<Note>>(0.3, 7); },
                        {{&batch_type<Note>()}},
                        show_by<Note>([](const Note&) { return 0; })};
  compare(subject, notes, true);
}

// ---- event time

/// What an operator that makes time says of a partition's records, and the watermarks it tells.
struct TimeRun {
  std::map<std::uint32_t, std::vector<std::string>> records;
  std::vector<Time> watermarks;  ///< of one task, each once
};
struct TimeStep {
  enum class Kind { batch, end, promise, look, wait };
  Kind kind = Kind::batch;
  std::uint32_t partition = 0;  ///< over all tasks
  std::vector<Note> notes = {};
  Time at = 0;
};
constexpr std::uint32_t kPartitions = 6;

std::vector<TimeStep> time_steps(std::uint64_t seed, bool idle) {
  Random random(seed);
  std::vector<TimeStep> steps;
  std::array<Time, kPartitions> now{};
  std::array<bool, kPartitions> ended{};
  for (int at = 0; at < 120; ++at) {
    const auto partition = static_cast<std::uint32_t>(random.below(kPartitions));
    TimeStep step{.partition = partition};
    const std::uint64_t what = random.below(20);
    if (ended[partition]) continue;
    if (what == 0) {
      ended[partition] = true;
      step.kind = TimeStep::Kind::end;
    } else if (what == 1) {
      step.kind = TimeStep::Kind::promise;
      step.at = now[partition] - 5;
    } else if (idle && what < 8) {
      step.kind = what < 5 ? TimeStep::Kind::look : TimeStep::Kind::wait;
    } else {
      for (std::uint64_t left = 1 + random.below(6); left > 0; --left) {
        now[partition] += random.between(0, 8);
        const Time time = now[partition] - random.between(0, 20);
        step.notes.push_back({{time}, "n", 0, random.between(0, 9)});
      }
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

class TimeOutputs final : public detail::Outputs {
 public:
  explicit TimeOutputs(TimeRun& run) : run_(&run) {}
  void push(std::uint32_t, detail::BatchBase& base) override {
    const auto& batch = static_cast<const Batch<Note>&>(base);
    std::size_t cursor = 0;
    for (std::size_t at = 0; at < batch.size(); ++at) {
      run_->records[batch.partition * tasks + task].push_back(
          fmt::format("{} {} behind {}", batch.times[at], batch.values[at].number,
                      detail::behind_at(batch, at, cursor)));
    }
  }
  void advance_watermark(Time watermark) override {
    if (run_->watermarks.empty() || watermark > run_->watermarks.back())
      run_->watermarks.push_back(watermark);
  }
  std::uint32_t task = 0;
  std::uint32_t tasks = 1;

 private:
  TimeRun* run_;
};

struct EveryThird {
  std::int64_t seen = 0;
  Timestamp newest{kTimeMin};
  std::optional<Timestamp> after(const Note&, Timestamp time) {
    newest = std::max(newest, time);
    return ++seen % 3 == 0 ? std::optional(Timestamp{newest.micros - 4}) : std::nullopt;
  }
};

/// `random` null: without a break. Tasks share the partitions in turns.
template <class Make>
TimeRun run_time(const Make& make, const std::vector<TimeStep>& steps, Random* random,
                 std::uint32_t tasks, bool same) {
  OperatorTasks all(make, {}, show_by<Note>([](const Note&) { return 0; }));
  TimeRun run;
  TimeOutputs out(run);
  using Op = typename std::decay_t<decltype(*make())>;
  const auto begin = [&] {
    for (std::uint32_t task = 0; task < tasks; ++task) {
      all.task<Op>(task).set_partitions((kPartitions - task + tasks - 1) / tasks);
    }
  };
  all.start(tasks);
  begin();
  for (const TimeStep& step : steps) {
    out.task = step.partition % tasks;
    out.tasks = tasks;
    const std::uint32_t local = step.partition / tasks;
    auto& op = all.task<Op>(out.task);
    if (step.kind == TimeStep::Kind::batch) {
      Batch<Note> batch;
      batch.values = step.notes;
      batch.partition = local;
      op.process(batch, true, out);
    } else if (step.kind == TimeStep::Kind::end) {
      op.partition_ended(local, out);
    } else if (step.kind == TimeStep::Kind::promise) {
      op.partition_reached(local, step.at, out);
    } else if (step.kind == TimeStep::Kind::wait) {
      all.env().clock.advance(1s);
    } else {
      op.looked(local, all.env().clock.steady_ns(), out);
    }
    if (!random || !random->chance(0.2)) continue;
    const std::vector<StatePart> image = all.image();
    if (!same) tasks = static_cast<std::uint32_t>(1 + random->below(4));
    all.restore(image, tasks);
    begin();
  }
  EXPECT_TRUE(all.status().ok()) << all.status().to_string();
  return run;
}

template <class Strategy>
void compare_time(EventTimeOptions options, const Strategy& strategy) {
  using Op = detail::EventTime<Note, Timestamp Note::*, Strategy>;
  const auto make = [=] { return std::make_unique<Op>(&Note::time, options, strategy); };
  std::size_t late = 0;
  for (std::uint64_t seed = 1; seed <= seeds() && !::testing::Test::HasFailure(); ++seed) {
    const std::vector<TimeStep> steps = time_steps(seed, false);
    const TimeRun whole = run_time(make, steps, nullptr, 1, true);
    Random random(seed ^ 0x71);
    const TimeRun cut = run_time(make, steps, &random, 1, false);
    EXPECT_EQ(whole.records, cut.records) << "seed " << seed;
    const TimeRun same = run_time(make, steps, &random, 1, true);
    EXPECT_EQ(whole.records, same.records) << "seed " << seed;
    EXPECT_EQ(whole.watermarks, same.watermarks) << "seed " << seed;
    for (const auto& [partition, records] : whole.records) {
      for (const std::string& record : records)
        late += record.ends_with(std::to_string(kTimeMin)) ? 0 : 1;
    }
  }
  EXPECT_GT(late, 0u);
}

TEST(StoredOperators, LatenessIsJudgedAsWithoutABreak) {
  compare_time(EventTimeOptions{.out_of_order = Duration(6)}, detail::Bounded{});
  compare_time(EventTimeOptions{}, punctuated([](const Note& note) { return note.number == 3; }));
  compare_time(EventTimeOptions{}, watermarks(EveryThird{}));
}

/// Which of them are idle, and where those wake, is known in the same tasks.
TEST(StoredOperators, IdlePartitionsStayIdle) {
  using Op = detail::EventTime<Note, Timestamp Note::*>;
  const EventTimeOptions options{.out_of_order = Duration(6), .idle_after = 1us};
  const auto make = [=] { return std::make_unique<Op>(&Note::time, options); };
  for (std::uint64_t seed = 1; seed <= seeds() && !HasFailure(); ++seed) {
    const std::vector<TimeStep> steps = time_steps(seed, true);
    const TimeRun whole = run_time(make, steps, nullptr, 1, true);
    Random random(seed);
    const TimeRun cut = run_time(make, steps, &random, 1, true);
    EXPECT_EQ(whole.records, cut.records) << "seed " << seed;
  }
}

struct Guarded {
  std::shared_ptr<int> shared;
  std::optional<Timestamp> after(const Note&, Timestamp time) { return time; }
};
TEST(StoredOperators, AStrategyThatCannotBeStoredIsRefused) {
  using Op = detail::EventTime<Note, Timestamp Note::*, OwnWatermarks<Guarded>>;
  const auto make = [] {
    return std::make_unique<Op>(&Note::time, EventTimeOptions{}, watermarks(Guarded{}));
  };
  OperatorTasks all(make, {}, show_by<Note>([](const Note&) { return 0; }));
  all.start(1);
  Batch<Note> batch;
  batch.values.push_back({{1}, "", 0, 0});
  all.task<Op>(0).process(batch, true, all.outputs());
  (void)all.image();
  EXPECT_EQ(all.status().code(), Code::state_unreadable);
  EXPECT_NE(all.status().message().find("watermarks()"), std::string::npos);
}

TEST(StoredOperators, RecordsOfAReplayThatAreNotDueGoOn) {
  using Op = detail::EventTime<Note, Timestamp Note::*>;
  std::vector<StatePart> image;
  const std::array names = {std::string(40, 'a'), std::string(40, 'b')};  // outlive the records
  const auto make = [] { return std::make_unique<Op>(&Note::time, EventTimeOptions{}); };
  for (const double speed : {1.0, 0.0}) {
    TimeRun run;
    TimeOutputs out(run);
    OperatorTasks all(make, {}, show_by<Note>([](const Note&) { return 0; }));
    all.set_speed(1.0);
    all.start(2);
    out.tasks = 2;
    for (std::uint32_t task = 0; task < 2; ++task) {
      Batch<Note> batch;
      for (std::int64_t at = 0; at < 4; ++at)
        batch.values.push_back({{at * 100}, names[task], 0, at});
      out.task = task;
      all.task<Op>(task).process(batch, true, out);
    }
    EXPECT_EQ(run.records[0].size(), 1u);
    EXPECT_EQ(all.waiting(), 6u);
    image = all.image();
    all.set_speed(speed);
    all.restore(image, 1);
    EXPECT_EQ(all.waiting(), 6u);
    out.task = 0;
    out.tasks = 1;
    for (int at = 0; at < 20; ++at) {
      all.env().clock.advance(100us);
      (void)all.task<Op>(0).all_read();  // as the source says when it has nothing
      all.task<Op>(0).release(all.env().clock.steady_ns(), false, out);
      if (speed > 0 && at == 0) {
        EXPECT_GT(all.waiting(), 0u);
      }
    }
    EXPECT_EQ(all.waiting(), 0u);
    EXPECT_EQ(run.records[0].size(), 4u);
    EXPECT_EQ(run.records[1].size(), 4u);
  }
}

TEST(StoredOperators, TheClockOfRecordsStandsUntilItIsWhereItWas) {
  using Op = detail::ClockTime<Note>;
  const auto make = [] {
    return std::make_unique<Op>([](Time now) { return saturating_add(now, 1'000'000); });
  };
  OperatorTasks before(make, {}, show_by<Note>([](const Note&) { return 0; }));
  before.start(1);
  before.env().clock.advance(50s);
  const auto feed = [](OperatorTasks& tasks) {
    Batch<Note> batch;
    batch.values.push_back({{1}, "", 0, 0});
    tasks.task<Op>(0).process(batch, true, tasks.outputs());
    return tasks.task<Op>(0).forwarded(0);
  };
  const Time reached = feed(before);
  OperatorTasks after(make, {}, show_by<Note>([](const Note&) { return 0; }));
  after.restore(before.image(), 2);
  EXPECT_EQ(feed(after), reached);
}

}  // namespace
}  // namespace millrace::property
