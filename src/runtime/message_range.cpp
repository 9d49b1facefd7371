// Counting down to zero, and telling the ledger.
#include "runtime/message_range.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/check.hpp"

namespace millrace::detail {

void MessageRange::begin(std::uint32_t records) {
  state_.fetch_add(records, std::memory_order_acq_rel);
}

void MessageRange::reset() {
  MR_CHECK(in_hand() == 0, "messages that are done are still in hand");
  abandoned_.store(false, std::memory_order_relaxed);
  seen_at_.store(0, std::memory_order_relaxed);
  open = false;
  stay = Stay::moving;
  moves = true;
  fresh = settled = fresh_from = copy_from = messages = 0;
  failed.reset();
  details.reset();
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
  if (tries(index) + 1 >= owner_.tries_max()) return false;
  add_failure(index, failure, false);
  return true;
}

void MessageRange::give_up(std::uint32_t index, const MessageFailure& failure) {
  add_failure(index, failure, true);
}

void MessageRange::hold_in_hand(std::int64_t by) {
  owner_.hold_in_hand(by);
  const auto more = static_cast<std::int32_t>(by);
  if (in_hand_.fetch_add(more, std::memory_order_acq_rel) + more == 0) tell();
}

void MessageRange::add_failure(std::uint32_t index, const MessageFailure& failure, bool given_up) {
  owner_.add_failure({this, index, std::string(failure.component), std::string(failure.reason),
                      failure.timed_out, given_up});
  tell();
}

std::string MessageRange::place_of(std::uint32_t index) const {
  return fmt::format("{} partition {}, message {}", owner_.source(), partition, number_of(index));
}

void MessageRange::tell() {
  if (!noticed_.exchange(true, std::memory_order_seq_cst)) owner_.notice(*this);
}

}  // namespace millrace::detail
