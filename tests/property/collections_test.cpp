// Lists, sets and sketches of random topologies give what a naive model gives, whatever the
// schedule.
#include <cmath>

#include "random_topology.hpp"

namespace millrace::property {
namespace {

using Group = std::vector<const ModelRecord*>;

constexpr std::size_t kListed = 3;
constexpr std::size_t kInSet = 4;
constexpr std::size_t kTop = 2;

/// What the draws hit of what is easily got wrong.
struct CollectionHits {
  std::uint64_t list_cut = 0;    ///< more records than the list may hold
  std::uint64_t list_tie = 0;    ///< cut between records of one time: only places tell
  std::uint64_t list_short = 0;  ///< fewer than it may hold
  std::uint64_t set_cut = 0;     ///< more different values than the set may hold
  std::uint64_t absent = 0;      ///< nothing to list at all
  std::uint64_t top_tie = 0;     ///< values of one frequency where the ranking is cut
};

/// Absent for most, so that some windows have none.
std::optional<std::string> odd_name(const Event& event) {
  if (event.number % 4 != 1) return std::nullopt;
  return std::string(event.name);
}

/// NaN, both zeros, infinities and few others: what a set of reals meets.
double special(std::int64_t number) {
  switch (number % 7) {
    case 0:
      return std::nan("");
    case 1:
      return -0.0;
    case 2:
      return 0.0;
    case 3:
      return -INFINITY;
    default:
      return static_cast<double>(number % 5) - 2;
  }
}

struct Collected {
  std::vector<std::int64_t> first_numbers;
  std::vector<std::string> odd_names;
  std::vector<std::string> names;
  std::vector<double> reals;
  std::int64_t pairs = 0;
  double median = 0;
  std::vector<double> tails;
  std::vector<Frequent<std::string>> frequent;
  std::vector<Frequent<std::int32_t>> frequent_kinds;
};

template <class Windowed>
auto collected(const Windowed& windowed) {
  return windowed.aggregate(
      list(&Event::number, kListed).as(&Collected::first_numbers),
      list(odd_name, kListed).as(&Collected::odd_names),
      set(&Event::name, kInSet).as(&Collected::names),
      set([](const Event& event) { return special(event.number); }, 100).as(&Collected::reals),
      distinct_approx(&Event::name, kind_of).as(&Collected::pairs),
      median(&Event::number).as(&Collected::median),
      quantiles(&Event::number, {0.1, 1}).as(&Collected::tails),
      top_k(&Event::name, kTop).as(&Collected::frequent),
      top_k_approx(kind_of, kTop).as(&Collected::frequent_kinds));
}

template <class V>
std::string frequent_text(const std::vector<Frequent<V>>& frequent) {
  std::string text;
  for (const auto& one : frequent)
    text += fmt::format(" {}:{}-{}", one.value, one.count, one.error);
  return text;
}

OutRow collected_row(const std::string& key, Bounds window, const Collected& value) {
  return {fmt::format("{} [{}, {}) = {} | {} | {} | {} | {} {} {} |{} |{}", key, window.first,
                      window.second, fmt::join(value.first_numbers, " "),
                      fmt::join(value.odd_names, " "), fmt::join(value.names, " "),
                      fmt::join(value.reals, " "), value.pairs, value.median,
                      fmt::join(value.tails, " "), frequent_text(value.frequent),
                      frequent_text(value.frequent_kinds)),
          0};
}

auto collect_all(Rows& rows, const std::string& name) {
  return each([list = &rows[name]](const auto& row) {
    list->push_back(collected_row(text_of(row.key), {row.window_start, row.window_end}, row.value));
  });
}

void declare(const Case& drawn, Topology& topology, Rows& rows) {
  const auto by_key = declare_trunk(topology, drawn).key_by(&Event::key);
  collected(by_key.window(drawn.windows)).to(collect_all(rows, "windows"));
  collected(by_key.over(last(5))).to(collect_all(rows, "over"));
  collected(by_key.window(session(Duration(20)))).to(collect_all(rows, "sessions"));
  by_key.window(drawn.windows)
      .list(&Event::name, 2)
      .to(each([list = &rows["alone"]](const auto& row) {
        list->push_back({fmt::format("{} [{}, {}) = {}", row.key, row.window_start, row.window_end,
                                     fmt::join(row.value, ",")),
                         0});
      }));
}

bool is_before(const ModelRecord* a, const ModelRecord* b) {
  return a->time != b->time ? a->time < b->time : a->arrival < b->arrival;
}

template <class V>
void cut(std::vector<V>& values, std::size_t most) {
  if (values.size() > most) values.resize(most);
}

std::vector<double> set_of_reals(const Group& group) {
  std::vector<double> reals;
  bool nan = false;
  for (const ModelRecord* record : group) {
    const double real = special(record->number);
    nan |= std::isnan(real);
    if (!std::isnan(real)) reals.push_back(real == 0 ? 0.0 : real);
  }
  std::sort(reals.begin(), reals.end());
  reals.erase(std::unique(reals.begin(), reals.end()), reals.end());
  if (nan) reals.push_back(std::nan(""));
  return reals;
}

std::string name_of(const ModelRecord& record) { return record.name; }
std::int32_t model_kind_of(const ModelRecord& record) {
  return static_cast<std::int32_t>(record.number % 3);
}

/// By how often they come, then by value.
template <class V>
std::vector<Frequent<V>> by_frequency(const Group& group, V (*get)(const ModelRecord&)) {
  std::map<V, std::int64_t> counts;
  for (const ModelRecord* record : group) ++counts[get(*record)];
  std::vector<Frequent<V>> all;
  for (const auto& [value, count] : counts) all.push_back({value, count, 0});
  std::stable_sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.count > b.count; });
  return all;
}

