// Waiting for what comes first: a signal, the end of the run, the next kill.
#include "kill_again.hpp"

#include <fmt/format.h>
#include <time.h>

#include <cstdio>

#include "checkpoint/checkpoint_store.hpp"
#include "host/host.hpp"

namespace millrace::apps {
namespace {

constexpr long kLookNs = 20'000'000;

std::int64_t now_ns() { return detail::real_env().clock->steady_ns(); }
std::int64_t ns_of(Duration duration) { return std::chrono::nanoseconds(duration).count(); }
double seconds(std::int64_t ns) { return static_cast<double>(ns) / 1e9; }

}  // namespace

KillAgain::KillAgain(KillPlan plan, std::string_view expected_csv, KillFigures& figures)
    : plan_(std::move(plan)),
      oracle_(expected_csv),
      rows_(plan_.ranked, oracle_),
      figures_(figures) {}

int KillAgain::run() {
  sigemptyset(&watched_);
  for (const int signal : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&watched_, signal);
  // The process at hand inherits that: a Ctrl-C waits until it can take it.
  ::sigprocmask(SIG_BLOCK, &watched_, nullptr);
  began_ns_ = now_ns();
  for (bool first = true;; first = false) {
    figures_.begin_anew();
    epoch_ = newest_epoch();
    started_ns_ = now_ns();
    const auto process = ForkedProcess::start([&] { return plan_.run(first); });
    if (!process) return detail::report_error(process.error());
    if (live(*process) == Life::over) return say_end();
  }
}

KillAgain::Life KillAgain::live(const ForkedProcess& process) {
  for (;;) {
    const timespec look{0, kLookNs};
    const int signal = ::sigtimedwait(&watched_, nullptr, &look);
    const std::int64_t now = now_ns();
    if (is_stop_wanted(signal, now)) {
      stopping_ = true;
      process.send(SIGINT);  // the second one ends it at once
    }
    (void)rows_.read();  // what fails now is tried again, and told of in the end
    figures_.publish(report());
    if (const RunEnd end = figures_.asked(); end != RunEnd::none) answer_last(end);
    if (untold_ && rows_.rows() > untold_->rows) {
      tell_of_kill(fmt::format("{:.2f} s later process {} had new rows",
                               seconds(now - untold_->at_ns), process.id()));
    }
    if (const auto ended = process.ended()) {
      ending_ = *ended;
      return Life::over;
    }
    const bool old = now - started_ns_ >= ns_of(plan_.every);
    if (!old || stopping_ || figures_.asked() != RunEnd::none) continue;
    kill(process, now);
    return Life::killed;
  }
}

bool KillAgain::is_stop_wanted(int signal, std::int64_t now) const {
  if (signal == SIGINT || signal == SIGTERM) return true;
  return !stopping_ && plan_.duration && now - began_ns_ >= ns_of(*plan_.duration);
}

void KillAgain::kill(const ForkedProcess& process, std::int64_t now) {
  process.kill_now();
  if (untold_) tell_of_kill("no new row until the next kill");
  ++kills_;
  (void)rows_.read();
  untold_ = Kill{process.id(), seconds(now - started_ns_), newest_epoch() > epoch_, now_ns(),
                 rows_.rows()};
}

/// All that the run committed can be read now.
void KillAgain::answer_last(RunEnd end) {
  failed_ = rows_.read();
  if (end == RunEnd::stopped && rows_.rows() == 0) failed_ = Status();  // it was too soon for rows
  if (end == RunEnd::finished && plan_.whole_days) oracle_.close();
  figures_.publish(report());
  figures_.answer();
}

int KillAgain::say_end() {
  if (untold_) tell_of_kill("no new row before the end");
  if (ending_.signal != 0) {
    std::fprintf(stderr, "the process was ended by signal %d, which nobody here has sent\n",
                 ending_.signal);
  }
  if (ending_.code == 0 && figures_.asked() == RunEnd::none) {
    answer_last(RunEnd::finished);
    plan_.say_finished(report());
  }
  return ending_.code == 0 && !failed_ ? detail::report_error(failed_) : ending_.code;
}

void KillAgain::tell_of_kill(const std::string& what_came) {
  const auto now = report();
  std::string line = fmt::format(
      "kill {}: process {}, {:.2f} s old; {}; lost {}, doubled {}, wrong {} of {} rows\n", kills_,
      untold_->process, untold_->age_s, what_came, now.kills->lost, now.kills->doubled, now.wrong,
      now.rows);
  if (!untold_->got_on) {
    line +=
        "  it had completed no epoch, so the next one begins where it did: give a longer --kill or "
        "a shorter --checkpoint-interval\n";
  }
  std::fwrite(line.data(), 1, line.size(), stderr);
  untold_.reset();
}

std::uint64_t KillAgain::newest_epoch() const {
  const auto epochs = detail::list_checkpoints(detail::real_disk(), plan_.state_folder);
  return epochs && !epochs->empty() ? epochs->back().epoch : 0;
}

detail::OracleReport KillAgain::report() const {
  const OracleFigures now = oracle_.figures();
  return {now.rows, now.wrong, detail::KillsReport{kills_, now.lost, now.doubled}};
}

}  // namespace millrace::apps
