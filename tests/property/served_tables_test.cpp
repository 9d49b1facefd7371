// Promise: a served table answers every question as a std::map of what was to come would, whatever
// the schedule, the number of tasks and the kills before; nobody sees half an update meanwhile.
#include <atomic>
#include <functional>
#include <iterator>
#include <map>
#include <thread>

#include "base/hash.hpp"
#include "connector/table_query.hpp"
#include "cut_run.hpp"
#include "join_input.hpp"
#include "naive_model.hpp"
#include "record/packed_values.hpp"

namespace millrace::property {
namespace {

using PageQuery = std::vector<std::pair<std::string, std::string>>;
using detail::ServedAnswer;
using detail::ServedTable;
using detail::ServedTables;

/// A row as the model has it: its key's values as texts of a query, its window, its values.
struct Expected {
  std::vector<std::string> key;
  std::pair<Time, Time> window = {kTimeMin, kTimeMax};
  std::string values;
};
/// In the order of keys.
using Content = std::map<std::string, Expected>;

template <class... Values>
std::string packed(const Values&... values) {
  std::string bytes;
  (detail::append_packed(bytes, values), ...);
  return bytes;
}
std::string word_of(std::string_view text) { return std::string(text); }
std::string word_of(std::int64_t number) { return std::to_string(number); }

template <class... Key>
void expect_row(Content& content, std::string values, std::optional<std::pair<Time, Time>> window,
                const Key&... parts) {
  std::string key;
  (detail::append_ordered(key, parts), ...);
  Expected row{{word_of(parts)...}, {kTimeMin, kTimeMax}, std::move(values)};
  if (window) {
    row.window = *window;
    detail::append_window(key, window->first, window->second);
  }
  content[key] = std::move(row);
}

ServedTables served_by(const detail::Graph& graph) {
  ServedTables tables;
  for (const detail::Node& node : graph.nodes()) {
    if (node.kind != "serve_table") continue;
    tables.push_back(static_cast<detail::ServedSink&>(*node.make_sink()).table());
  }
  return tables;
}

// ---- questions

/// Of windows that fire more than once: the schedule may say why the last row came.
std::string without_firing(const ServedTable& table, std::string_view values) {
  const auto& columns = table.shape().columns;
  if (columns.back().name != "retracted") return std::string(values);
  detail::BytesCursor from(values);
  for (std::size_t at = 0; at + 2 < columns.size(); ++at) (void)detail::take_packed(from);
  return std::string(values.substr(0, values.size() - from.rest().size()));
}

/// All pages of a question; "wrong: ..." for one that is refused.
std::vector<std::string> ask(const ServedTable& table, PageQuery query) {
  std::vector<std::string> rows;
  for (int page = 0; page < 10'000; ++page) {
    const auto read = detail::read_table_query(table, query);
    if (!read.wrong.empty()) return {"wrong: " + read.wrong};
    const auto answer = table.ask(read.question);
    if (!answer) return {"not there"};
    for (const auto& row : answer->rows)
      rows.push_back(row.key + " " + without_firing(table, row.values));
    if (!answer->next) return rows;
    if (page == 0) query.emplace_back();
    query.back() = {"after", detail::page_token(*answer->next)};
  }
  return {"it never ends"};
}
std::vector<std::string> rows_where(const Content& content,
                                    const std::function<bool(const Expected&)>& holds) {
  std::vector<std::string> rows;
  for (const auto& [key, row] : content) {
    if (holds(row)) rows.push_back(key + " " + row.values);
  }
  return rows;
}

std::string limit(Random& random) { return std::to_string(1 + random.below(9)); }

std::string list_text(const std::vector<std::string>& key) {
  std::string list = "[";
  for (const std::string& part : key) {
    if (list.size() > 1) list += ", ";
    detail::append_json_string(list, part);
  }
  return list + "]";
}

/// The key as the value of a query.
std::string key_text(const std::vector<std::string>& key) {
  return key.size() == 1 ? key.front() : list_text(key);
}

void check_all_and_keys(const ServedTable& table, const Content& content, Random& random) {
  EXPECT_EQ(ask(table, {{"limit", limit(random)}}), rows_where(content, [](auto&) { return true; }))
      << table.name();
  for (int draws = 0; draws < 5 && !content.empty(); ++draws) {
    const auto any = [&] {
      return std::next(content.begin(), std::ptrdiff_t(random.below(content.size())))->second.key;
    };
    const std::vector<std::string> one = any();
    const std::vector<std::string> two = any();
    EXPECT_EQ(
        ask(table, {{"key", key_text(one)}, {"limit", limit(random)}, {"key", key_text(two)}}),
        rows_where(content, [&](const Expected& row) { return row.key == one || row.key == two; }))
        << table.name();
    if (one.size() == 1) continue;
    EXPECT_EQ(ask(table, {{"key", list_text({one.front()})}}),
              rows_where(content, [&](auto& row) { return row.key.front() == one.front(); }))
        << table.name();
  }
}
void check_windows(const ServedTable& table, const Content& content, Random& random) {
  const Time from = random.between(-600, 900);
  const Time until = from + random.between(0, 200);
  EXPECT_EQ(ask(table, {{"windows_from", detail::format_iso_time(from)},
                        {"limit", limit(random)},
                        {"windows_until", detail::format_iso_time(until)}}),
            rows_where(content,
                       [&](const Expected& row) {
                         return row.window.first >= from && row.window.first < until;
                       }))
      << table.name();
}
void check_integer_range(const ServedTable& table, const Content& content, Random& random) {
  const std::int64_t from = random.between(-1, 3);
  const std::int64_t until = from + random.between(0, 3);
  EXPECT_EQ(ask(table, {{"from", std::to_string(from)}, {"until", std::to_string(until)}}),
            rows_where(content,
                       [&](const Expected& row) {
                         const std::int64_t key = std::stoll(row.key.front());
                         return key >= from && key < until;
                       }))
      << table.name();
}
void check_prefixes(const ServedTable& table, const Content& content) {
  for (const std::string begin : {"", "a", "se", "a name that is longer", "zz", "\xc3"}) {
    EXPECT_EQ(ask(table, {{"prefix", begin}}),
              rows_where(content,
                         [&](const Expected& row) { return row.key.front().starts_with(begin); }))
        << table.name() << ": " << begin;
  }
}

// ---- the topology, and what a naive look over its whole input gives

bool is_gone(const Event& event) { return event.number % 4 == 0; }
constexpr Duration kGap{15};

struct Served {
  ServedTables tables;
  std::map<std::string, Content> expected;

