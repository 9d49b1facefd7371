// As-of joins give what a naive look over the whole input gives, whatever the schedule.
#include "join_input.hpp"

namespace millrace::property {
namespace {

/// How often the draws hit what is easily got wrong.
struct AsOfHits {
  std::uint64_t found = 0, alone = 0, late = 0, behind_in_time = 0, equal_stamps = 0,
                right_ties = 0, too_old = 0, at_span = 0, later = 0, as_near = 0;
};

struct AsOfCase {
  Input left, right;
  AsOfBounds bounds;
  bool global = false;  ///< the right side is a table that each task has all of
};

/// Moves right stamps to a left record's of the same key, or where the span ends, or one off; some
/// to where the one before stands, or as far on the other side of the left record.
void aim_as_of(Random& random, AsOfCase& drawn) {
  const std::int64_t span = drawn.bounds.within ? drawn.bounds.within->count() : 5;
  std::int64_t off = 0;
  Event left;
  for (auto& partition : drawn.right.partitions) {
    for (Event& event : partition) {
      if (!random.chance(0.7)) continue;
      const auto& lefts = drawn.left.partitions[random.below(drawn.left.partitions.size())];
      if (lefts.empty()) continue;
      if (random.chance(0.4)) {
        if (random.chance(0.5)) off = -off;
      } else {
        left = lefts[random.below(lefts.size())];
        off = random.chance(0.3) ? 0 : span * random.between(-1, 1) + random.between(-1, 1);
      }
      event.key = left.key;
      event.time = left.time + off;
    }
  }
}

AsOfCase draw_as_of(std::uint64_t seed) {
  Random random(seed ^ 0x303);
  AsOfCase drawn{draw_input(random), draw_input(random), {}, false};
  if (random.chance(0.7)) drawn.bounds.within = Duration(random.between(0, 40));
  drawn.bounds.nearest = drawn.bounds.within && random.chance(0.5);
  drawn.bounds.lateness = Duration(random.chance(0.5) ? 0 : random.between(1, 40));
  aim_as_of(random, drawn);
  return drawn;
}

template <class Join>
void declare_rows(const AsOfCase& drawn, const Join& of, Rows& rows) {
  auto join = of.allowed_lateness(drawn.bounds.lateness);
  if (drawn.bounds.within) join = join.within(*drawn.bounds.within);
  if (drawn.bounds.nearest) join = join.nearest(*drawn.bounds.within);
  const auto inner = join.inner([](const Event& l, const Event& r) { return pair_of(&l, &r); });
  inner.to(collect_text(rows, "inner"));
  inner.late_left().to(collect_text(rows, "late left"));
  inner.late_right().to(collect_text(rows, "late right"));
  const auto all = join.left([](const Event& l, const Event* r) { return pair_of(&l, r); });
  all.to(collect_text(rows, "left"));
  all.key_by(&Pair::key).window(tumbling(Duration(7))).count().to(collect(rows, "counts"));
  collect_order(all, rows);
}
void declare(const AsOfCase& drawn, Topology& topology, Rows& rows) {
  const auto left = declare_input(topology, drawn.left);
  const auto right = declare_input(topology, drawn.right).key_by(&Event::key);
  if (drawn.global)
    return declare_rows(drawn, left.join(right.table().global(), &Event::key), rows);
  declare_rows(drawn, left.key_by(&Event::key).as_of(right), rows);
}

std::vector<ModelRecord> on_time(const std::vector<ModelRecord>& all, const AsOfCase& drawn,
                                 std::vector<OutRow>& late, AsOfHits& hits) {
  std::vector<ModelRecord> kept;
  for (const ModelRecord& record : all) {
    const bool behind = record.watermark && record.time < *record.watermark;
    if (behind && record.time + drawn.bounds.lateness.count() < *record.watermark) {
      late.push_back({text_of(record.event()), 0});
      ++hits.late;
    } else {
      kept.push_back(record);
      hits.behind_in_time += behind;
    }
  }
  return kept;
}

/// Null: none.
const ModelRecord* partner_of(const ModelRecord& left, const std::vector<ModelRecord>& rights,
                              const AsOfBounds& bounds, AsOfHits& hits) {
  const ModelRecord* best = nullptr;
  const auto better = [&](const ModelRecord& one, const ModelRecord& other) {
    const std::int64_t near = std::abs(left.time - one.time);
    const std::int64_t far = std::abs(left.time - other.time);
    hits.as_near += near == far && one.time != other.time;
    hits.right_ties += one.time == other.time;
    return std::tuple(-near, -one.time, one.arrival) > std::tuple(-far, -other.time, other.arrival);
  };
  for (const ModelRecord& right : rights) {
    if (right.key != left.key || (!bounds.nearest && right.time > left.time)) continue;
    const std::int64_t away = std::abs(left.time - right.time);
    hits.equal_stamps += away == 0;
    if (bounds.within) {
      hits.at_span += away == bounds.within->count();
      hits.too_old += away == bounds.within->count() + 1;
      if (away > bounds.within->count()) continue;
    }
    if (best == nullptr || better(right, *best)) best = &right;
  }
  hits.later += best != nullptr && best->time > left.time;
  return best;
}

Rows model(const AsOfCase& drawn, const std::vector<ModelRecord>& all_left,
           const std::vector<ModelRecord>& all_right, AsOfHits& hits) {
  Rows rows;
  auto lefts = on_time(all_left, drawn, rows["late left"], hits);
  const auto rights = on_time(all_right, drawn, rows["late right"], hits);
  std::sort(lefts.begin(), lefts.end(), [](const auto& a, const auto& b) {
    return std::tie(a.time, a.arrival) < std::tie(b.time, b.arrival);
  });
  std::map<std::pair<std::int32_t, Time>, std::int64_t> counts;
  std::map<std::pair<std::int32_t, Time>, std::vector<std::string>> lists;
  for (const char* sink : {"inner", "left", "counts", "order"}) rows[sink];
  for (const ModelRecord& left : lefts) {
    const ModelRecord* const found = partner_of(left, rights, drawn.bounds, hits);
    ++(found != nullptr ? hits.found : hits.alone);
    const Event l = left.event();
    const Event r = found != nullptr ? found->event() : Event();
    const std::string text = text_of(pair_of(&l, found != nullptr ? &r : nullptr));
    if (found != nullptr) rows["inner"].push_back({text, 0});
    rows["left"].push_back({text, 0});
    ++counts[{left.key, detail::floor_div(left.time, 7) * 7}];
    lists[{left.key, detail::floor_div(left.time, 50) * 50}].push_back(text);
  }
  for (const auto& [at, count] : counts)
    rows["counts"].push_back(row_of(at.first, {at.second, at.second + 7}, count));
  for (const auto& [at, list] : lists)
    rows["order"].push_back({fmt::format("{} {}", at.second, fmt::join(list, " | ")), 0});
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

void check_as_of(bool global) {
  AsOfHits hits;
  for_each_seed([&](std::uint64_t seed) {
    AsOfCase drawn = draw_as_of(seed);
    drawn.global = global;
    // Each input is declared as a source and its event_time.
    const auto left = model_records(drawn.left, 0);
    const auto right = model_records(drawn.right, 2);
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, topology, rows); },
        model(drawn, left, right, hits));
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GT(hits.found, 500u);
  EXPECT_GT(hits.alone, 300u);
  EXPECT_GT(hits.late, 200u);
  EXPECT_GT(hits.behind_in_time, 100u);
  EXPECT_GT(hits.equal_stamps, 100u);
  EXPECT_GT(hits.right_ties, 50u);
  EXPECT_GT(hits.too_old, 20u);
  EXPECT_GT(hits.at_span, 20u);
  EXPECT_GT(hits.later, 50u);
  EXPECT_GT(hits.as_near, 2u) << "the test of cuts has more";
}

TEST(ScheduleDoesNotMatter, AsOfJoinsEqualTheModel) { check_as_of(false); }
TEST(ScheduleDoesNotMatter, JoinsWithGlobalTablesEqualTheModel) { check_as_of(true); }

}  // namespace
}  // namespace millrace::property
