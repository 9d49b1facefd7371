// MessageLedger: the messages of one task of a source, from their emission until they are acked,
// or failed and played again.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "metrics/counter.hpp"
#include "metrics/histogram.hpp"
#include "metrics/report.hpp"
#include "operator/operator.hpp"
#include "runtime/mailbox.hpp"
#include "runtime/message_range.hpp"
#include "topology/guarantee.hpp"

namespace millrace::detail {

/// The source's own thread, except where it says otherwise. Outlives every batch of the run.
///
/// tried = acked + failed + given up + pending + in hand + held + abandoned, where playing a
/// message again counts as a try.
class MessageLedger final : public RangeOwner {
 public:
  struct Settings {
    AckOptions acks;
    std::string source;
    std::uint32_t task = 0;
    std::uint32_t tasks = 1;
    std::size_t pending_max = 0;                       ///< 0: no bound
    std::vector<const BatchType*> ports;               ///< types of what it emits
    const std::vector<std::string>* stages = nullptr;  ///< names by stage id
    const Home* home = nullptr;                        ///< woken when there is something to settle
  };
  explicit MessageLedger(Settings settings);
  /// Nobody is woken any more. Before the threads of the run are gone.
  void detach() { home_.store(nullptr, std::memory_order_release); }

  /// Makes the records of `batch`, read from the source, messages: of a new range, or of the last
  /// one, if that is young and windows hold all of it.
  void open(BatchBase& batch, std::uint32_t port, const Source& source, std::int64_t now_ns);

  /// True when messages wait to be settled.
  bool has_mail() const { return mail_.has_mail(); }
  struct Settled {
    std::uint64_t acked = 0;
    std::uint64_t failed = 0;  ///< to be played again: of a source that names them, by itself
    std::uint64_t given_up = 0;
    std::int64_t longest_ns = 0;  ///< of those acked
  };
  /// Settles what is done, tells the source what became of messages that it has named, and queues
  /// what is to be played again. What is given up becomes a dead letter.
  Settled settle(Source& source, DeadLetters& letters, std::int64_t now_ns);
  /// From now on nothing is played again; what was to be becomes dead letters. How many.
  std::uint64_t stop_replays(DeadLetters& letters);
  /// The source is not asked any more: what fails from now on has had its last try.
  void begin_last_tries() { last_tries_.store(true, std::memory_order_relaxed); }

  /// When the first message is to be played again, steady nanoseconds; kNeverDue: none is.
  std::int64_t again_due_ns() const {
    return again_.empty() ? kNeverDue : again_.begin()->first[0];
  }
  /// Messages that are due to be played again, as a batch with references; null: none. Give it back
  /// when it has been handed on.
  BatchPtr take_again(std::uint32_t& port, std::int64_t now_ns);
  void give_back(BatchPtr batch, std::uint32_t port);

  /// Frees what only a busier time needs.
  void give_memory_back() {
    for (auto& spare : spare_) spare.clear();
  }

  /// Nothing is on its way, or to be played again; what bolts have in hand is no longer on its way.
  bool quiet() const { return moving_ranges_ == 0 && again_.empty(); }
  /// The same of one partition of this task.
  bool quiet(std::uint32_t partition) const {
    return partition >= busy_.size() || busy_[partition] == 0;
  }
  /// Nothing is left of any message.
  bool settled() const { return open_.empty() && again_.empty(); }
  /// How many messages more may be on their way, at most `most`.
  std::size_t room(std::size_t most) const;

  // Any thread.
  void fill(AckReport& report, Histogram::Buckets& latency, std::int64_t now_ns) const;
  void notice(MessageRange& range) override;
  void add_failure(FailedMessage failed) override;
  void hold_in_hand(std::int64_t by) override { hands_.fetch_add(by, std::memory_order_relaxed); }
  int tries_max() const override {
    return last_tries_.load(std::memory_order_relaxed) ? 1 : settings_.acks.tries_max;
  }
  const std::string& source() const override { return settings_.source; }

