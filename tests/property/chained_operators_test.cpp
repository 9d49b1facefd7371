// Promise: what joins, patterns, grouped rows, sessions and windows by records keep goes into an
// epoch as far as it has changed, and an epoch of changes stands for all of it. Who looks at what
// they hold, or weighs it, changes nothing.
#include "millrace/millrace.hpp"
#include "operator_cuts.hpp"

namespace millrace::property {
namespace {

using detail::JoinKind;

constexpr std::int32_t kKeys = 4000;
constexpr std::int32_t kChanged = 40;
constexpr Time kThen = 1'000;

struct Found {
  std::int64_t left = -1;  ///< -1: none
  std::int64_t right = -1;
};
const auto kFind = [](const Note* left, const Note* right) {
  return Found{left != nullptr ? left->number : -1, right != nullptr ? right->number : -1};
};
using Finding = detail::PairMaker<JoinKind::full, decltype(kFind)>;
const auto kKeyOf = key_by<Note>(&Note::key);
const auto kGoes = [](const Note& note) { return note.number < 0; };

/// A note of each of `keys` keys from `first` on.
OperatorStep notes(std::uint32_t input, Time time, std::int32_t first, std::int32_t keys,
                   std::int64_t number = 1) {
  auto batch = std::make_shared<Batch<Note>>();
  for (std::int32_t key = first; key < first + keys; ++key) {
    batch->values.push_back({{time}, "a name that is not short", key, number});
    batch->times.push_back(time);
    batch->arrivals.push_back(detail::Arrival::at(1, input, static_cast<std::uint64_t>(key)));
  }
  return {.kind = OperatorStep::Kind::batch, .input = input, .batch = std::move(batch)};
}
OperatorStep until(Time watermark) {
  return {.kind = OperatorStep::Kind::watermark, .watermark = watermark};
}

/// All rows of all ports, in an order of their own.
template <class Row>
OperatorTasks::Show show_all() {
  return [](std::uint32_t port, const detail::BatchBase& base, std::size_t at) {
    const auto& batch = static_cast<const Batch<Row>&>(base);
    return std::pair(std::string("rows"), fmt::format("{} {} {}", port, base.times[at],
                                                      batch_type<Row>().describe(batch, at)));
  };
}
Lanes sorted(Lanes lanes) {
  for (auto& [lane, rows] : lanes) std::sort(rows.begin(), rows.end());
  return lanes;
}

struct Script {
  std::vector<OperatorStep> before;  ///< a whole epoch
  std::vector<OperatorStep> change;  ///< between that one and the one of changes
  std::vector<OperatorStep> after;   ///< behind the restore
};

void play_all(OperatorTasks& tasks, const std::vector<OperatorStep>& steps) {
  for (const OperatorStep& step : steps) tasks.play(step);
}

/// What is on the page, and what the engine weighs now and then.
void look_at_held(OperatorTasks& tasks) {
  auto* const holder = dynamic_cast<detail::HoldsAggregates*>(&tasks.task<detail::Operator>(0));
  if (holder == nullptr) return;
  std::unique_ptr<detail::HeldAggregates> weighed = detail::HeldAggregates::weighing();
  holder->add_held(weighed);
  EXPECT_GE(weighed->weight().accumulators, std::size_t{kKeys - kChanged});
  std::unique_ptr<detail::HeldAggregates> shown;
  holder->add_held(shown);
  EXPECT_GE(shown->all().size(), std::size_t{kKeys - kChanged});
}

/// The epoch of changes is as large as these, and three tasks that start from it do what one does
/// that never stopped. How many rows that is.
std::size_t expect_changes(const Subject& subject, const Script& script) {
  OperatorTasks whole(subject.make, subject.inputs, subject.show);
  whole.start(1);
  for (const auto* steps : {&script.before, &script.change, &script.after}) play_all(whole, *steps);
  OperatorTasks cut(subject.make, subject.inputs, subject.show);
  cut.start(1);
  play_all(cut, script.before);
  (void)cut.image();
  const std::uint64_t all = cut.image_bytes();
  play_all(cut, script.change);
  look_at_held(cut);
  const std::vector<StatePart> parts = cut.image();
  EXPECT_LT(cut.image_bytes(), all / 8) << "of " << all;
  cut.restore(parts, 3);
  play_all(cut, script.after);
  EXPECT_TRUE(cut.status().ok()) << cut.status().to_string();
  EXPECT_EQ(first_difference(sorted(whole.lanes()), sorted(cut.lanes())), "");
  std::size_t rows = 0;
  for (const auto& [lane, emitted] : whole.lanes()) rows += emitted.size();
  return rows;
}

template <class Op, class Row = Found, class... Args>
Subject of_two_inputs(Args... args) {
  return {[=] { return std::make_unique<Op>(args...); },
          {{&batch_type<Note>(), kKeyOf}, {&batch_type<Note>(), kKeyOf}},
          show_all<Row>()};
}

/// Records of both sides; of some keys another one comes, of some what there was is over.
TEST(ChainedOperators, JoinsOfIntervals) {
  using Op = detail::IntervalJoin<Note, NoteByKey, Note, NoteByKey, Found, Finding>;
  for (const JoinKind kind : {JoinKind::inner, JoinKind::full}) {
    const JoinInterval interval{.before = Duration(100), .after = Duration(100)};
    const Subject subject = of_two_inputs<Op>(interval, kind, kKeyOf, kKeyOf, Finding{kFind});
    const Script script{
        {notes(0, kThen, 0, kKeys), notes(0, kThen - 90, kKeys, kChanged), until(kThen - 20)},
        {notes(1, kThen + 20, 7, kChanged), until(kThen + 20)},
        {notes(1, kThen + 30, 0, kKeys, 2), notes(0, kThen + 40, 0, kKeys, 3), until(kTimeMax)}};
    const std::size_t pairs = 2 * kKeys + 3 * kChanged;
    EXPECT_GE(expect_changes(subject, script), kind == JoinKind::inner ? pairs - kChanged : pairs);
  }
}

TEST(ChainedOperators, JoinsOfWindows) {
  using Op = detail::WindowJoin<Note, NoteByKey, Note, NoteByKey, Found, Finding>;
  const Subject subject = of_two_inputs<Op>(tumbling(Duration(500)), Duration(0), JoinKind::full,
                                            kKeyOf, kKeyOf, Finding{kFind});
  const Script script{
      {notes(0, kThen, 0, kKeys), notes(1, kThen - 10, kKeys, kChanged), until(kThen - 5)},
      {notes(1, kThen + 20, 7, kChanged), until(kThen + 10)},  // fires those at kThen - 10
      {notes(1, kThen + 30, 0, kKeys, 2), until(kTimeMax)}};
  EXPECT_EQ(expect_changes(subject, script), kKeys + 2u * kChanged);
}

/// Rows that go on one side alone must not come back there.
TEST(ChainedOperators, JoinsOfTables) {
  using Row = Change<Found>;
  using Maker = detail::ChangeMaker<Finding>;
  using Op = detail::TableJoin<Note, NoteByKey, Note, NoteByKey, Row, Maker>;
  const Op::Rules rules{JoinKind::full, Duration(0), kGoes, kGoes};
  const Subject subject = of_two_inputs<Op, Row>(rules, kKeyOf, kKeyOf, Maker{{kFind}});
  const Script script{
      {notes(0, kThen, 0, kKeys), notes(1, kThen, 0, kKeys, 2), until(kThen + 1)},
      {notes(0, kThen + 5, 0, 20, -1), notes(0, kThen + 5, 20, 20, 3), until(kThen + 6)},
      {notes(1, kThen + 9, 0, kKeys, 4), until(kTimeMax)}};
  EXPECT_GT(expect_changes(subject, script), 2u * kKeys);
}

/// Records that only look a version up change nothing.
TEST(ChainedOperators, JoinsOfVersions) {
  using Op = detail::AsOfJoin<Note, NoteByKey, Note, NoteByKey, Found, Finding>;
  const Subject subject =
      of_two_inputs<Op>(AsOfBounds{}, JoinKind::left, kKeyOf, kKeyOf, Finding{kFind});
  const Script script{
      {notes(1, kThen, 0, kKeys), until(kThen + 1)},
      {notes(1, kThen + 5, 9, kChanged, 2), notes(0, kThen + 7, 0, kKeys), until(kThen + 8)},
      {notes(0, kThen + 9, 0, kKeys), until(kTimeMax)}};
  EXPECT_EQ(expect_changes(subject, script), 2u * kKeys);
}

/// The left rows name the right one of their number.
TEST(ChainedOperators, JoinsByReference) {
  using Row = Change<Found>;
  using Maker = detail::ChangeMaker<detail::ReferencePairs<Finding>>;
  const auto named =
      key_by<Change<Note>>([](const Change<Note>& one) { return one.record.number; });
  const auto right = key_by<Note>(&Note::number);
  using Named = std::decay_t<decltype(named->key())>;
  using Right = detail::KeyFn<Note, std::int64_t Note::*>;
  using Op = detail::ReferenceJoin<Note, NoteByKey, Named, Note, Right, Row, Maker>;
  const Op::Rules rules{JoinKind::left, kKeyOf};
  const auto change = [](Time time, std::int32_t first, std::int32_t keys, ChangeKind kind) {
    auto batch = std::make_shared<Batch<Change<Note>>>();
    for (std::int32_t key = first; key < first + keys; ++key) {
      batch->values.push_back({kind, {{time}, "a name that is not short", key, key / 2}});
      batch->times.push_back(time);
      batch->arrivals.push_back(detail::Arrival::at(1, 0, static_cast<std::uint64_t>(key)));
    }
    return OperatorStep{.kind = OperatorStep::Kind::batch, .input = 0, .batch = std::move(batch)};
  };
  const Subject subject{[=] { return std::make_unique<Op>(rules, named, right, Maker{{{kFind}}}); },
                        {{&batch_type<Change<Note>>(), named}, {&batch_type<Note>(), right}},
                        show_all<Row>()};
  std::vector<OperatorStep> rights;
  for (std::int64_t number = 0; number < 100; ++number)
    rights.push_back(notes(1, kThen + 9, 1, 1, number));
  rights.push_back(until(kTimeMax));
  const Script script{{change(kThen, 0, kKeys, ChangeKind::insert), until(kThen + 1)},
                      {change(kThen + 5, 10, 21, ChangeKind::erase), notes(1, kThen + 6, 1, 1, 40),
                       until(kThen + 7)},
                      rights};
  EXPECT_GT(expect_changes(subject, script), std::size_t{kKeys});
}

struct Path {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

/// Of some keys the first record is there, of some the second, too, and some are over.
TEST(ChainedOperators, PartialMatches) {
  const auto is = [](std::int64_t number) {
    return [number](const Note& note) { return note.number == number; };
  };
  const auto compiled = pattern<Note>("a")
                            .where(is(1))
                            .followed_by("b")
                            .where(is(2))
                            .followed_by("c")
                            .where(is(3))
                            .within(Duration(100))
                            .compile();
  ASSERT_TRUE(compiled);
  const auto row = [](const Match<Note>& match) {
    return Path{match.at(0).record.key, match.at(match.size() - 1).record.number};
  };
  using Paths = detail::RowOfMatch<decltype(row)>;
  using Op = detail::PatternMatch<Note, NoteByKey, Path, Paths, Path, Paths>;
  const Subject subject{
      [=] { return std::make_unique<Op>(kKeyOf, *compiled, Paths{row}, Paths{row}); },
      {{&batch_type<Note>(), kKeyOf}},
      show_all<Path>()};
  const Script script{
      {notes(0, kThen - 90, kKeys, kChanged), notes(0, kThen, 0, kKeys), until(kThen + 5)},
      {notes(0, kThen + 10, 7, kChanged, 2), until(kThen + 20)},
      {notes(0, kThen + 30, 0, kKeys, 3), notes(0, kThen + 40, 0, kKeys, 2),
       notes(0, kThen + 50, 0, kKeys, 3), until(kTimeMax)}};
  EXPECT_EQ(expect_changes(subject, script), kKeys + std::size_t{kChanged});
}

/// What holds memory of its own is weighed.
auto list_kernel() { return list(&Note::name, 5).kernel<Note>(); }
using Lists = decltype(list_kernel());
template <class Kernel>
using KeptRow = millrace::Aggregate<std::int32_t, typename Kernel::Value>;
template <class Op, class Row, class... Args>
Subject of_lists(const Args&... args) {
  return {[=] { return std::make_unique<Op>(args..., kKeyOf, list_kernel()); },
          {{&batch_type<Note>(), kKeyOf}},
          show_all<Row>()};
}
/// Sessions that grow, and some that are over.
Script sessions_of_notes() {
  return {{notes(0, kThen - 90, kKeys, kChanged), notes(0, kThen, 0, kKeys), until(kThen - 20)},
          {notes(0, kThen + 20, 7, kChanged), until(kThen + 20)},
          {notes(0, kThen + 30, 0, kKeys, 2), until(kTimeMax)}};
}

TEST(ChainedOperators, Sessions) {
  using Op = detail::SessionAggregate<Note, NoteByKey, Lists, Duration>;
  const Subject subject = of_lists<Op, KeptRow<Lists>>(session(Duration(100)));
  EXPECT_EQ(expect_changes(subject, sessions_of_notes()), kKeys + std::size_t{kChanged});
}

/// Those that are over are held for late records.
TEST(ChainedOperators, SessionsThatEmitAgain) {
  using Op = detail::RefiringSessionAggregate<Note, NoteByKey, Lists, Duration, false>;
  using Row = WindowUpdate<std::int32_t, Lists::Value>;
  const Subject subject = of_lists<Op, Row>(session(Duration(100)).allowed_lateness(Duration(50)));
  EXPECT_EQ(expect_changes(subject, sessions_of_notes()), kKeys + std::size_t{kChanged});
}

/// Of some keys the second of three records has come.
TEST(ChainedOperators, WindowsByRecords) {
  using Op = detail::RecordAggregate<Note, NoteByKey, Lists, CountWindows>;
  const Subject subject = of_lists<Op, KeptRow<Lists>>(count_window(3));
  const Script script{
      {notes(0, kThen, 0, kKeys), until(kThen + 5)},
      {notes(0, kThen + 10, 7, kChanged, 2), until(kThen + 20)},
      {notes(0, kThen + 30, 0, kKeys, 3), notes(0, kThen + 40, 0, kKeys, 4), until(kTimeMax)}};
  EXPECT_EQ(expect_changes(subject, script), std::size_t{kKeys});
}

TEST(ChainedOperators, GroupedRows) {
  using Turn = detail::RowTurn<Note>;
  const auto by_key =
      key_by<Turn>([](const Turn& turn) { return turn.comes ? turn.now.key : turn.before.key; });
  using Key = std::decay_t<decltype(by_key->key())>;
  const auto of_rows = sum(&Note::number).kernel<Note>();
  using OfRows = std::decay_t<decltype(of_rows)>;
  using Kernel = detail::TurnKernel<Note, OfRows>;
  const Kernel kernel{detail::Retracting<OfRows>{of_rows}};
  using Op = detail::GroupedRows<Turn, Key, Kernel>;
  const auto turns = [](std::int32_t first, std::int32_t keys, bool goes, bool comes) {
    auto batch = std::make_shared<Batch<Turn>>();
    for (std::int32_t key = first; key < first + keys; ++key) {
      const Note was{{kThen}, "was", key, 3};
      const Note is{{kThen}, "is", key, goes ? 5 : 3};
      batch->values.push_back({goes, comes, was, is});
      batch->times.push_back(kThen);
    }
    return OperatorStep{.kind = OperatorStep::Kind::batch, .input = 0, .batch = std::move(batch)};
  };
  const Subject subject{[=] { return std::make_unique<Op>(by_key, kernel); },
                        {{&batch_type<Turn>(), by_key}},
                        show_all<Op::Row>()};
  const Script script{{turns(0, kKeys, false, true)},
                      {turns(0, kChanged, true, false), turns(100, kChanged, true, true)},
                      {turns(0, kKeys, false, true)}};
  EXPECT_EQ(expect_changes(subject, script), 3u * kKeys + 2u * kChanged);
}

}  // namespace
}  // namespace millrace::property
