// What every kind of stage does: opening, emitting, dead letters, watermarks and ends.
#include "runtime/stage.hpp"

#include <fmt/format.h>

#include "runtime/kept_letter.hpp"
#include "runtime/message_range.hpp"

namespace millrace::detail {
namespace {

/// How often a message that has failed for the last time was tried; 0: a row of several, whose
/// tries are theirs.
int tries_of(MessageRef message) {
  if (!message) return 1;
  const auto* const range = dynamic_cast<const MessageRange*>(&message.origin());
  return range == nullptr ? 0 : range->tries(message.index()) + 1;
}

/// As messages say their places.
std::string text_of(const LetterOrigin& origin) {
  if (!origin.partition || !origin.position) return {};
  return fmt::format("{} partition {}, message {}", origin.source, *origin.partition,
                     *origin.position);
}

}  // namespace

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
  if (message && message.origin().fail(message.index(), {plan_.name, reason})) {
    ++failed_;
    return shared_.dead_letters->note_failure(plan_.name, reason,
                                              message.origin().place_of(message.index()));
  }
  SetAside letter;
  letter.reason = reason;
  letter.tries = tries_of(message);
  if (!batch.arrivals.empty()) {
    letter.origin = shared_.dead_letters->origin_of(batch.arrival_of(index));
  }
  const std::string where =
      message ? message.origin().place_of(message.index()) : text_of(letter.origin);
  letter.where = where;
  const std::string record = type.describe(batch, index);
  letter.record = record;
  set_aside(letter);
}

void Stage::add(std::string_view reason, std::string_view where, std::string_view record) {
  SetAside letter;
  letter.reason = reason;
  letter.where = where;
  letter.record = record;
  if (plan_.make_source) letter.origin.source = plan_.name;
  letter.is_record = plan_.make_operator == nullptr;
  set_aside(letter);
}

void Stage::set_aside(SetAside letter) {
  letter.component = plan_.name;
  letter.task = static_cast<std::uint32_t>(user_->index());
  ++letters_;
  shared_.dead_letters->add(letter);
  if (!outlets_.any_for_errors()) return;
  errors_.values.push_back({plan_.name, std::string(letter.reason), std::string(letter.where),
                            std::string(letter.record.substr(0, KeptLetter::kRecordBytesMax))});
}

}  // namespace millrace::detail
