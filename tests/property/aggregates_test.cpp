// Promise 9 for every aggregate, one by one and in one pass: random topologies give what a naive
// model gives, whatever the schedule.
#include "random_topology.hpp"

namespace millrace::property {
namespace {

using Group = std::vector<const ModelRecord*>;

/// An aggregate of one's own that merges; it refuses records by throwing.
struct Digest {
  struct Seen {
    std::int64_t records = 0;
    std::int64_t mixed = 0;
  };
  static bool refuses(std::int64_t number) { return number % 11 == 0; }
  Seen init() const { return {}; }
  void add(Seen& seen, const Event& event) const {
    ++seen.records;
    seen.mixed ^= event.number * 31;
    if (refuses(event.number)) throw std::runtime_error("divided by eleven");
  }
  void merge(Seen& seen, const Seen& other) const {
    seen.records += other.records;
    seen.mixed ^= other.mixed;
  }
  std::int64_t result(const Seen& seen) const { return seen.records * 1000 + seen.mixed; }
};

/// One that cannot merge, so that each sliding window has a pane of its own.
struct Apart {
  std::int64_t init() const { return 0; }
  void add(std::int64_t& sum, const Event& event) const noexcept { sum += event.number % 3; }
  std::int64_t result(std::int64_t sum) const { return sum; }
};

std::optional<std::int64_t> even(const Event& event) {
  if (event.number % 2 != 0) return std::nullopt;
  return event.number;
}

/// The row of several aggregates in one pass.
struct Summary {
  std::int64_t records = 0;
  std::int64_t sum = 0;
  std::int64_t least = 0;
  std::string greatest_name;
  std::int64_t names = 0;
  std::int64_t pairs = 0;
  std::int64_t opened = 0;
  std::string closed;
  std::optional<std::int64_t> least_even;
  double mean = 0;
  std::int64_t digest = 0;
};

OutRow summary_row(const std::string& key, Bounds window, const Summary& value) {
  return {fmt::format("{} [{}, {}) = {} {} {} {} {} {} {} {} {} {}", key, window.first,
                      window.second, value.records, value.sum, value.least, value.greatest_name,
                      value.names, value.pairs, value.opened, value.closed,
                      value.least_even.value_or(-1), value.digest),
          value.mean};
}

auto collect_summaries(Rows& rows, const std::string& name) {
  return each([list = &rows[name]](const auto& row) {
    list->push_back(summary_row(text_of(row.key), {row.window_start, row.window_end}, row.value));
  });
}

auto collect_texts(Rows& rows, const std::string& name) {
  return each([list = &rows[name]](const auto& row) {
    list->push_back({fmt::format("{} [{}, {}) = {}", text_of(row.key), row.window_start,
                                 row.window_end, row.value),
                     0});
  });
}

template <class Windowed>
auto summarize(const Windowed& windowed) {
  return windowed.aggregate(
      count().as(&Summary::records), sum(&Event::number).as(&Summary::sum),
      min(&Event::number).as(&Summary::least), max(&Event::name).as(&Summary::greatest_name),
      distinct(&Event::name).as(&Summary::names),
      distinct(&Event::name, &Event::key).as(&Summary::pairs),
      first(&Event::number).as(&Summary::opened), last(&Event::name).as(&Summary::closed),
      min(even).as(&Summary::least_even), mean(&Event::number).as(&Summary::mean),
      own(Digest{}).as(&Summary::digest));
}

void declare(const Case& drawn, Topology& topology, Rows& rows) {
  const Stream<Event> trunk = declare_trunk(topology, drawn);
  const auto by_key = trunk.key_by(&Event::key).window(drawn.windows);
  const auto by_name = trunk.key_by(&Event::name).window(drawn.windows);
  if (drawn.shape % 2 == 0) {
    by_key.max(&Event::amount).to(collect(rows, "max"));
    by_key.last(&Event::name).to(collect_texts(rows, "last"));
    by_name.distinct(&Event::number).top(drawn.top).to(collect(rows, "top distinct"));
    summarize(by_key).named("summary").to(collect_summaries(rows, "summary"));
  } else {
    by_name.min([](const Event& event) { return std::string(event.name); })
        .to(collect_texts(rows, "min"));
    by_name.mean(&Event::amount).to(collect(rows, "mean"));
    by_key.aggregate(own(Apart{})).to(collect(rows, "apart"));
    by_key.aggregate(own(Apart{}).as(&Summary::sum), own(Digest{}).as(&Summary::digest))
        .named("both")
        .to(collect_summaries(rows, "both"));
  }
}

/// By event time, of equal times by place in the inputs.
bool is_before(const ModelRecord* a, const ModelRecord* b) {
  return a->time != b->time ? a->time < b->time : a->arrival < b->arrival;
}
const ModelRecord& earliest(const Group& group) {
  return **std::ranges::min_element(group, is_before);
}
const ModelRecord& latest(const Group& group) {
  return **std::ranges::max_element(group, is_before);
}

std::int64_t digest_of(const Group& group) {
  std::int64_t records = 0;
  std::int64_t mixed = 0;
  for (const ModelRecord* record : group) {
    ++records;
    mixed ^= record->number * 31;
  }
  return records * 1000 + mixed;
}

Summary summary_of(const Group& group) {
  Summary row;
  std::set<std::string> names;
  std::set<std::pair<std::string, std::int32_t>> pairs;
  row.least = group.front()->number;
  double total = 0;
  for (const ModelRecord* record : group) {
    ++row.records;
    row.sum += record->number;
    total += static_cast<double>(record->number);
    row.least = std::min(row.least, record->number);
    row.greatest_name = std::max(row.greatest_name, record->name);
    names.insert(record->name);
    pairs.emplace(record->name, record->key);
    if (record->number % 2 == 0) {
      row.least_even = std::min(row.least_even.value_or(record->number), record->number);
    }
  }
  row.names = static_cast<std::int64_t>(names.size());
  row.pairs = static_cast<std::int64_t>(pairs.size());
  row.opened = earliest(group).number;
  row.closed = latest(group).name;
  row.mean = total / static_cast<double>(row.records);
  row.digest = digest_of(group);
  return row;
}

/// The records that the digest takes; the others are dead letters of the whole row.
std::vector<ModelRecord> taken(const std::vector<ModelRecord>& records) {
  std::vector<ModelRecord> kept;
  std::ranges::copy_if(records, std::back_inserter(kept),
                       [](const ModelRecord& r) { return !Digest::refuses(r.number); });
  return kept;
}

template <class GetKey, class Visit>
void for_each_group(const std::vector<ModelRecord>& records, Windows windows, GetKey get_key,
                    Visit visit) {
  for (const auto& [bounds, keys] : model_groups(records, windows, get_key)) {
    for (const auto& [key, group] : keys) visit(bounds, text_of(key), group);
  }
}

constexpr auto kByName = [](const ModelRecord& record) { return std::string_view(record.name); };
constexpr auto kByKey = [](const ModelRecord& record) { return record.key; };

void model_even_shape(const Case& drawn, const std::vector<ModelRecord>& records, Rows& rows) {
  const auto text = [](Bounds window, const std::string& key, const std::string& value) {
    return OutRow{fmt::format("{} [{}, {}) = {}", key, window.first, window.second, value), 0};
  };
  for_each_group(records, drawn.windows, kByKey, [&](Bounds window, auto key, const Group& group) {
    double most = 0;
    for (const ModelRecord* record : group) most = std::max(most, record->amount);
    rows["max"].push_back({fmt::format("{} [{}, {})", key, window.first, window.second), most});
    rows["last"].push_back(text(window, key, latest(group).name));
  });
  for (const auto& [bounds, keys] : model_groups(records, drawn.windows, kByName)) {
    std::vector<std::pair<std::int64_t, std::string>> order;
    for (const auto& [key, group] : keys) {
      std::set<std::int64_t> numbers;
      for (const ModelRecord* record : group) numbers.insert(record->number);
      order.emplace_back(-static_cast<std::int64_t>(numbers.size()), key);
    }
    std::sort(order.begin(), order.end());
    for (std::uint32_t at = 0; at < std::min(drawn.top, order.size()); ++at) {
      rows["top distinct"].push_back(
          ranked(at + 1, row_of(std::string_view(order[at].second), bounds, -order[at].first)));
    }
  }
  for_each_group(taken(records), drawn.windows, kByKey,
                 [&](Bounds window, auto key, const Group& group) {
                   rows["summary"].push_back(summary_row(key, window, summary_of(group)));
                 });
}

void model_odd_shape(const Case& drawn, const std::vector<ModelRecord>& records, Rows& rows) {
  for_each_group(records, drawn.windows, kByName, [&](Bounds window, auto key, const Group& group) {
    double total = 0;
    for (const ModelRecord* record : group) total += record->amount;
    const std::string bounds = fmt::format("{} [{}, {})", key, window.first, window.second);
    rows["min"].push_back({bounds + " = " + key, 0});
    rows["mean"].push_back({bounds, total / static_cast<double>(group.size())});
  });
  const auto apart = [](const Group& group) {
    std::int64_t sum = 0;
    for (const ModelRecord* record : group) sum += record->number % 3;
    return sum;
  };
  for_each_group(records, drawn.windows, kByKey, [&](Bounds window, auto key, const Group& group) {
    rows["apart"].push_back(
        {fmt::format("{} [{}, {}) = {}", key, window.first, window.second, apart(group)), 0});
  });
  for_each_group(taken(records), drawn.windows, kByKey,
                 [&](Bounds window, auto key, const Group& group) {
                   Summary row;
                   row.sum = apart(group);
                   row.digest = digest_of(group);
                   rows["both"].push_back(summary_row(key, window, row));
                 });
}

Rows model(const Case& drawn, const std::vector<ModelRecord>& records) {
  Rows rows;
  if (drawn.shape % 2 == 0) {
    for (const char* sink : {"max", "last", "top distinct", "summary"}) rows[sink];
    model_even_shape(drawn, records, rows);
  } else {
    for (const char* sink : {"min", "mean", "apart", "both"}) rows[sink];
    model_odd_shape(drawn, records, rows);
  }
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

/// Each record that an aggregate refuses is one dead letter, in however many windows it lies.
std::string check_dead_letters(const detail::Report& report, std::uint64_t refused) {
  std::uint64_t counted = 0;
  for (const auto& part : report.components) {
    if (part.name == "summary" || part.name == "both") counted += part.dead_lettered;
  }
  if (counted == refused) return "";
  return fmt::format("{} dead letters counted, the model has {}", counted, refused);
}

TEST(ScheduleDoesNotMatter, AggregatesEqualTheModel) {
  std::uint64_t refused_in_all = 0;
  for_each_seed([&](std::uint64_t seed) {
    const Case drawn = draw_case(seed);
    const std::vector<ModelRecord> records = model_records(drawn);
    std::uint64_t refused = 0;
    for (const ModelRecord& record : records) {
      refused += Digest::refuses(record.number) && !model_windows(record, drawn.windows).empty();
    }
    refused_in_all += refused;
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, topology, rows); },
        model(drawn, records),
        [refused](const auto& report) { return check_dead_letters(report, refused); });
  });
  if (std::getenv("MILLRACE_SEED") == nullptr) {
    EXPECT_GT(refused_in_all, 0u);
  }
}

}  // namespace
}  // namespace millrace::property
