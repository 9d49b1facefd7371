// The whole engine over a simulated clock, disk and scheduler: journals, epochs and operators in
// lives that are cut off, lose the power or meet calls that fail, each with other numbers of tasks.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint_store.hpp"
#include "env/sim_env.hpp"
#include "journal/journal.hpp"
#include "millrace/journal_ends.hpp"
#include "millrace/millrace.hpp"
#include "schedule_run.hpp"

namespace millrace::detail {
namespace {

struct Event {
  std::string_view key;
  std::int64_t number = 0;
  std::int64_t value = 0;
  Timestamp at;
};
struct Line {
  std::string text;
};
/// How often a line was seen, by topic and text.
using Seen = std::map<std::string, std::map<std::string, int>>;

constexpr std::uint64_t kEvents = 400;
const std::vector<std::string> kTopics = {"sums",  "windows",  "order", "pairs",
                                          "table", "patterns", "calls"};

Event event_of(std::uint64_t index) {
  static constexpr std::string_view kKeys[] = {"a", "b", "c", "d", "e"};
  Random random(index * 7919 + 3);
  const auto number = static_cast<std::int64_t>(index);
  return {kKeys[random.below(5)],
          number,
          static_cast<std::int64_t>(random.below(200)) - 100,
          {number * 10 - static_cast<Time>(random.below(40))}};
}

template <class... Parts>
Line line_of(const Parts&... parts) {
  std::string text;
  ((text += (text.empty() ? "" : " ") + fmt::format("{}", parts)), ...);
  return {std::move(text)};
}

void end_in(const Stream<Line>& lines, const std::string& topic) {
  lines.to(journal("d/out", topic, {.partitions = 2})).named(topic + " end");
}

void declare_tables(const KeyedStream<Event, KeyFn<Event, std::string_view Event::*>>& keyed) {
  end_in(keyed.table()
             .group_by([](const Event& event) { return event.value > 0; })
             .sum(&Event::value)
             .named("groups")
             .map([](const auto& change) {
               return line_of(static_cast<int>(change.kind), change.record.key,
                              change.record.value);
             }),
         "table");
  end_in(keyed
             .match(pattern<Event>("up")
                        .where([](const Event& event) { return event.value > 50; })
                        .followed_by("down")
                        .where([](const Event& event) { return event.value < -50; })
                        .within(Duration(300)))
             .select([](const Match<Event>& match) {
               return line_of(match["up"].number, match["down"].number);
             })
             .named("matches"),
         "patterns");
}

void declare(Topology& topology, std::uint32_t readers) {
  const auto events =
      topology
          .from(journal<Event>(
              "d/in", "t",
              {.follow = false, .tasks = readers, .time_unit = TimeUnit::microseconds}))
          .named("events")
          .event_time(&Event::at, {.out_of_order = Duration(40)})
          .named("times");
  const auto keyed = events.key_by(&Event::key);
  end_in(keyed.sum(&Event::value).named("sums").map([](const auto& row) {
    return line_of(row.key, row.value);
  }),
         "sums");
  end_in(keyed.window(sliding(Duration(200), Duration(100)))
             .sum(&Event::value)
             .named("windows")
             .map([](const auto& row) { return line_of(row.key, row.window_start, row.value); }),
         "windows");
  end_in(keyed.restore_order().named("order").map(
             [](const Event& event) { return line_of(event.key, event.number); }),
         "order");
  end_in(keyed.join(keyed)
             .within(Duration(20), Duration(30))
             .full([](const Event* left, const Event* right) {
               return line_of(left ? left->number : -1, right ? right->number : -1);
             })
             .named("pairs"),
         "pairs");
  declare_tables(keyed);
  end_in(events
             .call([](const Event& event) { return line_of(event.number, event.value * 2); },
                   {.in_flight_max = 7})
             .named("calls"),
         "calls");
}

/// What a reader of whole transactions sees.
Seen seen_in(SimEnv& env) {
  Seen seen;
  auto journal = Journal::open(env.disk, env.clock, "d/out", {.read_only = true});
  if (!journal) return seen;
  for (const std::string& name : kTopics) {
    const auto topic = (*journal)->topic(name);
    if (!topic) continue;
    for (std::uint32_t partition = 0; partition < 2; ++partition) {
      LogReader reader((*topic)->view(partition), 0);
      JournalRecord record;
      for (auto more = reader.next(record); more && *more; more = reader.next(record))
        ++seen[name][std::string(record.value.value_or(""))];
    }
  }
  return seen;
}

/// "" when each line of `part` is in `whole`, as often.
std::string beyond(const Seen& part, const Seen& whole) {
  for (const auto& [topic, lines] : part) {
    const auto of = whole.find(topic);
    for (const auto& [text, times] : lines) {
      const auto found = of == whole.end() ? 0 : [&] {
        const auto line = of->second.find(text);
        return line == of->second.end() ? 0 : line->second;
      }();
      if (found < times) return fmt::format("{}: {} {} times, not {}", topic, text, times, found);
    }
  }
  return "";
}

void put_input(SimEnv& env) {
  ASSERT_TRUE(env.disk.make_folder("d"));
  Topology topology("input");
  topology.from(generate(kEvents, event_of))
      .to(journal("d/in", "t", {.key = "key", .partitions = 3}));
  const Graph& graph = topology.declaration().graph;
  ASSERT_TRUE(Simulation(graph, make_plan(graph, {}), {}, env, {.seed = 1}).run());
}

/// How lives ended, and what they met: each must happen.
using Marks = std::map<std::string, int>;

/// A machine on which the topology lives again and again.
class Machine {
 public:
  Machine(std::uint64_t seed, Marks& marks)
      : env_(seed), random_(seed ^ 0x77686f6c), marks_(marks) {
    put_input(env_);
  }

