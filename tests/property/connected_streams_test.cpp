// Connected streams by event time give what a naive look over both inputs gives, whatever the
// schedule; and cut at random places, in other tasks, they go on as if nothing had happened.
#include "join_input.hpp"
#include "operator/connected_process.hpp"
#include "operator_cuts.hpp"

namespace millrace::property {
namespace {

/// A record of the other stream.
struct Deed {
  std::int64_t time = 0;
  std::int32_t key = 0;
  std::int64_t number = 0;
};
struct Seen {
  std::int32_t key = 0;
  Time time = 0;
  std::int64_t sum = 0;
  std::int32_t by = 0;  ///< 0, 1: of that input; 2: a timer
};
std::string text_of(const Seen& seen) {
  return fmt::format("{}: {} {} by {}", seen.key, seen.time, seen.sum, seen.by);
}

/// What both sides and the timers do to the sum of a key: no two of them in another order give the
/// same. The model and the class under test share nothing else.
std::int64_t after_event(std::int64_t sum, std::int64_t number) { return sum * 3 + number; }
std::int64_t after_deed(std::int64_t sum, std::int64_t number) { return (sum ^ 0x5a) - number; }
std::int64_t after_timer(std::int64_t sum, Time time) { return sum * 5 + time; }
std::int64_t bounded(std::int64_t sum) { return sum % 1'000'003; }

using Context = KeyedContext<std::int32_t>;
struct Adding {
  ValueState<std::int64_t> sum;

  void process(const Event& event, Context& context, Output<Seen>& out) {
    sum.set(bounded(after_event(sum.value_or(0), event.number)));
    if (event.number % 3 == 0) context.timers().at(event.time + event.number % 40);
    out.emit({event.key, context.time(), *sum, 0});
  }
  void process(const Deed& deed, Context& context, Output<Seen>& out) {
    sum.set(bounded(after_deed(sum.value_or(0), deed.number)));
    out.emit({deed.key, context.time(), *sum, 1});
    if (deed.number % 7 == 0) throw std::runtime_error("no trace of it");
  }
  void on_timer(Time time, Context& context, Output<Seen>& out) {
    sum.set(bounded(after_timer(sum.value_or(0), time)));
    out.emit({context.key(), time, *sum, 2});
    if (*sum % 4 == 0) context.timers().at(time + 5);
  }
};

struct ConnectCase {
  Input left, right;
};
ConnectCase draw_case(std::uint64_t seed) {
  Random random(seed ^ 0x404);
  ConnectCase drawn{draw_input(random), draw_input(random)};
  for (auto& partition : drawn.right.partitions) {  // many equal times on both sides
    for (Event& event : partition) {
      const auto& lefts = drawn.left.partitions[random.below(drawn.left.partitions.size())];
      if (!lefts.empty() && random.chance(0.5)) event.time = lefts[random.below(lefts.size())].time;
    }
  }
  return drawn;
}

void declare(const ConnectCase& drawn, Topology& topology, Rows& rows) {
  const auto left = declare_input(topology, drawn.left);
  const auto right = declare_input(topology, drawn.right).map([](const Event& event) {
    return Deed{event.time, event.key, event.number};
  });
  left.key_by(&Event::key)
      .connect(right.key_by(&Deed::key))
      .by_event_time()
      .process(Adding{})
      .to(collect_text(rows, "seen"));
}

struct ConnectHits {
  std::uint64_t late = 0, equal_times = 0, timers = 0, thrown = 0;
};

/// One key: its sum and the timers that are pending.
struct NaiveKey {
  std::int64_t sum = 0;
  std::set<Time> timers;