/// Windows are so small that sketches keep all they meet: here they are exact, so that what the
/// schedule must not change shows. Their errors are measured in sketches_test.cpp.
void add_sketched(Collected& row, const Group& group) {
  std::set<std::pair<std::string, std::int64_t>> pairs;
  std::vector<std::int64_t> numbers;
  for (const ModelRecord* record : group) {
    pairs.emplace(record->name, model_kind_of(*record));
    numbers.push_back(record->number);
  }
  std::sort(numbers.begin(), numbers.end());
  row.pairs = static_cast<std::int64_t>(pairs.size());
  row.median = static_cast<double>(numbers[(numbers.size() - 1) / 2]);
  row.tails = {static_cast<double>(numbers[(numbers.size() - 1) / 10]),
               static_cast<double>(numbers.back())};
  row.frequent = by_frequency<std::string>(group, name_of);
  row.frequent_kinds = by_frequency<std::int32_t>(group, model_kind_of);
  cut(row.frequent, kTop);
  cut(row.frequent_kinds, kTop);
}

Collected collected_of(Group group) {
  std::sort(group.begin(), group.end(), is_before);
  Collected row;
  std::set<std::string> names;
  for (const ModelRecord* record : group) {
    row.first_numbers.push_back(record->number);
    names.insert(record->name);
    if (record->number % 4 == 1) row.odd_names.push_back(record->name);
  }
  row.names.assign(names.begin(), names.end());
  cut(row.first_numbers, kListed);
  cut(row.odd_names, kListed);
  cut(row.names, kInSet);
  row.reals = set_of_reals(group);
  add_sketched(row, group);
  return row;
}

void count_hits(Group group, CollectionHits& hits) {
  std::sort(group.begin(), group.end(), is_before);
  std::set<std::string> names;
  for (const ModelRecord* record : group) names.insert(record->name);
  hits.list_short += group.size() < kListed;
  hits.set_cut += names.size() > kInSet;
  hits.absent += collected_of(group).odd_names.empty();
  const auto frequencies = by_frequency<std::string>(group, name_of);
  hits.top_tie +=
      frequencies.size() > kTop && frequencies[kTop - 1].count == frequencies[kTop].count;
  if (group.size() <= kListed) return;
  ++hits.list_cut;
  hits.list_tie += group[kListed - 1]->time == group[kListed]->time &&
                   group[kListed - 1]->number != group[kListed]->number;
}

