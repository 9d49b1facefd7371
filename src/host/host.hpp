// The face of `host`: what turns a topology into a program: command line, run loop, page, signals,
// summary.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "checkpoint/checkpoint_store.hpp"
#include "metrics/report.hpp"
#include "millrace/topology.hpp"
#include "runtime/runtime.hpp"

namespace millrace::detail {

class Rescaling;
/// Which part of its input a run reads, and what it goes on from.
struct RunPart {
  ReplayRange range = {};
  std::optional<EpochName> epoch = {};  ///< of another run's state folder
};

/// How a state folder is gone on from.
struct StateAccess {
  bool allow_drop = false;   ///< state that no component wants may go
  bool no_sync = false;      ///< unsafe, for tests of the tests: nothing is synced
  bool no_dedup = false;     ///< unsafe: sinks show at once, whatever becomes of the epoch
  bool no_checksum = false;  ///< unsafe, for tests of the tests: damage is not looked for
};

/// The flags every program has.
struct HostOptions {
  std::uint32_t parallelism = 1;
  std::uint32_t executors = 0;  ///< 0: by the load
  std::optional<std::string>
      ui;            ///< HOST:PORT or "off"; nullopt: 127.0.0.1:8080, or the next free port
  double speed = 0;  ///< 0: as fast as possible
  RunPart part = {};
  std::optional<Duration> duration;
  std::uint64_t limit = 0;  ///< 0: none
  std::size_t line_bytes_max = 16u << 20;
  std::uint64_t memory_bytes = 0;  ///< budget; 0: half of what machine or control group have
  bool explain = false;
  bool json = false;
  LogLevel log_level = LogLevel::warn;
  std::uint64_t seed = 0;
  std::optional<Guarantee> guarantee;           ///< nullopt: what the topology says
  std::optional<std::string> state_dir;         ///< as guarantee
  std::optional<Duration> checkpoint_interval;  ///< as guarantee
  /// Settings by name that are stronger than the topology's own: topology.tries and its like.
  Config acks = {};
  std::string ack_flag;                  ///< the first flag of `acks`, as it was given
  std::string restart;                   ///< see RestartPolicy; empty: its default
  StateAccess state_access = {};         ///< of state_dir
  std::string dead_letters;              ///< folder to keep them in; empty: what the topology says
  std::string dead_letters_to;           ///< where the page replays them to; empty: as dead_letters
  std::uint64_t dead_letters_bytes = 0;  ///< 0: what the topology says
  std::string state_on;                  ///< auto, memory or disk; empty: what the topology says
  std::string spill_dir;                 ///< empty: what the topology says
};

/// What a program may add to a run.
struct HostExtras {
  Env* env = nullptr;                    ///< null: the machine's own
  std::function<void(Report&)> amend;    ///< adds to each report, from the reporting thread
  std::vector<std::string> start_lines;  ///< printed when the topology runs
  Rescaling* rescaling = nullptr;        ///< where it is rescaled; null: over its page alone
  bool says_where = true;                ///< prints them, and where page and state folder are
};

/// What parsing the command line came to.
struct ParsedOptions {
  HostOptions options;
  bool help = false;
  std::string help_text;
};

/// A flag that only one program has.
struct OwnFlag {
  std::string name;    ///< with its dashes: "--rate"
  std::string* value;  ///< where the text given goes; not touched when the flag is not given
  std::string help;
};

/// Errors: 1001 with a near word, 1002, 1003.
Result<ParsedOptions> parse_options(const std::string& program, const std::string& purpose,
                                    int argc, char** argv, HostOptions defaults,
                                    std::span<const OwnFlag> own = {});

/// What --from and --until say; empty: nothing. Errors: 1002.
Result<RunPart> read_part(const std::string& from, const std::string& until);

/// How many records lay outside of it, for the summary; nullopt: it has no times.
std::optional<SummaryPart> range_summary(const Graph& graph, const ReplayRange& range,
                                         const Report& report);

/// sysexits.h code of a status; see docs/errors.md.
int exit_code(const Status& status);

/// Prints "error 1001: ..." to standard error and returns the exit code.
int report_error(const Status& status);

/// Puts over `settings` what their config names, and over that what `options` say. Errors: 1002.
Status settle(const HostOptions& options, GraphSettings& settings);

/// Where the dead letters of a run are kept, by what the topology says and over that by `folder`
/// and `bytes_max`, where they are given. Errors: 1002 for a setting that cannot be.
Result<DeadLetterSettings> dead_letter_settings(const Config& config, const std::string& folder,
                                                std::uint64_t bytes_max);
/// Where the page may replay them to, of both in the same way; empty: nowhere. Errors: 1002.
Result<std::string> dead_letters_to(const Config& config, const std::string& to);
/// What became of them, for the summary; nullopt: they are not kept.
std::optional<SummaryPart> dead_letter_summary(const DeadLetterJournal* journal);

/// Where keyed state goes that memory has no room for, by what the topology says and over that by
/// `state_on` and `spill_dir`, where they are given. Errors: 1002 for a setting that cannot be.
Result<SpillSettings> spill_settings(const Graph& graph, const std::string& state_on,
                                     const std::string& spill_dir);

/// Where the page that `options` ask for can listen now, as --ui takes it: "127.0.0.1:8081", or
/// "off". For a program that runs the topology in one process after the other, all with the same
/// page. Errors: 1002, 5001, 5002.
Result<std::string> find_page_address(const HostOptions& options);

/// Validates, plans, runs, and prints the summary. Returns the exit code.
int run_with(Topology& topology, const HostOptions& options, const HostExtras& extras);

/// Prints what of the state folder would go to which component, and what refuses it. Nothing runs
/// and nothing is changed, also while a run works with the folder. Returns the exit code.
int plan_against(Topology& topology, const std::string& folder, bool allow_drop);

/// One JSON object: what `--summary json` prints.
std::string summary_json(const Report& report);
/// The same for people: a few lines.
std::string summary_text(const Report& report);

}  // namespace millrace::detail
