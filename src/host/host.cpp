// The run loop: start, report once a second, stop on request, say how it went.
#include "millrace/run.hpp"

#include <sysexits.h>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "env/machine_memory.hpp"
#include "host/host.hpp"
#include "host/reporter.hpp"
#include "host/state_folder.hpp"
#include "host/stop_signals.hpp"
#include "service/service.hpp"
#include "topology/plan_size.hpp"

namespace millrace::detail {
namespace {

constexpr Duration kLook = 20ms;  ///< how soon a signal is seen
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

Result<PageOptions> page_options(const HostOptions& options) {
  PageOptions page;
  if (!options.ui) {
    page.port_may_move = true;
    return page;
  }
  const std::string& text = *options.ui;
  const std::size_t colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  int number = -1;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number < 0 || number > 65535) {
    return Status(
        Code::option_invalid,
        fmt::format(
            "--ui {}: give HOST:PORT with a port of 0 to 65535, such as 127.0.0.1:8080, or off",
            text));
  }
  page.host = text.substr(0, colon);
  if (page.host.size() > 2 && page.host.front() == '[')
    page.host = page.host.substr(1, page.host.size() - 2);
  page.port = static_cast<std::uint16_t>(number);
  return page;
}

/// What the command line says comes before what the program says.
void apply(const HostOptions& options, GraphSettings& settings) {
  if (options.guarantee) settings.guarantee = *options.guarantee;
  if (options.state_dir) settings.state.folder = *options.state_dir;
  if (options.checkpoint_interval) settings.state.interval = *options.checkpoint_interval;
}

/// One run of one topology.
class Host {
 public:
  Host(Topology& topology, const HostOptions& options, const HostExtras& extras)
      : declaration_(topology.declaration()),
        options_(options),
        extras_(extras),
        env_(extras.env ? *extras.env : real_env()),
        log_(&log_sink_, options.log_level) {
    apply(options, declaration_.graph.settings());
  }

  int run() {
    if (int code = refuse_invalid()) return code;
    auto dead_letters = dead_letter_settings(declaration_.graph.settings().config,
                                             options_.dead_letters, options_.dead_letters_bytes);
    if (!dead_letters) return report_error(dead_letters.error());
    dead_letters_ = std::move(*dead_letters);
    Plan plan = make_plan(declaration_.graph, {.parallelism = options_.parallelism,
                                               .blocks = options_.limit == 0,
                                               .places = !dead_letters_.folder.empty()});
    if (options_.explain) {
      std::fputs(explain(declaration_.graph, plan).c_str(), stdout);
      return 0;
    }
    if (Status status = check_size(plan); !status) return report_error(status);
    if (!state_.open(declaration_.graph, options_.state_access, log_)) return refuse_state();
    if (state_.finished()) return say_finished();
    const StopSignals signals;
    if (Status status = start_page(); !status) return report_error(status);
    Engine engine(std::move(plan), run_options(), env_);
    Reporter reporter(declaration_, engine, options_, extras_, env_);
    if (Status status = engine.start(); !status) {
      report_error(status);
      return status.code() == Code::sink_failed ? EX_CANTCREAT : exit_code(status);
    }
    say_where();
    loop(engine, reporter, signals);
    const Status failure = engine.finish();
    kept_ = dead_letter_summary(engine.graph().dead_letters().journal());
    return finish(reporter, failure, engine.stopping());
  }

 private:
  int refuse_invalid() const {
    const auto problems = declaration_.graph.validate();
    for (const Status& problem : problems) report_error(problem);
    return problems.empty() ? 0 : exit_code(problems.front());
  }

  int refuse_state() const {
    for (const Status& problem : state_.problems()) report_error(problem);
    return exit_code(state_.problems().front());
  }

  int say_finished() const {
    std::fprintf(stderr,
                 "%s: the topology has ended, all of its input is done: give another --state-dir "
                 "to run it anew\n",
                 declaration_.graph.name().c_str());
    return EX_OK;
  }

  RunOptions run_options() {
    RunOptions run;
    run.executors = options_.executors;
    run.limit = options_.limit;
    run.speed = options_.speed;
    run.line_bytes_max = options_.line_bytes_max;
    run.memory_bytes = options_.memory_bytes != 0 ? options_.memory_bytes : default_memory_bytes();
    run.log = log_;
    state_.give(run);
    run.dead_letters = dead_letters_;
    return run;
  }

  Status start_page() {
    if (options_.ui == "off") return {};
    Result<PageOptions> page = page_options(options_);
    if (!page) return page.error();
    page->set_active = [this](bool active) { active_wanted_.store(active); };
    auto server = PageServer::start(*page, log_);
    if (!server) return server.error();
    page_ = std::move(*server);
    return {};
  }

  void say_where() const {
    if (options_.json && !page_) return;
    if (page_) {
      std::fprintf(stderr, "%s: the page is at %s\n", declaration_.graph.name().c_str(),
                   page_->address().c_str());
      const char* display = std::getenv("DISPLAY");
      const char* wayland = std::getenv("WAYLAND_DISPLAY");
      if ((!display || !*display) && (!wayland || !*wayland)) {
        std::fprintf(stderr,
                     "  from another machine: ssh -L %u:localhost:%u THIS-MACHINE, then open "
                     "http://localhost:%u\n",
                     page_->port(), page_->port(), page_->port());
      }
    }
    if (!state_.says().empty()) std::fprintf(stderr, "  %s\n", state_.says().c_str());
    for (const std::string& line : extras_.start_lines)
      std::fprintf(stderr, "  %s\n", line.c_str());
  }

  void loop(Engine& engine, Reporter& reporter, const StopSignals& signals) {
    const std::int64_t started = env_.clock->steady_ns();
    std::int64_t reported = 0;
    bool stopping = false;
    while (!engine.wait_for(kLook)) {
      const std::int64_t now = env_.clock->steady_ns();
      const bool over = options_.duration && now - started >= options_.duration->count() * 1000;
      if (!stopping && (over || signals.requested())) {
        stopping = true;
        engine.request_stop();
      }
      if (const bool wanted = active_wanted_.load(); wanted != engine.active()) {
        wanted ? engine.activate() : engine.deactivate();
        reported = 0;  // whoever asked sees it at once
      }
      if (page_ && now - reported >= kReportNs) {
        reported = now;
        page_->publish(reporter.report(stopping ? "draining" : "running", {}));
      }
    }
  }

  int finish(Reporter& reporter, const Status& failure, bool stopped) {
    const bool failed = !failure.ok() && failure.code() != Code::output_closed;
    const auto report = reporter.report(failed    ? "failed"
                                        : stopped ? "stopped"
                                                  : "finished",
                                        failed ? failure : Status());
    if (page_) {
      page_->publish(report);
      page_->stop();
    }
    if (failed) report_error(failure);
    Report summary = *report;
    if (kept_) summary.parts.push_back(*kept_);
    if (options_.json) {
      std::printf("%s\n", summary_json(summary).c_str());
    } else {
      std::fputs(summary_text(summary).c_str(), stderr);
    }
    return exit_code(failure);
  }

  Declaration& declaration_;
  const HostOptions& options_;
  const HostExtras& extras_;
  Env& env_;
  DeadLetterSettings dead_letters_;
  std::optional<SummaryPart> kept_;  ///< what became of dead letters, at the end
  StderrLog log_sink_;
  Log log_;
  StateFolder state_;
  std::atomic<bool> active_wanted_{true};  ///< as the page asked last
  std::unique_ptr<PageServer> page_;       // last: its thread stores what is wanted
};

}  // namespace

int run_with(Topology& topology, const HostOptions& options, const HostExtras& extras) {
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
