// Counters into rates, shares and the process's own figures.
#include "host/reporter.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "host/version.hpp"

namespace millrace::detail {
namespace {

/// Resident set in bytes; 0 where the system does not say.
std::uint64_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (!file) return 0;
  unsigned long total = 0;
  unsigned long resident = 0;
  const int read = std::fscanf(file, "%lu %lu", &total, &resident);
  std::fclose(file);
  return read == 2 ? resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace

Reporter::Reporter(const Declaration& declaration, const Engine& engine, const HostOptions& options,
                   const HostExtras& extras, Env& env)
    : declaration_(declaration),
      engine_(engine),
      options_(options),
      extras_(extras),
      env_(env),
      started_ns_(env.clock->steady_ns()) {
  before_.ns = started_ns_;
  before_.ticks = busy_ticks_now();
}

std::shared_ptr<const Report> Reporter::report(std::string state, const Status& failure) {
  auto report = std::make_shared<Report>();
  report->topology = declaration_.graph.name();
  report->version = kVersion;
  report->state = std::move(state);
  if (!failure.ok()) report->error = failure.to_string();
  report->executors = options_.executors;
  report->parallelism = options_.parallelism;
  report->speed = options_.speed;
  report->memory_bytes = resident_bytes();
  engine_.graph().fill(declaration_.graph, *report);
  for (const auto& view : declaration_.views) report->views.push_back(view->snapshot());
  add_rates(*report);
  if (extras_.amend) extras_.amend(*report);
  return report;
}

void Reporter::add_rates(Report& report) {
  Before now;
  now.ns = env_.clock->steady_ns();
  now.ticks = busy_ticks_now();
  now.in = report.records_in;
  now.out = report.records_out;
  report.uptime_ms = (now.ns - started_ns_) / 1'000'000;
  const double seconds = std::max(1e-9, static_cast<double>(now.ns - before_.ns) / 1e9);
  const double ticks = std::max(1.0, static_cast<double>(now.ticks - before_.ticks));
  report.records_in_per_second = static_cast<double>(now.in - before_.in) / seconds;
  report.records_out_per_second = static_cast<double>(now.out - before_.out) / seconds;
  for (ComponentReport& component : report.components) {
    const double busy = component.busy_share;
    now.busy[component.name] = busy;
    component.busy_share = (busy - before_.busy[component.name]) / ticks;
  }
  for (EdgeReport& edge : report.edges) {
    const auto key = std::pair(edge.from, edge.to);
    now.edges[key] = edge.received;
    edge.records_per_second = static_cast<double>(edge.received - before_.edges[key]) / seconds;
  }
  before_ = std::move(now);
}

}  // namespace millrace::detail
