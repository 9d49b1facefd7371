// Components of a run that goes on get other numbers of tasks: what becomes of records, windows and
// timers, what is refused, and what happens when the run does not start with them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "host/host.hpp"
#include "host/rescaling.hpp"
#include "tests/unit/folder_harness.hpp"

namespace millrace {
namespace {

using detail::PageAnswer;
using detail::PageQuery;
using detail::Rescaling;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

constexpr std::int64_t kKeys = 61;
constexpr std::int64_t kPiece = 300;
constexpr Time kBegin = 1'700'000'000'000'000;
constexpr std::int64_t kStepMicros = 200'000;  ///< of event time, between records
constexpr std::int64_t kWindowMicros = 10'000'000;
constexpr std::int64_t kAlarmMicros = 20'000'000;

struct Tick {
  std::int64_t key;
  std::int64_t number;
  Timestamp at;
};

Tick tick(std::int64_t number) {
  return {number * 31 % kKeys, number, {kBegin + number * kStepMicros}};
}

/// What a run's source asks of it, and how often that was granted.
struct Asked {
  std::vector<PageQuery> queries;
  Rescaling rescaling = {};
  std::atomic<std::size_t> granted = 0;
  std::atomic<int> opened = 0;  ///< spouts, in all
  std::int64_t records = 0;     ///< in all, once the run has ended
};

/// Gives ticks until all that it has to ask was granted and is over, and a piece between; it goes
/// on while a rescale is under way.
struct Ticks : Spout<Tick> {
  explicit Ticks(std::shared_ptr<Asked> whom) : asked(std::move(whom)) {}
  void open(TaskContext&) override { ++asked->opened; }
  bool next(Output<Tick>& out) override {
    const std::size_t granted = asked->granted;
    if (at >= next_at && granted < asked->queries.size()) {
      if (asked->rescaling.ask(asked->queries[granted]).status == 202) {
        ++asked->granted;
        next_at = at + kPiece;
      }
    } else if (at >= next_at && !is_under_way()) {
      asked->records = at;
      return false;
    }
    std::this_thread::sleep_for(20us);
    out.emit(tick(at++));
    return true;
  }
  bool is_under_way() const {
    return asked->rescaling.to_json().find("\"under_way\":true") != std::string::npos;
  }
  bool replayable() const override { return true; }
  std::string position() const override { return std::to_string(at); }
  void resume(std::string_view position) override {
    std::from_chars(position.data(), position.data() + position.size(), at);
    next_at = at + kPiece;
  }
  std::shared_ptr<Asked> asked;
  std::int64_t at = 0;
  std::int64_t next_at = kPiece;
};

struct Rang {
  std::int64_t key;
  std::int64_t number;
  Timestamp at;
};

/// Tells each number again, so long after it.
struct Alarms {
  ListState<std::int64_t> numbers;

