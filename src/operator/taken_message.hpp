// Message: what a bolt that acks by hand takes with a record, and the book of those that it holds.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "record/message_refs.hpp"

namespace millrace {

namespace detail {

class TakenBook;

/// A message in somebody's hands. Lies on the heap as long as the handle, or records made of it,
/// are there. All calls by any thread.
class TakenJoint final : public Origin {
 public:
  /// The caller has a share in `message` during the call.
  TakenJoint(MessageRef message, std::shared_ptr<TakenBook> book);

  /// By its handle.
  void ack();
  void fail_by_hand(std::string_view reason);
  void reset_timeout();
  bool in_hand() const;
  void drop_handle();

  // By its book, which holds its own lock.
  /// One look more at which nothing had happened to it: how many so far.
  int look();
  /// False: as end().
  bool time_out(std::string_view reason);
  /// The run ends; `finished`: it may not be lost without a word. False: another thread is about to
  /// ack or fail it.
  bool end(bool finished);

  void count(std::int64_t moving, std::int64_t held) override;
  void hold_in_hand(std::int64_t by) override;
  bool fail(std::uint32_t index, const MessageFailure& failure) override;
  void give_up(std::uint32_t index, const MessageFailure& failure) override;
  void abandon() override;
  std::string place_of(std::uint32_t index) const override;

 private:
  ~TakenJoint() = default;
  template <class Change>
  void change(Change&& change);
  template <class Use>
  void with_message(Use&& use) const;
  bool claim();
  void leave(bool goes_on);
  void give_back(std::string_view reason, bool timed_out);

  friend class TakenBook;
  const MessageRef message_;
  const std::shared_ptr<TakenBook> book_;
  std::size_t place_ = 0;  ///< in the book; the book's own
  mutable std::mutex mutex_;
  std::int64_t moving_ = 0;
  std::int64_t held_ = 0;
  bool in_hand_ = true;     ///< neither acked nor failed
  bool claimed_ = false;    ///< somebody is about to end that
  bool handle_ = true;      ///< a handle points here
  bool let_go_ = false;     ///< it has no share in the message any more
  std::int64_t hands_ = 0;  ///< of others, that hold what was made of it
  bool stirred_ = true;     ///< something happened since the last look
  int silent_ = 0;          ///< looks in a row at which nothing had
};

/// The messages that one task of a bolt holds. By any thread, except where it says otherwise.
class TakenBook : public std::enable_shared_from_this<TakenBook> {
 public:
  /// A message times out at the look that is the `kLooks`-th in a row to find nothing.
  static constexpr int kLooks = 4;

  explicit TakenBook(std::string component) : component_(std::move(component)) {}

  const std::string& component() const { return component_; }
  std::size_t size() const;
  /// The bolt's own thread, every quarter of the time-out. How many timed out.
  std::size_t look(std::string_view reason);
  /// The bolt's own thread: nothing is held any more, see TakenJoint::end(). Waits for threads that
  /// are about to ack or fail.
  void end(bool finished);

 private:
  friend class TakenJoint;
  void add(TakenJoint& joint);
  void remove(TakenJoint& joint);
  void forget(TakenJoint& joint);

  const std::string component_;
  mutable std::mutex mutex_;
  std::condition_variable left_;
  std::vector<TakenJoint*> joints_;
};

}  // namespace detail

/// The message of a record, as process() of an AckingBolt is given it. Left alone it is acked when
/// process() returns; taken (moved from) it is the taker's to ack or fail, in a later call or in
/// another thread. Destroyed before, it fails.
///
/// A message is one of its source's: with several records made of it, each has a share, and it is
/// acked when all are. One thread at a time. In a run that tracks nothing all of it does nothing.
class Message {
 public:
  Message() = default;
  Message(Message&& other) noexcept { take(other); }
  Message& operator=(Message&& other) noexcept {
    if (this == &other) return *this;
    drop();
    take(other);
    return *this;
  }
  ~Message() { drop(); }

  /// It is handled. Nothing, where it has been acked or failed, or has timed out.
  void ack();
  /// It is played again, or at the last try becomes a dead letter of its source. In the call that
  /// was given it and before it is taken: as if process() had thrown this text.
  void fail(std::string_view reason = "failed by hand");
  /// The time-out begins anew.
  void reset_timeout();
  /// True while it can be acked or failed.
  explicit operator bool() const;

  // Internal.
  Message(detail::MessageRef given, std::shared_ptr<detail::TakenBook> book)
      : given_(given), book_(std::move(book)), fresh_(true) {}
  detail::MessageRef ref() const;
  /// Why it failed in the call that was given it; empty: it did not.
  const std::string& failure() const { return failure_; }
  /// The call is over: it was not taken.
  void leave() { fresh_ = false; }

 private:
  void take(Message& other);
  void drop();

  detail::MessageRef given_;                 ///< until it is taken
  std::shared_ptr<detail::TakenBook> book_;  ///< the same; null: nothing is tracked
  detail::TakenJoint* joint_ = nullptr;      ///< from then on
  bool fresh_ = false;  ///< of the call that runs, and neither acked nor failed
  std::string failure_;
};

}  // namespace millrace
