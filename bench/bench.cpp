// The command line of `millrace bench`.
#include "bench.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "machine_load.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

struct Entry {
  std::string_view name;
  Workload (*make)(const Settings&);
};
template <int kQuery>
Workload nexmark_query(const Settings& settings) {
  return nexmark_workload(kQuery, settings);
}
constexpr Entry kWorkloads[] = {
    {"hashtags", hashtags_workload},
    {"acked", acked_workload},
    {"window-sum", window_sum_workload},
    {"checkpointed", checkpointed_workload},
    {"sliding", sliding_workload},
    {"session", session_workload},
    {"latency", latency_workload},
    {"rows-hashtags", rows_hashtags_workload},
    {"rows-window-sum", rows_window_sum_workload},
    {"csv", csv_workload},
    {"wide-state", wide_state_workload},
    {"open-windows", open_windows_workload},
    {"process-state", process_state_workload},
    {"spilled-state", spilled_state_workload},
    {"spilled-aggregate", spilled_aggregate_workload},
    {"spilled-join", spilled_join_workload},
    {"timers", timers_workload},
    {"pattern", pattern_workload},
    {"interval-join", interval_join_workload},
    {"table-join", table_join_workload},
    {"nexmark-q0", nexmark_query<0>},
    {"nexmark-q1", nexmark_query<1>},
    {"nexmark-q2", nexmark_query<2>},
    {"nexmark-q3", nexmark_query<3>},
    {"nexmark-q4", nexmark_query<4>},
    {"nexmark-q5", nexmark_query<5>},
    {"nexmark-q6", nexmark_query<6>},
    {"nexmark-q7", nexmark_query<7>},
    {"nexmark-q8", nexmark_query<8>},
    {"order-restore", order_restore_workload},
    {"distinct", distinct_workload},
    {"quantiles", quantiles_workload},
    {"large-records", large_records_workload},
    {"json", json_workload},
    {"growth", growth_workload},
    {"memory", memory_workload},
    {"journal", journal_workload},
    {"rescale", rescale_workload},
    {"restore", restore_workload},
};
constexpr int kUsageError = 64;

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

/// The workload of that name, or all whose names begin with it and a dash: "nexmark".
std::vector<const Entry*> find(std::string_view name) {
  const std::string family = std::string(name) + "-";
  std::vector<const Entry*> found;
  for (const Entry& entry : kWorkloads) {
    if (entry.name == name) return {&entry};
    if (entry.name.starts_with(family)) found.push_back(&entry);
  }
  return found;
}

std::string names() {
  std::string text;
  for (const Entry& entry : kWorkloads) {
    text += (text.empty() ? "" : ", ") + std::string(entry.name);
  }
  return text;
}

std::string unknown(std::string_view name) {
  std::string text = fmt::format("there is no workload \"{}\"", name);
  const Entry* nearest = nullptr;
  std::size_t least = name.size() / 2 + 1;
  for (const Entry& entry : kWorkloads) {
    const std::size_t distance = edit_distance(name, entry.name);
    if (distance >= least) continue;
    least = distance;
    nearest = &entry;
  }
  if (nearest) text += fmt::format("; did you mean \"{}\"?", nearest->name);
  return text + " There are: " + names();
}

/// True when the engine ran and its answers were the limit's.
bool run_one(const Entry& entry, const Settings& settings) {
  try {
    const Workload workload = entry.make(settings);
    const MachineLoad load(workload.is_latency ? settings.with_load : 0);
    const Outcome outcome = measure(workload, settings);
    if (!outcome.failure.empty()) {
      fmt::print(stderr, "bench {}: {}\n", entry.name, outcome.failure);
      return false;
    }
    fmt::print("{}", settings.json ? to_json(workload, settings, outcome)
                                   : to_text(workload, settings, outcome));
    std::fflush(stdout);
    return outcome.answer_equal;
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench {}: {}\n", entry.name, error.what());
    return false;
  }
}

}  // namespace

int bench_main(int argc, char** argv) {
  CLI::App app("Measures the engine against a hand-written loop for the same work, in turn.",
               "millrace bench");
  Settings settings;
  std::string name;
  app.add_option("workload", name,
                 names() + "; the part before a dash: all that begin so; none: all of them");
  app.add_option("--threads", settings.threads, "executors and parallelism of the engine")
      ->check(CLI::Range(1u, 128u))
      ->capture_default_str();
  app.add_option("--runs", settings.runs,
                 "turns of engine and limit; the medians are shown; default: 5, of latency 3")
      ->check(CLI::Range(1u, 1000u));
  app.add_option(
      "--records", settings.records,
      "lines or events of a run; default: 5 M lines, 50 M events; wide-state 100 M, nexmark 10 M");
  app.add_option("--seconds", settings.seconds, "latency: length of a run")
      ->check(CLI::Range(0.1, 600.0))
      ->capture_default_str();
  app.add_option("--rate", settings.rate, "latency: events a second")
      ->check(CLI::Range(1u, 10'000'000u))
      ->capture_default_str();
  app.add_option(
      "--input", settings.input,
      "hashtags, acked: the text file, made when it does not exist (465 MB); default: one in "
      "the folder for temporary files");
  app.add_option("--with-load", settings.with_load,
                 "latency: other processes take this share of every processor meanwhile")
      ->check(CLI::Range(0.0, 0.95));
  app.add_flag("--auto", settings.auto_executors,
               "the engine chooses the number of executors; --threads is the parallelism alone");
  app.add_option(
         "--keys", settings.keys,
         "wide-state, process-state, spilled-join, spilled-state, spilled-aggregate, rescale, "
         "restore, pattern, interval-join, table-join: number of keys; default: 1 M, of "
         "spilled-state and spilled-aggregate 2 M, of rescale and restore 12.5 M (1 GB), of the "
         "last three 10,000")
      ->check(CLI::Range(1u, 4'000'000'000u));
  app.add_flag("--full", settings.full, "growth: also 50 M lines (5 GB of disk)");
  app.add_flag("--json", settings.json, "one JSON object a workload instead of a table");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }
  bool good = true;
  if (name.empty()) {
    for (const Entry& entry : kWorkloads) good &= run_one(entry, settings);
    return good ? 0 : 1;
  }
  const std::vector<const Entry*> found = find(name);
  if (found.empty()) {
    fmt::print(stderr, "bench: {}\n", unknown(name));
    return kUsageError;
  }
  for (const Entry* entry : found) good &= run_one(*entry, settings);
  return good ? 0 : 1;
}

}  // namespace millrace::bench
