// Passing shares on. Locks are taken from what was made towards what it was made of.
#include "operator/joint.hpp"

#include "base/check.hpp"

namespace millrace::detail {

void Joint::adopt(MessageRef message) {
  const std::lock_guard lock(mutex_);
  messages_.push_back(message);
}

void Joint::count(std::int64_t moving, std::int64_t held) {
  {
    const std::lock_guard lock(mutex_);
    const bool moved = moving_ > 0;
    const bool was_held = !moved && held_ > 0;
    moving_ += moving;
    held_ += held;
    MR_CHECK(moving_ >= 0 && held_ >= 0, "a joint of messages was let go twice");
    const bool moves = moving_ > 0;
    const bool is_held = !moves && held_ > 0;
    change_shares(std::int64_t{moves} - std::int64_t{moved},
                  std::int64_t{is_held} - std::int64_t{was_held});
    if (moves || is_held) return;
  }
  delete this;
}

void Joint::change_shares(std::int64_t moving, std::int64_t held) const {
  if (moving == 0 && held == 0) return;
  for (const MessageRef message : messages_) message.origin().count(moving, held);
}

bool Joint::fail(std::uint32_t, const MessageFailure& failure) {
  if (!fails_) return false;
  const std::lock_guard lock(mutex_);
  bool again = false;
  for (const MessageRef message : messages_) {
    again |= message.origin().fail(message.index(), failure);
  }
  return again;
}

void Joint::give_up(std::uint32_t, const MessageFailure& failure) {
  if (!fails_) return;
  const std::lock_guard lock(mutex_);
  for (const MessageRef message : messages_) message.origin().give_up(message.index(), failure);
}

void Joint::abandon() {
  const std::lock_guard lock(mutex_);
  for (const MessageRef message : messages_) message.origin().abandon();
}

/// What cannot fail its messages need not be told of either.
void Joint::hold_in_hand(std::int64_t by) {
  if (!fails_) return;
  const std::lock_guard lock(mutex_);
  for (const MessageRef message : messages_) message.origin().hold_in_hand(by);
}

std::string Joint::place_of(std::uint32_t) const {
  const std::lock_guard lock(mutex_);
  if (!fails_ || messages_.empty()) return {};
  std::string places;
  for (const MessageRef message : messages_) {
    places += (places.empty() ? "" : ", ") + message.origin().place_of(message.index());
  }
  return places;
}

}  // namespace millrace::detail
