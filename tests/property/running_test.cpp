// Promise 9 for running aggregates, whose every update is emitted, and for what is built on them.
#include "random_topology.hpp"

namespace millrace::property {
namespace {

/// Keeps the last row of each key: updates of a key come in the order of its one task.
auto collect_last(Rows& rows, const std::string& name) {
  return each([list = &rows[name]](const auto& row) {
    const OutRow fresh = {text_of(row.key), static_cast<double>(row.value)};
    for (OutRow& old : *list) {
      if (old.text == fresh.text) return void(old = fresh);
    }
    list->push_back(fresh);
  });
}

void declare(const Case& drawn, Topology& topology, Rows& rows) {
  const Stream<Event> trunk = declare_trunk(topology, drawn);
  const auto counts = trunk.key_by(&Event::name).count();
  counts.to(collect(rows, "every count"));
  // A shuffle behind a shuffle: each third update, counted by key at the end.
  counts.filter([](const auto& row) { return row.value % 3 == 0; })
      .key_by([](const auto& row) { return row.key; })
      .window(global())
      .count()
      .to(collect(rows, "thirds"));
  trunk.key_by(&Event::key).sum(&Event::number).to(collect_last(rows, "last sum"));
  trunk.key_by(&Event::name, &Event::key)
      .fold(std::int64_t{0},
            [](std::int64_t& greatest, const Event& event) {
              greatest = std::max(greatest, event.number);
            })
      .to(collect_last(rows, "last fold"));
}

Rows model(const std::vector<ModelRecord>& records) {
  std::map<std::string, std::int64_t> counts;
  std::map<std::string, std::int64_t> sums;
  std::map<std::string, std::int64_t> greatest;
  Rows rows;
  const Bounds all = {kTimeMin, kTimeMax};
  for (const char* sink : {"every count", "thirds", "last sum", "last fold"}) rows[sink];
  for (const ModelRecord& record : records) {
    rows["every count"].push_back(
        row_of(std::string_view(record.name), all, ++counts[record.name]));
    sums[text_of(record.key)] += record.number;
    std::int64_t& most = greatest[record.name + "/" + text_of(record.key)];
    most = std::max(most, record.number);
  }
  for (const auto& [name, count] : counts) {
    if (count >= 3) rows["thirds"].push_back(row_of(std::string_view(name), all, count / 3));
  }
  for (const auto& [key, sum] : sums) {
    rows["last sum"].push_back({key, static_cast<double>(sum)});
  }
  for (const auto& [key, most] : greatest) {
    rows["last fold"].push_back({key, static_cast<double>(most)});
  }
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

TEST(ScheduleDoesNotMatter, RunningAggregatesEndEqual) {
  for_each_seed([](std::uint64_t seed) {
    const Case drawn = draw_case(seed);
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, topology, rows); },
        model(model_records(drawn)));
  });
}

/// The text of a key lies in the arena of a batch that is long gone when the window fires: what
/// AddressSanitizer sees when the state does not copy it.
TEST(Keys, OutliveTheBatchTheyCameIn) {
  Random random(1);
  const Input input{{draw_partition(random, 300, global(), 5)}, 0, 1};
  const Step step{Op::flat_map, 30};
  Rows wanted;
  for (const auto& [bounds, keys] :
       model_groups(model_step(model_records(input), step), global(),
                    [](const ModelRecord& record) { return record.name; })) {
    for (const auto& [key, group] : keys) {
      wanted["counts"].push_back(
          row_of(std::string_view(key), bounds, static_cast<std::int64_t>(group.size())));
    }
  }
  std::sort(wanted["counts"].begin(), wanted["counts"].end());
  Schedule schedule;
  schedule.run.batch_records_max = 16;
  const Outcome outcome = run_once(
      [&](Topology& topology, Rows& rows) {
        declare_step(topology, topology.from(records(input.partitions)), step, "renamed")
            .key_by(&Event::name)
            .window(global())
            .count()
            .to(collect(rows, "counts"));
      },
      schedule);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.to_string();
  EXPECT_EQ(difference(wanted, outcome.rows), "");
}

}  // namespace
}  // namespace millrace::property
