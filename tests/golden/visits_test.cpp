// Sessions of users, hosts and aircraft, against rows that a plain script computed.
#include "line_fields.hpp"

namespace millrace::golden {
namespace {

/// What all four files have: who, when, and two numbers.
struct Visit {
  Timestamp time;
  std::string_view who;
  std::string_view label;
  std::int64_t number = 0;
};

struct Summary {
  Timestamp last;
  std::int64_t visits = 0;
  std::int64_t sum = 0;
  std::string label;
};

/// The rows of the sessions, in the order of the expected files: start, then key.
Lines sessions_of(Topology& topology, const Stream<Visit>& visits, Duration gap, bool gap_of_each,
                  std::uint32_t parallelism,
                  std::string (*print)(const Aggregate<std::string_view, Summary>&)) {
  std::vector<std::tuple<Time, std::string, std::string>> rows;
  const auto by_who = visits.key_by(&Visit::who);
  const auto collect = each([&](const auto& row) {
    EXPECT_EQ(row.window_end, row.value.last.micros + gap.count());
    rows.emplace_back(row.window_start, row.key, print(row));
  });
  const auto declare = [&](const auto& windowed) {
    windowed
        .aggregate(max(&Visit::time).as(&Summary::last), count().as(&Summary::visits),
                   sum(&Visit::number).as(&Summary::sum), first(&Visit::label).as(&Summary::label))
        .to(collect);
  };
  if (gap_of_each) {
    declare(by_who.window(session([gap](const Visit&) { return gap; })));
  } else {
    declare(by_who.window(session(gap)));
  }
  run(topology, parallelism, 1 + parallelism % 2);
  std::ranges::sort(rows);
  Lines lines;
  for (auto& [start, who, line] : rows) lines.push_back(std::move(line));
  return lines;
}

using Row = Aggregate<std::string_view, Summary>;
std::string with_sum(const Row& row) {
  return fmt::format("{},{},{},{},{}", csv(row.key), row.window_start / 1000,
                     row.value.last.micros / 1000, row.value.visits, row.value.sum);
}
std::string with_label(const Row& row) { return with_sum(row) + "," + row.value.label; }
std::string with_count(const Row& row) {
  return fmt::format("{},{},{},{}", row.key, row.window_start / 1000, row.value.last.micros / 1000,
                     row.value.visits);
}

class Sessions : public testing::TestWithParam<std::uint32_t> {
 protected:
  /// Skips the test where the data is not there.
  std::string folder_or_skip(std::string_view name) const {
    std::string folder = shared_folder(name);
    return std::filesystem::exists(folder) ? folder : "";
  }
  Stream<Visit> visits(const Stream<std::string_view>& lines, Duration out_of_order,
                       void (*parse)(std::string_view, Output<Visit>&)) {
    return lines.flat_map(parse).event_time(&Visit::time, {.out_of_order = out_of_order});
  }
};

constexpr const char* kNoData = "there is no folder shared/ beside the clone";

struct Edit {
  Timestamp time;
  std::string_view user;
  std::int64_t added = 0;
};

TEST_P(Sessions, OfWikipediaUsers) {
  const std::string folder = folder_or_skip("wikipedia-edits");
  if (folder.empty()) GTEST_SKIP() << kNoData;
  for (const bool gap_of_each : {false, true}) {
    Topology topology("wikipedia");
    const auto edits =
        topology.from(json_lines<Edit>(folder + "wikiticker-2015-09-12-sampled.json.gz"))
            .map([](const Edit& edit) { return Visit{edit.time, edit.user, "", edit.added}; })
            .event_time(&Visit::time);
    expect_rows("sessions_user_30m", read_rows(folder + "expected/sessions_user_30m.csv"),
                sessions_of(topology, edits, 30min, gap_of_each, GetParam(), with_sum));
  }
}

/// The file is grouped by user: its stamps lie up to half a year out of order.
TEST_P(Sessions, OfTheShop) {
  const std::string folder = folder_or_skip("shop-clickstream");
  if (folder.empty()) GTEST_SKIP() << kNoData;
  Topology topology("shop");
  const auto parse = [](std::string_view line, Output<Visit>& out) {
    if (line.starts_with("user_id,")) return;
    const auto fields = split_line(line);
    out.emit({time_of(fields[3]), fields[0], fields[1], fields[2] == "purchase"});
  };
  const auto clicks = visits(topology.from(lines(folder + "ecom.csv.gz")), 200 * 24h, parse);
  expect_rows("sessions_30m", read_rows(folder + "expected/sessions_30m.csv"),
              sessions_of(topology, clicks, 30min, false, GetParam(), with_label));
}

/// "17/May/2015:10:05:03 +0000" without its zone, which is UTC in the whole file.
Timestamp apache_time(std::string_view text) {
  return time_of(
      fmt::format("{}-05-{}T{}", text.substr(7, 4), text.substr(0, 2), text.substr(12, 8)));
}

TEST_P(Sessions, OfWebHosts) {
  const std::string folder = folder_or_skip("web-access-log");
  if (folder.empty()) GTEST_SKIP() << kNoData;
  Topology topology("web");
  const auto parse = [](std::string_view line, Output<Visit>& out) {
    const std::string_view stamp = line.substr(line.find('[') + 1, 26);
    // Agents may hold quotes; the first '" ' stands behind the request, which may not.
    std::string_view rest = line.substr(line.find("\" ", line.find('"') + 1) + 2);
    rest = rest.substr(rest.find(' ') + 1);
    const std::string_view bytes = rest.substr(0, rest.find(' '));
    out.emit({apache_time(stamp), line.substr(0, line.find(' ')), "",
              static_cast<std::int64_t>(number_of(bytes))});
  };
  const auto requests = visits(topology.from(lines(folder + "apache_logs.gz")), 1min, parse);
  expect_rows("sessions_host_30m", read_rows(folder + "expected/sessions_host_30m.csv"),
              sessions_of(topology, requests, 30min, false, GetParam(), with_sum));
}

TEST_P(Sessions, OfAircraft) {
  const std::string folder = folder_or_skip("adsb-paris");
  if (folder.empty()) GTEST_SKIP() << kNoData;
  Topology topology("aircraft");
  const auto parse = [](std::string_view line, Output<Visit>& out) {
    if (line.starts_with("timestamp,")) return;
    const auto fields = split_line(line);
    out.emit({{static_cast<Time>(number_of(fields[0])) * 1000}, fields[1], "", 0});
  };
  const auto reports = visits(topology.from(lines(folder + "positions.csv.gz")), 0s, parse);
  expect_rows("sessions_aircraft_5m", read_rows(folder + "expected/sessions_aircraft_5m.csv"),
              sessions_of(topology, reports, 5min, false, GetParam(), with_count));
}

INSTANTIATE_TEST_SUITE_P(Parallelism, Sessions, testing::Range(1u, 9u));

}  // namespace
}  // namespace millrace::golden
