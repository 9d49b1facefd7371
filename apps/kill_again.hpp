// KillAgain: runs the demo in a process of its own, kills that every so often, and starts the next.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "committed_rows.hpp"
#include "forked_process.hpp"
#include "kill_figures.hpp"
#include "oracle.hpp"

namespace millrace::apps {

struct KillPlan {
  Duration every{0};                        ///< how old each process becomes
  std::optional<Duration> duration = {};    ///< of all together
  bool whole_days = false;                  ///< the run reads whole days before it finishes
  std::string state_folder = {};            ///< of the run
  std::string ranked = {};                  ///< journal of its ranked rows
  std::function<int(bool first)> run = {};  ///< the run, in its process; returns the exit code
  /// Says the summary of a run that could not: it was killed when all was done.
  std::function<void(const detail::OracleReport&)> say_finished = {};
};

/// Counts outside of what is killed: rows are those that are committed in the journal, and the
/// oracle that compares them lives here. Prints a line a kill to standard error. One thread, the
/// only one of its process.
class KillAgain {
 public:
  /// `figures` outlives it.
  KillAgain(KillPlan plan, std::string_view expected_csv, KillFigures& figures);

  /// Until the run ends by itself, or is asked to by Ctrl-C or because the duration is over. The
  /// exit code.
  int run();

 private:
  enum class Life { killed, over };
  /// The last kill, as long as the next process has shown nothing.
  struct Kill {
    pid_t process = 0;
    double age_s = 0;
    bool got_on = false;  ///< it had completed an epoch
    std::int64_t at_ns = 0;
    std::uint64_t rows = 0;  ///< read until then
  };

  Life live(const ForkedProcess& process);
  void kill(const ForkedProcess& process, std::int64_t now);
  bool is_stop_wanted(int signal, std::int64_t now) const;
  void answer_last(RunEnd end);
  int say_end();
  void tell_of_kill(const std::string& what_came);
  std::uint64_t newest_epoch() const;
  detail::OracleReport report() const;

  const KillPlan plan_;
  Oracle oracle_;
  CommittedRows rows_;
  KillFigures& figures_;
  std::uint64_t kills_ = 0;
  std::optional<Kill> untold_;
  std::int64_t began_ns_ = 0;
  std::int64_t started_ns_ = 0;  // the process at hand
  std::uint64_t epoch_ = 0;      // the newest when it was started
  bool stopping_ = false;
  Status failed_;  // reading the last rows
  ForkedProcess::Ending ending_;
  sigset_t watched_{};
};

}  // namespace millrace::apps
