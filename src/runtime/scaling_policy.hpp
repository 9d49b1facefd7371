// ScalingPolicy: from measured loads, when an executor comes or goes and which tasks move; no
// threads, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace millrace::detail {

/// What a task did since the sample before.
struct TaskLoad {
  std::size_t task = 0;      ///< its number in the topology
  std::size_t executor = 0;  ///< who steps it, 0-based among those the policy moves tasks between
  double busy = 0;           ///< share of one executor's time, 0..1
  bool movable = true;       ///< false while a step of it does not return
};

/// Records that go from one task to another; only the proportions between links count.
struct TaskLink {
  std::size_t from = 0;
  std::size_t to = 0;
  double records = 0;
};

/// One sample.
struct Loads {
  std::int64_t now_ns = 0;
  std::size_t executors = 1;
  std::vector<TaskLoad> tasks;
  std::vector<TaskLink> links;
  double free_cores = 1;  ///< that others leave to this process, with what it uses itself
};

/// What to do; the policy takes it for done.
struct Decision {
  enum class Kind {
    none,
    add,     ///< a new executor takes `tasks` from executor `from`
    move,    ///< executor `to` takes `tasks` from `from`
    remove,  ///< `from` ends; `to` takes its tasks
  };
  enum class Why {
    busy,     ///< `from` was busy for a while
    calm,     ///< `from` had little to do for a while
    crowded,  ///< others use the processors
  };
  Kind kind = Kind::none;
  Why why = Why::busy;
  std::size_t from = 0;
  std::size_t to = 0;  ///< as `from`, a number before the decision is carried out
  std::vector<std::size_t> tasks;
  double busy = 0;  ///< of `from`, over `for_ns`
  std::int64_t for_ns = 0;
};

struct ScalingLimits {
  std::size_t executors_max = 256;
  double busy_share = 0.70;
  std::int64_t busy_ns = 100'000'000;
  double calm_share = 0.30;
  std::int64_t calm_ns = 5'000'000'000;
  std::int64_t crowded_ns = 2'000'000'000;  ///< how long too few processors must be free
  std::int64_t uneven_ns = 1'000'000'000;   ///< how long one is busy before a task moves
  double together_max = 0.60;  ///< two executors become one only when they are less busy than this
  double gain_min = 0.15;      ///< a move must take this much off the busiest executor
  std::int64_t settle_ns = 200'000'000;  ///< nothing is decided this long after a decision
};

/// Adds an executor when one is busy for a while, has a task whose move pays, and a processor is
/// free; removes one that is calm, or for which no processor is left. One thread.
///
/// What moves: the split that leaves the busiest of the two least busy, and cuts few records: all
/// splits are tried for up to 12 tasks, beyond that tasks are dealt out by size.
class ScalingPolicy {
 public:
  explicit ScalingPolicy(ScalingLimits limits = {}) : limits_(limits) {}

  /// To be called every few hundredths of a second. Cost: O(tasks + links), more when it decides.
  Decision look(const Loads& sample);
  /// Smoothed share of an executor, about over the last half second.
  double busy(std::size_t executor) const { return seen_[executor].smooth; }
  /// Processors that others were seen to leave, smoothed likewise.
  double free_cores() const { return free_cores_; }

 private:
  struct Seen {
    double now = 0;         ///< share in the last sample
    std::size_t tasks = 0;  ///< that did something in it
    double smooth = 0;
    double hot_sum = 0;  ///< share times nanoseconds since it became hot
    std::optional<std::int64_t> hot_since;
    std::optional<std::int64_t> calm_since;
  };

  void measure(Loads& loads);
  void smooth_tasks(Loads& loads, double passed_ns);
  std::size_t room() const;
  std::optional<Decision> add(const Loads& loads) const;
  std::optional<Decision> even_out(const Loads& loads) const;
  std::optional<Decision> remove(const Loads& loads) const;
  static bool hotter(const Seen& a, const Seen& b);
  std::optional<std::size_t> hottest(std::int64_t for_ns, std::int64_t now_ns) const;
  std::size_t coolest_but(std::size_t executor) const;
  void fill_busy(Decision& decision, std::int64_t now_ns) const;

  ScalingLimits limits_;
  std::vector<Seen> seen_;         ///< by executor
  std::vector<double> task_busy_;  ///< by task, about over the last twentieth of a second
  std::int64_t before_ns_ = 0;
  std::int64_t decided_ns_ = 0;
  bool started_ = false;
  double free_cores_ = 1;
  std::optional<std::int64_t> crowded_since_;
};

}  // namespace millrace::detail
