// Interval joins give what a naive join over the whole input gives, whatever the schedule.
#include "join_input.hpp"

namespace millrace::property {
namespace {

/// How often the draws hit what is easily got wrong.
struct JoinHits {
  std::uint64_t pairs = 0, alone = 0, late = 0, behind_in_time = 0, at_lower = 0, at_upper = 0,
                beyond_lower = 0, beyond_upper = 0, equal_stamps = 0, negative = 0;
};

struct JoinCase {
  Input left, right;
  JoinInterval interval;
};

/// Moves right stamps to exactly a bound of a left record of the same key, or one off.
void aim(Random& random, JoinCase& drawn) {
  for (auto& partition : drawn.right.partitions) {
    for (Event& event : partition) {
      if (!random.chance(0.6)) continue;
      const auto& lefts = drawn.left.partitions[random.below(drawn.left.partitions.size())];
      if (lefts.empty()) continue;
      const Event& left = lefts[random.below(lefts.size())];
      event.key = left.key;
      const std::int64_t bound =
          random.chance(0.5) ? -drawn.interval.before.count() : drawn.interval.after.count();
      event.time = left.time + bound + random.between(-1, 1);
    }
  }
}

JoinCase draw_join(std::uint64_t seed) {
  Random random(seed ^ 0x101);
  JoinCase drawn{draw_input(random), draw_input(random), {}};
  const std::int64_t before = random.between(-20, 60);
  drawn.interval.before = Duration(before);
  drawn.interval.after = Duration(2 + random.between(0, 60) - before);
  drawn.interval.exclusive_lower = random.chance(0.4);
  drawn.interval.exclusive_upper = random.chance(0.4);
  drawn.interval.lateness = Duration(random.chance(0.5) ? 0 : random.between(1, 40));
  aim(random, drawn);
  return drawn;
}

void declare(const JoinCase& drawn, Topology& topology, Rows& rows) {
  const auto left = declare_input(topology, drawn.left).key_by(&Event::key);
  const auto right = declare_input(topology, drawn.right).key_by(&Event::key);
  const JoinInterval& interval = drawn.interval;
  auto join =
      left.join(right).within(interval.before, interval.after).allowed_lateness(interval.lateness);
  if (interval.exclusive_lower) join = join.exclusive_lower();
  if (interval.exclusive_upper) join = join.exclusive_upper();
  const auto end = [&rows](const Stream<Pair>& pairs, const std::string& name) {
    pairs.to(collect_text(rows, name));
    pairs.key_by(&Pair::key)
        .window(tumbling(Duration(7)))
        .count()
        .to(collect(rows, name + " counts"));
  };
  const auto inner = join.inner([](const Event& l, const Event& r) { return pair_of(&l, &r); });
  end(inner, "inner");
  inner.late_left().to(collect_text(rows, "late left"));
  inner.late_right().to(collect_text(rows, "late right"));
  end(join.left([](const Event& l, const Event* r) { return pair_of(&l, r); }), "left");
  end(join.right([](const Event* l, const Event& r) { return pair_of(l, &r); }), "right");
  const auto full = [](const Event* l, const Event* r) { return pair_of(l, r); };
  end(join.full(full), "full");
  collect_order(join.full(full), rows);
}

/// A row of the model, with what says where it stands among those of equal time.
struct ModelPair {
  const ModelRecord* left = nullptr;
  const ModelRecord* right = nullptr;

