// `millrace demo machine`: this computer, with alerts: its flags, its topology, its summary.
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "demo.hpp"
#include "host/host.hpp"
#include "machine_watch.hpp"

namespace millrace::apps {
namespace {

constexpr const char* kPurpose =
    "Watches this computer: processors, memory, disks, network and pressure, and raises an alert "
    "when one of them stays above a limit. It is cleared below a lower one: a limit of 90 clears "
    "below 80, one of 0.5 below 0.44.";

/// Texts as typed.
struct RawFlags {
  std::string cpu = "90";
  std::string memory = "90";
  std::string disk = "95";
  std::string pressure = "50";
  std::string samples = "3";
  std::string interval = "1s";
};

Status invalid(const char* flag, const std::string& text, const std::string& wanted) {
  return {Code::option_invalid,
          fmt::format("{} {}: {}", flag, text.empty() ? "\"\"" : text, wanted)};
}

Status read_percent(const char* flag, const std::string& text, double& out) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !(value >= 0 && value <= 100))
    return invalid(flag, text, "give percent, a number from 0 to 100");
  out = value;
  return {};
}

Status read_flags(const RawFlags& raw, MachineLimits& limits, MachineOptions& options) {
  const std::pair<const char*, std::pair<const std::string*, double*>> percents[] = {
      {"--cpu-high", {&raw.cpu, &limits.cpu}},
      {"--memory-high", {&raw.memory, &limits.memory}},
      {"--disk-high", {&raw.disk, &limits.disk}},
      {"--pressure-high", {&raw.pressure, &limits.pressure}}};
  for (const auto& [flag, place] : percents) {
    if (Status status = read_percent(flag, *place.first, *place.second); !status) return status;
  }
  const auto [end, error] =
      std::from_chars(raw.samples.data(), raw.samples.data() + raw.samples.size(), limits.samples);
  if (error != std::errc() || end != raw.samples.data() + raw.samples.size() ||
      limits.samples < 1 || limits.samples > 1'000'000) {
    return invalid("--samples", raw.samples, "give a whole number from 1 to 1000000");
  }
  const auto interval = detail::parse_duration(raw.interval);
  if (!interval || *interval < Duration(10ms) || *interval > Duration(24h)) {
    return invalid("--interval", raw.interval,
                   "give a time from 10ms to 24h with its unit, such as 1s");
  }
  options.interval = *interval;
  return {};
}

detail::SummaryPart part_of(const AlertCounts& counts) {
  detail::SummaryPart part;
  const std::uint64_t raised = counts.raised.load();
  const std::uint64_t cleared = counts.cleared.load();
  part.name = "alerts";
  part.json = fmt::format("{{\"raised\":{},\"cleared\":{},\"active\":{}}}", raised, cleared,
                          raised - cleared);
  part.text = fmt::format("alerts: {} raised, {} cleared, {} still active", raised, cleared,
                          raised - cleared);
  return part;
}

}  // namespace

int machine_demo_main(int argc, char** argv) {
  RawFlags raw;
  const detail::OwnFlag flags[] = {
      {"--cpu-high", &raw.cpu, "Percent busy of all processors that raises an alert (default 90)"},
      {"--memory-high", &raw.memory, "Percent of memory in use that raises one (default 90)"},
      {"--disk-high", &raw.disk, "Percent of a disk in use that raises one (default 95)"},
      {"--pressure-high", &raw.pressure,
       "Percent of time in which tasks wait for processor, memory or disk (default 50)"},
      {"--samples", &raw.samples,
       "Measurements above the limit in a row that it takes (default 3)"},
      {"--interval", &raw.interval, "Time between two measurements (default 1s)"}};
  auto parsed = detail::parse_options("millrace demo machine", kPurpose, argc, argv, {}, flags);
  if (!parsed) return detail::report_error(parsed.error());
  if (parsed->help) {
    std::fputs(parsed->help_text.c_str(), stdout);
    return 0;
  }
  MachineLimits limits;
  MachineOptions options;
  if (Status status = read_flags(raw, limits, options); !status)
    return detail::report_error(status);

  auto counts = std::make_shared<AlertCounts>();
  Topology topology("machine");
  declare_machine(topology, options, limits, counts);
  detail::HostExtras extras;
  extras.amend = [counts](detail::Report& report) { report.parts.push_back(part_of(*counts)); };
  extras.start_lines = {"Ctrl-C stops it"};
  return detail::run_with(topology, parsed->options, extras);
}

}  // namespace millrace::apps
