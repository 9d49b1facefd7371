// Shares of what is held by hand, and time-outs that count silence.
#include "operator/taken_message.hpp"

#include "base/check.hpp"

namespace millrace {
namespace detail {

TakenJoint::TakenJoint(MessageRef message, std::shared_ptr<TakenBook> book)
    : message_(message), book_(std::move(book)) {
  message_.origin().hold_in_hand(1);
  message_.origin().count(0, 1);
  book_->add(*this);
}

/// Its share in the message is a moving one, a held one or none, as what is left of it.
template <class Change>
void TakenJoint::change(Change&& change) {
  {
    const std::lock_guard lock(mutex_);
    const bool moved = !let_go_ && moving_ > 0;
    const bool was_held = !let_go_ && !moved && (held_ > 0 || in_hand_);
    change();
    MR_CHECK(moving_ >= 0 && held_ >= 0, "a message in hand was let go twice");
    const bool moves = !let_go_ && moving_ > 0;
    const bool is_held = !let_go_ && !moves && (held_ > 0 || in_hand_);
    const int moving = static_cast<int>(moves) - static_cast<int>(moved);
    const int held = static_cast<int>(is_held) - static_cast<int>(was_held);
    if (moving != 0 || held != 0) message_.origin().count(moving, held);
    let_go_ |= !moves && !is_held;
    if (handle_ || moving_ > 0 || held_ > 0) return;
  }
  delete this;
}

void TakenJoint::count(std::int64_t moving, std::int64_t held) {
  change([&] {
    moving_ += moving;
    held_ += held;
    stirred_ = true;
  });
}

/// True for the first who wants to end it; that one has a share until leave().
bool TakenJoint::claim() {
  const std::lock_guard lock(mutex_);
  return in_hand_ && !std::exchange(claimed_, true);
}

/// `goes_on`: what is on its way of it still counts.
void TakenJoint::leave(bool goes_on) {
  change([this, goes_on] {
    const std::int64_t others = goes_on ? 0 : std::exchange(hands_, 0);
    message_.origin().hold_in_hand(-1 - others);
    in_hand_ = false;
    let_go_ |= !goes_on;
  });
}

void TakenJoint::ack() {
  if (!claim()) return;
  leave(true);
  book_->remove(*this);
}

void TakenJoint::fail_by_hand(std::string_view reason) {
  if (!claim()) return;
  give_back(reason, false);
  book_->remove(*this);
}

void TakenJoint::give_back(std::string_view reason, bool timed_out) {
  const MessageFailure failure{book_->component(), reason, timed_out};
  Origin& origin = message_.origin();
  if (!origin.fail(message_.index(), failure)) origin.give_up(message_.index(), failure);
  leave(false);
}

void TakenJoint::reset_timeout() {
  const std::lock_guard lock(mutex_);
  stirred_ = true;
}

bool TakenJoint::in_hand() const {
  const std::lock_guard lock(mutex_);
  return in_hand_ && !claimed_;
}

void TakenJoint::drop_handle() {
  fail_by_hand("was dropped, neither acked nor failed");
  book_->remove(*this);  // waits for a look that is at it
  change([this] { handle_ = false; });
}

int TakenJoint::look() {
  const std::lock_guard lock(mutex_);
  silent_ = std::exchange(stirred_, false) ? 0 : silent_ + 1;
  return silent_;
}

bool TakenJoint::time_out(std::string_view reason) {
  if (!claim()) return false;
  give_back(reason, true);
  return true;
}

bool TakenJoint::end(bool finished) {
  if (!claim()) return false;
  if (finished) {
    give_back("was held to the end, neither acked nor failed", false);
  } else {
    message_.origin().abandon();
    leave(false);
  }
  return true;
}

/// Calls use(its message) while it has a share in that.
template <class Use>
void TakenJoint::with_message(Use&& use) const {
  const std::lock_guard lock(mutex_);
  if (!let_go_) use(message_);
}

void TakenJoint::hold_in_hand(std::int64_t by) {
  const std::lock_guard lock(mutex_);
  if (let_go_) return;
  hands_ += by;
  message_.origin().hold_in_hand(by);
}

bool TakenJoint::fail(std::uint32_t, const MessageFailure& failure) {
  bool again = false;
  with_message(
      [&](MessageRef message) { again = message.origin().fail(message.index(), failure); });
  return again;
}

void TakenJoint::give_up(std::uint32_t, const MessageFailure& failure) {
  with_message([&](MessageRef message) { message.origin().give_up(message.index(), failure); });
}

void TakenJoint::abandon() {
  with_message([](MessageRef message) { message.origin().abandon(); });
}

std::string TakenJoint::place_of(std::uint32_t) const {
  std::string place;
  with_message([&](MessageRef message) { place = message.origin().place_of(message.index()); });
  return place;
}

std::size_t TakenBook::size() const {
  const std::lock_guard lock(mutex_);
  return joints_.size();
}

void TakenBook::add(TakenJoint& joint) {
  const std::lock_guard lock(mutex_);
  joint.place_ = joints_.size();
  joints_.push_back(&joint);
}

/// One that is looked at now is forgotten by the look.
void TakenBook::remove(TakenJoint& joint) {
  const std::lock_guard lock(mutex_);
  if (joint.place_ < joints_.size() && joints_[joint.place_] == &joint) forget(joint);
}

void TakenBook::forget(TakenJoint& joint) {
  joints_.back()->place_ = joint.place_;
  joints_[joint.place_] = joints_.back();
  joints_.pop_back();
  if (joints_.empty()) left_.notify_all();
}

std::size_t TakenBook::look(std::string_view reason) {
  const std::lock_guard lock(mutex_);
  std::size_t timed_out = 0;
  for (std::size_t at = 0; at < joints_.size();) {
    TakenJoint& joint = *joints_[at];
    if (joint.look() < kLooks || !joint.time_out(reason)) {
      ++at;
      continue;
    }
    forget(joint);
    ++timed_out;
  }
  return timed_out;
}

void TakenBook::end(bool finished) {
  std::unique_lock lock(mutex_);
  for (std::size_t at = 0; at < joints_.size();) {
    TakenJoint& joint = *joints_[at];
    if (joint.end(finished)) {
      forget(joint);
    } else {
      ++at;
    }
  }
  left_.wait(lock, [this] { return joints_.empty(); });
}

}  // namespace detail

void Message::ack() {
  if (joint_) joint_->ack();
  fresh_ = false;
}

void Message::fail(std::string_view reason) {
  if (joint_) joint_->fail_by_hand(reason);
  if (std::exchange(fresh_, false)) failure_ = reason;
}

void Message::reset_timeout() {
  if (joint_) joint_->reset_timeout();
}

Message::operator bool() const { return joint_ ? joint_->in_hand() : fresh_; }

detail::MessageRef Message::ref() const { return joint_ ? detail::MessageRef(*joint_, 0) : given_; }

/// What is taken out of a call gets a share of its own.
void Message::take(Message& other) {
  given_ = std::exchange(other.given_, {});
  book_ = std::exchange(other.book_, nullptr);
  joint_ = std::exchange(other.joint_, nullptr);
  const bool fresh = std::exchange(other.fresh_, false);
  if (!fresh || !given_) return;
  joint_ = new detail::TakenJoint(given_, book_);
  given_ = {};
}

void Message::drop() {
  if (joint_) joint_->drop_handle();
  joint_ = nullptr;
}

}  // namespace millrace
