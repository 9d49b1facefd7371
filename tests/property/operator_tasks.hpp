// OperatorTasks: the tasks of one operator without an engine, to take their image at any place and
// to go on with it in other tasks.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chained_images.hpp"
#include "env/sim_env.hpp"
#include "operator/keyed.hpp"
#include "operator/operator.hpp"
#include "operator/task_context.hpp"
#include "record/batch_type.hpp"

namespace millrace::property {

/// What happens to an operator: a batch comes over an input, time goes on, or the clock.
struct OperatorStep {
  enum class Kind { batch, watermark, clock };
  Kind kind = Kind::batch;
  std::uint32_t input = 0;
  std::shared_ptr<detail::BatchBase> batch = nullptr;
  Time watermark = kTimeMin;
  Duration by{0};
};

/// What was emitted, in lanes: within one the order counts.
using Lanes = std::map<std::string, std::vector<std::string>>;

/// How the records of an input reach the tasks.
struct OperatorInput {
  const detail::BatchType* type = nullptr;
  std::shared_ptr<const detail::KeyHash> key = nullptr;  ///< null: `to_all`, or to the first task
  bool to_all = false;
};

/// Lane and text of an emitted record.
using ShowRecord = std::function<std::pair<std::string, std::string>(
    std::uint32_t port, const detail::BatchBase& batch, std::size_t at)>;

class CountedLetters final : public detail::DeadLetters {
 public:
  void add(std::string_view, std::string_view, std::string_view) override { ++count; }
  std::size_t count = 0;
};
class CollectedRows final : public detail::Outputs {
 public:
  explicit CollectedRows(ShowRecord show) : show_(std::move(show)) {}
  void push(std::uint32_t port, detail::BatchBase& batch) override {
    if (muted) return;
    for (std::size_t at = 0; at < batch.size(); ++at) {
      auto [lane, text] = show_(port, batch, at);
      lanes[lane].push_back(std::move(text));
    }
  }
  void advance_watermark(Time watermark) override { told = muted ? told : watermark; }
  bool muted = false;
  Lanes lanes;
  Time told = kTimeMin;

 private:
  ShowRecord show_;
};

/// The records of a batch that go to each of so many tasks.
inline std::vector<std::vector<std::uint32_t>> picks_of(const OperatorInput& input,
                                                        const detail::BatchBase& batch,
                                                        std::uint32_t tasks) {
  std::vector<std::vector<std::uint32_t>> picks(tasks);
  std::vector<std::uint64_t> hashes(batch.size());
  if (input.key) input.key->hash(batch, hashes);
  for (std::uint32_t at = 0; at < batch.size(); ++at) {
    const std::uint32_t its = input.key ? detail::task_of_hash(hashes[at], tasks) : 0;
    for (std::uint32_t task = 0; task < tasks; ++task) {
      if (input.to_all || its == task) picks[task].push_back(at);
    }
  }
  return picks;
}

inline std::shared_ptr<const TopologyInfo> topology_of_one() {
  auto topology = std::make_shared<TopologyInfo>();
  ComponentInfo& tested = topology->components.emplace_back();
  tested.name = "tested";
  tested.outputs = {{"", {}}, {"late", {}}};
  return topology;
}

/// One thread.
class OperatorTasks {
 public:
  using Make = std::function<std::unique_ptr<detail::Operator>()>;
  using Show = ShowRecord;

  OperatorTasks(Make make, std::vector<OperatorInput> inputs, Show show)
      : make_(std::move(make)), inputs_(std::move(inputs)), out_(std::move(show)) {}

