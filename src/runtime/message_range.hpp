// MessageRange: the messages that a source handed on at once, with one counter for all of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "record/batch.hpp"

namespace millrace::detail {

class MessageRange;

/// The ledger that a range belongs to, as the range sees it.
class RangeOwner {
 public:
  /// Any thread: look at `range`; it has changed in a way that counts.
  virtual void notice(MessageRange& range) = 0;
  /// Any thread: how often a message is tried in all.
  virtual int tries_max() const = 0;
  /// Any thread: what the source is called.
  virtual const std::string& source() const = 0;

 protected:
  ~RangeOwner() = default;
};

/// Lives in the pool of its ledger as long as the run, and is used again and again. A notice that
/// comes late meets it closed, or open for others: it is looked at once in vain.
class MessageRange final : public Origin {
 public:
  explicit MessageRange(RangeOwner& owner) : owner_(owner) {}

  /// A message that has failed, or was given up.
  struct Failed {
    std::uint32_t index;
    std::string component;
    std::string reason;
    bool timed_out;
    bool given_up;  ///< it is not tried again
  };
  /// What only its ledger's thread uses while the range is open.
  struct Entry {
    bool open = false;
    std::size_t place = 0;   ///< in the ledger's list of open ones
    bool held = false;       ///< all that is left of it is in state
    std::uint32_t live = 0;  ///< messages that have not failed
    std::uint32_t port = 0;
    BatchPtr copy;                                    ///< to play messages again; null: nobody will
    std::vector<std::optional<std::uint64_t>> names;  ///< of a source that names its messages
    std::vector<std::uint32_t> failed;
  };
  Entry entry;

  /// What is fixed while it is open, for any thread that has a share; set by its ledger before.
  struct Told {
    std::uint32_t messages = 0;
    std::uint32_t partition = 0;             ///< numbered over all tasks of the source
    std::vector<std::uint64_t> numbers;      ///< in the partition; one: they follow each other
    std::vector<std::uint8_t> tries_before;  ///< empty: none
    std::int64_t opened_ns = 0;
    std::uint64_t number_of(std::uint32_t index) const {
      return numbers.size() == 1 ? numbers.front() + index : numbers[index];
    }
    int tries(std::uint32_t index) const {
      return index < tries_before.size() ? tries_before[index] : 0;
    }
  };
  Told told;

  /// Its ledger, before others know it: `records` are on their way.
  void begin(std::uint32_t records);
  std::vector<Failed> take_failures();
  /// Its ledger, before it looks: who changes it from now on tells.
  void look() { noticed_.store(false, std::memory_order_seq_cst); }
  bool was_abandoned() const { return abandoned_.load(std::memory_order_acquire); }

  // Any thread.
  std::uint32_t moving() const { return static_cast<std::uint32_t>(state()); }
  std::uint32_t held() const { return static_cast<std::uint32_t>(state() >> 32); }
  bool done() const { return state() == 0; }
  std::uint32_t last_seen_at() const { return seen_at_.load(std::memory_order_relaxed); }

  void count(std::int64_t moving, std::int64_t held) override;
  bool fail(std::uint32_t index, const MessageFailure& failure) override;
  void give_up(std::uint32_t index, const MessageFailure& failure) override;
  void abandon() override { abandoned_.store(true, std::memory_order_release); }
  std::string place_of(std::uint32_t index) const override;
  void seen_at(std::uint32_t stage) override { seen_at_.store(stage, std::memory_order_relaxed); }

 private:
  std::uint64_t state() const { return state_.load(std::memory_order_acquire); }
  void add_failure(std::uint32_t index, const MessageFailure& failure, bool given_up);
  void tell();

  RangeOwner& owner_;
  std::atomic<std::uint64_t> state_{0};  ///< held << 32 | moving
  std::atomic<bool> noticed_{false};     ///< the ledger knows, and has not looked yet
  std::atomic<bool> abandoned_{false};
  std::atomic<std::uint32_t> seen_at_{0};
  std::mutex mutex_;
  std::vector<Failed> failures_;  ///< that the ledger has not taken
};

}  // namespace millrace::detail
