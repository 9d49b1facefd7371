// Crossings of positions that come out of order: what a slow model says of the sorted input,
// whatever the schedule.
#include <cmath>
#include <limits>
#include <optional>

#include "join_input.hpp"
#include "millrace/geo.hpp"
#include "naive_model.hpp"
#include "schedule_run.hpp"

namespace millrace::property {
namespace {

constexpr GeoPoint kCentre{45, 0};
constexpr double kRadiusM = 2'500'000;  // about half of the places lie inside

/// Some have none, some are no number.
std::optional<double> latitude_of(const Event& event) {
  if (event.number % 11 == 0) return std::nullopt;
  if (event.number % 13 == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(event.number) * 0.09;
}
double longitude_of(const Event&) { return 0; }

OutRow row_of(const Crossing<std::int32_t>& crossing) {
  return {fmt::format("{} {} {} at {}", crossing.key, crossing.time.micros,
                      crossing.entered ? "in" : "out", crossing.at.latitude),
          crossing.from_border_m};
}

struct FenceHits {
  std::uint64_t crossings = 0, late = 0, equal_times = 0, out_of_order = 0, in_margin = 0;
};

using KeyRecords = std::map<std::int32_t, std::vector<ModelRecord>>;

/// The records of each key as they arrive in their partitions; late ones are rows.
KeyRecords by_key(const Input& input, Rows& rows, FenceHits& hits) {
  KeyRecords keys;
  for (const ModelRecord& record : model_records(input)) {
    if (record.watermark && record.time < *record.watermark) {
      ++hits.late;
      rows["late"].push_back({text_of(record.event()), 0});
    } else {
      auto& its = keys[record.key];
      hits.out_of_order += !its.empty() && record.time < its.back().time;
      its.push_back(record);
    }
  }
  return keys;
}

Rows model(const Input& input, double margin_m, FenceHits& hits) {
  Rows rows{{"crossings", {}}, {"late", {}}};
  for (auto& [key, records] : by_key(input, rows, hits)) {
    std::ranges::sort(records, [](const ModelRecord& a, const ModelRecord& b) {
      return a.time == b.time ? a.arrival < b.arrival : a.time < b.time;
    });
    bool inside = false;
    for (std::size_t at = 0; at < records.size(); ++at) {
      hits.equal_times += at > 0 && records[at - 1].time == records[at].time;
      const Event event = records[at].event();
      const auto latitude = latitude_of(event);
      if (!latitude || std::isnan(*latitude)) continue;
      const GeoPoint place{*latitude, 0};
      const double from_border = distance_m(kCentre, place) - kRadiusM;
      hits.in_margin += inside && from_border > 0 && from_border <= margin_m;
      if (inside ? from_border <= margin_m : from_border > 0) continue;
      inside = !inside;
      ++hits.crossings;
      rows["crossings"].push_back(
          row_of({key, inside, place, from_border, Timestamp{records[at].time}}));
    }
  }
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

TEST(ScheduleDoesNotMatter, CrossingsEqualTheModel) {
  FenceHits hits;
  for_each_seed([&](std::uint64_t seed) {
    Random random(seed ^ 0xfe9ce);
    const Input input = draw_input(random);
    const double margin_m = random.chance(0.5) ? 0 : 700'000;
    const auto declare = [&](Topology& topology, Rows& rows) {
      const auto crossed =
          crossings(declare_input(topology, input).key_by(&Event::key),
                    {circle(kCentre, kRadiusM), margin_m}, latitude_of, longitude_of);
      crossed.to(each([list = &rows["crossings"]](const Crossing<std::int32_t>& crossing) {
        list->push_back(row_of(crossing));
      }));
      crossed.late().to(collect_text(rows, "late"));
    };
    return same_for_all_schedules(seed, declare, model(input, margin_m, hits));
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GT(hits.crossings, 500u);
  EXPECT_GT(hits.late, 100u);
  EXPECT_GT(hits.equal_times, 100u);
  EXPECT_GT(hits.out_of_order, 100u);
  EXPECT_GT(hits.in_margin, 50u);
}

}  // namespace
}  // namespace millrace::property
