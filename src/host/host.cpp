// The run loop: start, report once a second, stop on request, say how it went.
#include "millrace/run.hpp"

#include <sysexits.h>
#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "base/interval.hpp"
#include "env/machine_memory.hpp"
#include "host/broken_pages.hpp"
#include "host/epoch_requests.hpp"
#include "host/host.hpp"
#include "host/host_page.hpp"
#include "host/letter_requests.hpp"
#include "host/out_of_memory.hpp"
#include "host/reporter.hpp"
#include "host/rescale_steps.hpp"
#include "host/rescaling.hpp"
#include "host/restart_policy.hpp"
#include "host/restore_progress.hpp"
#include "host/state_folder.hpp"
#include "host/stop_signals.hpp"
#include "topology/plan_size.hpp"

namespace millrace::detail {
namespace {

constexpr Duration kLook = 20ms;  ///< how soon a signal is seen
/// As Flink's, for runs that have a state folder.
constexpr const char* kRestartDefault = "exponential:1s,1min";
constexpr std::int64_t kReportNs = 1'000'000'000;

class StderrLog final : public LogSink {
 public:
  void write(LogLevel level, std::string_view event, std::string_view text) override {
    static constexpr const char* kNames[] = {"debug", "info", "warn", "error", "off"};
    const std::string line =
        fmt::format("{} {} {}\n", kNames[static_cast<int>(level)], event, text);
    std::fwrite(line.data(), 1, line.size(), stderr);
  }
};

/// Prints them all. The exit code of the first; 0: there is none.
int report_errors(const std::vector<Status>& problems) {
  for (const Status& problem : problems) report_error(problem);
  return problems.empty() ? EX_OK : exit_code(problems.front());
}

int say_plan(const Graph& graph, const Plan& plan) {
  std::fputs(explain(graph, plan).c_str(), stdout);
  return EX_OK;
}

int say_finished(const std::string& topology) {
  std::fprintf(stderr,
               "%s: the topology has ended, all of its input is done: give another --state-dir to "
               "run it anew\n",
               topology.c_str());
  return EX_OK;
}

Result<RestartPolicy> restart_policy(const std::string& text, bool makes_epochs) {
  if (makes_epochs) return RestartPolicy::of(text.empty() ? kRestartDefault : text);
  if (text.empty()) return RestartPolicy();
  return Status(Code::option_invalid,
                "--restart " + text +
                    ": a topology is started again from its last epoch, and it makes none: give "
                    "--state-dir DIR as well");
}

template <class T>
Status take(Result<T> from, T& to) {
  if (from) to = std::move(*from);
  return from.error();
}

/// What a run needs besides its graph.
struct ReadSettings {
  DeadLetterSettings dead_letters;
  LetterPlace letters;
  SpillSettings spill;
  RestartPolicy restarts;
};

Result<ReadSettings> read_settings(const Graph& graph, const HostOptions& options) {
  const GraphSettings& settings = graph.settings();
  ReadSettings read;
  Status status =
      take(dead_letter_settings(settings.config, options.dead_letters, options.dead_letters_bytes),
           read.dead_letters);
  if (!status.ok()) return status;
  read.letters = {read.dead_letters.folder, graph.name(), ""};
  status = take(dead_letters_to(settings.config, options.dead_letters_to), read.letters.to);
  if (!status.ok()) return status;
  status = take(spill_settings(graph, options.state_on, options.spill_dir), read.spill);
  if (!status.ok()) return status;
  status = take(restart_policy(options.restart, !settings.state.folder.empty()), read.restarts);
  if (!status.ok()) return status;
  return read;
}

/// Or until somebody asks for the end.
void wait(Clock& clock, Duration delay, const StopSignals& signals) {
  const std::int64_t until = clock.steady_ns() + std::chrono::nanoseconds(delay).count();
  while (clock.steady_ns() < until && !signals.requested()) std::this_thread::sleep_for(kLook);
}

/// It is out before the signals are given back: one that comes then ends the process at once.
void print_summary(const Report& report, bool json) {
  if (json) {
    std::printf("%s\n", summary_json(report).c_str());
    std::fflush(stdout);
  } else {
    std::fputs(summary_text(report).c_str(), stderr);
  }
}

Report with_parts(Report report, std::initializer_list<std::optional<SummaryPart>> parts) {
  for (const auto& part : parts) {
    if (part) report.parts.push_back(*part);
  }
  return report;
}

PlanOptions plan_options(const HostOptions& options, bool places) {
  return {.parallelism = options.parallelism, .blocks = options.limit == 0, .places = places};
}

RunOptions run_options(const HostOptions& options, const DeadLetterSettings& letters,
                       const SpillSettings& spill, const Log& log) {
  RunOptions run;
  run.executors = options.executors;
  run.limit = options.limit;
  run.speed = options.speed;
  run.range = options.part.range;
  run.line_bytes_max = options.line_bytes_max;
  run.memory_bytes = options.memory_bytes != 0 ? options.memory_bytes : default_memory_bytes();
  run.log = log;
  run.sinks_at_once = options.state_access.no_dedup;
  run.dead_letters = letters;
  run.spill = spill;
  return run;
}

void say_where(const std::string& topology, const HostPage& page, const StateFolder& state,
               const std::vector<std::string>& start_lines) {
  page.say_where(topology);
  if (!state.says().empty()) std::fprintf(stderr, "  %s\n", state.says().c_str());
  for (const std::string& line : start_lines) std::fprintf(stderr, "  %s\n", line.c_str());
}

void say_restart(const std::string& topology, Duration delay, const Status& failure) {
  std::fprintf(stderr, "%s failed and starts again from its last epoch in %s: error %s\n",
               topology.c_str(), format_interval(delay).c_str(), failure.to_string().c_str());
}

/// One run of one topology.
class Host {
 public:
  Host(Topology& topology, const HostOptions& options, const HostExtras& extras)
      : declaration_(topology.declaration()),
        options_(options),
        extras_(extras),
        env_(extras.env ? *extras.env : real_env()),
        log_(&log_sink_, options.log_level),
        rescaling_(extras.rescaling ? *extras.rescaling : own_rescaling_) {}

