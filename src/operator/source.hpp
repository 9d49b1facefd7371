// Source and Sink: the two interfaces through which the runtime meets connectors.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "base/memory_meter.hpp"
#include "base/status.hpp"
#include "env/env.hpp"
#include "operator/partition_gate.hpp"
#include "operator/replay_range.hpp"
#include "record/batch.hpp"

namespace millrace {
class TaskContext;
}

namespace millrace::detail {

/// Where records go that could not be parsed or whose processing threw: counted per component, the
/// last ones kept. Called by the task's own thread.
class DeadLetters {
 public:
  virtual ~DeadLetters() = default;
  /// `where` is "file:line", "file: byte 123" or ""; `record` is the record's text (its start is
  /// enough).
  virtual void add(std::string_view reason, std::string_view where, std::string_view record) = 0;
  /// User code failed at record `index` of `batch`: its message is played again, or else the record
  /// is a dead letter.
  virtual void fail(std::string_view reason, const BatchBase& batch, std::size_t index,
                    const BatchType& type) {
    add(reason, "", type.describe(batch, index));
  }
};

/// What a source or sink is given when it opens. Outlives it.
struct EndContext {
  Env* env = nullptr;
  Log log;
  DeadLetters* dead_letters = nullptr;
  std::uint32_t task = 0;   ///< index of this task, 0-based
  std::uint32_t tasks = 1;  ///< number of tasks of the component
  std::size_t batch_records_max = 1024;
  /// A source ends a batch when its records have about so many bytes; a single one may have more.
  std::size_t batch_bytes_max = 1u << 20;
  std::size_t line_bytes_max = 16u << 20;  ///< longer lines become dead letters
  TaskContext* user = nullptr;             ///< what the component may know of its place
  MemoryMeter* arenas = nullptr;           ///< for the arenas it makes; null: nobody counts them
  bool epochs = false;                     ///< the run makes epochs; see Sink::prepare()
  PartitionGate* gate = nullptr;           ///< of a source; a null one is always open
  /// Of a source: what of its input the run wants, in place of what it was made with.
  ReplayRange range = {};
};

/// Where reading of a partition goes on.
struct SourcePosition {
  std::string partition;  ///< its name, the same in every run: a file's path, "topic/3"
  std::string bytes;      ///< as its kind of source spells it
};

enum class Poll {
  ready,  ///< the batch holds records (maybe none survived parsing); more may follow at once
  idle,   ///< nothing now in any partition; ask again later
  partition_idle,   ///< nothing now in partition `batch.partition`; others may have something
  partition_ended,  ///< like ready, and partition `batch.partition` has no more records
  ended,            ///< like ready, and no partition of this task has more records
};

/// Reads partitions and fills batches. Made once per task; all calls by the task's thread.
class Source {
 public:
  virtual ~Source() = default;
  virtual Status open(const EndContext& context) = 0;
  /// Called before the first poll(), and when polling goes on after deactivate().
  virtual void activate() {}
  /// No poll() comes before the next activate(); also called before close().
  virtual void deactivate() {}
  /// Number of partitions this task reads (batch.partition is 0-based below it). Valid after
  /// open().
  virtual std::uint32_t partitions() const { return 1; }
  /// What people call partition `partition`: a file's path, say. Empty: its number will do. Valid
  /// after open().
  virtual std::string partition_name(std::uint32_t /*partition*/) const { return {}; }
  /// The stream whose records the next poll() appends: a source of several has one batch of each.
  virtual std::uint32_t port() const { return 0; }
  /// Appends at most batch_records_max records of ONE partition to the cleared `batch` (of the type
  /// that port() was declared with) and sets partition, offset, lap and arenas; may set
  /// batch.watermark: no record of the partition with an earlier time follows. Must not block
  /// longer than a disk read. Dead letters it adds are not part of the batch. Errors: 4001, 4004:
  /// the topology stops with them.
  virtual Result<Poll> poll(BatchBase& batch) = 0;
  /// Records met so far, dead letters included. The runtime counts them as the source's input.
  virtual std::uint64_t records_read() const = 0;
  /// Where messages are tracked. True: it names its messages and plays failed ones again itself.
  /// False: the engine keeps copies and does it.
  virtual bool names_messages() const { return false; }
  /// The names of the records of the last poll(), of those that have one.
  virtual std::span<const std::optional<std::uint64_t>> message_names() const { return {}; }
  /// True: it reads EndContext::range and nothing else. False: who takes the event times of its
  /// records passes over the others.
  virtual bool reads_range() const { return false; }
  /// True: its next poll() looks at EndContext::batch_records_max anew, for what has room.
  virtual bool fits_room() const { return false; }
  /// What became of a message, by its name.
  virtual void acked(std::uint64_t /*name*/) {}
  virtual void failed(std::uint64_t /*name*/) {}
  /// True: what it has given it can give again, from any position that it named. Valid after
  /// open().
  virtual bool replayable() const { return false; }
  /// Where each partition of this task stands: what the last poll() gave lies before it. Between
  /// polls, where replayable().
  virtual void save_positions(std::vector<SourcePosition>& /*to*/) const {}
  /// Goes on from `positions`, those of all tasks of the component; a partition of its own that is
  /// not among them begins anew. Between open() and the first poll(). Errors: 4001 where one of
  /// them is not there any more.
  virtual Status resume(std::span<const SourcePosition> /*positions*/) { return {}; }
  /// Called once at every orderly end.
  virtual void close() {}
};

/// Takes batches at the end of a stream. Made once per task; all calls by the task's thread.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Status open(const EndContext& context) = 0;
  /// Takes every record of `batch`. Errors: 4002 fails the topology; 4005 ends it quietly with
  /// success.
  virtual Status write(const BatchBase& batch) = 0;
  /// Called when no input is waiting, and before close(): what was written should become visible.
  virtual Status flush() { return {}; }
  /// Any thread, between open() and close(): the run is to end, so a write that waits for somebody
  /// else should give up with 4002.
  virtual void give_up() {}
  virtual Status close() { return {}; }

  /// True: where a run makes epochs, nothing it writes can be seen before commit() of its epoch.
  virtual bool transactional() const { return false; }
  /// All that was written since the last call belongs to `epoch` (> 0, ascending): makes it
  /// durable, still unseen. Returns what commit() and recover() need of it, also in another
  /// process; empty: nothing was written. Errors: 4002 fails the topology.
  virtual Result<std::string> prepare(std::uint64_t /*epoch*/) { return std::string(); }
  /// The epoch is complete: what was prepared for it is to be seen. Repeatable.
  virtual Status commit(std::uint64_t /*epoch*/, std::string_view /*prepared*/) { return {}; }
  /// The run goes on behind an epoch, or begins (no `prepared`): commits what the tasks of the
  /// component prepared for that, and takes back all else that earlier runs left open. Given to
  /// task 0, all of it. Between open() of all tasks and the first write().
  virtual Status recover(std::span<const std::string> /*prepared*/) { return {}; }
};

}  // namespace millrace::detail
