// Aggregates of the last records of each window give what a naive model gives, whatever the
// schedule.
#include "random_topology.hpp"

namespace millrace::property {
namespace {

/// What the draws hit of the edges of what is kept.
struct NewestHits {
  std::uint64_t records = 0;
  std::uint64_t equal_stamps = 0;
  std::uint64_t overfull = 0;         ///< windows that let records go for their number
  std::uint64_t tie_at_cut = 0;       ///< only places tell which of two stays
  std::uint64_t exactly_span = 0;     ///< a span before the newest: out
  std::uint64_t span_less_one = 0;    ///< the earliest that stays
  std::uint64_t sessions_cut = 0;     ///< sessions that let records go for their number
  std::uint64_t spans_cut = 0;        ///< or for their time
  std::uint64_t newest_not_last = 0;  ///< the newest came before another of its window
};

struct Sizes {
  std::uint64_t count;
  Duration span;
  Duration gap;
};
Sizes draw_sizes(std::uint64_t seed) {
  Random random(seed ^ 0x2e5);
  return {1 + random.below(5), Duration(random.between(1, 25)), Duration(random.between(1, 15))};
}

/// Moves stamps to exactly a span behind another one of the same key, or one off, or onto it.
void aim(Case& drawn, std::int64_t span) {
  Random random(drawn.seed ^ 0x7a8);
  for (Input& input : drawn.inputs) {
    for (auto& partition : input.partitions) {
      for (std::size_t at = 1; at < partition.size(); ++at) {
        const Event& before = partition[at - 1 - random.below(std::min<std::size_t>(at, 4))];
        if (!random.chance(0.4)) continue;
        partition[at].key = before.key;
        partition[at].time = before.time + (random.chance(0.5) ? 0 : span - random.between(0, 1));
      }
    }
  }
}

using Group = std::vector<const ModelRecord*>;

Group in_order(Group group) {
  std::ranges::sort(group, [](auto* a, auto* b) {
    return a->time != b->time ? a->time < b->time : a->arrival < b->arrival;
  });
  return group;
}
Group last_of(const Group& sorted, std::uint64_t count) {
  const std::size_t out = sorted.size() > count ? sorted.size() - count : 0;
  return {sorted.begin() + static_cast<std::ptrdiff_t>(out), sorted.end()};
}
Group last_of(const Group& sorted, Duration span) {
  Group kept;
  for (const ModelRecord* record : sorted) {
    if (sorted.back()->time - record->time < span.count()) kept.push_back(record);
  }
  return kept;
}

Stats stats_of(const Group& group) {
  Stats stats;
  for (const ModelRecord* record : group) add_to(stats, record->event());
  return stats;
}

void declare(const Case& drawn, const Sizes& sizes, Topology& topology, Rows& rows) {
  const auto by_key = declare_trunk(topology, drawn).key_by(&Event::key);
  const auto fold = [](const auto& windowed) {
    return windowed.fold(
        Stats{}, [](Stats& stats, const Event& event) { add_to(stats, event); },
        [](Stats& stats, const Stats& other) { merge_into(stats, other); });
  };
  const auto windows = by_key.window(drawn.windows);
  fold(windows.last(sizes.count)).to(collect(rows, "count"));
  fold(windows.last(sizes.span)).to(collect(rows, "span"));
  windows.last(sizes.count).first(&Event::number).to(collect(rows, "first of them"));
  const auto sessions = by_key.window(session(sizes.gap));
  sessions.last(sizes.count).sum(&Event::number).to(collect(rows, "session"));
  sessions.last(sizes.span).sum(&Event::number).to(collect(rows, "span of session"));
}

/// Sessions of records that are not late.
template <class Visit>
void for_each_session(const std::vector<ModelRecord>& records, std::int64_t gap, Visit visit) {
  std::map<std::int32_t, Group> keys;
  for (const ModelRecord& record : records) {
    if (!record.watermark || record.time >= *record.watermark) keys[record.key].push_back(&record);
  }
  for (const auto& [key, group] : keys) {
    Group held;
    for (const ModelRecord* record : in_order(group)) {
      if (!held.empty() && record->time > held.back()->time + gap) {
        visit(key, Bounds{held.front()->time, held.back()->time + gap}, held);
        held.clear();
      }
      held.push_back(record);
    }
    if (!held.empty()) visit(key, Bounds{held.front()->time, held.back()->time + gap}, held);
  }
}

void count_hits(const Group& came, const Group& sorted, const Sizes& sizes, NewestHits& hits) {
  hits.newest_not_last += came.back()->time < sorted.back()->time;
  if (sorted.size() > sizes.count) {
    ++hits.overfull;
    const std::size_t cut = sorted.size() - sizes.count;
    hits.tie_at_cut += sorted[cut]->time == sorted[cut - 1]->time;
  }
  for (const ModelRecord* record : sorted) {
    const Time apart = sorted.back()->time - record->time;
    hits.exactly_span += apart == sizes.span.count();
    hits.span_less_one += apart == sizes.span.count() - 1;
  }
}

Rows model(const Case& drawn, const std::vector<ModelRecord>& records, const Sizes& sizes,
           NewestHits& hits) {
  Rows rows;
  for (const char* sink : {"count", "span", "first of them", "session", "span of session"})
    rows[sink];
  const auto groups =
      model_groups(records, drawn.windows, [](const ModelRecord& record) { return record.key; });
  for (const auto& [bounds, keys] : groups) {
    for (const auto& [key, group] : keys) {
      const Group sorted = in_order(group);
      count_hits(group, sorted, sizes, hits);
      const Group last = last_of(sorted, sizes.count);
      rows["count"].push_back(row_of(key, bounds, stats_of(last)));
      rows["span"].push_back(row_of(key, bounds, stats_of(last_of(sorted, sizes.span))));
      rows["first of them"].push_back(row_of(key, bounds, last.front()->number));
    }
  }
  const auto sum_of = [](const Group& group) {
    std::int64_t sum = 0;
    for (const ModelRecord* record : group) sum += record->number;
    return sum;
  };
  for_each_session(records, sizes.gap.count(),
                   [&](std::int32_t key, Bounds bounds, const Group& sorted) {
                     const Group last = last_of(sorted, sizes.count);
                     const Group span = last_of(sorted, sizes.span);
                     hits.sessions_cut += last.size() < sorted.size();
                     hits.spans_cut += span.size() < sorted.size();
                     rows["session"].push_back(row_of(key, bounds, sum_of(last)));
                     rows["span of session"].push_back(row_of(key, bounds, sum_of(span)));
                   });
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

TEST(ScheduleDoesNotMatter, TheLastRecordsOfWindowsEqualTheModel) {
  NewestHits hits;
  for_each_seed([&](std::uint64_t seed) {
    Case drawn = draw_case(seed);
    const Sizes sizes = draw_sizes(seed);
    aim(drawn, sizes.span.count());
    const std::vector<ModelRecord> records = model_records(drawn);
    std::set<Time> seen;
    for (const ModelRecord& record : records) {
      ++hits.records;
      hits.equal_stamps += !seen.insert(record.time).second;
    }
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, sizes, topology, rows); },
        model(drawn, records, sizes, hits));
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GE(hits.equal_stamps * 5, hits.records) << "less than a fifth of the stamps came twice";
  EXPECT_GT(hits.overfull, 100u) << "hardly a window let records go";
  EXPECT_GT(hits.tie_at_cut, 10u) << "hardly a tie was cut through";
  EXPECT_GT(hits.exactly_span, 10u) << "hardly a record lay exactly a span before the newest";
  EXPECT_GT(hits.span_less_one, 10u) << "hardly one lay a microsecond less";
  EXPECT_GT(hits.sessions_cut, 100u) << "hardly a session let records go for their number";
  EXPECT_GT(hits.spans_cut, 20u) << "hardly one for their time";
  EXPECT_GT(hits.newest_not_last, 100u) << "hardly a window came out of order";
}

}  // namespace
}  // namespace millrace::property