  void fire_before(Time time, std::int32_t key, std::vector<OutRow>& rows, ConnectHits& hits) {
    while (!timers.empty() && *timers.begin() < time) {
      const Time due = *timers.begin();
      timers.erase(timers.begin());
      sum = bounded(after_timer(sum, due));
      rows.push_back({text_of(Seen{key, due, sum, 2}), 0});
      if (sum % 4 == 0) timers.insert(due + 5);
      ++hits.timers;
    }
  }
};

Rows model(const ConnectCase& drawn, ConnectHits& hits) {
  struct One {
    Time stands;  ///< of late ones where the watermark was
    int side;
    detail::Arrival place;
    ModelRecord record;
  };
  std::vector<One> all;
  for (const int side : {0, 1}) {
    // Each input is declared as a source and its event_time.
    for (const ModelRecord& record :
         model_records(side == 0 ? drawn.left : drawn.right, side == 0 ? 0 : 2)) {
      const bool late = record.watermark && record.time < *record.watermark;
      hits.late += late;
      all.push_back({late ? *record.watermark : record.time, side, record.arrival, record});
    }
  }
  std::sort(all.begin(), all.end(), [](const One& a, const One& b) {
    return std::tie(a.stands, a.side, a.place) < std::tie(b.stands, b.side, b.place);
  });
  for (std::size_t at = 1; at < all.size(); ++at)
    hits.equal_times += all[at].stands == all[at - 1].stands && all[at].side != all[at - 1].side;
  Rows rows;
  std::vector<OutRow>& seen = rows["seen"];
  std::map<std::int32_t, NaiveKey> keys;
  for (const One& one : all) {
    NaiveKey& key = keys[one.record.key];
    key.fire_before(one.stands, one.record.key, seen, hits);
    if (one.side == 0) {
      key.sum = bounded(after_event(key.sum, one.record.number));
      if (one.record.number % 3 == 0)
        key.timers.insert(std::max(one.stands, one.record.time + one.record.number % 40));
    } else if (one.record.number % 7 == 0) {
      ++hits.thrown;
      continue;
    } else {
      key.sum = bounded(after_deed(key.sum, one.record.number));
    }
    seen.push_back({text_of(Seen{one.record.key, one.record.time, key.sum, one.side}), 0});
  }
  for (auto& [number, key] : keys) key.fire_before(kTimeMax, number, seen, hits);
  std::sort(seen.begin(), seen.end());
  return rows;
}

TEST(ScheduleDoesNotMatter, ConnectedStreamsEqualTheModel) {
  ConnectHits hits;
  for_each_seed([&](std::uint64_t seed) {
    const ConnectCase drawn = draw_case(seed);
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, topology, rows); },
        model(drawn, hits));
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GT(hits.late, 200u);
  EXPECT_GT(hits.equal_times, 100u);
  EXPECT_GT(hits.timers, 1'000u);
  EXPECT_GT(hits.thrown, 100u);
}

/// The same of notes and of texts, whose bytes lie in their batches.
struct Word {
  std::int64_t time = 0;
  std::int32_t key = 0;
  std::string_view text;
};
struct Told {
  std::int32_t key = 0;
  std::string_view text;
  std::int64_t sum = 0;
};
struct Telling {
  ValueState<std::int64_t> sum;
  ValueState<std::string> last;

  void process(const Note& note, Context& context, Output<Told>& out) {
    sum.set(bounded(after_event(sum.value_or(0), note.number)));
    if (note.number % 3 == 0) context.timers().at(note.time.micros + 25);
    out.emit({note.key, out.intern(last.value_or("")), *sum});
  }
  void process(const Word& word, Context& context, Output<Told>& out) {
    sum.set(bounded(after_deed(sum.value_or(0), std::int64_t(word.text.size()))));
    last.set(std::string(word.text));
    if (word.text.size() % 2 == 0) context.timers().at(word.time + 10);
    out.emit({word.key, word.text, *sum});
  }
  void on_timer(Time time, Context& context, Output<Told>& out) {
    sum.set(bounded(after_timer(sum.value_or(0), time)));
    out.emit({context.key(), out.intern(last.value_or("")), *sum});
  }
};

using WordByKey = detail::KeyFn<Word, std::int32_t Word::*>;
using Traits = detail::ConnectedTraits<Telling, std::int32_t, Note, Word>;
using Op = detail::ConnectedProcess<detail::ProcessorCaller<std::int32_t, Telling, Traits>,
                                    detail::KeyedInput<Note, NoteByKey>,
                                    detail::KeyedInput<Word, WordByKey>>;

Subject telling(bool by_time) {
  const auto notes = key_by<Note>(&Note::key);
  const auto words = key_by<Word>(&Word::key);
  return {[=] { return std::make_unique<Op>(by_time, std::tuple(notes, words), Telling{}); },
          {{&batch_type<Note>(), notes}, {&batch_type<Word>(), words}},
          show_by<Told>([](const Told& told) { return told.key; })};
}
std::vector<OperatorStep> notes_and_words(Draw& draw) {
  std::vector<OperatorStep> steps;
  while (steps.size() < 60) {
    const std::uint64_t what = draw.random().below(10);
    if (what < 4) {
      steps.push_back(draw.batch<Note>(0, [&](Time time) { return draw.note(time); }));
    } else if (what < 7) {
      steps.push_back(draw.batch<Word>(1, [&](Time time) {
        const Note note = draw.note(time);
        return Word{time, note.key, note.name};
      }));
    } else {
      steps.push_back(draw.watermark());
    }
  }
  steps.push_back({.kind = OperatorStep::Kind::watermark, .watermark = kTimeMax});
  return steps;
}

TEST(ConnectedCuts, OfStreamsByEventTimeGoOn) {
  EXPECT_GT(compare(telling(true), notes_and_words), 100u) << "cut while records are held";
}

/// Of one input alone, what waits for timers keeps its order over a cut.
TEST(ConnectedCuts, OfStreamsAsTheyComeGoOn) {
  EXPECT_GT(compare(telling(false),
                    [](Draw& draw) {
                      std::vector<OperatorStep> steps = notes_and_words(draw);
                      std::erase_if(steps, [](const OperatorStep& step) {
                        return step.kind == OperatorStep::Kind::batch && step.input == 0;
                      });
                      return steps;
                    }),
            20u);
}

}  // namespace
}  // namespace millrace::property
