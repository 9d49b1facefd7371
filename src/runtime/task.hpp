// Task: one running instance of a fused chain: owns its stages and state, shares nothing, and is
// stepped.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/channel.hpp"
#include "runtime/operator_stage.hpp"
#include "runtime/sink_stage.hpp"
#include "runtime/source_stage.hpp"
#include "runtime/task_epochs.hpp"

namespace millrace::detail {

enum class Step {
  ready,    ///< did something; step again
  idle,     ///< nothing to do until input arrives or next_due_ns() comes
  blocked,  ///< a receiver's ring is full
  done,     ///< all inputs ended and everything is handed over
};

class Task {
 public:
  /// What tasks are given; all of it outlives them.
  struct Surroundings {
    Env* env = nullptr;
    MemoryBudget* memory = nullptr;
    DeadLetterLog* dead_letters = nullptr;
    const std::atomic<bool>* active = nullptr;  ///< false: sources are not polled
    Tracking* tracking = nullptr;               ///< null: messages are not tracked
    EpochCoordinator* epochs = nullptr;         ///< null: the run makes no epochs
    const SpillSettings* spill = nullptr;
    CallMaking calls{};
  };
  Task(std::uint32_t chain, std::uint32_t index, const Surroundings& around);

  // Wiring; the stages in the order of the data.
  SourceStage& add_source(const PlanStage& plan);
  /// An operator or a sink.
  ReadingStage& add_reading(const PlanStage& plan);
  Router& add_router(std::unique_ptr<Router> router);
  void add_input(Channel& channel, ReadingStage& stage, const Incoming& incoming,
                 Counter& edge_received);
  /// When all edges are there: puts the stages in the order of the data, for images.
  void order_stages();
  /// Then each source learns which of its stages make time of what it reads.
  void find_time_origins();
  Status open(const StageOpening& opening);

  /// Does a bounded piece of work: at most `budget` batches. Only the executor that owns the task
  /// calls it. When it is done it has closed; where epochs are made, a task with sinks is done when
  /// the final one is complete.
  Step step(std::size_t budget, bool stop);
  /// Valid after step() returned idle: when a held record is due, steady nanoseconds; nullopt: only
  /// input can help.
  std::optional<std::int64_t> next_due_ns() const { return next_due_ns_; }
  /// True when a source of this task may have something new at any time, without anybody telling.
  bool polls() const;
  /// Records its sources have read and handed on so far.
  std::uint64_t records_polled() const;
  const Status& failure() const { return shared_.failure; }
  /// Any thread, while the run goes on: its sinks wait for nobody any more.
  void give_up() const;
  /// Frees empty batches that wait to be used again. Between steps.
  void give_memory_back();
  /// Closes what open() has opened, once; what user code throws becomes the failure. For tasks that
  /// are not stepped to their end.
  void close();

  // For reports; any thread.
  /// The thread that steps it from now on; -1: none. Set by whoever assigns tasks.
  void set_executor(int executor) { executor_.store(executor, std::memory_order_relaxed); }
  int executor() const { return executor_.load(std::memory_order_relaxed); }
  Step last_step() const { return last_step_.load(std::memory_order_relaxed); }
  /// Ticks that it waited for a full ring, the wait under way included.
  std::uint64_t blocked_ticks() const;
  /// Records taken from rings and sources, and handed to rings and sinks.
  std::uint64_t records_in() const;
  std::uint64_t records_out() const;
  struct Queue {
    std::uint64_t records = 0;
    std::uint64_t batches = 0;
    double fill = 0;  ///< 0..1, of the fullest ring
  };
  Queue queue() const;
  /// The stage whose code runs right now, null between steps, and since when, in ticks.
  std::pair<const Stage*, std::int64_t> running() const;

  std::uint32_t chain() const { return chain_; }
  std::uint32_t index() const { return index_; }
  const std::vector<std::unique_ptr<Stage>>& stages() const { return stages_; }

  /// Where it is stepped; moved by its executor alone.
  Home& home() { return home_; }
  const Home& home() const { return home_; }
  /// Time in steps that did something, in ticks of busy_ticks_now(). Added to by its executor.
  Counter& busy_ticks() { return busy_ticks_; }
  const Counter& busy_ticks() const { return busy_ticks_; }
  /// The component whose code runs, or else the task's first one. Only while its executor is known
  /// to be in a step of it.
  const std::string& component_in_step() const;
  /// "count" or "count" task 2, for messages.
  std::string name() const;

 private:
  struct Input {
    Channel* channel;
    ReadingStage* stage;
    std::uint32_t number;  ///< of the channel, to the stage
    Incoming incoming;
    Counter* edge_received;
    bool ended = false;
  };

  template <class Kind>
  Kind& add(std::vector<Kind*>& of_kind, const PlanStage& plan);
  Step do_step(std::size_t budget, bool stop);
  void note(Step step);
  bool take_inputs(std::size_t budget);
  bool run_due(bool stop);
  std::int64_t least_due_ns() const;
  bool poll_sources(bool stop);
  bool routers_blocked() const;
  /// A stage has no room for what would be read.
  bool is_full() const;
  bool flush_routers();
  void deliver(Input& input, BatchPtr batch);
  // Of epochs.
  bool take_due_image();
  void take_image(std::uint64_t epoch, bool last);
  /// Goes on with an image that is begun, unless so much waits to be written that it has to, too;
  /// hands it in when it is whole. True: something is left that can be done.
  bool write_image();
  /// Does so for as long as the step took that began then, steady nanoseconds; 0: once.
  bool write_image_as_long(std::int64_t since_ns);
  void hand_in_pieces(StageImage& stage);
  bool commit();
  Step end_of_epochs();
  bool all_finished() const;
  const Stage& stage_in_step() const;

  std::uint32_t chain_;
  std::uint32_t index_;
  TaskShared shared_;
  Home home_;
  Counter busy_ticks_;
  std::vector<std::unique_ptr<Stage>> stages_;
  std::vector<SourceStage*> sources_;
  std::vector<OperatorStage*> operators_;
  std::vector<const OperatorStage*> calling_;  ///< of operators_: those that call the outside
  std::vector<SinkStage*> sinks_;
  std::vector<std::unique_ptr<Router>> routers_;
  std::vector<Input> inputs_;
  EpochCoordinator* coordinator_;
  std::optional<TaskEpochs> epochs_;  ///< empty: the run makes none
  std::vector<Stage*> in_order_;      ///< of the data: each behind those that it reads
  std::optional<TaskImage> image_;    ///< while it is not whole
  std::size_t next_input_ = 0;
  std::uint32_t busy_steps_ = 0;
  std::optional<std::int64_t> next_due_ns_;
  bool closed_ = false;
  std::atomic<int> executor_{-1};
  std::atomic<Step> last_step_{Step::idle};
  Counter blocked_ticks_;
  std::atomic<std::int64_t> blocked_since_{0};  ///< ticks; 0: is not blocked
};

}  // namespace millrace::detail