 private:
  using Stay = MessageRange::Stay;
  /// Messages that wait to be played again at about the same time.
  struct Again {
    BatchPtr batch;
    std::unique_ptr<MessageRange::Details> details;
  };
  /// When, steady nanoseconds, and what a batch cannot mix: port, partition, lap; and a number.
  using AgainKey = std::array<std::int64_t, 5>;
  /// A range as it was when it was looked at.
  struct Look {
    MessageRange* range;
    bool moves;
    bool in_hand;
    bool done;
  };
  /// Whom a settling talks to.
  struct Talk {
    Source& source;
    DeadLetters& letters;
    Settled& settled;
    std::int64_t now_ns;
  };

  // Opening.
  MessageRange& take_range(const BatchBase& batch, std::uint32_t port);
  MessageRange* range_to_extend(const BatchBase& batch, std::uint32_t port, std::int64_t now_ns);
  void begin(MessageRange& range, BatchBase& batch, std::int64_t now_ns);
  void name(MessageRange& range, std::span<const std::optional<std::uint64_t>> names);
  void add_copy(MessageRange& range, const BatchBase& batch);
  BatchPtr take_spare(std::uint32_t port);
  std::uint64_t take_numbers(std::uint32_t partition, std::uint32_t messages);

  // Settling.
  void fail(const FailedMessage& failed, const Talk& talk);
  bool may_play_again(const FailedMessage& failed, const Talk& talk) const;
  void set_aside(const FailedMessage& failed, const Talk& talk);
  void queue_again(MessageRange& range, std::uint32_t index, std::int64_t now_ns);
  std::int64_t due_after(int tries, std::int64_t now_ns) const;
  void stay(MessageRange& range, Stay where);
  void complete(MessageRange& range, const Talk& talk);
  void tell_acked(const MessageRange& range, const Talk& talk);
  void close(MessageRange& range);
  void drop_copy(MessageRange& range);
  void start_moving(MessageRange& range);
  void stop_moving(MessageRange& range);
  std::uint32_t local(const MessageRange& range) const { return range.partition / settings_.tasks; }
  std::size_t& busy(std::uint32_t partition);
  Counter& counter_of(Stay stay) {
    const std::array counters = {&pending_, &in_hand_, &held_};
    return *counters[static_cast<std::size_t>(stay)];
  }

  Settings settings_;
  std::atomic<const Home*> home_;
  BasicMailbox<MessageRange*> mail_;
  std::mutex failures_mutex_;
  std::vector<FailedMessage> failures_;  ///< not settled yet
  std::atomic<bool> has_failures_{false};
  bool replays_ = true;
  std::atomic<bool> last_tries_{false};
  std::deque<MessageRange> ranges_;
  std::vector<MessageRange*> free_;
  mutable std::mutex open_mutex_;
  std::vector<MessageRange*> open_;  ///< in no order; changed under the lock
  std::vector<Look> looks_;
  MessageRange* last_ = nullptr;              ///< opened last, if it may be extended
  std::vector<std::vector<BatchPtr>> spare_;  ///< by port
  std::map<AgainKey, Again> again_;
  std::unordered_map<std::uint64_t, std::uint8_t> tries_of_;  ///< of named messages that failed
  std::vector<std::uint64_t> numbered_;                       ///< messages of each partition so far
  std::vector<std::size_t> busy_;  ///< by partition: ranges on their way, and again_
  std::size_t moving_ranges_ = 0;
  std::atomic<std::int64_t> hands_{0};  ///< shares of messages that bolts have in hand
  Counter tried_, acked_, failed_, timed_out_, replayed_, given_up_;
  Counter pending_, in_hand_, held_, abandoned_;
  Histogram latency_;  ///< from handing on to the ack, nanoseconds
};

}  // namespace millrace::detail
