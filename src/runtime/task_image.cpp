// Taking the image of a task at a barrier, and committing what its sinks have prepared.
#include <algorithm>
#include <set>
#include <utility>

#include "runtime/task.hpp"

namespace millrace::detail {
namespace {

/// Puts `stage` and all fused stages behind it at the end of `to`, each before those that it reads.
void add_behind(Stage& stage, std::set<const Stage*>& seen, std::vector<Stage*>& to) {
  if (!seen.insert(&stage).second) return;
  stage.outlets().for_each([&](const Reader& reader) {
    if (reader.stage) add_behind(*reader.stage, seen, to);
  });
  to.push_back(&stage);
}

}  // namespace

/// The order of the plan is that of declarations: a stage that the planner put before another one
/// may stand behind it there.
void Task::order_stages() {
  std::set<const Stage*> seen;
  for (auto& stage : stages_) add_behind(*stage, seen, in_order_);
  std::ranges::reverse(in_order_);
  if (!coordinator_) return;
  epochs_.emplace(*coordinator_, home_, !sinks_.empty());
  for (std::size_t at = 0; at < inputs_.size(); ++at) epochs_->add_input();
}

/// Called behind each batch: what follows a barrier on one input must not be read before the image
/// is taken.
bool Task::take_due_image() {
  const std::uint64_t epoch = epochs_->due();
  if (epoch == 0 || !shared_.failure.ok()) return false;
  take_image(epoch, false);
  return true;
}

/// In the order of the data, for what a stage hands on before the barrier may be kept by a later
/// one. What is left to be written then is written between the next steps. One that is not whole by
/// now is of an epoch that was given up: stages let go of it, and as no epoch has it, tables are
/// written whole.
void Task::take_image(std::uint64_t epoch, bool last) {
  const std::int64_t began = shared_.env->clock->steady_ns();
  TaskImage image;
  image.epoch = epoch;
  image.last = last;
  for (Stage* stage : in_order_) {
    const PlanStage& plan = stage->plan();
    StageImage& part =
        image.stages.emplace_back(StageImage{plan.stored_as, plan.name, index_, plan.tasks});
    // A last one is part of all later epochs, so it is whole; unless there is one such epoch, and
    // nobody reads what is handed over.
    if (!last || (epochs_->hands_over() && stage->hands_over()))
      part.chain = epochs_->chain_of(epoch);
    Status status = stage->save(epoch, part, !last);
    if (image.status.ok()) image.status = std::move(status);
  }
  if (!shared_.failure.ok()) return;
  for (const SourceStage* source : sources_) image.input_ended &= source->input_ended();
  if (!last) {
    for (auto& router : routers_) router->barrier(epoch);
  }
  image.stood_ns = shared_.env->clock->steady_ns() - began;
  epochs_->begun(image);
  image_ = std::move(image);
  while (write_image() && last) {
  }
}

bool Task::write_image() {
  if (!image_ || (!image_->last && epochs_->is_full())) return false;
  for (std::size_t at = 0; at < in_order_.size(); ++at) {
    const bool whole = in_order_[at]->save_on(epochs_->image_slots(), image_->stages[at]);
    if (!image_->last) hand_in_pieces(image_->stages[at]);
    if (!whole) return true;
  }
  epochs_->hand_in(*std::exchange(image_, std::nullopt));
  return false;
}

/// An image must not take a thousand steps that each wait for a slow source.
bool Task::write_image_as_long(std::int64_t since_ns) {
  if (!image_) return false;
  Clock& clock = *shared_.env->clock;
  const std::int64_t from_ns = clock.steady_ns();
  const std::int64_t share_ns = since_ns == 0 ? 0 : from_ns - since_ns;
  while (write_image()) {
    if (clock.steady_ns() - from_ns >= share_ns) return true;
  }
  return false;
}

/// What is written of an image need not wait for the rest. A last one is read again by later
/// epochs.
void Task::hand_in_pieces(StageImage& stage) {
  if (stage.parts.empty()) return;
  std::vector<ImagePiece> pieces;
  for (StatePart& part : stage.parts) pieces.push_back({stage.stage, stage.task, std::move(part)});
  stage.parts.clear();
  epochs_->hand_in_pieces(image_->epoch, std::move(pieces));
}

bool Task::commit() {
  const std::uint64_t epoch = sinks_.empty() ? 0 : epochs_->to_commit();
  if (epoch == 0) return false;
  for (SinkStage* sink : sinks_) sink->commit(epoch);
  // Else the final epoch could say that nothing is left to commit.
  if (shared_.failure.ok()) epochs_->committed(epoch);
  return true;
}

/// All is handed over. The last image is handed in; sinks wait for the final epoch.
Step Task::end_of_epochs() {
  if (image_) return Step::idle;  // it waits for the disk
  if (!epochs_->done()) {
    take_image(epochs_->next(), true);
    if (!shared_.failure.ok() || sinks_.empty()) return Step::done;
    return Step::ready;
  }
  if (!epochs_->over()) return Step::idle;
  (void)commit();
  return Step::done;
}

}  // namespace millrace::detail