  int run() {
    if (Status status = settle(options_, declaration_.graph.settings()); !status)
      return report_error(status);
    if (int code = report_errors(declaration_.graph.validate())) return code;
    if (Status status = take(read_settings(declaration_.graph, options_), read_); !status)
      return report_error(status);
    letters_.begin(read_.letters);
    rescaling_.begin(declaration_.graph, plan_options(options_, !read_.dead_letters.folder.empty()),
                     !declaration_.graph.settings().state.folder.empty(), *env_.clock);
    epochs_.begin(declaration_.graph.settings().state.folder, *env_.clock);
    const Plan plan = rescaling_.plan();
    if (options_.explain) return say_plan(declaration_.graph, plan);
    if (Status status = check_size(plan); !status) return report_error(status);
    const StopSignals signals;  // who sees that the state is held may ask for a drained end
    if (!state_.open(declaration_.graph, options_.state_access, log_, options_.part,
                     restore_.reader()))
      return report_errors(state_.problems());
    if (state_.finished()) return say_finished(declaration_.graph.name());
    if (Status status = start_page(); !status) return report_error(status);
    started_ns_ = env_.clock->steady_ns();
    std::optional<int> code;
    while (!code) code = run_once(signals);
    return *code;
  }

 private:
  Status start_page() {
    return page_.start(options_,
                       {&rescaling_, &epochs_, &letters_, served_tables(declaration_.graph)}, log_);
  }

  /// Until it ends; nullopt: it has failed and is to be started again.
  std::optional<int> run_once(const StopSignals& signals) {
    RunOptions settings = run_options(options_, read_.dead_letters, read_.spill, log_);
    state_.give(settings);
    Engine engine(rescaling_.plan(), settings, env_);
    if (!page_.wants_active()) engine.deactivate();
    Reporter reporter(declaration_, engine, options_, extras_, env_, started_ns_, totals_);
    if (Status status = engine.start(); !status) {
      if (rescale_.go_back(status)) return std::nullopt;
      if (is_restarted(status, reporter, signals)) return std::nullopt;
      report_error(status);
      return status.code() == Code::sink_failed ? EX_CANTCREAT : exit_code(status);
    }
    rescale_.started(engine);  // whoever reads where its page is may ask
    const bool says = extras_.says_where && (!options_.json || page_.on());
    if (!std::exchange(said_where_, true) && says)
      say_where(declaration_.graph.name(), page_, state_, extras_.start_lines);
    loop(engine, reporter, signals);
    Status failure = engine.finish();
    if (engine.graph().epochs()) epochs_.engine_ended(*engine.graph().epochs());
    kept_ = dead_letter_summary(engine.graph().dead_letters().journal());
    if (rescale_.take_over(engine, failure, stopping_)) {
      totals_ = reporter.totals();
      return std::nullopt;
    }
    if (is_restarted(failure, reporter, signals)) return std::nullopt;
    return finish(reporter, failure, stopping_ || (engine.stopping() && !state_.finished()));
  }

