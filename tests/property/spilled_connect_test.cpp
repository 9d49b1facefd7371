// Promise: what connected streams keep of keys may lie on disk, as that of one stream may.
#include "millrace/millrace.hpp"
#include "spill_harness.hpp"

namespace millrace::property {
namespace {

/// A note of the second stream.
struct Reply {
  Timestamp time;
  std::string_view name;
  std::int64_t number = 0;
};
struct Balance {
  std::string_view name;
  std::int64_t open = 0;
  std::int64_t replies = 0;
};

struct Balances {
  ValueState<std::int64_t> open{{.name = "open"}};
  ListState<std::int64_t> replies{{.name = "replies"}};
  using Context = KeyedContext<std::string_view>;

  void process(const Note& note, Context& context, Output<Balance>& out) {
    open.set(open.value_or(0) + note.number);
    if (note.number % 5 == 0) context.timers().at(note.time + 100us);
    tell(context, out);
  }
  void process(const Reply& reply, Context& context, Output<Balance>& out) {
    replies.add(reply.number);
    tell(context, out);
  }
  void on_timer(Time, Context& context, Output<Balance>& out) {
    open.clear();
    replies.erase_first(2);
    tell(context, out);
  }
  void tell(Context& context, Output<Balance>& out) {
    std::int64_t sum = 0;
    for (const std::int64_t one : replies.all()) sum = sum * 3 + one;
    out.emit({context.key(), open.value_or(-1), sum});
  }
};

using ReplyByName = detail::KeyFn<Reply, std::string_view Reply::*>;

Subject connected() {
  using K = std::string_view;
  using Traits = detail::ConnectedTraits<Balances, K, Note, Reply>;
  using Op = detail::ConnectedProcess<detail::ProcessorCaller<K, Balances, Traits>,
                                      detail::KeyedInput<Note, NoteByName>,
                                      detail::KeyedInput<Reply, ReplyByName>>;
  const auto notes = key_by<Note>(&Note::name);
  const auto replies = key_by<Reply>(&Reply::name);
  return {[=] { return std::make_unique<Op>(true, std::tuple(notes, replies), Balances{}); },
          {{&batch_type<Note>(), notes}, {&batch_type<Reply>(), replies}},
          show_by<Balance>([](const Balance& row) { return row.name; }),
          true};
}
std::vector<OperatorStep> two_streams(Draw& draw) {
  std::vector<OperatorStep> steps;
  while (steps.size() < 60) {
    const std::uint64_t what = draw.random().below(10);
    const auto note = [&](Time time) { return note_of_many(draw.random(), time); };
    if (what < 4) {
      steps.push_back(draw.batch<Note>(0, note));
    } else if (what < 8) {
      steps.push_back(draw.batch<Reply>(1, [&](Time time) {
        const Note made = note(time);
        return Reply{made.time, made.name, made.number};
      }));
    } else {
      steps.push_back(draw.watermark());
    }
  }
  steps.push_back({.kind = OperatorStep::Kind::watermark, .watermark = kTimeMax});
  return steps;
}

/// Sums, and what the rules of the time say.
struct Ruled {
  BroadcastState<std::int64_t, std::int64_t> rules;
  ValueState<std::int64_t> sum{{.name = "sum"}};
  using Context = KeyedContext<std::string_view>;

  void process(const Note& note, Context& context, Output<Balance>& out) {
    std::int64_t all = 0;
    for (const auto& [of, rule] : rules) all = all * 3 + rule;
    sum.set(sum.value_or(0) + note.number);
    out.emit({context.key(), *sum, all});
  }
  void on_broadcast(const Reply& rule, BroadcastContext&, Output<Balance>&) {
    rules.set(rule.number % 4, rule.number);
  }
};

TEST(SpilledConnect, WithRulesForAll) {
  using Op = detail::BroadcastProcess<Note, detail::KeyedProcess<Note, NoteByName, Ruled>, Ruled>;
  const auto notes = key_by<Note>(&Note::name);
  const Subject subject{[=] { return std::make_unique<Op>(by_event_time, notes, Ruled{}); },
                        {{&batch_type<Note>(), notes}, {&batch_type<Reply>(), nullptr, true}},
                        show_by<Balance>([](const Balance& row) { return row.name; }),
                        true};
  compare_spilled(subject, two_streams);
}

TEST(SpilledConnect, ByEventTime) { compare_spilled(connected(), two_streams); }

}  // namespace
}  // namespace millrace::property
