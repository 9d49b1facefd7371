// TaskGraph: a plan wired up: tasks, the channels between them and the counters of edges.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "metrics/report.hpp"
#include "runtime/call_workers.hpp"
#include "runtime/dead_letter_journal.hpp"
#include "runtime/epoch_coordinator.hpp"
#include "runtime/epoch_options.hpp"
#include "runtime/running_sums.hpp"
#include "runtime/scaling_policy.hpp"
#include "runtime/spill_settings.hpp"
#include "runtime/task.hpp"
#include "topology/plan.hpp"

namespace millrace::detail {

/// What tasks of a run that is over kept by key, by stage as in images.
using HandedStates = std::map<std::string, std::vector<std::unique_ptr<HandedState>>>;

/// What another run goes on from at once: the last epoch, and beside it what needs no image.
struct HandedRun {
  std::shared_ptr<EpochImage> image;
  std::shared_ptr<HandedStates> states;
};

struct RunOptions {
  std::uint32_t executors = 1;  ///< threads; 0: one, and more while the load needs them
  std::size_t batch_records_max = 1024;
  std::size_t ring_batches_max = 16;
  std::uint64_t limit = 0;  ///< records each source task reads at most; 0: all
  double speed = 0;         ///< replay speed; 0: as fast as possible
  ReplayRange range{};      ///< what of its input it reads
  std::size_t line_bytes_max = 16u << 20;
  std::uint64_t memory_bytes = 0;  ///< budget of the run; 0: none
  Log log{};
  ScalingLimits scaling{};  ///< of executors == 0
  /// A step that takes longer keeps its neighbours waiting too long: they go on elsewhere.
  std::int64_t slow_step_ns = 20'000'000;
  EpochStore* epochs = nullptr;  ///< where epochs are kept, outlives the run; null: none are made
  EpochOptions epoch_options{};  ///< of epochs
  /// Unsafe, for tests of the tests: sinks are not told of epochs and show at once.
  bool sinks_at_once = false;
  /// What newest() of `epochs` gave: the run goes on from there, and takes it apart. Null: it
  /// begins anew.
  std::shared_ptr<EpochImage> restore{};
  /// What the run before has handed over, which is not in `restore`. Null: nothing.
  std::shared_ptr<HandedStates> handed{};
  DeadLetterSettings dead_letters{};
  SpillSettings spill{};
  CallMaking calls{};
};

/// The last dead letters of all tasks, and where it is asked for, all of them on disk. Any thread.
class DeadLetterStore final : public DeadLetterLog {
 public:
  explicit DeadLetterStore(Env& env, Log log) : env_(env), log_(log) {}
  /// Before anything is added: what sources are called, by node; "" for other components.
  void set_sources(std::vector<std::string> names) { sources_ = std::move(names); }
  /// Before anything is added: keeps all of them in a journal too. Errors: those of its open().
  Status keep(const DeadLetterSettings& settings, const std::string& topology);
  /// Nothing is added any more.
  void close();
  /// Null: they are not kept.
  const DeadLetterJournal* journal() const { return journal_.get(); }

  void add(const SetAside& letter) override;
  void note_failure(std::string_view component, std::string_view reason,
                    std::string_view where) override;
  LetterOrigin origin_of(const Arrival& place) const override;
  /// Newest first.
  std::vector<DeadLetterReport> recent() const;
  /// Those of a component by reason, newest first, at most kReasonsMax; numbers in reasons do not
  /// tell them apart. Further reasons are counted as one, "other reasons".
  std::vector<ErrorReport> errors_of(const std::string& component) const;

 private:
  static constexpr std::size_t kKept = 50;
  static constexpr std::size_t kRecordBytesMax = 500;
  static constexpr std::uint64_t kLoggedMax = 10;
  static constexpr std::size_t kReasonsMax = 8;
  using Reasons = std::map<std::string, ErrorReport, std::less<>>;  ///< by reason without numbers
  void count_reason(const DeadLetterReport& letter);
  Env& env_;
  Log log_;
  mutable std::mutex mutex_;
  std::deque<DeadLetterReport> kept_;
  std::map<std::string, Reasons, std::less<>> reasons_;  ///< by component
  std::uint64_t seen_ = 0;
  std::vector<std::string> sources_;
  std::unique_ptr<DeadLetterJournal> journal_;
};

/// Built and destroyed by one thread while no task is being stepped. Counters may be read at any
/// time.
class TaskGraph {
 public:
  TaskGraph(Plan plan, const RunOptions& options, Env& env);
  ~TaskGraph();