/// The records of each key that are not late, in order.
std::map<std::int32_t, Group> in_order(const std::vector<ModelRecord>& records) {
  std::map<std::int32_t, Group> keys;
  for (const ModelRecord& record : records) {
    if (!record.watermark || record.time >= *record.watermark) keys[record.key].push_back(&record);
  }
  for (auto& [key, group] : keys) std::sort(group.begin(), group.end(), is_before);
  return keys;
}

void model_in_order(const std::string& key, const Group& group, Rows& rows) {
  Group held;
  for (std::size_t at = 0; at < group.size(); ++at) {
    const Group last(group.begin() + static_cast<std::ptrdiff_t>(at < 5 ? 0 : at - 4),
                     group.begin() + static_cast<std::ptrdiff_t>(at + 1));
    const Bounds bounds = {last.front()->time, group[at]->time + 1};
    rows["over"].push_back(collected_row(key, bounds, collected_of(last)));
    held.push_back(group[at]);
    const Time over = group[at]->time + 20;
    if (at + 1 < group.size() && group[at + 1]->time <= over) continue;
    rows["sessions"].push_back(collected_row(key, {held.front()->time, over}, collected_of(held)));
    held.clear();
  }
}

Rows model(const Case& drawn, const std::vector<ModelRecord>& records, CollectionHits& hits) {
  Rows rows;
  for (const char* sink : {"windows", "over", "sessions", "alone"}) rows[sink];
  const auto key_of = [](const ModelRecord& record) { return record.key; };
  for (const auto& [bounds, keys] : model_groups(records, drawn.windows, key_of)) {
    for (const auto& [key, found] : keys) {
      count_hits(found, hits);
      rows["windows"].push_back(collected_row(text_of(key), bounds, collected_of(found)));
      Group group = found;
      std::sort(group.begin(), group.end(), is_before);
      cut(group, 2);
      std::string names;
      for (const ModelRecord* record : group) names += "," + record->name;
      rows["alone"].push_back(
          {fmt::format("{} [{}, {}) = {}", key, bounds.first, bounds.second, names.substr(1)), 0});
    }
  }
  for (const auto& [key, group] : in_order(records)) model_in_order(text_of(key), group, rows);
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

TEST(ScheduleDoesNotMatter, ListsAndSetsAndSketchesEqualTheModel) {
  CollectionHits hits;
  for_each_seed([&](std::uint64_t seed) {
    const Case drawn = draw_case(seed);
    const std::vector<ModelRecord> records = model_records(drawn);
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, topology, rows); },
        model(drawn, records, hits));
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GT(hits.list_cut, 0u) << "no list was cut";
  EXPECT_GT(hits.list_tie, 0u) << "none was cut between equal times";
  EXPECT_GT(hits.list_short, 0u) << "all lists were full";
  EXPECT_GT(hits.set_cut, 0u) << "no set was cut";
  EXPECT_GT(hits.absent, 0u) << "no list was empty";
  EXPECT_GT(hits.top_tie, 0u) << "no ranking was cut between values of one frequency";
}

TEST(Collections, ThatKeepNothingAreRefused) {
  Topology topology("nothing");
  Input input{{{}}, 0, 1};
  const auto by_key = topology.from(records(input.partitions)).key_by(&Event::key);
  by_key.list(&Event::name, 0).to(each([](const auto&) {}));
  by_key.window(global())
      .aggregate(list(&Event::name, 1).as(&Collected::odd_names),
                 set(&Event::name, 0).as(&Collected::names))
      .to(each([](const auto&) {}));
  std::string all;
  for (const Status& problem : topology.declaration().graph.validate()) {
    EXPECT_EQ(problem.code(), Code::parameter_invalid);
    all += problem.to_string();
  }
  EXPECT_NE(all.find("list keeps no value: give how many"), std::string::npos) << all;
  EXPECT_NE(all.find("set keeps no value: give how many"), std::string::npos) << all;
}

}  // namespace
}  // namespace millrace::property
