// Promise: each row leaves with what the file has for its key, once, whatever the schedule, and in
// runs that are killed; what stands in for an answer does where no command runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "../property/cut_run.hpp"
#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"
#include "millrace/yaml.hpp"

namespace millrace {
namespace {

using detail::Random;
using std::chrono::minutes;
using testing::ElementsAre;

constexpr const char* kTitles = R"yaml(
name: titles
spouts:
  - id: visits
    type: json_lines
    with: {path: visits-*.jsonl, fields: {page: text or null, n: int, at: timestamp},
      event_time: {field: at, out_of_order: 20ms}}
bolts:
  - id: titled
    type: lookup
    with: {path: pages.csv, key: [page], fields: {title: text, words: int or null}, ordered: true}
  - {id: shown, type: view}
streams:
  - {from: visits, to: titled}
  - {from: titled, to: shown}
)yaml";

std::string titles(bool ordered, bool by_key) {
  std::string text = kTitles;
  const std::string visited = "to: titled";
  if (by_key)
    text.insert(text.find(visited) + visited.size(), ", grouping: {type: fields, args: [page]}");
  if (!ordered) text.replace(text.find("ordered: true"), 13, "ordered: false");
  return text;
}

Topology loaded(const std::string& text) {
  Result<Topology> topology = topology_from_yaml(text);
  if (!topology) throw Error(topology.error());
  return *std::move(topology);
}

/// The rows by their number, in order.
using Told = std::map<std::string, std::string>;

struct Drawn {
  std::map<std::string, std::string> files;
  Told expected;
};

Drawn draw(std::uint64_t seed) {
  Random random(seed ^ 0xca11);
  Drawn drawn;
  std::map<std::string, std::string> pages;
  std::string& csv = drawn.files["pages.csv"] = "words,page,title\n";
  for (std::uint64_t left = random.below(20); left > 0; --left) {
    const std::string page = fmt::format("page {}", random.below(12));
    const std::string words = random.chance(0.3) ? "" : std::to_string(random.below(100));
    const std::string title = fmt::format("a title, {}", random.below(100));
    csv += fmt::format("{},{},\"{}\"\n", words, page, title);
    pages[page] = fmt::format(R"("title":"{}","words":{})", title, words.empty() ? "null" : words);
  }
  const std::uint64_t partitions = 1 + random.below(3);
  for (std::uint64_t partition = 0; partition < partitions; ++partition) {
    std::string& lines = drawn.files[fmt::format("visits-{}.jsonl", partition)];
    for (std::uint64_t at = 0; at < 5 + random.below(80); ++at) {
      const std::string page = fmt::format("page {}", random.below(14));
      const bool none = random.chance(0.1);
      const std::string named = none ? "null" : "\"" + page + "\"";
      const std::uint64_t number = at * partitions + partition;
      lines += fmt::format("{{\"page\":{},\"n\":{},\"at\":{}}}\n", named, number, 1000 + 3 * at);
      const bool known = !none && pages.contains(page);
      drawn.expected[std::to_string(number)] =
          fmt::format(R"({{"page":{},"n":{},{}}})", named, number,
                      known ? pages[page] : R"("title":null,"words":null)");
    }
  }
  return drawn;
}

/// The last of several runs, of which the others are killed.
Told run(std::uint64_t seed, const Drawn& drawn) {
  Random random(seed);
  Told told;
  detail::MemoryStore store;
  for (std::uint64_t kills = random.below(4);; --kills) {
    Topology topology = loaded(titles(seed % 2 == 0, seed % 3 == 0));
    detail::Declaration& declaration = topology.declaration();
    const auto& nodes = declaration.graph.nodes();
    detail::NodeId id = 0;
    while (nodes[id].name != "titled") ++id;
    Stream<RowRef>(declaration, {{id, 0}})
        .key_by([](const RowRef& row) { return row.integer(1); })
        .window(global())
        .list(
            [](const RowRef& row) {
              const std::string title =
                  row.is_null(3) ? "null" : fmt::format("\"{}\"", row.text(3));
              const std::string words = row.is_null(4) ? "null" : std::to_string(row.integer(4));
              const std::string page = row.is_null(0) ? "null" : fmt::format("\"{}\"", row.text(0));
              return fmt::format(R"({{"page":{},"n":{},"title":{},"words":{}}})", page,
                                 row.integer(1), title, words);
            },
            10)
        .to(each([&told](const auto& rows) {
          told[std::to_string(rows.key)] = fmt::format("{}", fmt::join(rows.value, "\n"));
        }));
    const bool ran = detail::run_until_cut(topology, store, random, kills > 0 ? 800 : 0, false,
                                           [&](detail::SimEnv& env) {
                                             for (const auto& [path, text] : drawn.files)
                                               env.files.put(path, text);
                                           });
    if (!ran) return {};
    const auto newest = store.newest();
    if (kills == 0 || (newest && *newest && (*newest)->finished)) return told;
  }
}

TEST(CallsByName, EachRowLeavesOnceWithWhatTheFileHas) {
  std::size_t found = 0;
  property::for_each_seed([&](std::uint64_t seed) {
    const Drawn drawn = draw(seed);
    EXPECT_EQ(run(seed, drawn), drawn.expected) << "MILLRACE_SEED=" << seed;
    for (const auto& [number, text] : drawn.expected)
      found += text.find("a title") != text.npos ? 1 : 0;
    return !testing::Test::HasFailure();
  });
  EXPECT_GT(found, 0u);
}

/// A driver that tells metrics of components.
class Driver : public TestDriver {
 public:
  using TestDriver::TestDriver;
  double metric(const std::string& component, const std::string& name) {
    const detail::Report report = driven_->report();
    for (const detail::MetricReport& one : driven_->component(report, component).metrics)
      if (one.name == name) return one.value;
    return -1;
  }
};

class FileInADriver : public testing::Test {
 protected:
  void start(const std::string& yaml) {
    topology_ = std::make_unique<Topology>(loaded(yaml));
    driver_ = std::make_unique<Driver>(*topology_);
  }
  std::unique_ptr<Topology> topology_;
  std::unique_ptr<Driver> driver_;
};

TEST_F(FileInADriver, IsReadAgainWhenItHasAged) {
  start(kTitles);
  auto visits = driver_->input<RowRef>("visits");
  auto titled = driver_->output<RowRef>("titled");
  const auto title = [&] {
    visits.pipe(R"({"page": "home", "n": 1, "at": "2024-01-01T10:00:00Z"})");
    const auto rows = titled.read_all();
    return rows.size() == 1 && !rows[0].is_null(3) ? std::string(rows[0].text(3)) : "none";
  };
  driver_->put_file("pages.csv", "page,title,words\nhome,Old,1\n");
  EXPECT_EQ(title(), "Old");
  driver_->put_file("pages.csv", "page,title,words\nhome,New,1\n");
  driver_->advance_clock(std::chrono::seconds(59));
  EXPECT_EQ(title(), "Old");
  driver_->advance_clock(std::chrono::seconds(1));
  EXPECT_EQ(title(), "New");
  EXPECT_EQ(driver_->metric("titled", "lookup_reload_failures"), 0);
  driver_->put_file("pages.csv", "page,title,words\nhome,Broken,many\n");
  driver_->advance_clock(minutes(1));
  EXPECT_EQ(title(), "New");
  EXPECT_EQ(driver_->metric("titled", "lookup_reload_failures"), 1);
  driver_->put_file("pages.csv", "page,title,words\n");
  driver_->advance_clock(minutes(1));
  EXPECT_EQ(title(), "none");
}

TEST_F(FileInADriver, RunsNoCommands) {
  start(R"yaml(
name: scored
spouts:
  - {id: in, type: csv, with: {path: in.csv, fields: {n: int}}}
bolts:
  - {id: sure, type: call, with: {exec: echo 1, fields: {score: double}, fallback: {score: 0.5}}}
  - {id: unsure, type: call, with: {exec: echo 1, fields: {score: double}}}
  - {id: shown, type: view}
streams:
  - {from: in, to: sure}
  - {from: in, to: unsure}
  - {from: sure, to: shown}
  - {from: unsure, to: shown}
)yaml");
  auto in = driver_->input<RowRef>("in");
  auto sure = driver_->output<RowRef>("sure");
  auto errors = driver_->output<DeadLetter>("unsure", "errors");
  in.pipe(R"({"n": 1})");
  EXPECT_THAT(sure.read_all_json(), ElementsAre(R"({"n":1,"score":0.5})"));
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors.read()->reason, "a test driver and a simulation run no commands");
}

}  // namespace
}  // namespace millrace
