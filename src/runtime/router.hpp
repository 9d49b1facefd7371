// Router: scatters a task's output over the receiving tasks by grouping, into one open batch per
// receiver.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "metrics/counter.hpp"
#include "metrics/heavy_hitters.hpp"
#include "record/batch.hpp"
#include "runtime/channel.hpp"
#include "runtime/picker.hpp"
#include "topology/topology_graph.hpp"

namespace millrace::detail {

/// The sending end of an edge in one task. That task's thread only.
///
/// A batch is sent when it is full by records or by bytes, when it pins kArenasMax arenas or
/// kPinnedBytesMax, or when the task runs out of input: so a quiet stream has the latency of one
/// hop and a busy one the throughput of big batches.
class Router {
 public:
  static constexpr std::size_t kArenasMax = 8;
  static constexpr std::size_t kPinnedBytesMax = 4u << 20;

  Router(const BatchType& type, const Grouping& grouping, std::vector<Channel*> channels,
         std::size_t batch_records_max, std::size_t batch_bytes_max, Counter& sent);

  /// `sender` is the context of the sending stage; before the first batch.
  void open(TaskContext& sender) {
    if (picker_) picker_->open(sender);
  }
  void push(BatchBase& batch, bool exclusive);
  /// Sends `watermark` behind everything pushed before.
  void advance(Time watermark, std::int64_t due_ns);
  /// Sends the barrier of `epoch` behind everything pushed before. Nothing comes behind the end,
  /// which says as much.
  void barrier(std::uint64_t epoch);
  /// Sends the end mark behind everything; nothing may follow.
  void end();
  /// Hands open batches and marks over to the rings.
  void flush_open();
  /// Pushes what did not fit before. True when nothing is left waiting.
  bool flush_waiting();
  /// Frees what only a busier time needs.
  void give_memory_back();
  bool blocked() const { return waiting_ > 0; }
  /// Records pushed so far. Any thread.
  std::uint64_t sent() const { return sent_.value(); }
  /// Keys of records that went to one of several tasks by key; any thread.
  const HeavyHitters& sampled_keys() const { return sampled_keys_; }

 private:
  struct Receiver {
    Channel* channel;
    BatchPtr open;
    std::deque<BatchPtr> waiting;  ///< sealed, but the ring was full
    std::vector<std::uint32_t> picks;
  };

  void scatter(BatchBase& batch);
  Receiver& shortest_queue();
  void append(Receiver& receiver, const BatchBase& batch);
  void append_whole(Receiver& receiver, BatchBase& batch, bool exclusive);
  void sample_key(const BatchBase& batch);
  BatchBase& open_of(Receiver& receiver);
  static bool would_pin_too_many(const BatchBase& open, const BatchBase& batch);
  BatchBase& open_for(Receiver& receiver, const BatchBase& batch);
  static void drop_hashes(BatchBase& batch);
  void account(Receiver& receiver, const BatchBase& batch, std::size_t records);
  bool must_seal(const BatchBase& batch) const;
  void seal(Receiver& receiver);

  const BatchType& type_;
  GroupingKind kind_;
  std::shared_ptr<const KeyHash> hash_;  ///< of groupings by key, else null
  std::vector<Receiver> receivers_;
  std::unique_ptr<Picker> picker_;  ///< null: whole batches are sent
  Picks picks_;                     ///< the lists of the receivers
  std::size_t batch_records_max_;
  std::size_t batch_bytes_max_;
  Counter& sent_;
  std::size_t waiting_ = 0;
  bool ended_ = false;
  std::size_t next_ = 0;  ///< of blocks: whose turn it is
  HeavyHitters sampled_keys_;
  std::size_t sampled_at_ = 0;
};

}  // namespace millrace::detail