  void check(Random& random) {
    ASSERT_EQ(tables.size(), 7u);
    for (const auto& table : tables) {
      const Content& content = expected[table->name()];
      check_all_and_keys(*table, content, random);
      if (table->shape().windowed) check_windows(*table, content, random);
      if (table->name() == "rows") check_integer_range(*table, content, random);
      if (table->name() == "groups") check_prefixes(*table, content);
      EXPECT_EQ(table->figures()->rows, content.size()) << table->name();
    }
  }
};

void declare_tables(const Input& input, Topology& topology) {
  const auto events = declare_input(topology, input);
  const auto by_key = events.key_by(&Event::key);
  by_key.table(is_gone).to(table("rows"));
  by_key.table(is_gone).group_by(&Event::name).sum(&Event::number).to(table("groups"));
  events.key_by(&Event::name, &Event::key).sum(&Event::number).to(table("sums"));
  by_key.window(tumbling(Duration(20))).count().to(table("windows"));
  by_key.window(tumbling(Duration(20)).allowed_lateness(Duration(1'000'000)).retracting())
      .sum(&Event::number)
      .to(table("late windows"));
  const auto sessions = session(kGap).allowed_lateness(Duration(1'000'000));
  by_key.window(sessions.retracting()).count().to(table("sessions"));
  by_key.window(sessions).count().to(table("grown sessions", {.sessions = true}));
}

/// The records of a key that lie less than the gap apart.
void expect_sessions(std::int32_t key, std::vector<Time> times, Content& content) {
  std::ranges::sort(times);
  for (std::size_t begin = 0; begin < times.size();) {
    std::size_t end = begin + 1;
    while (end < times.size() && times[end] - times[end - 1] <= kGap.count()) ++end;
    const auto count = static_cast<std::int64_t>(end - begin);
    expect_row(content, packed(key, count), std::pair(times[begin], times[end - 1] + kGap.count()),
               key);
    begin = end;
  }
}

void expect_tables(const Input& input, std::map<std::string, Content>& expected) {
  std::vector<ModelRecord> records = model_records(input);
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> sums;
  std::map<std::int32_t, std::vector<Time>> times;
  std::map<std::pair<std::int32_t, Time>, std::int64_t> windows;
  for (const ModelRecord& record : records) {
    sums[{record.name, record.key}] += record.number;
    times[record.key].push_back(record.time);
    windows[{record.key, detail::floor_div(record.time, 20) * 20}] += record.number;
  }
  for (const auto& [at, sum] : windows) {
    expect_row(expected["late windows"], packed(at.first, sum),
               std::pair(at.second, at.second + 20), at.first);
  }
  for (const auto& [key, sum] : sums)
    expect_row(expected["sums"], packed(key.first, key.second, sum), {}, key.first, key.second);
  for (const auto& [bounds, keys] :
       model_groups(records, tumbling(Duration(20)), [](const auto& of) { return of.key; })) {
    for (const auto& [key, group] : keys) {
      expect_row(expected["windows"], packed(key, static_cast<std::int64_t>(group.size())),
                 std::pair(bounds.first, bounds.second), key);
    }
  }
  std::ranges::stable_sort(records, [](const ModelRecord& a, const ModelRecord& b) {
    return a.time != b.time ? a.time < b.time : a.arrival < b.arrival;
  });
  std::map<std::int32_t, Event> rows;
  for (const ModelRecord& record : records) {
    if (record.watermark && record.time < *record.watermark) continue;
    rows.insert_or_assign(record.key, record.event());
  }
  std::map<std::string, std::int64_t> groups;
  for (const auto& [key, event] : rows) {
    if (is_gone(event)) continue;
    expect_row(expected["rows"],
               packed(event.time, event.key, event.name, event.number, event.amount), {}, key);
    groups[std::string(event.name)] += event.number;
  }
  for (const auto& [name, sum] : groups)
    expect_row(expected["groups"], packed(name, sum), {}, name);
  for (const auto& [key, all] : times) {
    for (const char* name : {"sessions", "grown sessions"})
      expect_sessions(key, all, expected[name]);
  }
}

TEST(ServedTables, AnswerAsAMapOfWhatCameForAllSchedules) {
  std::size_t rows = 0;
  for_each_seed([&](std::uint64_t seed) {
    Random random(seed ^ 0x5e12ed);
    const Input input = draw_input(random);
    Served served;
    expect_tables(input, served.expected);
    const auto declare = [&](Topology& topology, Rows&) {
      declare_tables(input, topology);
      served.tables = served_by(topology.declaration().graph);
    };
    for (int at = 0; at < 4; ++at) {
      const Schedule schedule = draw_schedule(random, at % 2 == 0);
      const Outcome outcome = run_once(declare, schedule);
      EXPECT_TRUE(outcome.status.ok()) << outcome.status.to_string();
      served.check(random);
      rows += served.expected["rows"].size();
      if (!testing::Test::HasFailure()) continue;
      ADD_FAILURE() << "MILLRACE_SEED=" << seed << ": " << schedule.to_string();
      return false;
    }
    return true;
  });
  EXPECT_GT(rows, 100u);
}

/// No record deletes, so a key that was seen is there from then on, and its values never go back.
TEST(ServedTables, NobodySeesHalfAnUpdateWhileTheyRun) {
  std::vector<std::vector<Event>> partitions(2);
  for (std::int64_t time = 0; time < 40'000; ++time)
    partitions[time % 2].push_back({time, static_cast<std::int32_t>(time % 7), "a", time + 1, 0});
  Topology topology("meanwhile");
  topology.from(records(partitions, 2))
      .event_time(&Event::time)
      .key_by(&Event::key)
      .table()
      .to(table("rows"));
  const detail::Graph& graph = topology.declaration().graph;
  const auto served = served_by(graph).front();
  std::atomic<bool> over{false};
  std::size_t changes = 0;
  std::thread asking([&] {
    std::map<std::string, Time> seen;
    while (!over) {
      const auto answer = served->ask({.ranges = {{}}});
      if (!answer) continue;
      ASSERT_GE(answer->rows.size(), seen.size());
      for (const auto& row : answer->rows) {
        detail::BytesCursor from(row.values);
        const Time time = std::get<std::int64_t>(detail::take_packed(from));
        Time& before = seen.try_emplace(row.key, time).first->second;
        ASSERT_GE(time, before);
        changes += before != time;
        before = time;
      }
    }
  });
  detail::RunOptions options;
  options.executors = 2;
  options.batch_records_max = 3;  // an update before and its successor may come in two batches
  detail::Engine engine(detail::make_plan(graph, {.parallelism = 2}), options, detail::real_env());
  EXPECT_TRUE(engine.start().ok());
  EXPECT_TRUE(engine.finish().ok());
  over = true;
  asking.join();
  EXPECT_GT(changes, 0u);
  EXPECT_EQ(served->figures()->rows, 7u);
}

}  // namespace
}  // namespace millrace::property

namespace millrace::detail {
namespace {

/// Replayable numbers as tables.
struct TableWorld {
  MemoryStore store = {};
  std::vector<std::vector<std::string>> rows = {};  ///< of each table when the last run ended

