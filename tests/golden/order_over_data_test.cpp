// Records that arrived out of order, put in order again, against rows that a plain script computed.
#include "golden_run.hpp"
#include "millrace/millrace.hpp"

namespace millrace::golden {
namespace {

struct Line {
  std::int64_t line = 0;
  Timestamp time;
  std::string channel;
};

std::int64_t integer_at(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// The text between a mark and the next quote.
std::string_view quoted_behind(std::string_view line, std::string_view mark) {
  const std::size_t from = line.find(mark) + mark.size();
  return line.substr(from, line.find('"', from) - from);
}

/// The edits as they arrived.
std::vector<Line> arrived_edits(const std::string& folder) {
  const std::string data = "wikiticker-2015-09-12-sampled.json.gz";
  Lines edits = read_rows(fmt::format("{}/data/wikipedia-edits/{}", source_folder(), data));
  std::vector<Line> arrived;
  for (const std::string& row : read_rows(folder + "expected/arrivals.csv.gz")) {
    const std::int64_t line = integer_at(std::string_view(row).substr(row.find(',') + 1));
    // read_rows() takes the first line for a header, which this file has none of.
    const std::string first = R"({"time":"2015-09-12T00:46:58.771Z","channel":"#en.wikipedia"})";
    const std::string& edit = line == 0 ? first : edits[static_cast<std::size_t>(line) - 1];
    arrived.push_back({line,
                       {detail::parse_iso_time(quoted_behind(edit, R"("time":")")).value()},
                       std::string(quoted_behind(edit, R"("channel":")"))});
  }
  return arrived;
}

std::vector<Line> commits(const std::string& folder) {
  std::vector<Line> all;
  for (const std::string& row : read_rows(folder + "commits.tsv.gz")) {
    const std::size_t author = row.find('\t') + 1;
    all.push_back({static_cast<std::int64_t>(all.size()),
                   {integer_at(std::string_view(row).substr(author)) * 1'000'000},
                   ""});
  }
  return all;
}

Lines numbers_of(const std::vector<Line>& lines) {
  Lines texts;
  for (const Line& line : lines) texts.push_back(std::to_string(line.line));
  return texts;
}

/// Runs without the checks of golden::run, which knows no late records.
std::uint64_t run_late(Topology& topology, std::uint32_t parallelism) {
  const detail::Graph& graph = topology.declaration().graph;
  for (const Status& problem : graph.validate()) ADD_FAILURE() << problem.to_string();
  detail::Engine engine(detail::make_plan(graph, {.parallelism = parallelism}),
                        {.executors = 1 + parallelism % 2}, detail::real_env());
  EXPECT_EQ(engine.start().to_string(), "ok");
  EXPECT_EQ(engine.finish().to_string(), "ok");
  detail::Report report;
  engine.graph().fill(graph, report);
  for (const auto& component : report.components) {
    if (component.kind == "restore_order") return component.late;
  }
  return 0;
}

class OrderOverData : public testing::TestWithParam<std::uint32_t> {};

TEST_P(OrderOverData, EditsWithinHalfAMinute) {
  const std::string folder = shared_folder("wikipedia-edits");
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "there is no folder shared/ beside the clone";
  std::vector<Line> ordered;
  std::vector<Line> late;
  Lines top;
  Topology topology("edits");
  auto edits = topology.from(records<Line>({arrived_edits(folder)}))
                   .event_time(&Line::time, {.out_of_order = 30s})
                   .restore_order();
  edits.to(each([&ordered](const Line& line) { ordered.push_back(line); }));
  edits.late().to(each([&late](const Line& line) { late.push_back(line); }));
  edits.key_by(&Line::channel).window(tumbling(5min)).count().top(5).to(each([&](const auto& row) {
    top.push_back(
        fmt::format("{},{},{},{}", row.window_start / 1000, row.rank, row.key, row.value));
  }));
  const std::uint64_t counted = run_late(topology, GetParam());
  expect_rows("restored_order", read_rows(folder + "expected/restored_order.csv.gz"),
              numbers_of(ordered));
  expect_rows("late_lines", read_rows(folder + "expected/late_lines.csv"), numbers_of(late));
  EXPECT_EQ(counted, late.size());
  expect_rows("disordered_top5",
              read_rows(folder + "expected/disordered_top5_channels_5m_without_late.csv"), top);
}

TEST_P(OrderOverData, CommitsWithinThirtyDays) {
  const std::string folder = shared_folder("commits-storm");
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "there is no folder shared/ beside the clone";
  std::vector<Line> ordered;
  std::vector<Line> late;
  Topology topology("commits");
  auto restored = topology.from(records<Line>({commits(folder)}))
                      .event_time(&Line::time, {.out_of_order = 30 * 24h})
                      .restore_order();
  restored.to(each([&ordered](const Line& line) { ordered.push_back(line); }));
  restored.late().to(each([&late](const Line& line) { late.push_back(line); }));
  run_late(topology, GetParam());
  expect_rows("restored_order_30d", read_rows(folder + "expected/restored_order_30d.csv.gz"),
              numbers_of(ordered));
  expect_rows("late_lines_30d", read_rows(folder + "expected/late_lines_30d.csv"),
              numbers_of(late));
}

INSTANTIATE_TEST_SUITE_P(Parallelism, OrderOverData, testing::Range(1u, 9u));

}  // namespace
}  // namespace millrace::golden