  /// Opens every source, operator and sink, which then go on from what RunOptions::restore holds;
  /// the first failure is returned. Errors: those of the parts; 1002 where the guarantee asks for
  /// other options; 3003.
  Status open();
  /// Closes what is still open, then the worker. The first failure of a worker hook.
  Status close();

  /// False: sources rest, at the latest after their next poll; the rest goes on. Any thread; wake
  /// who sleeps.
  void set_active(bool active) { active_.store(active, std::memory_order_seq_cst); }
  bool active() const { return active_.load(std::memory_order_seq_cst); }

  /// Behind the final epoch and close(), once, where EpochCoordinator::begin_last() was true.
  HandedRun hand_over();

  const Plan& plan() const { return plan_; }
  /// Null: the run makes no epochs.
  EpochCoordinator* epochs() const { return epochs_.get(); }
  /// What the run may hold and holds. Any thread may read.
  const MemoryBudget& memory() const { return memory_; }
  const DeadLetterStore& dead_letters() const { return dead_letters_; }
  std::vector<std::unique_ptr<Task>>& tasks() { return tasks_; }
  const std::vector<std::unique_ptr<Task>>& tasks() const { return tasks_; }
  /// Channels by the positions of their tasks in tasks().
  struct ChannelEnds {
    std::unique_ptr<Channel> channel;
    std::size_t sender;
    std::size_t receiver;
  };
  const std::vector<ChannelEnds>& channels() const { return channels_; }
  /// Sources that cannot be read again from where they are, from open() on.
  std::vector<std::string> forgetful_sources() const;
  /// True for a task with a component that is marked blocking.
  bool blocking(const Task& task) const { return plan_.chains[task.chain()].blocking; }

  /// Fills components, edges, tasks, latency, watermark, counts and dead letters; what is of late
  /// (rates, shares, percentiles of steps) is left to ReportRates, which works on `sums`. Any
  /// thread.
  void fill(const class Graph& graph, Report& report, RunningSums& sums) const;
  void fill(const class Graph& graph, Report& report) const;

 private:
  struct EdgeCounters {
    std::deque<Counter> sent;      ///< by sending task
    std::deque<Counter> received;  ///< by receiving task
    std::vector<Channel*> channels;
    std::vector<const Router*> routers;
  };
  void make_tasks(const RunOptions& options);
  void wire(const PlanEdge& edge, EdgeCounters& counters, const RunOptions& options);
  void wire_fused(const PlanEdge& edge, EdgeCounters& counters);
  Channel& connect(const PlanEdge& edge, std::uint32_t sender, std::uint32_t receiver,
                   EdgeCounters& counters, const RunOptions& options);
  void find_siblings();
  Incoming incoming(const PlanEdge& edge) const;
  Status start_worker();
  Status restore();
  bool give_handed(const PlanStage& plan);
  Status restore(const PlanStage& plan, const StoredStages& stored);
  void fill_edges(Report& report, const std::map<NodeId, std::size_t>& place_of) const;
  void fill_chains(Report& report) const;
  void fill_tasks(Report& report, RunningSums& sums) const;
  void fill_hot_keys(Report& report, const std::map<NodeId, std::size_t>& place_of) const;
  /// What a stage is to its component: all of it, or one of two phases.
  enum class Phase { whole, first, second };
  Phase phase_of(const class Graph& graph, const PlanStage& plan) const;
  void add_stage(const PlanStage& plan, Phase phase, bool of_source, ComponentReport& sum,
                 RunningSums::Component& running) const;
  void fill_memory(Report& report) const;
  std::size_t batch_bytes_max() const;
  std::size_t task_index(std::uint32_t chain, std::uint32_t task) const {
    return first_task_[chain] + task;
  }
  Stage& stage(StageId id, std::uint32_t task) const { return *stages_[id][task]; }
  ReadingStage& reading(StageId id, std::uint32_t task) const { return *reading_[id][task]; }

  Plan plan_;
  RunOptions options_;
  Env& env_;
  MemoryBudget memory_;                 ///< outlives all that it counts
  std::unique_ptr<Tracking> tracking_;  ///< outlives all batches; null: messages are not tracked
  std::unique_ptr<EpochCoordinator> epochs_;  ///< outlives the tasks; null: none are made
  DeadLetterStore dead_letters_;
  std::atomic<bool> active_{true};
  Resources resources_;
  std::size_t worker_hooks_started_ = 0;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::vector<std::size_t> first_task_;              ///< by chain
  std::vector<std::vector<Stage*>> stages_;          ///< by stage id and task
  std::vector<std::vector<ReadingStage*>> reading_;  ///< the same; empty for sources
  std::deque<EdgeCounters> edges_;                   ///< by plan edge
  std::vector<ChannelEnds> channels_;
};

}  // namespace millrace::detail