  bool live(Random& random, bool last) {
    Topology topology("tables");
    Node node;
    node.name = node.kind = "numbers";
    node.tasks = static_cast<std::uint32_t>(1 + random.below(3));
    node.output = &batch_type<Numbered>();
    node.make_source = [] { return std::make_unique<Numbers>(3, 80); };
    Declaration& declaration = topology.declaration();
    const NodeId id = declaration.graph.add(std::move(node));
    const auto numbers =
        Stream<Numbered>(declaration, {{id, 0}}).event_time([](const Numbered& of) {
          return of.number * (3 + of.key % 2);
        });
    numbers.named("time");
    const auto early = numbers.key_by([](const Numbered& of) { return of.number / 5; });
    const auto table_of = early.table([](const Numbered& of) { return of.number % 7 == 0; });
    table_of.changes().named("changes").to(table("rows", {.key = {"key", "number"}}));
    early.sum(&Numbered::number).named("sums").to(table("sums served"));
    early.window(tumbling(Duration(20))).count().named("windows").to(table("windows served"));
    const property::ServedTables tables = property::served_by(declaration.graph);
    if (!run_until_cut(topology, store, random, last ? 0 : 1500)) return false;
    rows.clear();
    for (const auto& served : tables) rows.push_back(property::ask(*served, {}));
    return true;
  }
};

TEST(ServedTables, AfterKillsHoldWhatOneRunHolds) {
  TableWorld whole;
  Random one(1);
  ASSERT_TRUE(whole.live(one, true));
  for (const auto& rows : whole.rows) ASSERT_GT(rows.size(), 10u);
  property::for_each_seed([&](std::uint64_t seed) {
    Random random(seed);
    TableWorld world;
    const std::uint64_t kills = 1 + random.below(5);
    for (std::uint64_t kill = 0; kill <= kills; ++kill) {
      if (!world.live(random, kill == kills)) return false;
      const auto newest = world.store.newest();
      if (newest && *newest && (*newest)->finished) break;
    }
    EXPECT_EQ(world.rows, whole.rows) << "MILLRACE_SEED=" << seed;
    return !testing::Test::HasFailure();
  });
}

// ---- images

std::string drawn_key(Random& random) {
  std::string key;
  append_ordered_integer(key, random.between(0, 40));
  return key;
}
using Pairs = std::map<std::string, std::string>;
Pairs pairs_of(const ServedShard& shard) {
  ServedQuestion question;
  question.ranges = {{}};
  question.limit = 1000;
  Pairs pairs;
  for (const ServedRow& row : shard.look(question).rows) pairs.emplace(row.key, row.values);
  return pairs;
}

TEST(ServedTables, AnImageIsOfItsMomentAndOwnedByKeyGroup) {
  const ServedShape shape{{{"k", KeyPartKind::integer}}, {{"v", ColumnType::integer}}};
  property::for_each_seed([&](std::uint64_t seed) {
    Random random(seed);
    ServedShard shard(shape, nullptr);
    const auto change = [&] {
      const std::string key = drawn_key(random);
      std::string values;
      append_packed(values, random.between(0, 1'000'000));
      random.chance(0.7) ? shard.put(key, values, 1) : shard.erase(key);
    };
    for (int changes = 0; changes < 60; ++changes) change();
    for (int image = 0; image < 3; ++image) {
      const Pairs expected = pairs_of(shard);
      StateWriter writer(0, 1);
      shard.save(writer);
      for (std::uint64_t left = random.below(40); left > 0; --left) {
        change();
        if (random.chance(0.5)) (void)writer.advance(1 + random.below(3));
      }
      const std::vector<StatePart> parts = writer.take();
      const auto tasks = static_cast<std::uint32_t>(1 + random.below(4));
      Pairs restored;
      for (std::uint32_t task = 0; task < tasks; ++task) {
        ServedShard other(shape, nullptr);
        StateReader reader(parts, task, tasks);
        other.restore(reader);
        EXPECT_TRUE(reader.status().ok()) << reader.status().to_string();
        for (const auto& [key, values] : pairs_of(other)) {
          EXPECT_EQ(task_of_hash(hash_bytes(key), tasks), task);
          restored.emplace(key, values);
        }
      }
      EXPECT_EQ(restored, expected) << "MILLRACE_SEED=" << seed;
    }
    return !testing::Test::HasFailure();
  });
}

TEST(ServedTables, ImagesOfOtherColumnsAreReadByNameAndOfOtherKeysRefused) {
  ServedShape shape{{{"k", KeyPartKind::integer}},
                    {{"k", ColumnType::integer}, {"gone", ColumnType::text}}};
  ServedShard shard(shape, nullptr);
  std::string key;
  append_ordered_integer(key, 7);
  shard.put(key, property::packed(std::int64_t{7}, std::string_view("text")), 1);
  StateWriter writer(0, 1);
  shard.save(writer);
  const std::vector<StatePart> parts = writer.take();
  shape.columns = {{"new", ColumnType::text}, {"k", ColumnType::integer}};
  ServedShard other(shape, nullptr);
  StateReader reader(parts, 0, 1);
  other.restore(reader);
  EXPECT_TRUE(reader.status().ok()) << reader.status().to_string();
  EXPECT_EQ(pairs_of(other).at(key), property::packed(std::optional<bool>(), std::int64_t{7}));
  shape.key = {{"k", KeyPartKind::text}};
  ServedShard refusing(shape, nullptr);
  StateReader refused(parts, 0, 1);
  refusing.restore(refused);
  EXPECT_EQ(refused.status().code(), Code::state_unreadable);
  EXPECT_NE(refused.status().message().find("k a text"), std::string::npos);
}

}  // namespace
}  // namespace millrace::detail
