// Operators that are cut at random places: what they keep is saved, and others, as many or not, go
// on with it as if nothing had been.
#include "millrace/millrace.hpp"
#include "note_rows.hpp"
#include "operator/row_fields.hpp"
#include "operator/row_picks.hpp"
#include "operator_cuts.hpp"

namespace millrace::property {
namespace {

struct Rule {
  Timestamp time;
  std::int32_t of = 0;
  std::string text;
};
struct Shown {
  std::string key;
  std::string text;
};

// ---- classes with states and timers

struct Spread {
  std::int64_t least = 0;
  std::int64_t greatest = 0;
  std::vector<std::int64_t> last;
};
struct SpreadOf {
  Spread init() const { return {}; }
  void add(Spread& acc, const Note& note) const {
    acc.least = std::min(acc.least, note.number);
    acc.greatest = std::max(acc.greatest, note.number);
    acc.last.push_back(note.number);
    if (acc.last.size() > 3) acc.last.erase(acc.last.begin());
  }
  std::int64_t result(const Spread& acc) const {
    std::int64_t sum = acc.greatest - acc.least;
    for (const std::int64_t one : acc.last) sum = sum * 31 + one;
    return sum;
  }
};

/// Every kind of state, by both clocks, and timers of both.
struct EveryKind {
  ValueState<std::string> value;
  ListState<std::int64_t> list{{.ttl = Duration(48)}};
  MapState<std::int32_t, std::string> map{{.ttl = Duration(64), .renewed = TtlRenewal::on_access}};
  ReducingState<std::int64_t> sum{{.ttl = Duration(500), .ttl_in = TimeKind::processing}};
  AggregatingState<SpreadOf> spread;
  TtlListState<std::int64_t> recent{{.ttl = Duration(32)}};
  TtlMapState<std::int32_t, std::int64_t> fading{{.ttl = Duration(40)}};

  using Context = KeyedContext<std::string_view>;