  void process(const Tick& record, KeyedContext<std::int64_t>& context, Output<Rang>&) {
    numbers.add(record.number);
    context.timers().at(record.at + std::chrono::microseconds(kAlarmMicros));
  }
  void on_timer(Time time, KeyedContext<std::int64_t>& context, Output<Rang>& out) {
    out.emit({context.key(), *numbers.all().begin(), {time}});
    numbers.erase_first(1);
  }
};

using ByKey = std::map<std::int64_t, std::vector<std::int64_t>>;

/// What a run gave, by key, in its order; the callbacks see all records of the run.
struct Seen {
  ByKey sums;
  ByKey windows;
  ByKey alarms;
};

Seen expected(std::int64_t records) {
  Seen seen;
  std::map<std::int64_t, std::map<Time, std::int64_t>> windows;
  for (std::int64_t number = 0; number < records; ++number) {
    const Tick one = tick(number);
    auto& sums = seen.sums[one.key];
    sums.push_back((sums.empty() ? 0 : sums.back()) + number);
    ++windows[one.key][one.at.micros / kWindowMicros];
    seen.alarms[one.key].push_back(number);
  }
  for (const auto& [key, counts] : windows) {
    for (const auto& [window, count] : counts) seen.windows[key].push_back(count);
  }
  return seen;
}

Topology topology_of(const std::shared_ptr<Asked>& asked, Seen& seen) {
  Topology topology("rescaled");
  auto ticks = topology.spout("ticks", Ticks(asked)).event_time(&Tick::at);
  const auto into = [](ByKey& by_key) {
    return [&by_key](const auto& row) {
      by_key[static_cast<std::int64_t>(row.key)].push_back(static_cast<std::int64_t>(row.value));
    };
  };
  ticks.key_by(&Tick::key).sum(&Tick::number).named("sums").to(each(into(seen.sums)));
  ticks.key_by(&Tick::key)
      .window(tumbling(10s))
      .count()
      .named("windows")
      .to(each(into(seen.windows)));
  ticks.key_by(&Tick::key).process(Alarms{}).named("alarms").to(each([&seen](const Rang& rang) {
    EXPECT_EQ(rang.at.micros, tick(rang.number).at.micros + kAlarmMicros);
    seen.alarms[rang.key].push_back(rang.number);
  }));
  return topology;
}

detail::HostOptions options_in(const detail::FolderHarness& folder) {
  detail::HostOptions options;
  options.ui = "off";
  options.parallelism = 2;
  options.state_dir = folder.path("state");
  options.checkpoint_interval = 50ms;
  options.log_level = LogLevel::off;
  return options;
}

PageQuery all_to(const std::string& tasks) {
  PageQuery query;
  for (const char* name : {"sums", "windows", "alarms"}) {
    query.emplace_back("component", name);
    query.emplace_back("tasks", tasks);
  }
  return query;
}

TEST(Rescaling, KeysGoOnWhereTheyWereWithWindowsAndTimersOpen) {
  const detail::FolderHarness folder;
  auto asked = std::make_shared<Asked>();
  asked->queries = {all_to("5"), all_to("1"), all_to("8")};
  Seen seen;
  Topology topology = topology_of(asked, seen);
  EXPECT_EQ(detail::run_with(topology, options_in(folder), {.rescaling = &asked->rescaling}), 0);
  EXPECT_THAT(asked->rescaling.to_json(), HasSubstr("\"done\":3,\"failed\":0"));
  EXPECT_EQ(asked->opened, 4);
  const Seen wanted = expected(asked->records);
  EXPECT_EQ(seen.sums, wanted.sums);
  EXPECT_EQ(seen.windows, wanted.windows);
  EXPECT_EQ(seen.alarms, wanted.alarms);
}

/// Is called behind the last epoch of each run, before anything is read for the next one.
struct AtEnd : WorkerHook {
  explicit AtEnd(std::function<void()> does) : call(std::move(does)) {}
  void shutdown() override { call(); }
  std::function<void()> call;
};

/// The checkpoints in a folder and their sizes, the newest behind the others.
std::map<std::filesystem::path, std::uintmax_t> checkpoints_in(const std::string& folder) {
  std::map<std::filesystem::path, std::uintmax_t> files;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() == ".ckpt") files[file.path()] = file.file_size();
  }
  return files;
}

