// Counters into rates, shares and the process's own figures.
#include "host/reporter.hpp"

#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "host/version.hpp"
#include "metrics/insights.hpp"

namespace millrace::detail {
namespace {

/// What the process has of memory, in bytes, without pages of files, which the system takes back
/// when it needs them (as the program and state on disk); 0 where the system does not say.
std::uint64_t held_memory_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (!file) return 0;
  unsigned long total = 0;
  unsigned long resident = 0;
  unsigned long of_files = 0;
  const int read = std::fscanf(file, "%lu %lu %lu", &total, &resident, &of_files);
  std::fclose(file);
  if (read != 3 || resident < of_files) return 0;
  return (resident - of_files) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

/// Processor time that the process has used, all threads.
std::int64_t cpu_ms() {
  timespec used{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0) return 0;
  return used.tv_sec * 1000 + used.tv_nsec / 1'000'000;
}

}  // namespace

Reporter::Reporter(const Declaration& declaration, const Engine& engine, const HostOptions& options,
                   const HostExtras& extras, Env& env, std::int64_t started_ns,
                   const RunTotals& before)
    : declaration_(declaration),
      engine_(engine),
      options_(options),
      extras_(extras),
      env_(env),
      started_ns_(started_ns),
      totals_before_(before),
      rates_(env.clock->steady_ns()) {}

std::shared_ptr<const Report> Reporter::report(std::string state, const Status& failure) {
  auto report = std::make_shared<Report>();
  report->topology = declaration_.graph.name();
  report->version = kVersion;
  report->state = std::move(state);
  if (!failure.ok()) report->error = failure.to_string();
  report->parallelism = options_.parallelism;
  report->speed = options_.speed;
  report->memory_bytes = held_memory_bytes();
  report->cpu_ms = cpu_ms();
  RunningSums sums;
  engine_.fill(declaration_.graph, *report, sums);
  const std::int64_t now_ns = env_.clock->steady_ns();
  report->at = env_.clock->wall_us();
  report->active = engine_.active();
  report->uptime_ms = (now_ns - started_ns_) / 1'000'000;
  rates_.add(*report, std::move(sums), now_ns);
  report->records_in += totals_before_.records_in;
  report->records_out += totals_before_.records_out;
  report->dead_letters += totals_before_.dead_letters;
  for (const auto& view : declaration_.views) report->views.push_back(view->snapshot());
  if (extras_.amend) extras_.amend(*report);
  add_insights(before_ ? *before_ : Report(), *report);
  before_ = report;
  return report;
}

RunTotals Reporter::totals() const {
  Report report;
  RunningSums sums;
  engine_.fill(declaration_.graph, report, sums);
  return {totals_before_.records_in + report.records_in,
          totals_before_.records_out + report.records_out,
          totals_before_.dead_letters + report.dead_letters};
}

}  // namespace millrace::detail
