// ImagedTasks: the tasks of one component, driven by hand, which break off and go on from their
// images as another number of tasks.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chained_images.hpp"
#include "env/random.hpp"
#include "env/sim_env.hpp"
#include "handed_between.hpp"
#include "operator/operator.hpp"
#include "state/stored_tables.hpp"

namespace millrace::property {

class ImagedTasks {
 public:
  using Make = std::function<std::unique_ptr<detail::Operator>()>;
  /// Sees each batch that a task emits; valid during the call.
  using Note = std::function<void(std::uint32_t port, detail::BatchBase& batch)>;

  /// `env` outlives it. `timed`: records have event times.
  ImagedTasks(Make make, std::uint32_t tasks, Note note, detail::Env* env = nullptr,
              bool timed = true)
      : make_(std::move(make)), outputs_(std::move(note)), env_(env), timed_(timed) {
    start(tasks);
  }

  std::uint32_t count() const { return static_cast<std::uint32_t>(tasks_.size()); }
  detail::Operator& task(std::uint32_t index) { return *tasks_[index]->made; }
  std::uint32_t task_of(std::uint64_t hash) const { return detail::task_of_hash(hash, count()); }
  void process(std::uint32_t index, detail::BatchBase& batch, std::uint32_t input = 0) {
    task(index).process_input(input, batch, false, outputs_);
  }
  void advance(Time watermark) {
    for (auto& one : tasks_) one->made->advance(watermark, outputs_);
  }
  detail::Outputs& outputs() { return outputs_; }
  /// Of all tasks so far, also of those that are gone.
  const detail::Tally& tally() const { return tally_; }

  /// An epoch, after which all tasks are gone, and `tasks` new ones that have read its image. Gives
  /// the image; what is refused fails the test. Before all of it is written `meanwhile` has the
  /// tasks work on, which nobody sees.
  std::vector<detail::StatePart> restart(
      std::uint32_t tasks, const std::function<void()>& meanwhile = [] {}) {
    std::vector<detail::StatePart> parts = image(meanwhile);
    start(tasks);
    images_->begin_anew();
    for (std::uint32_t at = 0; at < tasks; ++at) {
      detail::StateReader reader(parts, at, tasks);
      task(at).restore_state(reader);
      EXPECT_TRUE(reader.status().ok()) << reader.status().to_string();
    }
    return parts;
  }
  /// The same with what all tasks have handed over to the new ones, and without it in the image.
  void hand_over(std::uint32_t tasks) {
    std::vector<detail::StatePart> parts = image();
    std::vector<detail::Operator*> ops;
    for (auto& one : tasks_) ops.push_back(one->made.get());
    HandedBetween handed(ops, parts);
    start(tasks);
    images_->begin_anew();
    for (std::uint32_t at = 0; at < tasks; ++at) handed.give(task(at), at, tasks);
    for (std::uint32_t at = 0; at < tasks; ++at) {
      detail::StateReader reader(parts, at, tasks);
      task(at).restore_state(reader);
      EXPECT_TRUE(reader.status().ok()) << reader.status().to_string();
    }
  }
  /// The image of an epoch of all tasks, which go on; put over the images before where it can be.
  std::vector<detail::StatePart> image(const std::function<void()>& meanwhile = [] {}) {
    std::vector<detail::Operator*> ops;
    for (auto& one : tasks_) ops.push_back(one->made.get());
    std::vector<detail::StateWriter> writers = images_->begin(ops, outputs_);
    for (const detail::StateWriter& writer : writers)
      EXPECT_TRUE(writer.status().ok()) << writer.status().to_string();
    const detail::Tally before = tally_;
    outputs_.muted = true;
    meanwhile();
    outputs_.muted = false;
    tally_ = before;
    return images_->keep(std::move(writers));
  }

 private:
  class Noted final : public detail::Outputs {
   public:
    explicit Noted(Note note) : note_(std::move(note)) {}
    void push(std::uint32_t port, detail::BatchBase& batch) override {
      if (!muted) note_(port, batch);
    }
    void advance_watermark(Time) override {}
    bool muted = false;

   private:
    Note note_;
  };
  class Failing final : public detail::DeadLetters {
   public:
    void add(std::string_view reason, std::string_view, std::string_view) override {
      ADD_FAILURE() << "a dead letter: " << reason;
    }
  };
  struct Task {
    detail::OperatorContext context;
    std::unique_ptr<detail::Operator> made;
  };

  void start(std::uint32_t tasks) {
    tasks_.clear();
    for (std::uint32_t at = 0; at < tasks; ++at) {
      auto one = std::make_unique<Task>();
      one->context.env = env_;
      one->context.dead_letters = &failing_;
      one->context.tally = &tally_;
      one->context.task = at;
      one->context.tasks = tasks;
      one->context.timed = timed_;
      one->made = make_();
      one->made->open(one->context);
      tasks_.push_back(std::move(one));
    }
  }

  Make make_;
  Noted outputs_;
  Failing failing_;
  detail::Tally tally_;
  detail::Env* env_;
  bool timed_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::unique_ptr<ChainedImages> images_ = std::make_unique<ChainedImages>();
};

/// How many tasks there are behind a break: 1, 2, 3 or 5.
inline std::uint32_t draw_tasks(detail::Random& random) {
  constexpr std::uint32_t kTasks[] = {1, 2, 3, 5};
  return kTasks[random.below(4)];
}

}  // namespace millrace::property