  bool left_is_later() const {
    if (right == nullptr || left == nullptr) return left != nullptr;
    return std::tie(left->time, left->arrival) > std::tie(right->time, right->arrival);
  }
  const ModelRecord& later() const { return left_is_later() ? *left : *right; }
  const ModelRecord* earlier() const { return left_is_later() ? right : left; }
  Time time() const { return later().time; }
  Pair pair() const {
    static Event events[2];
    if (left != nullptr) events[0] = left->event();
    if (right != nullptr) events[1] = right->event();
    return pair_of(left != nullptr ? &events[0] : nullptr, right != nullptr ? &events[1] : nullptr);
  }
  friend bool operator<(const ModelPair& a, const ModelPair& b) {
    if (a.time() != b.time()) return a.time() < b.time();
    if (!(a.later().arrival == b.later().arrival)) return a.later().arrival < b.later().arrival;
    const auto *const x = a.earlier(), *const y = b.earlier();
    return std::tie(x->time, x->arrival) < std::tie(y->time, y->arrival);
  }
};

bool in_interval(const JoinInterval& interval, Time left, Time right, JoinHits& hits) {
  const Time lower = left - interval.before.count();
  const Time upper = left + interval.after.count();
  hits.at_lower += right == lower;
  hits.at_upper += right == upper;
  hits.beyond_lower += right == lower - 1;
  hits.beyond_upper += right == upper + 1;
  if (right < lower || right > upper) return false;
  if (interval.exclusive_lower && right == lower) return false;
  return !(interval.exclusive_upper && right == upper);
}

std::vector<ModelRecord> on_time(const std::vector<ModelRecord>& all, const JoinCase& drawn,
                                 std::vector<OutRow>& late, JoinHits& hits) {
  std::vector<ModelRecord> kept;
  std::set<Time> seen;
  for (const ModelRecord& record : all) {
    hits.equal_stamps += !seen.insert(record.time).second;
    const bool behind = record.watermark && record.time < *record.watermark;
    if (behind && record.time + drawn.interval.lateness.count() < *record.watermark) {
      late.push_back({text_of(record.event()), 0});
      ++hits.late;
    } else {
      kept.push_back(record);
      hits.behind_in_time += behind;
    }
  }
  return kept;
}

void add_rows(Rows& rows, const std::string& name, std::vector<ModelPair> pairs) {
  std::map<std::pair<std::int32_t, Time>, std::int64_t> counts;
  rows[name];
  for (const ModelPair& pair : pairs) {
    rows[name].push_back({text_of(pair.pair()), 0});
    ++counts[{pair.later().key, detail::floor_div(pair.time(), 7) * 7}];
  }
  rows[name + " counts"];
  for (const auto& [at, count] : counts)
    rows[name + " counts"].push_back(row_of(at.first, {at.second, at.second + 7}, count));
}

void add_order(Rows& rows, std::vector<ModelPair> pairs) {
  std::sort(pairs.begin(), pairs.end());
  std::map<std::pair<std::int32_t, Time>, std::vector<std::string>> lists;
  for (const ModelPair& pair : pairs) {
    lists[{pair.later().key, detail::floor_div(pair.time(), 50) * 50}].push_back(
        text_of(pair.pair()));
  }
  rows["order"];
  for (const auto& [at, list] : lists)
    rows["order"].push_back({fmt::format("{} {}", at.second, fmt::join(list, " | ")), 0});
}

Rows model(const JoinCase& drawn, const std::vector<ModelRecord>& all_left,
           const std::vector<ModelRecord>& all_right, JoinHits& hits) {
  Rows rows;
  const auto left = on_time(all_left, drawn, rows["late left"], hits);
  const auto right = on_time(all_right, drawn, rows["late right"], hits);
  std::vector<ModelPair> inner, left_alone, right_alone;
  std::set<const ModelRecord*> matched;
  for (const ModelRecord& l : left) {
    for (const ModelRecord& r : right) {
      if (l.key != r.key || !in_interval(drawn.interval, l.time, r.time, hits)) continue;
      inner.push_back({&l, &r});
      matched.insert(&l);
      matched.insert(&r);
    }
    if (!matched.contains(&l)) left_alone.push_back({&l, nullptr});
  }
  for (const ModelRecord& r : right) {
    if (!matched.contains(&r)) right_alone.push_back({nullptr, &r});
  }
  hits.pairs += inner.size();
  hits.alone += left_alone.size() + right_alone.size();
  hits.negative += drawn.interval.before.count() < 0;
  const auto with = [&](bool l, bool r) {
    std::vector<ModelPair> pairs = inner;
    if (l) pairs.insert(pairs.end(), left_alone.begin(), left_alone.end());
    if (r) pairs.insert(pairs.end(), right_alone.begin(), right_alone.end());
    return pairs;
  };
  add_rows(rows, "inner", inner);
  add_rows(rows, "left", with(true, false));
  add_rows(rows, "right", with(false, true));
  add_rows(rows, "full", with(true, true));
  add_order(rows, with(true, true));
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

TEST(ScheduleDoesNotMatter, IntervalJoinsEqualTheModel) {
  JoinHits hits;
  for_each_seed([&](std::uint64_t seed) {
    const JoinCase drawn = draw_join(seed);
    // Each input is declared as a source and its event_time.
    const auto left = model_records(drawn.left, 0);
    const auto right = model_records(drawn.right, 2);
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, topology, rows); },
        model(drawn, left, right, hits));
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GT(hits.pairs, 300u);
  EXPECT_GT(hits.alone, 500u);
  EXPECT_GT(hits.late, 200u);
  EXPECT_GT(hits.behind_in_time, 100u);
  EXPECT_GT(hits.at_lower, 30u);
  EXPECT_GT(hits.at_upper, 30u);
  EXPECT_GT(hits.beyond_lower, 30u);
  EXPECT_GT(hits.beyond_upper, 30u);
  EXPECT_GT(hits.equal_stamps, 500u);
  EXPECT_GT(hits.negative, 3u);
}

}  // namespace
}  // namespace millrace::property