TEST(Rescaling, StateByKeyChangesHandsAndIsNotReadFromTheFolder) {
  const detail::FolderHarness folder;
  auto asked = std::make_shared<Asked>();
  const auto sums_to = [](const char* tasks) {
    return PageQuery{{"component", "sums"}, {"tasks", tasks}};
  };
  asked->queries = {sums_to("5"), sums_to("1"), sums_to("3")};
  Seen seen;
  Topology topology("rescaled");
  auto options = options_in(folder);
  options.checkpoint_interval = 1h;  // where one is always under way, nothing is handed over
  std::size_t removed = 0;
  topology.worker_hook(std::make_shared<AtEnd>([&] {
    for (const auto& [path, bytes] : checkpoints_in(*options.state_dir))
      removed += std::filesystem::remove(path) ? 1 : 0;
  }));
  topology.spout("ticks", Ticks(asked))
      .key_by(&Tick::key)
      .sum(&Tick::number)
      .named("sums")
      .to(each([&](const auto& row) { seen.sums[row.key].push_back(row.value); }));
  EXPECT_EQ(detail::run_with(topology, options, {.rescaling = &asked->rescaling}), 0);
  EXPECT_THAT(asked->rescaling.to_json(), HasSubstr("\"done\":3,\"failed\":0"));
  EXPECT_EQ(seen.sums, expected(asked->records).sums);
  EXPECT_GE(removed, 4u);
}

constexpr std::int64_t kOften = 10;     ///< keys of which records come all the time
constexpr std::int64_t kOnce = 250;     ///< records before, each of a key of its own
constexpr std::size_t kHeld = 100'000;  ///< bytes of a key

std::int64_t held_key(const Tick& one) {
  return one.number < kOnce ? one.number : one.number % kOften;
}

/// Much state, of which little changes.
struct Holding {
  ValueState<std::string> held;
  ValueState<std::int64_t> sum;

  void process(const Tick& record, KeyedContext<std::int64_t>& context, Output<Rang>& out) {
    if (!held) held.set(std::string(kHeld, 'h'));
    sum.set(sum.value_or(0) + record.number);
    out.emit({context.key(), held.get()->size() == kHeld ? *sum : -1, record.at});
  }
};

TEST(Rescaling, MuchStateIsWrittenBeforeItRestsSoThatTheLastEpochIsSmall) {
  const detail::FolderHarness folder;
  auto asked = std::make_shared<Asked>();
  asked->queries = {{{"component", "held"}, {"tasks", "3"}},
                    {{"component", "held"}, {"tasks", "1"}}};
  auto options = options_in(folder);
  options.checkpoint_interval = 1h;
  std::vector<std::uintmax_t> last_epochs;  // bytes, of each run that has ended
  std::uintmax_t largest = 0;
  ByKey sums;
  Topology topology("weighed");
  topology.worker_hook(std::make_shared<AtEnd>([&] {
    last_epochs.push_back(0);
    for (const auto& [path, bytes] : checkpoints_in(*options.state_dir)) {
      last_epochs.back() = bytes;
      largest = std::max(largest, bytes);
    }
  }));
  Ticks ticks(asked);
  ticks.next_at = 5'000;  // several batches have come to their state
  topology.spout("ticks", ticks)
      .key_by(held_key)
      .process(Holding{})
      .named("held")
      .to(each([&](const Rang& row) { sums[row.key].push_back(row.number); }));
  EXPECT_EQ(detail::run_with(topology, options, {.rescaling = &asked->rescaling}), 0);
  EXPECT_THAT(asked->rescaling.to_json(), HasSubstr("\"done\":2,\"failed\":0"));
  ByKey wanted;
  for (std::int64_t number = 0; number < asked->records; ++number) {
    auto& own = wanted[held_key(tick(number))];
    own.push_back((own.empty() ? 0 : own.back()) + number);
  }
  EXPECT_EQ(sums, wanted);
  EXPECT_GT(largest, kOnce * kHeld);
  ASSERT_EQ(last_epochs.size(), 3u);
  EXPECT_LT(last_epochs[0], kOnce * kHeld / 10);
  EXPECT_LT(last_epochs[1], kOnce * kHeld / 10);
}

/// Fails where it would be one of three tasks, and once where it is put away.
struct Picky : Bolt<Tick, Tick> {
  explicit Picky(std::shared_ptr<std::atomic<int>> left) : failures(std::move(left)) {}
  void prepare(TaskContext& context) override {
    if (context.tasks() == 3) throw std::runtime_error("not as one of three");
  }
  void process(const Tick& record, Output<Tick>& out) override { out.emit(record); }
  void cleanup() override {
    if (*failures > 0 && failures->fetch_sub(1) == 1) throw std::runtime_error("not now");
  }
  std::shared_ptr<std::atomic<int>> failures;
};

