// KillFigures: what the demo's two processes tell each other, in memory that both have.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "metrics/report.hpp"

namespace millrace::apps {

enum class RunEnd : int { none, stopped, finished };

/// The process that kills counts; the one that is killed shows the counts on its page, and asks for
/// the last ones before its summary. Any thread of both.
class KillFigures {
 public:
  /// In memory that a forked process shares; never given back. Null: there is none.
  static KillFigures* make();

  void publish(const detail::OracleReport& report);
  detail::OracleReport report() const;

  /// The run is over: waits until all that it committed is compared, at most 10 s.
  void ask_for_last(RunEnd end);
  RunEnd asked() const { return asked_.load(); }
  /// What was published is the last.
  void answer() { answered_.store(true); }
  /// For the next process.
  void begin_anew();

 private:
  KillFigures() = default;
  using Count = std::atomic<std::uint64_t>;
  static_assert(Count::is_always_lock_free && std::atomic<RunEnd>::is_always_lock_free,
                "millrace: processes cannot share these");
  Count rows_{0};
  Count wrong_{0};
  Count kills_{0};
  Count lost_{0};
  Count doubled_{0};
  std::atomic<RunEnd> asked_{RunEnd::none};
  std::atomic<bool> answered_{false};
};

}  // namespace millrace::apps
