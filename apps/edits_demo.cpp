// `millrace demo` by itself: flags, the carried files, the oracle in every report.
#include "demo.hpp"

#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include <fmt/format.h>

#include "carried.hpp"
#include "embedded_files.hpp"
#include "host/host.hpp"
#include "host/version.hpp"
#include "kill_again.hpp"
#include "trending.hpp"

namespace millrace::apps {
namespace {

constexpr const char* kEditsPath = "wikiticker-2015-09-12-sampled.json.gz (carried)";
constexpr std::uint64_t kEditsPerDay = 39'244;
constexpr const char* kName = "trending";
constexpr const char* kPurpose =
    "Replays a real day of Wikipedia edits (2015-09-12, 39,244 edits), over and over, at 1,000 "
    "times its speed: "
    "trending articles, busiest wikis, alerts on large removals.";
constexpr const char* kDemos = R"(The demos, each with flags of its own (millrace demo NAME --help):

  millrace demo           a real day of Wikipedia edits, replayed
  millrace demo posts     an endless generated feed of posts, and the trends planted in it
  millrace demo machine   this computer, with alerts
)";
constexpr const char* kNever = "never";
constexpr Duration kKillMin = 100ms;
constexpr Duration kEpochDefault = 1s;  ///< of a run that is killed

std::filesystem::path temp_folder() {
  std::error_code error;
  auto folder = std::filesystem::temp_directory_path(error);
  return error ? std::filesystem::path(".") : folder;
}

bool reads_whole_days(const detail::HostOptions& options) {
  return options.limit != 0 && options.limit % kEditsPerDay == 0;
}

int run_edits(const TrendingEnds& ends, const detail::HostOptions& options,
              detail::HostExtras extras) {
  detail::Env env = detail::real_env();
  EmbeddedFiles files(*env.files);
  files.carry(kEditsPath, carried_edits());
  env.files = &files;
  if (options.seed != 0) env.seed = options.seed;
  Topology topology(kName);
  declare_trending(topology, ends);
  extras.env = &env;
  return detail::run_with(topology, options, extras);
}

int run_alone(const detail::HostOptions& options) {
  auto oracle = std::make_shared<Oracle>(
      carried_expected(), options.state_dir ? Oracle::Begin::first_row : Oracle::Begin::first_day);
  const std::string alerts = (temp_folder() / "millrace-large-removals.jsonl").string();
  detail::HostExtras extras;
  extras.amend = [oracle, whole = reads_whole_days(options)](detail::Report& report) {
    if (report.state == "finished" && whole) oracle->close();
    report.oracle = oracle->report();
  };
  extras.start_lines = {"large removals are also written to " + alerts, "Ctrl-C stops it"};
  return run_edits({kEditsPath, alerts, oracle, ""}, options, std::move(extras));
}

/// Where a run that is killed keeps all it has: the folder given, or one that goes with it.
class KeptFolder {
 public:
  ~KeptFolder() {
    std::error_code ignored;
    if (made_) std::filesystem::remove_all(path_, ignored);
  }
  /// Errors: 4002.
  Status open(const std::optional<std::string>& given) {
    std::error_code error;
    made_ = !given;
    path_ = given ? *given : (temp_folder() / "millrace-demo-XXXXXX").string();
    const bool there = given ? std::filesystem::is_directory(path_, error) ||
                                   std::filesystem::create_directories(path_, error)
                             : ::mkdtemp(path_.data()) != nullptr;
    if (there) return {};
    made_ = false;
    return {Code::sink_failed,
            fmt::format(
                "the folder \"{}\" cannot be made: {}; name one that can, with --state-dir", path_,
                (given ? error : std::error_code(errno, std::generic_category())).message())};
  }
  std::string in(const char* name) const { return path_ + "/" + name; }
  std::string says() const {
    return fmt::format("ranked rows and large removals are kept in {}{}", path_,
                       made_ ? " until the end" : "");
  }