  /// The lives, the last one without harm; "" when all was right.
  std::string live_to_the_end(const Seen& whole) {
    for (std::uint64_t lives = 1 + random_.below(6); lives > 0; --lives) {
      (void)live(false);
      if (const std::string wrong = look(whole); !wrong.empty()) return wrong;
    }
    const Status ended = live(true);
    if (!ended) return "the last life: " + ended.to_string();
    if (const std::string wrong = look(whole); !wrong.empty()) return wrong;
    return beyond(whole, before_);
  }
  std::uint64_t fingerprint() const { return fingerprint_; }

 private:
  /// What was shown stays, and nothing else than what one run shows is shown. A reader also sees a
  /// decision that was written and not synced, as the process that wrote it was killed: when the
  /// power goes next, its records may be hidden again until a run has begun.
  std::string look(const Seen& whole) {
    Seen now = seen_in(env_);
    std::string wrong = beyond(now, whole);
    if (!wrong.empty()) return "too much of " + wrong;
    wrong = beyond(lost_power_ ? on_device_ : before_, now);
    if (!wrong.empty()) return "gone is " + wrong;
    before_ = std::move(now);
    if (lost_power_) on_device_ = before_;
    for (const auto& [topic, lines] : before_) mix(lines.size());
    return "";
  }

  Status live(bool last) {
    SimDiskFaults faults;
    if (!last && random_.chance(0.7)) {
      static constexpr DiskFault kFaults[] = {DiskFault::power_cut, DiskFault::io_error,
                                              DiskFault::no_space};
      faults.fault = kFaults[random_.below(3)];
      faults.at_call = random_.below(std::uint64_t{4} << random_.below(10));
      faults.sticky = faults.fault == DiskFault::power_cut || random_.chance(0.3);
    }
    env_.disk.set_faults(faults);
    const Status status = run(last);
    mix(static_cast<std::uint64_t>(status.code()));
    mix(env_.disk.calls());
    const bool cut_power = faults.fault == DiskFault::power_cut || random_.chance(0.2);
    env_.disk.set_faults({});
    lost_power_ = false;
    if (last) return status;
    if (status.ok()) ++marks_["ended by itself or cut off"];
    if (!status.ok()) ++marks_["failed"];
    ++marks_[cut_power ? "power lost" : "killed"];
    lost_power_ = cut_power;
    cut_power ? env_.disk.lose_power() : env_.disk.kill();
    return status;
  }