  void process(const Note& note, Context& context, Output<Shown>& out) {
    if (note.number % 2 == 0) list.add(note.number);
    if (note.number % 3 == 0) map.set(note.key, std::string(note.name) + "-of-some-length");
    if (note.number % 5 == 0) value.set(fmt::format("value of {}", note.number));
    if (note.number % 7 == 0) value.clear();
    if (note.number % 4 == 1) sum.add(note.number);
    if (note.number % 4 == 2) spread.add(note);
    if (note.number % 11 == 3) spread.clear();
    if (note.number % 3 == 1) recent.add(note.number);
    if (note.number % 3 == 2) fading.set(note.key, note.number);
    if (note.number % 8 == 3) context.timers().at(note.time.micros + note.number);
    if (note.number % 8 == 5) context.timers().remove(note.time.micros + note.number - 1);
    if (note.number % 16 == 7) context.timers().clock_after(Duration(note.number * 10));
    if (note.number == 63) throw std::runtime_error("as asked");
    show(fmt::format("record {} of {} ", note.number, note.time.micros), context, out);
  }
  void on_timer(Time time, Context& context, Output<Shown>& out) {
    list.erase_first(1);
    if (sum.value_or(0) % 2 == 1 && !context.at_end()) context.timers().at(time + 17);
    show(fmt::format("timer {} ", time), context, out);
  }
  void on_clock(Time time, Context& context, Output<Shown>& out) {
    map.clear();
    out.emit({std::string(context.key()), fmt::format("clock {}", time)});
  }
  void show(std::string text, Context& context, Output<Shown>& out) {
    text += fmt::format("[{}] {}", context.watermark(), value.value_or("none"));
    for (const std::int64_t one : list.all()) text += fmt::format(" {}", one);
    for (const auto& [key, entry] : map.all()) text += fmt::format(" {}={}", key, entry);
    text += fmt::format(" sum {} spread {}", sum.value_or(-1), spread.result());
    for (const std::int64_t one : recent.all()) text += fmt::format(" {}", one);
    for (const auto& [key, entry] : fading.all()) text += fmt::format(" {}={}", key, entry);
    out.emit({std::string(context.key()), std::move(text)});
  }
};

/// Rows of timers of the clock have the time of the newest record of their task: no lane has it.
OperatorTasks::Show show_texts() {
  return [](std::uint32_t, const detail::BatchBase& base, std::size_t at) {
    const Shown& row = static_cast<const Batch<Shown>&>(base).values[at];
    return std::pair(row.key, row.text);
  };
}

TEST(StoredOperators, StatesTimersAndWaitingRecordsGoOn) {
  const auto key = key_by<Note>(&Note::name);
  using Op = detail::KeyedProcess<Note, NoteByName, EveryKind>;
  const Subject subject{[key] { return std::make_unique<Op>(key, EveryKind{}); },
                        {{&batch_type<Note>(), key}},
                        show_texts()};
  EXPECT_GT(compare(subject, [](Draw& draw) { return draw.notes(120); }), 0u);
}

TEST(StoredOperators, CountTheEntriesAndTheirMemory) {
  const auto key = key_by<Note>(&Note::name);
  using Op = detail::KeyedProcess<Note, NoteByName, EveryKind>;
  OperatorTasks tasks([key] { return std::make_unique<Op>(key, EveryKind{}); },
                      {{&batch_type<Note>(), key}}, show_texts());
  Draw draw(5);
  tasks.start(1);
  std::vector<OperatorStep> steps = draw.notes(60);
  steps.pop_back();
  for (const OperatorStep& step : steps) tasks.play(step);
  const auto entries = [&] {
    std::vector<std::uint64_t> all(7);
    for (std::size_t at = 0; at < tasks.size(); ++at) {
      EveryKind& its = tasks.task<Op>(at).processor();
      const std::array<std::uint64_t, 7> one = {
          its.value.entries(),  its.list.entries(),   its.map.entries(),   its.sum.entries(),
          its.spread.entries(), its.recent.entries(), its.fading.entries()};
      for (std::size_t state = 0; state < all.size(); ++state) all[state] += one[state];
    }
    return all;
  };
  const auto before = entries();
  const std::uint64_t bytes = tasks.state_bytes();
  const std::vector<StatePart> image = tasks.image();
  tasks.restore(image, 1);
  EXPECT_EQ(entries(), before);
  EXPECT_GT(before[0], 0u);
  EXPECT_GT(tasks.state_bytes(), bytes / 2);
  EXPECT_LT(tasks.state_bytes(), bytes * 2);
  tasks.restore(image, 3);
  EXPECT_EQ(entries(), before);
}

template <class P, class T = Note>
Subject keyed(P processor) {
  const auto key = key_by<Note>(&Note::key);
  using Op = detail::KeyedProcess<Note, NoteByKey, P>;
  return {[key, processor] { return std::make_unique<Op>(key, processor); },
          {{&batch_type<Note>(), key}},
          show_by<T>([](const T& row) {
            if constexpr (requires { row.record; }) {
              return row.record.key;
            } else {
              return row.key;
            }
          })};
}
auto some_notes() {
  return [](Draw& draw) { return draw.notes(100); };
}

TEST(StoredOperators, PicksGoOn) {
  using K = std::int32_t;
  using State = detail::HeldRecord<Note>::State;
  compare(
      keyed(detail::KeepFirst<Note, K>{ValueState<bool>{{.ttl = Duration(50), .name = "kept"}}}),
      some_notes());
  compare(keyed(detail::KeepLast<Note, K>{60, ValueState<State>{{.name = "last"}},
                                          ValueState<Time>{{.name = "seen"}}}),
          some_notes());
  compare(keyed(detail::Throttle<Note, K>{
              2, 70, ListState<Time>{{.ttl = Duration(70), .name = "passed"}}}),
          some_notes());
  compare(keyed(detail::KeepSample<Note, K>{40}), some_notes());
}

TEST(StoredOperators, RunningRankingsGoOn) {
  using K = std::int32_t;
  using Score = std::int64_t Note::*;
  using Item = std::string_view Note::*;
  using Each = detail::RunningTop<Note, K, Score, detail::EachRecord>;
  using Items = detail::RunningTop<Note, K, Score, Item>;
  compare(keyed<Each, RankedRecord<Note>>(Each{3, &Note::number, {}}), some_notes());
  compare(keyed<Items, RankedRecord<Note>>(Items{3, &Note::number, &Note::name}), some_notes());
}

// ---- rows

std::vector<OperatorStep> rows_of(Draw& draw) {
  const auto schema =
      std::make_shared<const RowSchema>(std::vector<ColumnInfo>{{"key", ColumnType::integer},
                                                                {"name", ColumnType::text, true},
                                                                {"big", ColumnType::boolean},
                                                                {"half", ColumnType::real}});
  const auto put = [](detail::RowColumns& rows, std::size_t at, const Note& note) {
    rows.column(0).put_integer(at, note.key);
    if (note.name.empty()) {
      rows.column(1).put_null(at);
    } else {
      rows.column(1).put_text(at, note.name);
    }
    rows.column(2).put_boolean(at, note.number > 32);
    rows.column(3).put_real(at, static_cast<double>(note.number) / 2);
  };
  return notes_as_rows(draw.notes(80), schema, put);
}
OperatorTasks::Show show_rows() {
  return show_rows_by([](const RowRef& row) { return std::to_string(row.integer(0)); });
}
template <class P>
Subject keyed_rows(P processor) {
  using Key = detail::KeyFn<RowRef, detail::IntegerField>;
  const auto key =
      std::make_shared<const detail::TypedKeyHash<RowRef, Key>>(Key(detail::IntegerField{0}));
  using Op = detail::KeyedProcess<RowRef, Key, P>;
  return {[key, processor] { return std::make_unique<Op>(key, processor); },
          {{&batch_type<RowRef>(), key}},
          show_rows()};
}

TEST(StoredOperators, PicksOfRowsGoOn) {
  using K = std::int64_t;
  compare(keyed_rows(detail::KeepLast<RowRef, K>{60, ValueState<std::string>{{.name = "last"}},
                                                 ValueState<Time>{{.name = "seen"}}}),
          rows_of);
  compare(keyed_rows(detail::KeepSample<RowRef, K>{40}), rows_of);
}

// ---- order

TEST(StoredOperators, RecordsThatWaitForTheirOrderGoOn) {
  const auto key = key_by<Note>(&Note::key);
  const auto lane = [](const Note& note) { return note.key; };
  const Subject by_key{[key] { return std::make_unique<detail::OrderRestore<Note>>(key); },
                       {{&batch_type<Note>(), key}},
                       show_by<Note>(lane)};
  EXPECT_GT(compare(by_key, some_notes()), 0u);
  const Subject of_all{[] { return std::make_unique<detail::OrderRestore<Note>>(nullptr); },
                       {{&batch_type<Note>()}},
                       show_by<Note>([](const Note&) { return 0; })};
  EXPECT_GT(compare(of_all, some_notes(), true), 0u);
  const Subject of_rows{[] { return std::make_unique<detail::OrderRestore<RowRef>>(nullptr); },
                        {{&batch_type<RowRef>()}},
                        show_rows()};
  EXPECT_GT(compare(of_rows, rows_of, true), 0u);
}

// ---- broadcast

struct ByRules {
  BroadcastState<std::int32_t, std::string> rules;
  ValueState<std::int64_t> count;