  /// Of a replay, for the tasks that start from now on.
  void set_speed(double speed) { speed_ = speed; }
  /// Is called with each operator that starts from now on, when it is open.
  void when_open(std::function<void(detail::Operator&, const detail::OperatorContext&)> when_open) {
    when_open_ = std::move(when_open);
  }
  /// A reader behind breaks ties; the same.
  void set_makes_arrivals(bool makes) { makes_arrivals_ = makes; }
  void start(std::uint32_t tasks) {
    tasks_.clear();
    for (std::uint32_t at = 0; at < tasks; ++at)
      tasks_.push_back(std::make_unique<Task>(*this, at, tasks));
  }
  void play(const OperatorStep& step) {
    if (step.kind == OperatorStep::Kind::batch) {
      feed(step);
    } else if (step.kind == OperatorStep::Kind::watermark) {
      if (step.watermark == kTimeMin) return;  // where it stands at first; it only ever rises
      for (auto& task : tasks_) task->op->advance(step.watermark, out_);
    } else {
      pass(step.by);
    }
  }
  /// What all tasks keep now, put over the images before where it can be. Before all of it is
  /// written `meanwhile` has them work on, which nobody sees. `fails`: their epoch does, and nobody
  /// has the images.
  std::vector<detail::StatePart> image(
      const std::function<void()>& meanwhile = [] {}, bool fails = false) {
    std::vector<detail::Operator*> ops;
    for (auto& task : tasks_) ops.push_back(task->op.get());
    std::vector<detail::StateWriter> writers = images_->begin(ops, out_);
    for (const auto& writer : writers) status_ = status_.ok() ? writer.status() : status_;
    const std::size_t letters = std::exchange(letters_.count, 0);
    out_.muted = true;
    meanwhile();
    out_.muted = false;
    letters_.count = letters;
    return images_->keep(std::move(writers), fails);
  }
  /// The file of the last image.
  std::uint64_t image_bytes() const { return images_->bytes_written(); }
  /// In place of the tasks that were.
  void restore(const std::vector<detail::StatePart>& parts, std::uint32_t tasks) {
    start(tasks);
    images_->begin_anew();
    for (auto& task : tasks_) {
      detail::StateReader reader(parts, task->context.task, tasks);
      task->op->restore_state(reader);
      if (status_.ok()) status_ = reader.status();
    }
  }
  void close() {
    for (auto& task : tasks_) task->op->close();
  }
  template <class Op>
  Op& task(std::size_t at) {
    return static_cast<Op&>(*tasks_[at]->op);
  }
  std::size_t size() const { return tasks_.size(); }
  std::size_t waiting() const {
    std::size_t records = 0;
    for (const auto& task : tasks_) records += task->op->waiting().records;
    return records;
  }
  std::uint64_t state_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& task : tasks_) bytes += task->state.bytes();
    return bytes;
  }
  double gauge(std::string_view name) {
    double sum = 0;
    for (auto& task : tasks_) sum += task->user.gauge(name).value();
    return sum;
  }
  const Lanes& lanes() const { return out_.lanes; }
  std::size_t letters() const { return letters_.count; }
  /// The first thing that could not be written or read.
  const Status& status() const { return status_; }
  detail::SimEnv& env() { return env_; }
  detail::Outputs& outputs() { return out_; }

 private:
  struct Task {
    Task(OperatorTasks& all, std::uint32_t index, std::uint32_t tasks)
        : user({all.topology_, 0, index, tasks, &all.env_.env(), {}, nullptr}), op(all.make_()) {
      context.env = &all.env_.env();
      context.dead_letters = &all.letters_;
      context.tally = &tally;
      context.task = index;
      context.tasks = tasks;
      context.state = &state;
      context.arenas = &arenas;
      context.timed = true;
      context.speed = all.speed_;
      context.makes_arrivals = all.makes_arrivals_;
      context.user = &user;
      op->open(context);
      if (all.when_open_) all.when_open_(*op, context);
    }
    detail::MemoryMeter state;
    detail::MemoryMeter arenas;
    detail::Tally tally;
    TaskContext user;
    detail::OperatorContext context;
    std::unique_ptr<detail::Operator> op;
  };

  void feed(const OperatorStep& step) {
    const OperatorInput& input = inputs_[step.input];
    const auto picks = picks_of(input, *step.batch, static_cast<std::uint32_t>(tasks_.size()));
    for (std::uint32_t task = 0; task < tasks_.size(); ++task) {
      if (picks[task].empty()) continue;
      const detail::BatchPtr part = input.type->make();
      input.type->append(*part, *step.batch, picks[task]);
      part->partition = step.batch->partition;
      tasks_[task]->op->process_input(step.input, *part, true, out_);
    }
  }
  void pass(Duration by) {
    env_.clock.advance(by);
    const std::int64_t now = env_.clock.steady_ns();
    for (auto& task : tasks_) {
      if (task->op->waiting().due_ns <= now) task->op->release(now, false, out_);
    }
  }

  Make make_;
  std::function<void(detail::Operator&, const detail::OperatorContext&)> when_open_;
  double speed_ = 0;
  bool makes_arrivals_ = false;
  std::vector<OperatorInput> inputs_;
  detail::SimEnv env_{1, {}, 1'000'000};
  std::shared_ptr<const TopologyInfo> topology_ = topology_of_one();
  CountedLetters letters_;
  CollectedRows out_;
  Status status_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::unique_ptr<ChainedImages> images_ = std::make_unique<ChainedImages>();
};

}  // namespace millrace::property