 private:
  std::string path_;
  bool made_ = false;
};

/// Errors: 1002.
Status read_kill(const std::string& text, const detail::HostOptions& options, Duration& every) {
  const auto span = detail::parse_duration(text);
  if (!span || *span < kKillMin) {
    return {
        Code::option_invalid,
        fmt::format("--kill {}: give a time of at least 100ms with its unit, such as 10s", text)};
  }
  every = *span;
  if (!options.checkpoint_interval || *options.checkpoint_interval < every) return {};
  return {Code::option_invalid,
          fmt::format("--checkpoint-interval {}: no process lives that long with --kill {}; give a "
                      "shorter interval or a longer life",
                      detail::format_duration(*options.checkpoint_interval), text)};
}

/// In the process that is killed.
detail::HostExtras extras_of(KillFigures& figures, const KeptFolder& folder, bool first) {
  detail::HostExtras extras;
  extras.amend = [&figures](detail::Report& report) {
    if (report.state == "finished") figures.ask_for_last(RunEnd::finished);
    if (report.state == "stopped" || report.state == "failed")
      figures.ask_for_last(RunEnd::stopped);
    report.oracle = figures.report();
  };
  extras.start_lines = {folder.says(), "Ctrl-C stops it"};
  extras.says_where = first;
  return extras;
}

void say_finished(const detail::OracleReport& oracle, bool json) {
  detail::Report report;
  report.topology = kName;
  report.version = detail::kVersion;
  report.state = "finished";
  report.oracle = oracle;
  if (json) {
    std::printf("%s\n", detail::summary_json(report).c_str());
  } else {
    std::fputs(detail::summary_text(report).c_str(), stderr);
  }
}

int run_killed(Duration every, detail::HostOptions options) {
  // Every process of the run has the page that the first one shows.
  auto page = detail::find_page_address(options);
  if (!page) return detail::report_error(page.error());
  KeptFolder folder;
  if (Status status = folder.open(options.state_dir); !status) return detail::report_error(status);
  KillFigures* const figures = KillFigures::make();
  if (figures == nullptr) {
    return detail::report_error(
        {Code::internal, "no memory can be shared with another process; end other programs"});
  }
  KillPlan plan;
  plan.every = every;
  plan.duration = std::exchange(options.duration, std::nullopt);
  plan.whole_days = reads_whole_days(options);
  plan.state_folder = folder.in("state");
  plan.ranked = folder.in("ranked");
  options.ui = std::move(*page);
  options.state_dir = plan.state_folder;
  if (!options.checkpoint_interval)
    options.checkpoint_interval = std::min(kEpochDefault, every / 4);
  const TrendingEnds ends{kEditsPath, folder.in("large-removals.jsonl"), nullptr, plan.ranked};
  plan.run = [&](bool first) {
    return run_edits(ends, options, extras_of(*figures, folder, first));
  };
  plan.say_finished = [&](const auto& oracle) { say_finished(oracle, options.json); };
  if (options.explain) return plan.run(true);
  return KillAgain(std::move(plan), carried_expected(), *figures).run();
}

}  // namespace

int edits_demo_main(int argc, char** argv) {
  detail::HostOptions defaults;
  defaults.speed = 1000;
  std::string kill = kNever;
  const detail::OwnFlag flags[] = {
      {"--kill", &kill,
       "Kills the process whenever it is so old, such as 10s, and starts it again; an oracle "
       "outside of it counts what was lost or doubled (default never)"}};
  auto parsed = detail::parse_options("millrace demo", kPurpose, argc, argv, defaults, flags);
  if (!parsed) return detail::report_error(parsed.error());
  if (parsed->help) {
    std::printf("%s\n%s", kDemos, parsed->help_text.c_str());
    return 0;
  }
  if (kill == kNever) return run_alone(parsed->options);
  Duration every{0};
  if (Status status = read_kill(kill, parsed->options, every); !status)
    return detail::report_error(status);
  return run_killed(every, parsed->options);
}

}  // namespace millrace::apps