  using Context = KeyedContext<std::int32_t>;
  void process(const Note& note, Context& context, Output<Shown>& out) {
    count.set(count.value_or(0) + 1);
    if (note.number % 8 == 1) context.timers().at(note.time.micros + note.number);
    show("record", context, out);
  }
  void on_timer(Time, Context& context, Output<Shown>& out) { show("timer", context, out); }
  void on_broadcast(const Rule& rule, BroadcastContext&, Output<Shown>&) {
    if (rule.text.empty()) {
      rules.erase(rule.of);
    } else {
      rules.set(rule.of, rule.text);
    }
  }
  void show(std::string text, Context& context, Output<Shown>& out) {
    text += fmt::format(" {} count {}", context.time(), count.value_or(0));
    for (const auto& [of, rule] : rules.all()) text += fmt::format(" {}:{}", of, rule);
    out.emit({std::to_string(context.key()), std::move(text)});
  }
};
struct UnkeyedByRules {
  BroadcastState<std::int32_t, std::string> rules;
  void process(const Note& note, Output<Shown>& out) {
    std::string text = fmt::format("{} {}", note.number, note.time.micros);
    for (const auto& [of, rule] : rules.all()) text += fmt::format(" {}:{}", of, rule);
    out.emit({"all", std::move(text)});
  }
  void on_broadcast(const Rule& rule, BroadcastContext&, Output<Shown>&) {
    rules.set(rule.of, rule.text);
  }
};

std::vector<OperatorStep> notes_and_rules(Draw& draw) {
  std::vector<OperatorStep> steps;
  while (steps.size() < 100) {
    const std::uint64_t what = draw.random().below(10);
    if (what < 6) {
      steps.push_back(draw.batch<Note>(0, [&](Time time) { return draw.note(time); }));
    } else if (what < 8) {
      steps.push_back(draw.batch<Rule>(1, [&](Time time) {
        return Rule{{time},
                    static_cast<std::int32_t>(draw.random().below(4)),
                    std::string(draw.random().below(4), 'r')};
      }));
    } else {
      steps.push_back(draw.watermark());
    }
  }
  steps.push_back({.kind = OperatorStep::Kind::watermark, .watermark = kTimeMax});
  return steps;
}

TEST(StoredOperators, BroadcastStatesAndWhatIsHeldByThemGoOn) {
  const auto key = key_by<Note>(&Note::key);
  for (const BroadcastOrder order : {as_it_comes, by_event_time}) {
    using Op =
        detail::BroadcastProcess<Note, detail::KeyedProcess<Note, NoteByKey, ByRules>, ByRules>;
    const Subject subject{
        [key, order] { return std::make_unique<Op>(order, key, ByRules{}); },
        {{&batch_type<Note>(), key}, {.type = &batch_type<Rule>(), .to_all = true}},
        show_texts()};
    EXPECT_GT(compare(subject, notes_and_rules), 0u);
    using Unkeyed =
        detail::BroadcastProcess<Note, detail::UnkeyedProcess<Note, Shown, UnkeyedByRules>,
                                 UnkeyedByRules>;
    const Subject unkeyed{[order] { return std::make_unique<Unkeyed>(order, UnkeyedByRules{}); },
                          {{&batch_type<Note>()}, {.type = &batch_type<Rule>(), .to_all = true}},
                          show_texts()};
    compare(unkeyed, notes_and_rules, true);
  }
}

}  // namespace
}  // namespace millrace::property