  Status run(bool last) {
    CheckpointStoreOptions options;
    options.keep = static_cast<std::uint32_t>(1 + random_.below(3));
    options.access.leave_parts = random_.chance(0.5);
    auto store = CheckpointStore::open(env_.disk, "d/state", std::move(options));
    if (!store) return store.error();
    auto newest = (*store)->newest();
    if (!newest) return newest.error();
    if (*newest && (*newest)->finished) {
      ++marks_["the input had ended"];
      return {};
    }
    Topology topology("whole");
    declare(topology, static_cast<std::uint32_t>(1 + random_.below(3)));
    RunOptions run;
    run.epochs = store->get();
    if (*newest) {
      ++marks_["went on from an epoch"];
      run.restore = std::make_shared<EpochImage>(std::move(**newest));
    }
    run.batch_records_max = 1 + random_.below(40);
    run.ring_batches_max = 1 + random_.below(4);
    run.epoch_options.image_slots = 1 + random_.below(200);
    SimulationOptions simulated;
    simulated.seed = random_();
    // The clock moves when all rest: epochs that follow each other at once would stop it.
    simulated.steps_between_epochs = 500 + random_.below(2'000);
    if (!last && random_.chance(0.6))
      simulated.cut_at_step = random_.below(20'000);
    else if (!last && random_.chance(0.3))
      simulated.stop_at_step = random_.below(5'000);
    PlanOptions plan;
    plan.parallelism = static_cast<std::uint32_t>(1 + random_.below(4));
    plan.two_phase = random_.chance(0.5);
    const Graph& graph = topology.declaration().graph;
    Simulation simulation(graph, make_plan(graph, plan), run, env_, simulated);
    const Result<std::uint64_t> ran = simulation.run();
    if (simulation.was_cut()) ++marks_["cut off"];
    if (simulated.stop_at_step && ran) ++marks_["stopped in order"];
    const auto checkpoints = simulation.report().checkpoints;
    if (checkpoints && checkpoints->failed > 0 && ran) ++marks_["outlived an epoch that failed"];
    if (!ran) return ran.error();
    mix(*ran);
    return {};
  }

  void mix(std::uint64_t word) { fingerprint_ = (fingerprint_ ^ word) * 0x100000001b3u; }

  SimEnv env_;
  Random random_;
  Marks& marks_;
  Seen before_;
  Seen on_device_;           ///< as it was when the power last went
  bool lost_power_ = false;  ///< behind the last life
  std::uint64_t fingerprint_ = 0xcbf29ce484222325u;
};

/// What one run without harm shows.
Seen whole_run() {
  SimEnv env(1);
  put_input(env);
  Topology topology("whole");
  declare(topology, 1);
  const Graph& graph = topology.declaration().graph;
  for (const Status& problem : graph.validate()) ADD_FAILURE() << problem.to_string();
  const auto ran = Simulation(graph, make_plan(graph, {}), {}, env, {.seed = 1}).run();
  EXPECT_TRUE(ran) << ran.error().to_string();
  return seen_in(env);
}

/// Of each of five parts: MILLRACE_SEEDS, else 10.
std::uint64_t seeds_of_part() {
  return std::getenv("MILLRACE_SEEDS") != nullptr ? property::seeds() : 10;
}

class WholeEngine : public testing::TestWithParam<std::uint64_t> {};

TEST_P(WholeEngine, ShowsTheSameWhateverHappens) {
  const Seen whole = whole_run();
  ASSERT_EQ(whole.size(), kTopics.size());
  for (const auto& [topic, lines] : whole) ASSERT_GT(lines.size(), 20u) << topic;
  Marks marks;
  const std::uint64_t seeds = seeds_of_part();
  for (std::uint64_t seed = GetParam() * seeds + 1; seed <= (GetParam() + 1) * seeds; ++seed) {
    Machine machine(seed, marks);
    const std::string wrong = machine.live_to_the_end(whole);
    ASSERT_EQ(wrong, "") << "seed " << seed;
    if (seed % 10 != 0) continue;
    Marks others;
    Machine again(seed, others);
    ASSERT_EQ(again.live_to_the_end(whole), "");
    ASSERT_EQ(again.fingerprint(), machine.fingerprint()) << "seed " << seed << " twice";
  }
  std::vector<const char*> wanted = {"cut off",
                                     "failed",
                                     "power lost",
                                     "killed",
                                     "stopped in order",
                                     "went on from an epoch",
                                     "the input had ended"};
  if (seeds >= 300) wanted.push_back("outlived an epoch that failed");
  if (seeds < 60) wanted.clear();
  for (const char* mark : wanted) EXPECT_GT(marks[mark], 0) << mark << " was never reached";
}

INSTANTIATE_TEST_SUITE_P(Parts, WholeEngine, testing::Range(std::uint64_t{0}, std::uint64_t{5}));

}  // namespace
}  // namespace millrace::detail
