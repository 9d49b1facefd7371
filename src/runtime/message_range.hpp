// MessageRange: the messages that a source handed on at once, with one counter for all of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "record/batch.hpp"

namespace millrace::detail {

class MessageRange;

/// A message that has failed, or was given up.
struct FailedMessage {
  MessageRange* range;
  std::uint32_t index;
  std::string component;
  std::string reason;
  bool timed_out;
  bool given_up;  ///< it is not tried again
};

/// The ledger that a range belongs to, as the range sees it. Any thread.
class RangeOwner {
 public:
  /// Look at `range`: it has changed in a way that counts.
  virtual void notice(MessageRange& range) = 0;
  /// To be taken before the range is looked at.
  virtual void add_failure(FailedMessage failed) = 0;
  /// So many more shares of messages are in somebody's hands.
  virtual void hold_in_hand(std::int64_t by) = 0;
  /// How often a message is tried in all.
  virtual int tries_max() const = 0;
  /// What the source is called.
  virtual const std::string& source() const = 0;

 protected:
  ~RangeOwner() = default;
};

/// Lives in the pool of its ledger as long as the run, and is used again and again. A notice that
/// comes late meets it closed, or open for others: it is looked at once in vain. 128 bytes.
class MessageRange final : public Origin {
 public:
  explicit MessageRange(RangeOwner& owner) : owner_(owner) {}

  /// Where what is left of a message is: what of it moves comes first.
  enum class Stay : std::uint8_t { moving, in_hand, held };
  /// Of messages that are played again, or that their source has named; fixed while it is open.
  struct Details {
    std::vector<std::uint64_t> numbers;      ///< in the partition; empty: they follow each other
    std::vector<std::uint8_t> tries_before;  ///< empty: none
    std::vector<std::optional<std::uint64_t>> names;
  };

  // What only its ledger uses while it is open.
  bool open = false;
  Stay stay = Stay::moving;  ///< of the settled ones, while it moves
  bool moves = true;         ///< as its ledger knows
  std::uint32_t port = 0;
  std::uint32_t place = 0;    ///< in the ledger's list of open ones
  std::uint32_t fresh = 0;    ///< messages that have not failed, of those from fresh_from on
  std::uint32_t settled = 0;  ///< the same of those before, which stay in state or in hand
  std::uint32_t fresh_from = 0;
  std::uint32_t copy_from = 0;  ///< the first message in `copy`
  BatchPtr copy;                ///< to play messages again; null: nobody will
  std::unique_ptr<std::vector<std::uint32_t>> failed;  ///< null: none

  // What others may read who have a share.
  std::uint32_t messages = 0;
  std::uint32_t partition = 0;       ///< numbered over all tasks of the source
  std::uint64_t first_number = 0;    ///< in the partition
  std::int64_t opened_ns = 0;        ///< mean of its messages
  std::unique_ptr<Details> details;  ///< null: they are neither named nor played again

  /// Its ledger: so many records more are on their way.
  void begin(std::uint32_t records);
  /// Its ledger, before it looks: who changes it from now on tells.
  void look() { noticed_.store(false, std::memory_order_seq_cst); }
  /// Its ledger, when nobody has a share any more.
  void reset();

  // Any thread.
  bool was_abandoned() const { return abandoned_.load(std::memory_order_acquire); }
  std::uint32_t moving() const { return static_cast<std::uint32_t>(state()); }
  std::uint32_t held() const { return static_cast<std::uint32_t>(state() >> 32); }
  std::int64_t in_hand() const { return in_hand_.load(std::memory_order_acquire); }
  bool done() const { return state() == 0; }
  std::uint32_t last_seen_at() const { return seen_at_.load(std::memory_order_relaxed); }
  /// How often a message was tried before.
  int tries(std::uint32_t index) const {
    return details && index < details->tries_before.size() ? details->tries_before[index] : 0;
  }
  std::uint64_t number_of(std::uint32_t index) const {
    const bool odd = details && index < details->numbers.size();
    return odd ? details->numbers[index] : first_number + index;
  }

  void count(std::int64_t moving, std::int64_t held) override;
  bool fail(std::uint32_t index, const MessageFailure& failure) override;
  void give_up(std::uint32_t index, const MessageFailure& failure) override;
  void hold_in_hand(std::int64_t by) override;
  void abandon() override { abandoned_.store(true, std::memory_order_release); }
  std::string place_of(std::uint32_t index) const override;
  void seen_at(std::uint32_t stage) override { seen_at_.store(stage, std::memory_order_relaxed); }

 private:
  std::uint64_t state() const { return state_.load(std::memory_order_acquire); }
  void add_failure(std::uint32_t index, const MessageFailure& failure, bool given_up);
  void tell();

  RangeOwner& owner_;
  std::atomic<std::uint64_t> state_{0};   ///< held << 32 | moving
  std::atomic<std::int32_t> in_hand_{0};  ///< of those held
  std::atomic<std::uint32_t> seen_at_{0};
  std::atomic<bool> noticed_{false};  ///< the ledger knows, and has not looked yet
  std::atomic<bool> abandoned_{false};
};
static_assert(sizeof(MessageRange) == 128, "there is one for each small batch that windows hold");

}  // namespace millrace::detail
