// Simulation: steps the tasks of a plan in one thread, in an order drawn from a seed, over the
// simulated clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "env/random.hpp"
#include "env/sim_env.hpp"
#include "runtime/task_graph.hpp"

namespace millrace::detail {

struct SimulationOptions {
  std::uint64_t seed = 0;               ///< everything that is drawn follows from it
  std::uint64_t steps_max = 5'000'000;  ///< beyond: the run failed; it should have ended
  std::size_t budget_max = 16;          ///< a step's budget is drawn from 1 to this, in batches
  /// The sources are asked to end before this step: the run drains and no window fires.
  std::optional<std::uint64_t> stop_at_step = std::nullopt;
  /// Nothing happens from this step on, as when the process is killed.
  std::optional<std::uint64_t> cut_at_step = std::nullopt;
  /// Where epochs are made: one is begun about every so many steps, besides those of the clock; 0:
  /// none is.
  std::uint64_t steps_between_epochs = 0;
  /// Blocking calls to the outside are made up to so much later than they are asked for.
  std::int64_t call_delay_max_ns = 4'000'000;
};

/// The counting identities of a report: for each component received = processed + filtered + late +
/// dead_lettered + in_flight, for each edge sent = received + queued; `at_rest`: in_flight and
/// queued are 0 as well. 9001 with names and numbers. Holds as of a step boundary of all tasks.
Status check_counts(const Report& report, bool at_rest);

/// A whole run in one thread: what schedules can do to a topology, repeatable by its seed. One
/// thread.
class Simulation {
 public:
  /// `graph` and `env` outlive the simulation; `plan` is of `graph`.
  Simulation(const Graph& graph, Plan plan, const RunOptions& run, SimEnv& env,
             SimulationOptions options = {});
  ~Simulation() { (void)tasks_.close(); }
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  /// Steps all tasks to their end, once. The clock moves to the least due time when all are idle.
  ///
  /// Returns the fingerprint over (task, outcome, counters) of each step: equal for equal seed,
  /// plan and input. Errors: those of opening; a task's failure; 9001 with the tasks that are not
  /// done when nothing can go on (a deadlock) or steps_max is exceeded; 9001 for broken counts. Of
  /// a run that was cut, what it came to until then; then nothing is closed before the destructor.
  Result<std::uint64_t> run();

  std::uint64_t steps() const { return steps_; }
  bool was_cut() const { return options_.cut_at_step && steps_ >= *options_.cut_at_step; }
  /// Counters of the run so far.
  Report report() const;
  TaskGraph& tasks() { return tasks_; }

 private:
  Status step_all();
  Step step_one(std::size_t at);
  void make_epochs();
  /// Every live task once, in order: true when one did something.
  bool sweep();
  /// Moves the clock so that an idle task may go on; false: nothing will ever happen.
  bool advance_clock();
  std::size_t draw_task();
  void mix(std::uint64_t word);
  void mix_counters(const Task& task);
  Status check(bool at_rest) const;
  Status stuck(const std::string& why) const;

  const Graph& graph_;
  SimEnv& env_;
  SimulationOptions options_;
  TaskGraph tasks_;
  Random random_;
  std::vector<std::size_t> live_;   ///< tasks that are not done
  std::vector<Step> last_;          ///< by task: what its last step said
  std::size_t favourite_ = 0;       ///< position in live_ that is drawn again and again
  std::size_t favourite_left_ = 0;  ///< draws for which it stays the favourite
  std::size_t starved_ = 0;         ///< position in live_ that is not drawn meanwhile
  std::uint64_t steps_ = 0;
  std::uint64_t fingerprint_ = 0;
  Status failure_;
};

}  // namespace millrace::detail
