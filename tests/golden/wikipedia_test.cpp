// The carried day of Wikipedia edits against rows that a plain script computed from the same file.
#include "golden_run.hpp"

namespace millrace::golden {
namespace {

struct Edit {
  Timestamp time;
  std::string_view channel, page, user, name_space;
  bool is_robot = false;
  bool is_anonymous = false;
  std::int64_t delta = 0;
  std::int64_t added = 0;
  std::int64_t deleted = 0;
  static constexpr auto fields() { return std::tuple{field(&Edit::name_space, "namespace")}; }
};

struct Stats {
  std::int64_t edits = 0;
  std::int64_t added = 0;
  std::int64_t deleted = 0;
};

/// A row of hopping_10m_5m.csv.
struct Hop {
  std::int64_t edits = 0;
  std::int64_t robots = 0;
  std::int64_t anonymous = 0;
  std::int64_t users = 0;
};

std::string_view kind_of(const Edit& edit) {
  return edit.is_robot ? "robots" : edit.is_anonymous ? "anonymous" : "people";
}

struct KeepKind : Bolt<Edit, Edit> {
  explicit KeepKind(std::string_view kept) : kind(kept) {}
  void process(const Edit& edit, Output<Edit>& out) override {
    if (kind_of(edit) == kind) out.emit(edit);
  }
  std::string_view kind;
};

std::string path_of(std::string_view rest) {
  return fmt::format("{}/data/wikipedia-edits/{}", source_folder(), rest);
}

void declare_edits(Stream<Edit> edits, Results& results) {
  edits.key_by(&Edit::channel, &Edit::page)
      .window(tumbling(1h))
      .count()
      .top(10)
      .to(each([&lines = results["top10_pages_1h.csv"]](const auto& row) {
        lines.push_back(fmt::format("{},{},{},{},{}", row.window_start / 1000, row.rank,
                                    csv(std::get<0>(row.key)), csv(std::get<1>(row.key)),
                                    row.value));
      }));
  edits.key_by(&Edit::channel)
      .window(global())
      .count()
      .to(each([&lines = results["totals_by_channel.csv"]](const auto& row) {
        lines.push_back(fmt::format("{},{}", csv(row.key), row.value));
      }));
  edits.filter([](const Edit& edit) { return edit.is_anonymous && edit.delta <= -200; })
      .to(each([&lines = results["alerts_big_removal.csv"]](const Edit& edit) {
        lines.push_back(fmt::format("{},{},{},{},{}", edit.time.micros / 1000, csv(edit.channel),
                                    csv(edit.page), csv(edit.user), edit.delta));
      }));
}

void declare_kinds(Stream<Edit> articles, Stream<Edit> all, Results& results) {
  articles.filter([](const Edit& edit) { return edit.name_space == "Main"; })
      .key_by(&Edit::page)
      .window(sliding(6h, 15min))
      .count()
      .top(10)
      .to(each([&lines = results["trending_pages_6h_15m.csv"]](const auto& row) {
        lines.push_back(
            fmt::format("{},{},{},{}", row.window_start / 1000, row.rank, csv(row.key), row.value));
      }));
  all.key_by(&Edit::channel)
      .window(tumbling(5min))
      .fold(
          Stats{},
          [](Stats& stats, const Edit& edit) {
            ++stats.edits;
            stats.added += edit.added;
            stats.deleted += edit.deleted;
          },
          [](Stats& stats, const Stats& other) {
            stats.edits += other.edits;
            stats.added += other.added;
            stats.deleted += other.deleted;
          })
      .top(20, &Stats::edits)
      .to(each([&lines = results["top20_channels_5m.csv"]](const auto& row) {
        lines.push_back(fmt::format("{},{},{},{},{},{}", row.window_start / 1000, row.rank,
                                    csv(row.key), row.value.edits, row.value.added,
                                    row.value.deleted));
      }));
  all.key_by(&Edit::channel, kind_of)
      .window(sliding(60min, 5min))
      .count()
      .to(each([&lines = results["busiest_wikis_60m_5m.csv.gz"]](const auto& row) {
        lines.push_back(fmt::format("{},{},{},{}", row.window_start / 1000,
                                    csv(std::get<0>(row.key)), std::get<1>(row.key), row.value));
      }));
}

/// One key for all edits: the window's figures, and its users counted once each.
void declare_hopping(Stream<Edit> edits, Results& results) {
  edits.key_by([](const Edit&) { return 0; })
      .window(sliding(10min, 5min))
      .aggregate(count().as(&Hop::edits), sum(&Edit::is_robot).as(&Hop::robots),
                 sum(&Edit::is_anonymous).as(&Hop::anonymous),
                 distinct(&Edit::user).as(&Hop::users))
      .to(each([&lines = results["hopping_10m_5m.csv"]](const auto& row) {
        const Hop& hop = row.value;
        lines.push_back(fmt::format("{},{},{},{},{}", row.window_start / 1000, hop.edits,
                                    hop.robots, hop.anonymous, hop.users));
      }));
}

/// Every query of the expected files in one topology, run to its end.
Results run_day(std::uint32_t parallelism, std::uint32_t executors) {
  Results results;
  Topology topology("golden");
  auto edits = topology.from(json_lines<Edit>(path_of("wikiticker-2015-09-12-sampled.json.gz")))
                   .event_time(&Edit::time);
  auto people = topology.bolt("people", KeepKind("people"), shuffle(edits));
  auto anonymous = topology.bolt("anonymous", KeepKind("anonymous"), shuffle(edits));
  auto robots = topology.bolt("robots", KeepKind("robots"), shuffle(edits));
  declare_edits(edits, results);
  declare_hopping(edits, results);
  declare_kinds(people.merge(anonymous), people.merge(anonymous, robots), results);

  const detail::Report report = run(topology, parallelism, executors);
  EXPECT_EQ(report.records_in, 39'244u);
  return results;
}

/// The edits of a line "channel,edits".
std::int64_t edits_of(const std::string& line) {
  std::int64_t edits = 0;
  const char* from = line.data() + line.rfind(',') + 1;
  std::from_chars(from, line.data() + line.size(), edits);
  return edits;
}

/// Puts the rows of several tasks, which come in any order, into the order of the expected file.
void order(const std::string& name, Lines& lines) {
  if (name.starts_with("totals")) {
    std::ranges::sort(lines, [](const std::string& a, const std::string& b) {
      return edits_of(a) != edits_of(b) ? edits_of(a) > edits_of(b) : a < b;
    });
  }
  if (name.starts_with("busiest")) std::ranges::sort(lines);
}

void expect_equal(const std::string& name, Lines expected, Lines found) {
  if (name.starts_with("busiest")) std::ranges::sort(expected);
  order(name, found);
  expect_rows(name, expected, found);
}

class Wikipedia : public testing::TestWithParam<std::uint32_t> {};

TEST_P(Wikipedia, EqualsTheCarriedRows) {
  for (std::uint32_t executors : {1u, 2u}) {
    SCOPED_TRACE(fmt::format("parallelism {}, executors {}", GetParam(), executors));
    for (auto& [name, lines] : run_day(GetParam(), executors)) {
      if (name == "hopping_10m_5m.csv") continue;  // not carried: see WikipediaShared
      expect_equal(name, read_rows(path_of("expected/" + name)), lines);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Parallelism, Wikipedia, testing::Range(1u, 9u));

class WikipediaShared : public testing::TestWithParam<std::uint32_t> {};

TEST_P(WikipediaShared, EqualsTheRowsBesideTheClone) {
  const std::string folder = shared_folder("wikipedia-edits") + "expected/";
  if (!std::filesystem::exists(folder)) {
    GTEST_SKIP() << "there is no folder shared/ beside the clone; the carried rows were compared";
  }
  Results results = run_day(GetParam(), 1);
  for (const char* name : {"hopping_10m_5m.csv", "top20_channels_5m.csv", "top10_pages_1h.csv",
                           "totals_by_channel.csv", "alerts_big_removal.csv"}) {
    expect_equal(name, read_rows(folder + name), results[name]);
  }
}

INSTANTIATE_TEST_SUITE_P(Parallelism, WikipediaShared, testing::Range(1u, 9u));

}  // namespace
}  // namespace millrace::golden