struct PickyRun {
  std::string told;
  std::string errors;
  std::vector<std::string> lines;
  std::int64_t records;
};

/// Ticks through Picky, then sums in a log; `failures`: so many tasks fail while they are put away.
PickyRun run_picky(std::vector<std::string> tasks, int failures) {
  const detail::FolderHarness folder;
  auto asked = std::make_shared<Asked>();
  for (std::string& one : tasks) {
    asked->queries.push_back({{"component", "picky"}, {"tasks", std::move(one)}});
  }
  Topology topology("picky");
  auto ticks = topology.spout("ticks", Ticks(asked));
  auto failing = std::make_shared<std::atomic<int>>(failures);
  topology.bolt("picky", Picky(failing), fields(ticks, &Tick::key))
      .key_by(&Tick::key)
      .count()
      .named("counts")
      .to(log(folder.path("counts.jsonl")));
  auto options = options_in(folder);
  options.restart = "fixed:5,0s";
  testing::internal::CaptureStderr();
  EXPECT_EQ(detail::run_with(topology, options, {.rescaling = &asked->rescaling}), 0);
  PickyRun run{
      asked->rescaling.to_json(), testing::internal::GetCapturedStderr(), {}, asked->records};
  std::ifstream file(folder.path("counts.jsonl"));
  for (std::string line; std::getline(file, line);) run.lines.push_back(line);
  return run;
}

/// Each key is counted in its order, once.
void expect_all_counts(const std::vector<std::string>& lines, std::int64_t records) {
  std::vector<std::string> wanted;
  std::map<std::int64_t, std::int64_t> counts;
  for (std::int64_t number = 0; number < records; ++number) {
    const std::int64_t key = tick(number).key;
    wanted.push_back("{\"key\":" + std::to_string(key) +
                     ",\"count\":" + std::to_string(++counts[key]) + "}");
  }
  std::vector<std::string> found = lines;
  const auto by_key = [](const std::string& a, const std::string& b) {
    return a.substr(0, a.find(',')) < b.substr(0, b.find(','));
  };
  std::ranges::stable_sort(wanted, by_key);
  std::ranges::stable_sort(found, by_key);
  EXPECT_EQ(found, wanted);
}

TEST(Rescaling, OneThatDoesNotStartGoesOnAsBefore) {
  const PickyRun run = run_picky({"3", "4"}, 0);
  EXPECT_THAT(run.told, HasSubstr("\"done\":1,\"failed\":1"));
  EXPECT_THAT(run.told, HasSubstr("not as one of three"));
  EXPECT_THAT(run.errors, HasSubstr("not rescaled, it goes on as before"));
  EXPECT_THAT(run.errors, HasSubstr("\"picky\" from 2 to 4 tasks"));
  EXPECT_THAT(run.errors, Not(HasSubstr("failed and starts again")));
  expect_all_counts(run.lines, run.records);
}

TEST(Rescaling, OneThatFailsWhileItStopsIsARestart) {
  const PickyRun run = run_picky({"5", "5"}, 1);
  EXPECT_THAT(run.told, HasSubstr("\"done\":1,\"failed\":1"));
  EXPECT_THAT(run.told, HasSubstr("not now"));
  EXPECT_THAT(run.errors, HasSubstr("failed and starts again"));
  expect_all_counts(run.lines, run.records);
}

