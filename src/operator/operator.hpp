// The face of `operator`: one step of the plan: a batch in, batches out; knows types and nothing of
// threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <span>
#include <string>

#include "base/memory_meter.hpp"
#include "base/time.hpp"
#include "env/env.hpp"
#include "operator/partition_watermarks.hpp"
#include "operator/source.hpp"
#include "operator/time_origin.hpp"
#include "record/batch.hpp"
#include "state/state_image.hpp"

namespace millrace::detail {

/// What happened to the records of a call. The operator adds, the runtime moves the sums into its
/// counters after each call: received = processed + filtered + late + dead_lettered + held.
struct Tally {
  std::uint64_t processed = 0;
  std::uint64_t filtered = 0;
  std::uint64_t late = 0;
  std::uint64_t dead_lettered = 0;
  /// Beside the identity: rows that a window could not make, which are dead letters too.
  std::uint64_t rows_refused = 0;
};

/// What an operator is given when it opens. Outlives it.
struct OperatorContext {
  Env* env = nullptr;
  Log log;
  DeadLetters* dead_letters = nullptr;
  Tally* tally = nullptr;
  std::uint32_t task = 0;
  std::uint32_t tasks = 1;
  std::size_t batch_records_max = 1024;
  std::size_t batch_bytes_max = 1u << 20;  ///< of the texts that an operator emits at once, about
  double speed = 0;                        ///< replay speed; 0: as fast as possible
  MemoryMeter* state = nullptr;            ///< counts keyed state, may refuse; null: nobody does
  MemoryMeter* arenas = nullptr;           ///< counts texts of emitted records; null: nobody does
  std::uint32_t component = 0;             ///< number of the component, for the arrivals it makes
  bool makes_arrivals = false;  ///< a reader behind breaks ties: rows made here need a place
  bool timed = false;           ///< the records of all inputs have event times
  Duration ack_timeout{0};      ///< of messages taken by hand; 0: messages are not tracked
  TaskContext* user = nullptr;  ///< what the component may know of its place
};

/// Where an operator's results go. Given by the runtime with each call, valid during it.
class Outputs {
 public:
  virtual ~Outputs() = default;
  /// Hands `batch` to every reader of output `port`. They may take its contents; afterwards the
  /// operator clears it and fills it anew. Cost: one virtual call a batch and reader.
  virtual void push(std::uint32_t port, BatchBase& batch) = 0;
  /// False for a port that nothing reads: what would go there is filtered out.
  virtual bool has_readers(std::uint32_t /*port*/) const { return true; }
  /// Forwards a watermark, unless it has; for operators that originate time or hold it back.
  virtual void advance_watermark(Time watermark) = 0;
};

/// In place of a due time: not by the clock.
constexpr std::int64_t kNeverDue = std::numeric_limits<std::int64_t>::max();

/// What an operator waits for the clock with.
struct Waiting {
  std::size_t records = 0;          ///< received but not yet tallied, because they are not due
  std::int64_t due_ns = kNeverDue;  ///< steady nanoseconds from which it wants release()
};

/// What a report says of an operator besides its counts.
struct Standing {
  Time newest_time = kTimeMin;            ///< let through so far; of operators that originate time
  std::span<const Time> partitions = {};  ///< watermark of each partition, of the same operators
  std::optional<Time> closes_at = {};     ///< the watermark at which the first open window fires;
                                          ///< kTimeMax: at the end of input
  std::span<const PartitionWatermarks::State> states = {};  ///< of each partition
  bool idle = false;  ///< all partitions that have not ended are idle
  /// What it keeps of records is of records with this event time or later; nullopt: it keeps none
  /// that messages should wait for.
  std::optional<Time> holds_from = {};
  std::span<const Time> newests = {};  ///< of each partition, its newest time
};

/// Of an operator that keeps records, `any` now, of that event time or later.
inline Standing holding(bool any, Time from) {
  Standing standing;
  if (any) standing.holds_from = from;
  return standing;
}

/// How what an operator emits is tied to the messages of what it was given.
enum class Anchoring {
  by_record,  ///< it gives each emitted record its message, and keeps no record beyond the call
  by_call,    ///< rows that it gives no message belong to all that a call was given or let go
};

/// One step of the plan. One instance a task; all calls by the task's thread.
class Operator {
 public:
  virtual ~Operator() = default;
  virtual void open(const OperatorContext& context) { context_ = &context; }
  /// Takes every record of `batch`. When `exclusive`, nobody else reads the batch and its contents
  /// may be moved from. No pointer into it may be kept. A copy of its records that is kept must let
  /// go of their messages (messages.release()), own them (own()), or be told of by
  /// Standing::holds_from.
  virtual void process(BatchBase& batch, bool exclusive, Outputs& out) = 0;
  /// The same for operators whose inputs differ: `input` is which of the declared ones the batch
  /// came over. The others override process() alone.
  virtual void process_input(std::uint32_t /*input*/, BatchBase& batch, bool exclusive,
                             Outputs& out) {
    process(batch, exclusive, out);
  }
  /// A barrier has come, and goes on behind what is emitted now: hands on what need not be kept.
  virtual void before_barrier(Outputs&) {}
  /// Adds what it keeps beyond a call to the image of an epoch. Behind before_barrier().
  virtual void save_state(StateWriter&) {}
  /// Takes what it owns of an image of its component. Once, between open() and the first call.
  virtual void restore_state(StateReader&) {}
  /// The component's tick interval has passed.
  virtual void tick(Outputs&) {}
  /// Called once at every orderly end, also when another component failed.
  virtual void close() {}
  /// All inputs have ended, also after a stop: nothing is given to it any more.
  virtual void ended() {}
  /// The least watermark over all inputs rose; kTimeMax at the end of input. The runtime forwards
  /// it afterwards.
  virtual void advance(Time, Outputs&) {}
  /// The watermark to forward behind advance(watermark); earlier where rows of earlier times are
  /// still to come. Never goes back; kTimeMax for kTimeMax, unless it calls the outside and tells
  /// that itself when the last reply has come.
  virtual Time forwarded(Time watermark) const { return watermark; }
  /// Not null for an operator that makes watermarks itself instead of forwarding those of its
  /// inputs: what it is told of the source in its chain.
  virtual TimeOrigin* time_origin() { return nullptr; }
  /// How it stands now; asked for after each call, so O(1). Valid until the next call.
  virtual Standing standing() const { return {}; }
  /// Fixed. Where messages are tracked.
  virtual Anchoring anchoring() const { return Anchoring::by_call; }
  /// The newest event time of a batch it is given, to compare with Standing::holds_from; kTimeMin:
  /// its records have none.
  virtual Time newest_of(const BatchBase& batch) const {
    return batch.has_times() ? *std::max_element(batch.times.begin(), batch.times.end()) : kTimeMin;
  }
  /// What it waits for the clock with: records or timers. Asked for after each call, so O(1).
  virtual Waiting waiting() const { return {}; }
  /// `now_ns` has reached waiting().due_ns: lets go of what is due. Or the sources were stopped,
  /// `drain`: lets go of all records that it holds; those that wait for no clock only when all
  /// inputs have ended. Not called any more then; nor, in a run with epochs, for what images hold.
  virtual void release(std::int64_t /*now_ns*/, bool /*drain*/, Outputs&) {}

