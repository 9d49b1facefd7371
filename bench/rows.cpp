// rows-hashtags and rows-window-sum: W1 and W2 as topologies in YAML, against typed verbs.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "answers.hpp"
#include "hashtags_input.hpp"
#include "millrace/yaml.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

constexpr const char* kHashtags = R"(
name: rows-hashtags
spouts:
  - {id: text, type: lines, with: {path: "${path}"}}
bolts:
  - {id: tags, type: tokens, with: {of: line, prefix: "#", as: tag}}
  - {id: counts, type: count, with: {window: global()}}
  - {id: best, type: top, with: {n: 100}}
  - {id: checked, type: check}
  - {id: nowhere, type: log, with: {path: /dev/null}}
streams:
  - {from: text, to: tags}
  - {from: tags, to: counts, grouping: {type: fields, args: [tag]}}
  - {from: counts, to: best}
  - {from: best, to: checked}
  - {from: checked, to: nowhere}
)";

constexpr const char* kWindowSum = R"(
name: rows-window-sum
spouts:
  - {id: events, type: events, with: {event_time: {field: time}}}
bolts:
  - {id: sums, type: sum, with: {of: value, window: tumbling(1s)}}
  - {id: checked, type: check}
  - {id: nowhere, type: log, with: {path: /dev/null}}
streams:
  - {from: events, to: sums, grouping: {type: fields, args: [key]}}
  - {from: sums, to: checked}
  - {from: checked, to: nowhere}
)";

struct TagRow {
  std::uint64_t rank = 0;
  std::string_view tag;
  std::uint64_t count = 0;
};
struct SumRow {
  std::uint32_t key = 0;
  double sum = 0;
  Timestamp window_start;
};

/// A bolt that adds what `sum_of` says of each row to a checksum, in one task, and emits nothing.
template <class Row, class Sum>
void add_check(Components& own, std::uint64_t& checksum, Sum sum_of) {
  own.bolt<Row>("check", "adds rows to the answer", {},
                [&checksum, sum_of](const Stream<Row>& rows, const Parameters&) {
                  return rows
                      .filter([&checksum, sum_of](const Row& row) {
                        checksum += sum_of(row);
                        return false;
                      })
                      .parallel(1);
                });
}

std::string run_yaml(const char* text, const YamlOptions& options, unsigned threads,
                     bool auto_executors) {
  Result<Topology> topology = topology_from_yaml(text, options);
  return topology ? run_engine(*topology, threads, auto_executors) : topology.error().to_string();
}

/// `typed` with its engine in another lane and rows in its place.
Workload against(Workload typed, std::string name, const Settings& settings,
                 std::function<Answer(unsigned)> rows) {
  Workload workload = std::move(typed);
  workload.name = std::move(name);
  workload.bound = {};
  workload.extras = {{"typed",
                      [typed = std::exchange(workload.engine, std::move(rows)),
                       threads = settings.threads] { return typed(threads); },
                      {}}};
  workload.figures = [](const Outcome& outcome) -> std::vector<Figure> {
    return {
        {"rows_of_typed", outcome.engine.rate_per_cpu / outcome.extras.front().rate_per_cpu, 0.4}};
  };
  return workload;
}

}  // namespace

Workload rows_hashtags_workload(const Settings& settings) {
  Workload typed = hashtags_workload(settings);
  const std::string path =
      hashtags_input(settings.input, settings.records != 0 ? settings.records : 5'000'000);
  const std::uint64_t records = typed.limit().records;
  return against(std::move(typed), "rows-hashtags", settings,
                 [path, records, by_load = settings.auto_executors](unsigned threads) {
                   Answer answer;
                   answer.records = records;
                   YamlOptions options;
                   options.properties["path"] = path;
                   add_check<TagRow>(options.components, answer.checksum, [](const TagRow& row) {
                     return tag_row_sum(row.rank, row.tag, row.count);
                   });
                   answer.failure = run_yaml(kHashtags, options, threads, by_load);
                   return answer;
                 });
}

Workload rows_window_sum_workload(const Settings& settings) {
  Workload typed = window_sum_workload(settings);
  const std::uint64_t records = settings.records != 0 ? settings.records : 50'000'000;
  return against(std::move(typed), "rows-window-sum", settings,
                 [records, by_load = settings.auto_executors](unsigned threads) {
                   Answer answer;
                   answer.records = records;
                   YamlOptions options;
                   options.components.spout(
                       "events", "W2's events", {}, [records, threads](const Parameters&) {
                         auto events = generate(
                             records, [](std::uint64_t index) { return window_event(index); },
                             threads);
                         events.tasks = threads;
                         return events;
                       });
                   add_check<SumRow>(options.components, answer.checksum, [](const SumRow& row) {
                     return window_row_sum(row.window_start.micros, row.key, row.sum);
                   });
                   answer.failure = run_yaml(kWindowSum, options, threads, by_load);
                   return answer;
                 });
}

}  // namespace millrace::bench
