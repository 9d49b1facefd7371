// Promise 9 for windows: random topologies give what a naive model gives, whatever the schedule.
#include "random_topology.hpp"

namespace millrace::property {
namespace {

constexpr auto kByName = [](const ModelRecord& record) { return record.name; };
constexpr auto kByKey = [](const ModelRecord& record) { return record.key; };
constexpr auto kByBoth = [](const ModelRecord& record) {
  return std::tuple(record.name, record.key);
};

using Group = std::vector<const ModelRecord*>;
std::int64_t count_of(const Group& group) { return static_cast<std::int64_t>(group.size()); }
std::int64_t sum_of(const Group& group) {
  std::int64_t sum = 0;
  for (const ModelRecord* record : group) sum += record->number;
  return sum;
}
double amount_of(const Group& group) {
  double sum = 0;
  for (const ModelRecord* record : group) sum += record->amount;
  return sum;
}
Stats stats_of(const Group& group) {
  Stats stats;
  for (const ModelRecord* record : group) add_to(stats, record->event());
  return stats;
}

/// Names each component so that its counts can be found in the report.
void declare(const Case& drawn, Topology& topology, Rows& rows) {
  const Stream<Event> trunk = declare_trunk(topology, drawn);
  const auto by_name = trunk.key_by(&Event::name).window(drawn.windows);
  const auto by_key = trunk.key_by(&Event::key).window(drawn.windows);
  const auto by_both = trunk.key_by(&Event::name, &Event::key).window(drawn.windows);
  const auto merge = [](Stats& a, const Stats& b) { merge_into(a, b); };
  const auto add = [](Stats& stats, const Event& event) { add_to(stats, event); };
  if (drawn.shape == 0 || drawn.shape == 1) {
    const auto counts = by_name.count().named("counts");
    counts.to(collect(rows, "count by name"));
    counts.top(drawn.top).to(collect(rows, "top by count"));
    by_key.sum(&Event::amount).to(collect(rows, "amount by key"));
  }
  if (drawn.shape == 1 || drawn.shape == 2) {
    by_key.count().named("counts of keys").to(collect(rows, "count by key"));
    by_both.fold(Stats{}, add).to(collect(rows, "fold by both"));
  }
  if (drawn.shape == 2 || drawn.shape == 3) {
    const auto folds = by_name.fold(Stats{}, add, merge);
    folds.to(collect(rows, "fold by name"));
    folds.top(drawn.top, &Stats::greatest).to(collect(rows, "top by greatest"));
    by_both.sum(&Event::number).to(collect(rows, "sum by both"));
  }
}

/// Rows of one aggregate for every window and key.
template <class GetKey, class Compute>
void expect_groups(Rows& rows, const std::string& sink, const std::vector<ModelRecord>& records,
                   Windows windows, GetKey get_key, Compute compute) {
  auto& list = rows[sink];
  for (const auto& [bounds, keys] : model_groups(records, windows, get_key)) {
    for (const auto& [key, group] : keys) list.push_back(row_of(key, bounds, compute(group)));
  }
}

/// The greatest of each window by `score`, ties by key.
template <class Compute, class Score>
void expect_top(Rows& rows, const std::string& sink, const std::vector<ModelRecord>& records,
                const Case& drawn, Compute compute, Score score) {
  auto& list = rows[sink];
  for (const auto& [bounds, keys] : model_groups(records, drawn.windows, kByName)) {
    std::vector<std::pair<std::int64_t, std::string>> order;
    for (const auto& [key, group] : keys) order.emplace_back(-score(compute(group)), key);
    std::sort(order.begin(), order.end());
    for (std::uint32_t at = 0; at < std::min(drawn.top, order.size()); ++at) {
      const std::string& key = order[at].second;
      list.push_back(ranked(at + 1, row_of(key, bounds, compute(keys.at(key)))));
    }
  }
}

Rows model(const Case& drawn, const std::vector<ModelRecord>& records) {
  Rows rows;
  const Windows windows = drawn.windows;
  if (drawn.shape == 0 || drawn.shape == 1) {
    expect_groups(rows, "count by name", records, windows, kByName, count_of);
    expect_top(rows, "top by count", records, drawn, count_of,
               [](std::int64_t count) { return count; });
    expect_groups(rows, "amount by key", records, windows, kByKey, amount_of);
  }
  if (drawn.shape == 1 || drawn.shape == 2) {
    expect_groups(rows, "count by key", records, windows, kByKey, count_of);
    expect_groups(rows, "fold by both", records, windows, kByBoth, stats_of);
  }
  if (drawn.shape == 2 || drawn.shape == 3) {
    expect_groups(rows, "fold by name", records, windows, kByName, stats_of);
    expect_top(rows, "top by greatest", records, drawn, stats_of,
               [](const Stats& stats) { return stats.greatest; });
    expect_groups(rows, "sum by both", records, windows, kByBoth, sum_of);
  }
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

/// The engine's counter of late records against the model's.
std::string check_late(const detail::Report& report, std::uint64_t late) {
  for (const auto& part : report.components) {
    if (part.name != "counts" && part.name != "counts of keys") continue;
    if (part.late != late)
      return fmt::format("\"{}\" counted {} late records, the model {}", part.name, part.late,
                         late);
  }
  return "";
}

TEST(ScheduleDoesNotMatter, WindowsEqualTheModel) {
  Hits hits;
  for_each_seed([&](std::uint64_t seed) {
    const Case drawn = draw_case(seed);
    const std::vector<ModelRecord> records = model_records(drawn);
    count_hits(drawn, records, hits);
    std::uint64_t late = 0;
    for (const ModelRecord& record : records) late += model_windows(record, drawn.windows).empty();
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, topology, rows); },
        model(drawn, records), [late](const auto& report) { return check_late(report, late); });
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GT(hits.late, 0u) << "no record was late for all of its windows";
  EXPECT_GT(hits.partly_late, 0u) << "no record was late for some of its windows only";
  EXPECT_GT(hits.behind, 0u) << "no record was behind its watermark and yet in time";
  EXPECT_GT(hits.equal_stamps, 0u) << "no stamp came twice";
  EXPECT_GT(hits.on_edge, 0u) << "no stamp was the start of a window";
  EXPECT_GT(hits.before_edge, 0u) << "no stamp was the end of a window less one";
  EXPECT_GT(hits.negative, 0u) << "no stamp was before 1970";
  EXPECT_GT(hits.empty_partition, 0u) << "no partition was empty";
  EXPECT_GT(hits.two_inputs, 0u) << "no case had two inputs";
  EXPECT_GT(hits.cumulating, 0u) << "no window was cumulating";
  EXPECT_GT(hits.offset, 0u) << "no window had an offset";
}

}  // namespace
}  // namespace millrace::property
