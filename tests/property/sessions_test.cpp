// Sessions of random topologies give what a naive model gives, whatever the schedule.
#include "random_topology.hpp"

namespace millrace::property {
namespace {

/// What the draws hit of the edges of sessions.
struct SessionHits {
  std::uint64_t records = 0;
  std::uint64_t equal_stamps = 0;
  std::uint64_t exactly_gap = 0;   ///< the last instant that still belongs to the session
  std::uint64_t gap_and_one = 0;   ///< the first that does not
  std::uint64_t late = 0;          ///< behind the watermark
  std::uint64_t at_watermark = 0;  ///< exactly the watermark: not late
  std::uint64_t at_both = 0;       ///< and there exactly a gap behind one of its key
  std::uint64_t out_of_order = 0;  ///< in time, behind another record of its session
};

/// A gap of each record, also one that is refused.
Duration own_gap(std::int64_t number) { return Duration(number % 23 - 1); }

/// Three records: the watermark comes to stand exactly a gap behind the first, where the third is.
void aim_at_watermark(std::vector<Event>& partition, std::size_t at, Time gap, Time bound) {
  const Time last = partition[at - 2].time + gap;
  partition[at - 1].time = last + bound;
  partition[at].time = last;
  partition[at].key = partition[at - 2].key;
}

/// Moves stamps to exactly a gap behind another one of the same key, or one off.
void aim(Case& drawn, std::int64_t gap) {
  Random random(drawn.seed ^ 0x9a9);
  for (Input& input : drawn.inputs) {
    for (auto& partition : input.partitions) {
      for (std::size_t at = 1; at < partition.size(); ++at) {
        const Event& before = partition[at - 1 - random.below(std::min<std::size_t>(at, 3))];
        if (at > 1 && random.chance(0.1)) {
          aim_at_watermark(partition, at, gap, input.out_of_order);
        } else if (random.chance(0.25)) {
          partition[at].key = before.key;
          partition[at].time = before.time + gap + random.between(-1, 1);
        } else if (random.chance(0.1)) {
          partition[at].time = before.time - input.out_of_order;
        } else if (random.chance(0.1)) {
          partition[at].time = before.time;
        }
      }
    }
  }
}

using Group = std::vector<const ModelRecord*>;

/// The records of each key that are not behind their watermark, in the order of time and place.
std::map<std::int32_t, Group> in_time(const std::vector<ModelRecord>& records) {
  std::map<std::int32_t, Group> keys;
  for (const ModelRecord& record : records) {
    const bool late = record.watermark && record.time < *record.watermark;
    if (!late) keys[record.key].push_back(&record);
  }
  for (auto& [key, group] : keys) {
    std::ranges::sort(group, [](auto* a, auto* b) {
      return a->time != b->time ? a->time < b->time : a->arrival < b->arrival;
    });
  }
  return keys;
}

/// Calls visit(key, bounds, records) for each session.
template <class Gap, class Visit>
void for_each_session(const std::vector<ModelRecord>& records, Gap gap_of, Visit visit) {
  for (const auto& [key, group] : in_time(records)) {
    Group session;
    Time end = 0;
    for (const ModelRecord* record : group) {
      const Time reach = record->time + gap_of(*record);
      if (!session.empty() && record->time > end) {
        visit(key, Bounds{session.front()->time, end}, session);
        session.clear();
      }
      end = session.empty() ? reach : std::max(end, reach);
      session.push_back(record);
    }
    if (!session.empty()) visit(key, Bounds{session.front()->time, end}, session);
  }
}

void declare(const Case& drawn, Duration gap, Topology& topology, Rows& rows) {
  const auto by_key = declare_trunk(topology, drawn).key_by(&Event::key);
  by_key.window(session(gap)).count().named("counts").to(collect(rows, "count"));
  by_key.window(session(gap))
      .fold(
          Stats{}, [](Stats& stats, const Event& event) { add_to(stats, event); },
          [](Stats& stats, const Stats& other) { merge_into(stats, other); })
      .to(collect(rows, "fold"));
  by_key.window(session([](const Event& event) { return own_gap(event.number); }))
      .last(&Event::number)
      .to(collect(rows, "gap of each"));
}

Rows model(const std::vector<ModelRecord>& records, Duration gap) {
  Rows rows;
  for (const char* sink : {"count", "fold", "gap of each"}) rows[sink];
  const auto same_gap = [gap](const ModelRecord&) { return gap.count(); };
  for_each_session(records, same_gap, [&](std::int32_t key, Bounds bounds, const Group& group) {
    Stats stats;
    for (const ModelRecord* record : group) add_to(stats, record->event());
    rows["count"].push_back(row_of(key, bounds, stats.records));
    rows["fold"].push_back(row_of(key, bounds, stats));
  });
  std::vector<ModelRecord> taken;
  for (const ModelRecord& record : records) {
    if (own_gap(record.number) > Duration(0)) taken.push_back(record);
  }
  const auto gap_of = [](const ModelRecord& record) { return own_gap(record.number).count(); };
  for_each_session(taken, gap_of, [&](std::int32_t key, Bounds bounds, const Group& group) {
    rows["gap of each"].push_back(row_of(key, bounds, group.back()->number));
  });
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

void count_hits(const std::vector<ModelRecord>& records, Duration gap, SessionHits& hits) {
  std::set<Time> seen;
  for (const ModelRecord& record : records) {
    ++hits.records;
    hits.equal_stamps += !seen.insert(record.time).second;
    hits.late += record.watermark && record.time < *record.watermark;
    hits.at_watermark += record.watermark && record.time == *record.watermark;
  }
  for (const auto& [key, group] : in_time(records)) {
    for (std::size_t at = 1; at < group.size(); ++at) {
      const Time apart = group[at]->time - group[at - 1]->time;
      hits.at_both += apart == gap.count() && group[at]->time == group[at]->watermark;
      hits.exactly_gap += apart == gap.count();
      hits.gap_and_one += apart == gap.count() + 1;
      hits.out_of_order += apart < gap.count() && group[at]->arrival < group[at - 1]->arrival;
    }
  }
}

TEST(ScheduleDoesNotMatter, SessionsEqualTheModel) {
  SessionHits hits;
  for_each_seed([&](std::uint64_t seed) {
    Case drawn = draw_case(seed);
    const Duration gap(1 + drawn.seed * 7 % 40);
    aim(drawn, gap.count());
    const std::vector<ModelRecord> records = model_records(drawn);
    count_hits(records, gap, hits);
    std::uint64_t late = 0;
    for (const ModelRecord& r : records) late += r.watermark && r.time < *r.watermark;
    const auto check_late = [late](const detail::Report& report) -> std::string {
      for (const auto& part : report.components) {
        if (part.name == "counts" && part.late != late)
          return fmt::format("{} records counted late, the model has {}", part.late, late);
      }
      return "";
    };
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, gap, topology, rows); },
        model(records, gap), check_late);
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GE(hits.equal_stamps * 5, hits.records) << "less than a fifth of the stamps came twice";
  EXPECT_GT(hits.exactly_gap, 0u) << "no record lay exactly a gap behind the one before";
  EXPECT_GT(hits.gap_and_one, 0u) << "no record lay a microsecond more than a gap behind";
  EXPECT_GT(hits.late, 0u) << "no record was late";
  EXPECT_GT(hits.at_watermark, 0u) << "no record lay exactly at the watermark";
  EXPECT_GT(hits.at_both, 0u) << "none lay there at exactly a gap";
  EXPECT_GT(hits.out_of_order, 0u) << "no record came behind a later one of its session";
}

}  // namespace
}  // namespace millrace::property
