// Task: one running instance of a fused chain: owns its stages and state, shares nothing, and is
// stepped.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/channel.hpp"
#include "runtime/stage.hpp"

namespace millrace::detail {

enum class Step {
  ready,    ///< did something; step again
  idle,     ///< nothing to do until input arrives or next_due_ns() comes
  blocked,  ///< a receiver's ring is full
  done,     ///< all inputs ended and everything is handed over
};

class Task {
 public:
  Task(std::uint32_t chain, std::uint32_t index, Env& env) : chain_(chain), index_(index) {
    shared_.env = &env;
  }

  // Wiring.
  TaskShared& shared() { return shared_; }
  Stage& add_stage(std::unique_ptr<Stage> stage);
  Router& add_router(std::unique_ptr<Router> router);
  void add_input(Channel& channel, Stage& stage, std::uint32_t stage_channel,
                 Counter& edge_received);
  Status open(const OperatorContext& context, const EndContext& end_context);

  /// Does a bounded piece of work: at most `budget` batches. Only the executor that owns the task
  /// calls it.
  Step step(std::size_t budget, bool stop);
  /// Valid after step() returned idle: when a held record is due, steady nanoseconds; nullopt: only
  /// input can help.
  std::optional<std::int64_t> next_due_ns() const { return next_due_ns_; }
  /// True when a source of this task may have something new at any time, without anybody telling.
  bool polls() const;
  /// Records its sources have read and handed on so far.
  std::uint64_t records_polled() const;
  const Status& failure() const { return shared_.failure; }
  /// Closes sources and sinks; after the last step.
  void close();

  std::uint32_t chain() const { return chain_; }
  std::uint32_t index() const { return index_; }
  const std::vector<std::unique_ptr<Stage>>& stages() const { return stages_; }

 private:
  struct Input {
    Channel* channel;
    Stage* stage;
    std::uint32_t stage_channel;
    Counter* edge_received;
    bool ended = false;
  };

  bool take_inputs(std::size_t budget);
  bool poll_sources(bool stop);
  bool routers_blocked() const;
  bool flush_routers();
  void deliver(Input& input, BatchPtr batch);
  bool all_finished() const;
  std::string running_component() const;

  std::uint32_t chain_;
  std::uint32_t index_;
  TaskShared shared_;
  std::vector<std::unique_ptr<Stage>> stages_;
  std::vector<Stage*> sources_;
  std::vector<Stage*> sinks_;
  std::vector<Stage*> timed_;
  std::vector<std::unique_ptr<Router>> routers_;
  std::vector<Input> inputs_;
  std::size_t next_input_ = 0;
  std::uint32_t busy_steps_ = 0;
  std::optional<std::int64_t> next_due_ns_;
  bool closed_ = false;
};

}  // namespace millrace::detail