 protected:
  const OperatorContext& context() const { return *context_; }
  Tally& tally() { return *context_->tally; }

 private:
  const OperatorContext* context_ = nullptr;
};

/// The text of the exception being handled.
inline std::string current_exception_text() {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception that is not a std::exception";
  }
}

/// Calls body(i) for i in [begin, end); a record whose body throws is undone by undo(i) and has
/// failed, see DeadLetters::fail(), and the loop goes on behind it. The only place
/// that sets records aside for what user code throws, but for calls to the outside; MemoryRefused
/// passes.
///
/// Returns the number of records that failed. Cost when nothing throws: none.
template <class Body, class Undo>
std::size_t guarded_loop(std::size_t begin, std::size_t end, const BatchBase& batch,
                         const BatchType& type, DeadLetters& dead_letters, Body&& body,
                         Undo&& undo) {
  std::size_t failed = 0;
  std::size_t at = begin;
  while (at < end) {
    try {
      for (; at < end; ++at) body(at);
    } catch (const MemoryRefused&) {
      throw;  // the run's trouble, not this record's
    } catch (...) {
      undo(at);
      dead_letters.fail(current_exception_text(), batch, at, type);
      ++failed;
      ++at;
    }
  }
  return failed;
}

/// Copies what describes a batch as a whole (not its records) from an operator's input to its
/// output.
inline void carry_marks(const BatchBase& from, BatchBase& to) {
  to.due_ns = from.due_ns;
  to.partition = from.partition;
  to.offset = from.offset;
  to.lap = from.lap;
  to.hashed_by = from.hashed_by;
}

}  // namespace millrace::detail
