// Counting down to zero, and telling the ledger.
#include "runtime/message_range.hpp"

#include <fmt/format.h>

#include "base/check.hpp"

namespace millrace::detail {

void MessageRange::begin(std::uint32_t records) {
  abandoned_.store(false, std::memory_order_relaxed);
  seen_at_.store(0, std::memory_order_relaxed);
  state_.store(records, std::memory_order_release);
}

void MessageRange::count(std::int64_t moving, std::int64_t held) {
  const auto delta = static_cast<std::uint64_t>(held * (std::int64_t{1} << 32) + moving);
  const std::uint64_t before = state_.fetch_add(delta, std::memory_order_acq_rel);
  const auto moved = static_cast<std::int64_t>(before & 0xffffffffu);
  const auto was_held = static_cast<std::int64_t>(before >> 32);
  MR_CHECK(before != 0, "messages that are done were used again");
  MR_CHECK(moved + moving >= 0 && was_held + held >= 0, "messages were let go twice");
  const bool stopped = moved > 0 && moved + moving == 0;
  const bool done = moved + moving == 0 && was_held + held == 0;
  if (stopped || done) tell();
}

bool MessageRange::fail(std::uint32_t index, const MessageFailure& failure) {
  if (told.tries(index) + 1 >= owner_.tries_max()) return false;
  add_failure(index, failure, false);
  return true;
}

void MessageRange::give_up(std::uint32_t index, const MessageFailure& failure) {
  add_failure(index, failure, true);
}

void MessageRange::add_failure(std::uint32_t index, const MessageFailure& failure, bool given_up) {
  {
    const std::lock_guard lock(mutex_);
    failures_.push_back({index, std::string(failure.component), std::string(failure.reason),
                         failure.timed_out, given_up});
  }
  tell();
}

std::vector<MessageRange::Failed> MessageRange::take_failures() {
  const std::lock_guard lock(mutex_);
  return std::exchange(failures_, {});
}

std::string MessageRange::place_of(std::uint32_t index) const {
  return fmt::format("{} partition {}, message {}", owner_.source(), told.partition,
                     told.number_of(index));
}

void MessageRange::tell() {
  if (!noticed_.exchange(true, std::memory_order_seq_cst)) owner_.notice(*this);
}

}  // namespace millrace::detail
