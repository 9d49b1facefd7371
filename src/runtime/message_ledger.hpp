// MessageLedger: the messages of one task of a source, from their emission until they are acked,
// or failed and played again.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "metrics/counter.hpp"
#include "metrics/histogram.hpp"
#include "metrics/report.hpp"
#include "operator/source.hpp"
#include "runtime/mailbox.hpp"
#include "runtime/message_range.hpp"
#include "topology/guarantee.hpp"

namespace millrace::detail {

/// The source's own thread, except where it says otherwise. Outlives every batch of the run.
///
/// tried = acked + failed + given up + pending + held + abandoned, where playing a message again
/// counts as a try.
class MessageLedger final : public RangeOwner {
 public:
  struct Settings {
    AckOptions acks;
    std::string source;
    std::uint32_t task = 0;
    std::uint32_t tasks = 1;
    std::vector<const BatchType*> ports;               ///< types of what it emits
    const std::vector<std::string>* stages = nullptr;  ///< names by stage id
    const Home* home = nullptr;                        ///< woken when there is something to settle
  };
  explicit MessageLedger(Settings settings);
  /// Nobody is woken any more. Before the threads of the run are gone.
  void detach() { home_.store(nullptr, std::memory_order_release); }

  /// Makes the records of `batch`, read from the source, messages of a new range.
  void open(BatchBase& batch, std::uint32_t port, const Source& source, std::int64_t now_ns);

  /// True when messages wait to be settled.
  bool has_mail() const { return mail_.has_mail(); }
  /// Settles what is done, tells the source what became of messages that it has named, and queues
  /// what is to be played again. What is given up becomes a dead letter, and is counted as refused.
  struct Settled {
    std::uint64_t given_up = 0;
  };
  Settled settle(Source& source, DeadLetters& letters, std::int64_t now_ns);
  /// From now on nothing is played again; what was to be becomes dead letters. How many.
  std::uint64_t stop_replays(DeadLetters& letters);

  /// Messages to be played again, as a batch with references; null: none. Give it back when it has
  /// been handed on.
  BatchPtr take_again(std::uint32_t& port, std::int64_t now_ns);
  void give_back(BatchPtr batch, std::uint32_t port);

  /// Nothing is on its way, or to be played again.
  bool quiet() const { return pending_.value() == 0 && again_.empty(); }
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
  int tries_max() const override { return settings_.acks.tries_max; }
  const std::string& source() const override { return settings_.source; }

 private:
  /// Messages of one port, partition and lap that wait to be played again.
  struct Again {
    std::uint32_t port;
    BatchPtr batch;
    MessageRange::Told told;
  };

  MessageRange& take_range();
  void begin(MessageRange& range, BatchBase& batch, std::uint32_t port, std::int64_t now_ns);
  void name(MessageRange& range, std::span<const std::optional<std::uint64_t>> names);
  BatchPtr copy_of(const BatchBase& batch, std::uint32_t port);
  std::uint32_t over_tasks(std::uint32_t partition) const {
    return partition * settings_.tasks + settings_.task;
  }
  BatchPtr take_spare(std::uint32_t port);
  void look_at(MessageRange& range, Source& source, DeadLetters& letters, Settled& settled,
               std::int64_t now_ns);
  void fail(MessageRange& range, const MessageRange::Failed& failed, Source& source);
  void set_aside(MessageRange& range, const MessageRange::Failed& failed, DeadLetters& letters);
  void queue_again(MessageRange& range, std::uint32_t index);
  void hold(MessageRange& range);
  void complete(MessageRange& range, Source& source, std::int64_t now_ns);
  void close(MessageRange& range);
  void drop_copy(MessageRange& range);
  std::size_t& busy(std::uint32_t partition);
  void leave(const MessageRange& range, std::uint32_t messages);

  Settings settings_;
  std::atomic<const Home*> home_;
  BasicMailbox<MessageRange*> mail_;
  bool replays_ = true;
  std::deque<MessageRange> ranges_;
  std::vector<MessageRange*> free_;
  mutable std::mutex open_mutex_;
  std::vector<MessageRange*> open_;           ///< in no order; changed under the lock
  std::vector<std::vector<BatchPtr>> spare_;  ///< by port
  std::deque<Again> again_;
  std::unordered_map<std::uint64_t, std::uint8_t> tries_of_;  ///< of named messages that failed
  std::vector<std::uint64_t> numbered_;                       ///< messages of each partition so far
  std::vector<std::size_t> busy_;  ///< by partition: ranges on their way, and again_
  Counter tried_, acked_, failed_, timed_out_, replayed_, given_up_, pending_, held_, abandoned_;
  Histogram latency_;  ///< from the opening of a range to its ack, nanoseconds
};

}  // namespace millrace::detail
