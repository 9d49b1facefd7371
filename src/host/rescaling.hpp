// Rescaling: other numbers of tasks for components of a run that goes on: what is asked, what is
// refused and why, and how it went.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "env/env.hpp"
#include "metrics/report.hpp"
#include "service/service.hpp"
#include "topology/plan.hpp"

namespace millrace::detail {

/// A request goes through four steps, each said by the run: wanted, stopping (the sources rest,
/// what is on its way is handled, a last epoch is made), on trial (the run is built anew with the
/// other numbers, and goes on from that epoch), done. One that fails leaves the numbers that were
/// before. The numbers count as long as the process lives.
class Rescaling {
 public:
  /// Before anything is asked; `clock` outlives it. `graph` is valid. `keeps_state`: the run makes
  /// epochs.
  void begin(const Graph& graph, const PlanOptions& options, bool keeps_state, Clock& clock);

  // Any thread.
  /// `query`: "component" and "tasks" in turns, all of which change at once. 202 with what changes
  /// from which number to which, and the request's own number; 200 when nothing does; 400, 404, 409
  /// with the reason. Cost: that of two plans.
  PageAnswer ask(const PageQuery& query);
  /// As GET /api/v1/rescale answers; see docs/formats/rest.md.
  std::string to_json() const;

  // The thread of the run.
  /// With the numbers that count now, or are on trial.
  Plan plan() const;
  /// For how long a request has waited, nanoseconds; nullopt: there is none that waits.
  std::optional<std::int64_t> waiting_ns() const;
  /// The sources are told to rest.
  void stop();
  bool stopping() const;
  /// All is kept: plan() is that of the trial from here on.
  void take_over();
  /// Sources are read, or read again; those of `forgetful` cannot be from where they are. What
  /// people are told when that ended a rescale, else "".
  std::string started(std::vector<std::string> forgetful);
  /// The run has failed, or does not start. True: it was on trial, so plan() is the one before
  /// again.
  bool failed(const std::string& why);
  /// Nothing is rescaled any more.
  void end(const std::string& why);
  /// nullopt: nothing was asked.
  std::optional<SummaryPart> summary() const;

 private:
  enum class Step { none, wanted, stopping, trial };
  using Numbers = std::map<NodeId, std::uint32_t>;
  struct Change {
    std::string component;
    std::uint32_t from = 0;
    std::uint32_t to = 0;
  };
  using Refusal = std::optional<PageAnswer>;

  Graph graph_with(const Numbers& numbers) const;
  Refusal refuse_run() const;
  Refusal read(const PageQuery& query, Numbers& wanted) const;
  Refusal read_one(const std::string& component, const std::string& tasks, Numbers& wanted) const;
  Refusal refuse_plans(const Graph& graph, const Plan& before, const Plan& after,
                       const Numbers& wanted) const;

  mutable std::mutex mutex_;  // guards all below
  std::optional<Graph> graph_;
  PlanOptions options_;
  Clock* clock_ = nullptr;
  bool keeps_state_ = false;
  bool started_ = false;
  std::string ended_;                 ///< why nothing is rescaled any more
  std::vector<std::string> forgets_;  ///< sources that cannot be read from a place again
  Numbers numbers_;
  Step step_ = Step::none;
  Numbers wanted_;
  std::vector<Change> changes_;
  std::int64_t since_ns_ = 0;  ///< when it was asked, or the sources were told to rest
  std::uint64_t asked_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t last_failed_ = 0;  ///< the number of the request
  std::int64_t last_stop_ns_ = 0;
  std::int64_t longest_stop_ns_ = 0;
  std::string last_failure_;
};

}  // namespace millrace::detail
