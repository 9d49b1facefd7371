// `millrace demo` by itself: flags, the carried files, the oracle in every report.
#include "demo.hpp"

#include <cstdio>
#include <filesystem>
#include <memory>

#include "carried.hpp"
#include "embedded_files.hpp"
#include "host/host.hpp"
#include "trending.hpp"

namespace millrace::apps {
namespace {

constexpr const char* kEditsPath = "wikiticker-2015-09-12-sampled.json.gz (carried)";
constexpr std::uint64_t kEditsPerDay = 39'244;
constexpr const char* kPurpose =
    "Replays a real day of Wikipedia edits (2015-09-12, 39,244 edits), over and over, at 1,000 "
    "times its speed: "
    "trending articles, busiest wikis, alerts on large removals.";
constexpr const char* kDemos = R"(The demos, each with flags of its own (millrace demo NAME --help):

  millrace demo           a real day of Wikipedia edits, replayed
  millrace demo posts     an endless generated feed of posts, and the trends planted in it
  millrace demo machine   this computer, with alerts
)";

std::string alerts_path() {
  std::error_code error;
  auto directory = std::filesystem::temp_directory_path(error);
  if (error) directory = ".";
  return (directory / "millrace-large-removals.jsonl").string();
}

}  // namespace

int edits_demo_main(int argc, char** argv) {
  detail::HostOptions defaults;
  defaults.speed = 1000;
  auto parsed = detail::parse_options("millrace demo", kPurpose, argc, argv, defaults);
  if (!parsed) return detail::report_error(parsed.error());
  if (parsed->help) {
    std::printf("%s\n%s", kDemos, parsed->help_text.c_str());
    return 0;
  }
  detail::Env env = detail::real_env();
  EmbeddedFiles files(*env.files);
  files.carry(kEditsPath, carried_edits());
  env.files = &files;
  if (parsed->options.seed != 0) env.seed = parsed->options.seed;

  auto oracle = std::make_shared<Oracle>(carried_expected());
  const std::string alerts = alerts_path();
  Topology topology("trending");
  declare_trending(topology, kEditsPath, alerts, oracle);

  detail::HostExtras extras;
  extras.env = &env;
  extras.amend = [oracle](detail::Report& report) {
    // All of the first day was read and every window has fired.
    if (report.state == "finished" && report.records_in >= kEditsPerDay) oracle->close();
    report.oracle = oracle->report();
  };
  extras.start_lines = {"large removals are also written to " + alerts, "Ctrl-C stops it"};
  return detail::run_with(topology, parsed->options, extras);
}

}  // namespace millrace::apps
