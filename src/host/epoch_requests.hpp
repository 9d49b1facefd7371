// EpochRequests: epochs that somebody asked for: what is refused and why, and what became of them.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "env/env.hpp"
#include "runtime/epoch_coordinator.hpp"
#include "service/service.hpp"

namespace millrace::detail {

/// A request is given a number and waits for the thread of the run, which has the epoch made. Those
/// that come before it is begun share it. Numbers count as long as the process lives.
class EpochRequests {
 public:
  /// Before anything is asked; `clock` outlives it. `folder`: where epochs are kept; empty: the run
  /// makes none.
  void begin(const std::string& folder, Clock& clock);

  // Any thread.
  /// 202 with the request's number; 409 with the reason why not.
  PageAnswer ask();
  /// As GET /api/v1/checkpoint answers; see docs/formats/rest.md.
  std::string to_json() const;

  // The thread of the run.
  /// Has an epoch begun that is asked for, and notes what became of the one before.
  void look(EpochCoordinator& epochs);
  /// `epochs` makes no more; what was asked of them is asked of the next ones.
  void engine_ended(const EpochCoordinator& epochs);
  /// No epoch is made any more.
  void end(const std::string& why);

 private:
  bool is_over(const EpochCoordinator& epochs);
  void failed(const std::string& why);

  mutable std::mutex mutex_;  // guards all below
  std::string folder_;        // absolute
  Clock* clock_ = nullptr;
  std::string ended_;  ///< why none is made any more
  std::uint64_t asked_ = 0;
  std::uint64_t begun_ = 0;  ///< the request whose epoch is made, or was last
  std::uint64_t over_ = 0;   ///< the newest that is done or has failed
  std::uint64_t done_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t epoch_ = 0;            ///< of `begun_`
  std::int64_t since_ns_ = 0;          ///< when that was begun
  std::optional<std::uint64_t> made_;  ///< the newest epoch that was asked for and is complete
  std::int64_t took_ns_ = 0;
  std::uint64_t last_failed_ = 0;  ///< the number of the request
  std::string last_failure_;
};

}  // namespace millrace::detail
