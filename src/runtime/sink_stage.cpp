// Writing.
#include "runtime/sink_stage.hpp"

#include <algorithm>
#include <iterator>

namespace millrace::detail {

Status SinkStage::open_part(const StageOpening& opening) {
  context_ = opening.end_context;
  context_.dead_letters = this;
  context_.user = user_context();
  context_.arenas = &shared_.memory->arenas;
  Status status = sink_->open(context_);
  if (stateful_ && status.ok()) stateful_->open_state(state_, opening.restores);
  return status;
}

void SinkStage::advance(Time watermark) {
  if (stateful_) charged([&] { stateful_->advance(watermark); });
  forward_watermark(watermark);
}

void SinkStage::take(BatchBase& batch, bool, const Incoming&) {
  if (batch.size() > 0 && write(batch)) {
    const std::int64_t due = batch.due_ns != 0 ? batch.due_ns : shared_.due_ns;
    if (due != 0) {
      const std::int64_t latency = shared_.env->clock->steady_ns() - due;
      latency_.add(latency > 0 ? static_cast<std::uint64_t>(latency) : 0);
    }
  }
  counters_.in_flight.set(0);
}

/// False when it could not.
bool SinkStage::write(const BatchBase& batch) {
  const std::uint64_t letters_before = letters();
  if (stateful_) stateful_->marked_up_to(std::max(inlets().greatest(), batch.watermark));
  Status status = sink_->write(batch);
  dirty_ = true;
  if (!status.ok()) {
    shared_.fail(std::move(status));
    return false;
  }
  const std::uint64_t refused = letters() - letters_before;
  batch.messages.each_origin([this](Origin& origin) {
    origin.count(1, 0);
    unflushed_.push_back(&origin);
  });
  const std::uint64_t again = take_failed();
  counters_.failed.add(again);
  counters_.dead_lettered.add(refused);
  counters_.processed.add(batch.size() - refused - again);
  return true;
}

void SinkStage::flush() {
  if (!dirty_) return;
  dirty_ = false;
  Status status;
  charged([&] { status = sink_->flush(); });  // what takes no more makes it wait here
  if (status.ok()) let_go();
  shared_.fail(std::move(status));
}

/// What was prepared for an epoch that failed belongs to this one as well. What could not be
/// prepared would belong to none, and the next epoch would leave it out: so the run ends here.
Status SinkStage::save(std::uint64_t epoch, StageImage& image, bool in_pieces) {
  flush();
  Status status;
  charged([&] {
    if (stateful_) {
      writer_.emplace(context_.task, context_.tasks);
      if (in_pieces) writer_->allow_pieces();
      stateful_->save_state(*writer_);
    }
    Result<std::string> prepared = sink_->prepare(epoch);
    if (!prepared) {
      status = prepared.error();
    } else if (!prepared->empty()) {
      prepared_.push_back({epoch, std::move(*prepared)});
    }
  });
  for (const Prepared& one : prepared_) image.prepared.push_back(one.token);
  shared_.fail(status);
  return status;
}

void SinkStage::commit(std::uint64_t epoch) {
  charged([&] {
    for (const Prepared& one : prepared_) {
      if (one.epoch > epoch) break;
      shared_.fail(sink_->commit(one.epoch, one.token));
    }
  });
  std::erase_if(prepared_, [epoch](const Prepared& one) { return one.epoch <= epoch; });
}

/// In a run without epochs what it writes shows at once: there is nothing to commit or take back.
Status SinkStage::restore(const StoredStage* stored) {
  if (Status status = restore_state(stored); !status.ok()) return status;
  if (!shared_.epochs || context_.task != 0) return {};
  return sink_->recover(stored ? stored->prepared : std::vector<std::string>());
}

Status SinkStage::restore_state(const StoredStage* stored) {
  if (!stateful_) return {};
  if (!stored) {
    stateful_->restore_state(nullptr);
    return {};
  }
  StateReader reader(stored->parts, context_.task, context_.tasks);
  stateful_->restore_state(&reader);
  return reader.status();
}

/// Messages are handled when what was made of them is visible.
void SinkStage::let_go() {
  for (Origin* origin : unflushed_) origin->count(-1, 0);
  unflushed_.clear();
}

void SinkStage::tell(ComponentReport& sum, RunningSums::Component& running) const {
  sum.state_bytes += state_.bytes();
  if (!running.latency) running.latency.emplace();
  latency_.merge_into(*running.latency);
}

}  // namespace millrace::detail