  /// Waits as the policy says, and looks where the run goes on from.
  bool is_restarted(const Status& failure, Reporter& reporter, const StopSignals& signals) {
    if (failure.ok() || stopping_ || !said_where_) return false;
    if (!RestartPolicy::may_help(failure.code())) return false;
    const auto delay = read_.restarts.failed(env_.clock->steady_ns());
    if (!delay) return false;
    say_restart(declaration_.graph.name(), *delay, failure);
    if (page_.on()) page_.publish(reporter.report("restarting", failure));
    wait(*env_.clock, *delay, signals);
    return !signals.requested() && state_.look_again(declaration_.graph).ok();
  }

  void loop(Engine& engine, Reporter& reporter, const StopSignals& signals) {
    std::int64_t reported = 0;
    while (!engine.wait_for(kLook)) {
      const std::int64_t now = env_.clock->steady_ns();
      const bool over = options_.duration && now - started_ns_ >= options_.duration->count() * 1000;
      if (!stopping_ && (over || signals.requested())) {
        stopping_ = true;
        engine.request_stop();
      }
      if (!stopping_) rescale_.begin_when_due(engine);
      if (engine.graph().epochs()) epochs_.look(*engine.graph().epochs());
      letters_.look();
      if (const bool wanted = page_.wants_active(); wanted != engine.active()) {
        wanted ? engine.activate() : engine.deactivate();
        reported = 0;  // whoever asked sees it at once
      }
      if (page_.on() && now - reported >= kReportNs) {
        reported = now;
        page_.publish(reporter.report(stopping_ ? "draining" : "running", {}));
      }
    }
  }

  int finish(Reporter& reporter, const Status& failure, bool stopped) {
    rescaling_.end("the run has ended");
    epochs_.end("the run has ended");
    letters_.end("the run has ended");
    const bool failed = !failure.ok() && failure.code() != Code::output_closed;
    const char* const state = failed ? "failed" : stopped ? "stopped" : "finished";
    const auto report = reporter.report(state, failed ? failure : Status());
    if (page_.on()) {
      page_.publish(report);
      page_.stop();
    }
    if (failed) report_error(failure);
    const auto others = range_summary(declaration_.graph, options_.part.range, *report);
    print_summary(with_parts(*report, {kept_, others, rescaling_.summary()}), options_.json);
    return exit_code(failure);
  }

  Declaration& declaration_;
  const HostOptions& options_;
  const HostExtras& extras_;
  Env& env_;
  ReadSettings read_;
  std::optional<SummaryPart> kept_;  ///< what became of dead letters, at the end
  StderrLog log_sink_;
  Log log_;
  StateFolder state_;
  Rescaling own_rescaling_;
  Rescaling& rescaling_;
  RescaleSteps rescale_{rescaling_, state_, declaration_.graph, *env_.clock};
  EpochRequests epochs_;
  LetterRequests letters_;
  RunTotals totals_;         ///< of engines that went on as another one
  bool stopping_ = false;    ///< somebody asked for the end
  bool said_where_ = false;  ///< it has run
  std::int64_t started_ns_ = 0;
  RestoreProgress restore_{declaration_.graph.name(), *env_.clock, [this](auto report) {
                             if (start_page().ok()) page_.tell_restoring(std::move(report));
                           }};
  HostPage page_;
};

}  // namespace

int run_with(Topology& topology, const HostOptions& options, const HostExtras& extras) {
  exit_when_out_of_memory();
  exit_when_pages_break();
  return Host(topology, options, extras).run();
}

}  // namespace millrace::detail

namespace millrace {

int run(Topology& topology, int argc, char** argv, const RunDefaults& defaults) {
  detail::HostOptions options;
  options.speed = defaults.speed;
  auto parsed = detail::parse_options(topology.name(), "Runs the topology " + topology.name() + ".",
                                      argc, argv, options);
  if (!parsed) return detail::report_error(parsed.error());
  if (parsed->help) {
    std::fputs(parsed->help_text.c_str(), stdout);
    return 0;
  }
  return detail::run_with(topology, parsed->options, {});
}

}  // namespace millrace
