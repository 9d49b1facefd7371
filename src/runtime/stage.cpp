// What every kind of stage does: opening, emitting, dead letters, watermarks and ends.
#include "runtime/stage.hpp"

namespace millrace::detail {

Status Stage::open(const StageOpening& opening) {
  user_ = std::make_unique<TaskContext>(opening.place);
  hooks_.open(*opening.hooks, *user_);
  Status status = open_part(opening);
  hooks_.opened();
  opened_ = status.ok();
  outlets_.open(*user_);
  return status;
}

void Stage::close() {
  if (!opened_) return;
  opened_ = false;
  charged([&] {
    close_part();
    hooks_.close();
  });
}

void Stage::emit(std::uint32_t port, BatchBase& batch) {
  const std::size_t count = batch.size();
  counters_.emitted.add(count);
  if (hooks_.any()) hooks_.emitted(port, count);
  if (!outlets_.any(port)) return;
  if (batch.due_ns == 0) {
    batch.due_ns = shared_.due_ns;
  } else {
    shared_.due_ns = batch.due_ns;  // what windows fire because of this batch was due with it
  }
  outlets_.push(port, batch);
}

void Stage::hand_on_errors() {
  if (errors_.values.empty()) return;
  if (finished_) return errors_.clear();  // its readers were told that nothing follows
  errors_.due_ns = shared_.due_ns;
  outlets_.push_errors(errors_);
  errors_.clear();
}

void Stage::forward_watermark(Time watermark) {
  counters_.watermark.store(watermark, std::memory_order_relaxed);
  outlets_.advance(watermark, shared_.due_ns);
}

void Stage::end() {
  finished_ = true;
  outlets_.end();
}

void Stage::fail(std::string_view reason, const BatchBase& batch, std::size_t index,
                 const BatchType& type) {
  const MessageRef message = batch.message_of(index);
  if (!message) return add(reason, "", type.describe(batch, index));
  Origin& origin = message.origin();
  if (!origin.fail(message.index(), {plan_.name, reason})) {
    return add(reason, origin.place_of(message.index()), type.describe(batch, index));
  }
  ++failed_;
  shared_.dead_letters->note_failure(plan_.name, reason, origin.place_of(message.index()));
}

void Stage::add(std::string_view reason, std::string_view where, std::string_view record) {
  ++letters_;
  shared_.dead_letters->add(plan_.name, reason, where, record);
  if (!outlets_.any_for_errors()) return;
  errors_.values.push_back(
      {plan_.name, std::string(reason), std::string(where), std::string(record)});
}

}  // namespace millrace::detail