/// A topology that is not run: what is asked of it.
struct Refusals : testing::Test {
  Refusals() {
    auto ticks = topology.from(records<Tick>({{}})).named("ticks");
    auto plain = ticks.map([](const Tick& one) { return one; }).named("plain");
    plain.key_by(&Tick::key).count().named("counts").to(each([](const auto&) {}));
    const auto failures = std::make_shared<std::atomic<int>>(0);
    const auto bolt = [&](const char* name, auto from, BoltOptions options) {
      topology.bolt(name, Picky(failures), from, options).to(each([](const Tick&) {}));
    };
    bolt("few", shuffle(plain), {.tasks_max = 3});
    bolt("one", global(plain), {});
    bolt("free", shuffle(plain), {.tasks = 2});
    topology.bolt("first", Picky(failures), shuffle(plain), {.tasks = 2})
        .filter([](const Tick&) { return true; })
        .named("second")
        .parallel(2)
        .to(each([](const Tick&) {}));
    begin(true);
    (void)rescaling.started({});
  }
  void begin(bool keeps_state) {
    rescaling.begin(topology.declaration().graph, {.parallelism = 2}, keeps_state,
                    *detail::real_env().clock);
  }
  void expect(unsigned status, const PageQuery& query, const std::string& part) {
    const PageAnswer answer = rescaling.ask(query);
    EXPECT_EQ(answer.status, status) << answer.text;
    EXPECT_THAT(answer.text, HasSubstr(part));
  }
  void expect(unsigned status, const std::string& component, const std::string& tasks,
              const std::string& part) {
    expect(status, {{"component", component}, {"tasks", tasks}}, part);
  }
  Topology topology{"refusals"};
  Rescaling rescaling;
};

TEST_F(Refusals, SayWhyAndWhatToDo) {
  expect(404, "count", "4", "there is no component \"count\": did you mean \"counts\"?");
  for (const char* tasks : {"0", "129", "-1", "4x", ""}) {
    expect(400, "counts", tasks, "give a number of 1 to 128");
  }
  expect(400, PageQuery{}, "give component=NAME&tasks=N");
  expect(400, PageQuery{{"component", "counts"}}, "give component=NAME&tasks=N");
  expect(400, PageQuery{{"tasks", "4"}, {"component", "counts"}}, "give component=NAME&tasks=N");
  expect(409, "ticks", "2", "a source has a task for what it reads");
  expect(409, "each", "2", "a sink has one task");
  expect(400, "few", "4", "declared with at most 3 tasks");
  expect(409, "one", "2", "its global grouping sends all records to one task");
  EXPECT_FALSE(rescaling.waiting_ns());
  EXPECT_FALSE(rescaling.summary());
}

TEST_F(Refusals, WhereTheOrderOfAKeyWouldBeLost) {
  expect(409, "plain", "4", "the order of a key's records would be lost");
  expect(409, "first", "4", "each task of \"second\" reads one task of \"first\"");
  expect(409, "second", "4", "ask for the same number for both at once");
  expect(202, {{"component", "first"}, {"tasks", "4"}, {"component", "second"}, {"tasks", "4"}},
         "{\"component\":\"second\",\"from\":2,\"tasks\":4}");
}

TEST_F(Refusals, OneAtATime) {
  expect(200, "counts", "2", "{\"number\":0,\"changes\":[]}");
  expect(202, "counts", "5",
         "{\"number\":1,\"changes\":[{\"component\":\"counts\",\"from\":2,\"tasks\":5}]}");
  expect(409, "free", "5", "a rescale is under way");
  rescaling.stop();
  expect(409, "free", "5", "a rescale is under way");
  rescaling.take_over();
  (void)rescaling.started({});
  expect(200, "counts", "5", "\"changes\":[]");
  rescaling.end("the run has ended");
  expect(409, "free", "5", "the run has ended");
}

TEST_F(Refusals, RunsThatCannotGoOn) {
  begin(false);
  expect(409, "counts", "5", "start it with --state-dir DIR");
  begin(true);
  (void)rescaling.started({"ticks"});
  expect(409, "counts", "5", "\"ticks\" cannot be read again from where it is");
}

}  // namespace
}  // namespace millrace
