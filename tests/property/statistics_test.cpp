// Statistics of random topologies give what a naive model gives, over every kind of windows and
// whatever the schedule.
#include "random_topology.hpp"

namespace millrace::property {
namespace {

using Group = std::vector<const ModelRecord*>;

/// What the draws hit of what is easily got wrong.
struct StatisticHits {
  std::uint64_t rows = 0;
  std::uint64_t single = 0;         ///< of one record: a sample of it has no variance
  std::uint64_t equal_numbers = 0;  ///< no deviation at all
  std::uint64_t rounded = 0;        ///< where a plain sum differs from the exact one
};

/// Reals of both signs whose sizes lie so far apart that a plain sum drops some of them: an integer
/// that is moved by up to 60 places.
std::int64_t wild_digits(std::int64_t number) {
  return (number % 2 == 0 ? 1'000'003'000'017 : -999'983'000'011) * number;
}
int wild_places(std::int64_t number) { return static_cast<int>(number % 60); }
double wild(const Event& event) {
  return std::ldexp(static_cast<double>(wild_digits(event.number)), wild_places(event.number));
}

struct Summary {
  double sample = 0;
  double all = 0;
  double deviation = 0;
  double deviation_all = 0;
  double exact = 0;
};

template <class Windowed>
auto summarize(const Windowed& windowed) {
  return windowed.aggregate(
      variance(&Event::amount).as(&Summary::sample), var_pop(&Event::amount).as(&Summary::all),
      stddev(&Event::amount).as(&Summary::deviation),
      stddev_pop(&Event::number).as(&Summary::deviation_all), exact_sum(wild).as(&Summary::exact));
}

/// The exact sum must be equal to the last bit; variances to 1e-12 of the squares they are made of.
OutRow summary_row(const std::string& key, Bounds window, const Summary& value) {
  const bool single = std::isnan(value.sample);
  return {fmt::format("{} [{}, {}) = {:a}{}", key, window.first, window.second, value.exact,
                      single ? " alone" : ""),
          1e6 + value.all + value.deviation_all + (single ? 0 : value.sample + value.deviation)};
}

auto collect_summaries(Rows& rows, const std::string& name) {
  return each([list = &rows[name]](const auto& row) {
    list->push_back(summary_row(text_of(row.key), {row.window_start, row.window_end}, row.value));
  });
}

/// Keeps the last row of each key: a running aggregate emits one a record.
auto collect_last(Rows& rows, const std::string& name) {
  return each([list = &rows[name]](const auto& row) {
    const Bounds all = {kTimeMin, kTimeMax};
    const OutRow fresh = summary_row(text_of(row.key), all, row.value);
    const std::string key = text_of(row.key) + " [";
    const auto old = std::ranges::find_if(
        *list, [&key](const OutRow& known) { return known.text.starts_with(key); });
    if (old == list->end()) {
      list->push_back(fresh);
    } else {
      *old = fresh;
    }
  });
}

/// What is drawn beside the case.
struct Sizes {
  std::uint64_t count;
  std::uint64_t slide;
  Duration gap;
};
Sizes draw_sizes(std::uint64_t seed) {
  Random random(seed ^ 0x57a7);
  const std::uint64_t slide = 1 + random.below(5);
  return {slide + random.below(10), slide, Duration(random.between(1, 40))};
}

void declare(const Case& drawn, const Sizes& sizes, Topology& topology, Rows& rows) {
  const auto by_key = declare_trunk(topology, drawn).key_by(&Event::key);
  summarize(by_key.window(drawn.windows)).to(collect_summaries(rows, "windows"));
  if (drawn.shape % 2 == 0) {
    summarize(by_key).to(collect_last(rows, "running"));
    summarize(by_key.window(session(sizes.gap))).to(collect_summaries(rows, "sessions"));
  } else {
    summarize(by_key.window(count_window(sizes.count, sizes.slide)))
        .to(collect_summaries(rows, "count"));
    summarize(by_key.over(last(sizes.count))).to(collect_summaries(rows, "over"));
  }
  by_key.window(drawn.windows)
      .variance(&Event::number)
      .map([](const auto& row) {
        // Alone it is the same as among others: a number of whole ones, and -1 for none.
        return Aggregate<std::int32_t, double>{row.key,
                                               1e6 + (std::isnan(row.value) ? -1 : row.value),
                                               row.window_start, row.window_end};
      })
      .to(collect(rows, "alone"));
}

/// In two passes, with more digits than the engine has.
long double deviations(const Group& group, double (*get)(const ModelRecord&)) {
  long double mean = 0;
  for (const ModelRecord* record : group) mean += get(*record);
  mean /= static_cast<long double>(group.size());
  long double squares = 0;
  for (const ModelRecord* record : group) squares += (get(*record) - mean) * (get(*record) - mean);
  return squares;
}

double exact_of(const Group& group) {
  __extension__ using Wide = __int128;
  Wide sum = 0;
  for (const ModelRecord* record : group) {
    sum +=
        static_cast<Wide>(wild_digits(record->number)) * (Wide{1} << wild_places(record->number));
  }
  return static_cast<double>(sum);
}

double amount_of(const ModelRecord& record) { return record.amount; }
double number_of(const ModelRecord& record) { return static_cast<double>(record.number); }

Summary summary_of(const Group& group) {
  const auto count = static_cast<long double>(group.size());
  const long double squares = deviations(group, amount_of);
  Summary row;
  row.all = static_cast<double>(squares / count);
  row.deviation_all = static_cast<double>(std::sqrt(deviations(group, number_of) / count));
  const long double sample = squares / (count - 1);
  row.sample = group.size() < 2 ? std::nan("") : static_cast<double>(sample);
  row.deviation = static_cast<double>(std::sqrt(sample));
  row.exact = exact_of(group);
  return row;
}

void count_hits(const Group& group, StatisticHits& hits) {
  ++hits.rows;
  hits.single += group.size() == 1;
  hits.equal_numbers += group.size() > 1 && deviations(group, amount_of) == 0;
  double plain = 0;
  for (const ModelRecord* record : group) plain += wild(record->event());
  hits.rounded += plain != exact_of(group);
}

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

void model_sessions(const std::string& key, const Group& group, Duration gap, Rows& rows) {
  Group held;
  for (std::size_t at = 0; at < group.size(); ++at) {
    held.push_back(group[at]);
    const Time last = group[at]->time + gap.count();
    if (at + 1 < group.size() && group[at + 1]->time <= last) continue;
    rows["sessions"].push_back(summary_row(key, {held.front()->time, last}, summary_of(held)));
    held.clear();
  }
}

void model_records_of(const std::string& key, const Group& group, const Sizes& sizes, Rows& rows) {
  for (std::size_t end = 1; end <= group.size(); ++end) {
    const std::size_t begin = end - std::min<std::size_t>(end, sizes.count);
    const Group held(group.begin() + static_cast<std::ptrdiff_t>(begin),
                     group.begin() + static_cast<std::ptrdiff_t>(end));
    const OutRow row =
        summary_row(key, {held.front()->time, held.back()->time + 1}, summary_of(held));
    rows["over"].push_back(row);
    if (end >= sizes.count && (end - sizes.count) % sizes.slide == 0) rows["count"].push_back(row);
  }
}

Rows model(const Case& drawn, const Sizes& sizes, const std::vector<ModelRecord>& records,
           StatisticHits& hits) {
  Rows rows;
  const bool even = drawn.shape % 2 == 0;
  for (const char* sink :
       {"windows", "alone", even ? "running" : "count", even ? "sessions" : "over"}) {
    rows[sink];
  }
  const auto key_of = [](const ModelRecord& record) { return record.key; };
  for (const auto& [bounds, keys] : model_groups(records, drawn.windows, key_of)) {
    for (const auto& [key, group] : keys) {
      count_hits(group, hits);
      rows["windows"].push_back(summary_row(text_of(key), bounds, summary_of(group)));
      const double sample = static_cast<double>(deviations(group, number_of) /
                                                static_cast<long double>(group.size() - 1));
      rows["alone"].push_back(row_of(key, bounds, 1e6 + (group.size() < 2 ? -1 : sample)));
    }
  }
  std::map<std::int32_t, Group> all;
  for (const ModelRecord& record : records) all[record.key].push_back(&record);
  for (const auto& [key, group] : all) {
    if (!even) break;
    const Bounds bounds = {kTimeMin, kTimeMax};
    rows["running"].push_back(summary_row(text_of(key), bounds, summary_of(group)));
  }
  for (const auto& [key, group] : in_order(records)) {
    if (even) {
      model_sessions(text_of(key), group, sizes.gap, rows);
    } else {
      model_records_of(text_of(key), group, sizes, rows);
    }
  }
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

TEST(ScheduleDoesNotMatter, StatisticsEqualTheModel) {
  StatisticHits hits;
  for_each_seed([&](std::uint64_t seed) {
    const Case drawn = draw_case(seed);
    const Sizes sizes = draw_sizes(seed);
    const std::vector<ModelRecord> records = model_records(drawn);
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, sizes, topology, rows); },
        model(drawn, sizes, records, hits));
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GT(hits.single, 0u) << "no window held one record alone";
  EXPECT_GT(hits.equal_numbers, 0u) << "no window held equal numbers alone";
  EXPECT_GT(hits.rounded * 50, hits.rows) << "less than a fiftieth of the sums needed exactness";
}

}  // namespace
}  // namespace millrace::property
