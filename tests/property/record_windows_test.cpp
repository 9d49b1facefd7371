// Windows by records of random topologies give what a naive model gives, whatever the schedule.
#include "random_topology.hpp"

namespace millrace::property {
namespace {

/// What the draws hit of the edges of windows by records.
struct RecordHits {
  std::uint64_t records = 0;
  std::uint64_t equal_stamps = 0;
  std::uint64_t ties = 0;           ///< equal stamps of one key: only places tell which is first
  std::uint64_t exactly_span = 0;   ///< a record exactly a span before: not in the window
  std::uint64_t span_less_one = 0;  ///< the earliest that is
  std::uint64_t late = 0;
  std::uint64_t at_watermark = 0;
  std::uint64_t ties_at_watermark =
      0;                     ///< such a one after another partition's of its key and time
  std::uint64_t filled = 0;  ///< the record that fills a window
};

/// What is drawn beside the case.
struct Sizes {
  std::uint64_t size;
  std::uint64_t slide;
  std::uint64_t last;
  Duration span;
};
Sizes draw_sizes(std::uint64_t seed) {
  Random random(seed ^ 0x515e);
  Sizes sizes{};
  sizes.slide = 1 + random.below(6);
  sizes.size = sizes.slide + random.below(12);
  sizes.last = 1 + random.below(9);
  sizes.span = Duration(random.between(1, 60));
  return sizes;
}

/// Two partitions reach a watermark at which each still has a record of one key, the second's
/// before its watermark comes there and the first's, which stands first, after it.
void aim_at_watermark(std::vector<Event>& first, std::vector<Event>& second, std::size_t at,
                      Time bound) {
  Time newest = first.front().time;
  for (std::size_t before = 0; before + 1 < at; ++before) {
    newest = std::max({newest, first[before].time, second[before].time});
  }
  first[at - 1].time = second[at].time = newest + 1 + bound;
  first[at].time = second[at - 1].time = newest + 1;
  first[at].key = second[at - 1].key;
}

/// Moves stamps to exactly a span behind another one of the same key, or one off.
void aim(Case& drawn, std::int64_t span) {
  Random random(drawn.seed ^ 0x7a7);
  for (Input& input : drawn.inputs) {
    for (auto& partition : input.partitions) {
      for (std::size_t at = 1; at < partition.size(); ++at) {
        const Event& before = partition[at - 1 - random.below(std::min<std::size_t>(at, 4))];
        if (random.chance(0.25)) {
          partition[at].key = before.key;
          partition[at].time = before.time + span - random.between(0, 1);
        } else if (random.chance(0.1)) {
          partition[at].time = before.time - input.out_of_order;
        } else if (random.chance(0.15)) {
          partition[at].key = before.key;
          partition[at].time = before.time;
        }
      }
    }
    auto& partitions = input.partitions;
    for (std::size_t which = 1; which < partitions.size(); ++which) {
      const std::size_t least = std::min(partitions[which - 1].size(), partitions[which].size());
      for (std::size_t at = 5; at < least; at += 5) {
        aim_at_watermark(partitions[which - 1], partitions[which], at, input.out_of_order);
      }
    }
  }
}

using Group = std::vector<const ModelRecord*>;

bool is_late(const ModelRecord& record) {
  return record.watermark && record.time < *record.watermark;
}

/// The records of each key that are not late, in the order of time and place.
std::map<std::int32_t, Group> in_order(const std::vector<ModelRecord>& records) {
  std::map<std::int32_t, Group> keys;
  for (const ModelRecord& record : records) {
    if (!is_late(record)) keys[record.key].push_back(&record);
  }
  for (auto& [key, group] : keys) {
    std::ranges::sort(group, [](auto* a, auto* b) {
      return a->time != b->time ? a->time < b->time : a->arrival < b->arrival;
    });
  }
  return keys;
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
  fold(by_key.window(count_window(sizes.size, sizes.slide))).to(collect(rows, "count, sliding"));
  by_key.window(count_window(sizes.size)).last(&Event::number).to(collect(rows, "count, tumbling"));
  fold(by_key.over(last(sizes.last))).named("the last ones").to(collect(rows, "last records"));
  fold(by_key.over(last(sizes.span))).to(collect(rows, "last span"));
  by_key.over(last(sizes.span)).mean(&Event::amount).to(collect(rows, "mean"));
}

/// Rows of every window of `size` records that ends `slide` records after the one before.
template <class Visit>
void for_each_count(const Group& group, std::uint64_t size, std::uint64_t slide, Visit visit) {
  for (std::size_t end = size; end <= group.size(); end += slide) {
    const auto from = group.begin() + static_cast<std::ptrdiff_t>(end - size);
    const Group held(from, group.begin() + static_cast<std::ptrdiff_t>(end));
    visit(Bounds{held.front()->time, held.back()->time + 1}, held);
  }
}

void model_of_key(std::int32_t key, const Group& group, const Sizes& sizes, Rows& rows) {
  for_each_count(group, sizes.size, sizes.slide, [&](Bounds bounds, const Group& held) {
    rows["count, sliding"].push_back(row_of(key, bounds, stats_of(held)));
  });
  for_each_count(group, sizes.size, sizes.size, [&](Bounds bounds, const Group& held) {
    rows["count, tumbling"].push_back(row_of(key, bounds, held.back()->number));
  });
  for (std::size_t at = 0; at < group.size(); ++at) {
    const Time now = group[at]->time;
    Group last;
    Group span;
    for (std::size_t from = 0; from <= at; ++from) {
      if (at - from < sizes.last) last.push_back(group[from]);
      if (group[from]->time > now - sizes.span.count()) span.push_back(group[from]);
    }
    double total = 0;
    for (const ModelRecord* record : span) total += record->amount;
    const Bounds bounds{now - sizes.span.count() + 1, now + 1};
    rows["last records"].push_back(row_of(key, {last.front()->time, now + 1}, stats_of(last)));
    rows["last span"].push_back(row_of(key, bounds, stats_of(span)));
    rows["mean"].push_back(row_of(key, bounds, total / static_cast<double>(span.size())));
  }
}

Rows model(const std::vector<ModelRecord>& records, const Sizes& sizes) {
  Rows rows;
  for (const char* sink :
       {"count, sliding", "count, tumbling", "last records", "last span", "mean"}) {
    rows[sink];
  }
  for (const auto& [key, group] : in_order(records)) model_of_key(key, group, sizes, rows);
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

void count_hits(const std::vector<ModelRecord>& records, const Sizes& sizes, RecordHits& hits) {
  std::set<Time> seen;
  for (const ModelRecord& record : records) {
    ++hits.records;
    hits.equal_stamps += !seen.insert(record.time).second;
    hits.late += is_late(record);
    hits.at_watermark += record.watermark && record.time == *record.watermark;
  }
  for (const auto& [key, group] : in_order(records)) {
    hits.filled += group.size() >= sizes.size;
    for (std::size_t at = 1; at < group.size(); ++at) {
      const bool tie = group[at]->time == group[at - 1]->time;
      hits.ties += tie;
      hits.ties_at_watermark += tie && group[at - 1]->time == group[at - 1]->watermark &&
                                group[at]->arrival.origin != group[at - 1]->arrival.origin;
      const Time apart = group[at]->time - group[at - 1]->time;
      hits.exactly_span += apart == sizes.span.count();
      hits.span_less_one += apart == sizes.span.count() - 1;
    }
  }
}

TEST(ScheduleDoesNotMatter, RecordWindowsEqualTheModel) {
  RecordHits hits;
  for_each_seed([&](std::uint64_t seed) {
    Case drawn = draw_case(seed);
    const Sizes sizes = draw_sizes(seed);
    aim(drawn, sizes.span.count());
    const std::vector<ModelRecord> records = model_records(drawn);
    count_hits(records, sizes, hits);
    const auto late = static_cast<std::uint64_t>(std::ranges::count_if(records, is_late));
    const auto check_late = [late](const detail::Report& report) -> std::string {
      for (const auto& part : report.components) {
        if (part.name == "the last ones" && part.late != late)
          return fmt::format("{} records counted late, the model has {}", part.late, late);
      }
      return "";
    };
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, sizes, topology, rows); },
        model(records, sizes), check_late);
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GE(hits.equal_stamps * 5, hits.records) << "less than a fifth of the stamps came twice";
  EXPECT_GT(hits.ties, 0u) << "no two records of a key had one stamp";
  EXPECT_GT(hits.exactly_span, 0u) << "no record lay exactly a span behind the one before";
  EXPECT_GT(hits.span_less_one, 0u) << "no record lay a microsecond less than a span behind";
  EXPECT_GT(hits.late, 0u) << "no record was late";
  EXPECT_GT(hits.at_watermark, 0u) << "no record lay exactly at the watermark";
  EXPECT_GT(hits.ties_at_watermark, 0u) << "none did so at the watermark, from two partitions";
  EXPECT_GT(hits.filled, 0u) << "no window was filled";
}

}  // namespace
}  // namespace millrace::property
