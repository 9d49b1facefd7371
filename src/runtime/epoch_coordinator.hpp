// EpochCoordinator: begins epochs, collects the images that tasks take, has them kept, and says
// when an epoch is complete.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/memory_meter.hpp"
#include "checkpoint/checkpoint.hpp"
#include "env/env.hpp"
#include "metrics/report.hpp"
#include "runtime/epoch_options.hpp"
#include "runtime/waker.hpp"

namespace millrace::detail {

/// What a task was at the barrier of an epoch, or when it was done.
struct TaskImage {
  std::uint64_t epoch = 0;  ///< of a last one: the first epoch that it belongs to
  std::vector<StageImage> stages = {};
  bool last = false;          ///< the task is done: it belongs to all later epochs as well
  bool input_ended = true;    ///< of a last one: its sources have read all there is
  std::int64_t stood_ns = 0;  ///< how long the task did nothing else to begin it
  Status status = {};         ///< not ok: the epoch does not complete
};

/// Tasks ask and tell, any thread; one driver calls look(). An epoch is complete when the images of
/// all tasks are kept: then sinks commit. At most one is under way. When all tasks are done there
/// is a final one.
class EpochCoordinator {
 public:
  /// `store` and `env` outlive it. `restored`: the epoch that the run goes on from; 0: none.
  EpochCoordinator(EpochStore& store, const EpochOptions& options, std::string topology, Env& env,
                   Log log, std::uint64_t restored);

  // Wiring, before anything runs.
  /// The number of a task; `commits`: it has sinks. `home` outlives the run.
  std::size_t add_task(const Home& home, bool commits);
  /// `memory` counts what waits to be written beyond 16 MB, and outlives this.
  void count_with(MemoryMeter& memory) { memory_ = &memory; }

  // Tasks.
  /// The newest epoch that was begun; a task without inputs takes its image when it sees it.
  std::uint64_t requested() const { return requested_.load(std::memory_order_seq_cst); }
  /// Of the newest epoch that was begun: what an image of `epoch` may hold the changes of. Whoever
  /// asks for one that was given up may get that of the one behind it: nobody reads such an image.
  ImageChain chain_of(std::uint64_t epoch) const {
    return {chains_ ? epoch : 0, base_.load(std::memory_order_seq_cst)};
  }
  /// The newest epoch that is complete.
  std::uint64_t complete() const { return complete_.load(std::memory_order_seq_cst); }
  /// What tasks keep by key goes to the next run in memory: see begin_last().
  bool hands_over() const { return hands_over_.load(std::memory_order_seq_cst); }
  /// The final epoch is complete.
  bool over() const { return over_.load(std::memory_order_seq_cst); }
  std::size_t image_slots() const { return options_.image_slots; }
  /// Pieces of the image that a task is taking, in order, before it is handed in: they are written
  /// as they come. Those of an epoch that is not under way any more are dropped.
  void hand_in_pieces(std::uint64_t epoch, std::vector<ImagePiece> pieces);
  /// So much waits to be written that tasks do not go on with their images; they are woken.
  bool is_full() const { return waiting_.load(std::memory_order_seq_cst) >= kWaitingBytesMax; }
  /// For each task that has one image an epoch, in the order of epochs, the last one behind.
  void hand_in(std::size_t task, TaskImage image);
  /// The sinks of a task have committed all that is complete.
  void committed(std::size_t task, std::uint64_t epoch);

  // The driver, one thread at a time.
  /// Begins an epoch, gives one up or has one kept, whatever is due at `now_ns`; the last is slow.
  /// True when something changed for the tasks.
  bool look(std::int64_t now_ns);
  /// Asks for an epoch at the next look, if none is under way.
  void begin_soon();
  /// When look() is due at the latest, steady nanoseconds; hand_in() may make it due earlier.
  std::int64_t due_ns() const;
  /// Something is under way or all tasks are done: look() is all that can help.
  bool busy() const;
  /// Sleeps until then, hand_in(), ask() or stop(). False: it was stopped.
  bool wait(std::int64_t now_ns);
  void stop();
  /// Too many epochs failed; nothing happens any more.
  Status failure() const;

  // Whoever ends the run to go on with another one, before the sources are told to rest.
  /// The next epoch to begin would hold changes alone.
  bool changes_come_next() const;
  /// The final epoch is the next one, so that last images may hold changes as well. False: one is
  /// under way; behind it none but the final one begins, so ask again.
  bool begin_last();
  /// Behind the final epoch, where begin_last() was true: the last images, as they are in it.
  EpochImage take_last();

  // Any thread.
  /// Asks for an epoch that begins at the next look, behind the one that is under way: its number.
  std::uint64_t ask();
  /// What became of an epoch that was asked for: ok when it is complete, else why it failed;
  /// nullopt: it is not over.
  std::optional<Status> outcome(std::uint64_t epoch) const;
  void fill(Report& report) const;

 private:
  struct Waiter {
    const Home* home;
    bool commits;
    std::optional<TaskImage> last;
    std::uint64_t committed = 0;
  };
  struct Open {
    std::uint64_t epoch = 0;
    std::int64_t began_ns = 0;
    std::vector<std::optional<TaskImage>> images = {};  ///< by task
    std::size_t left = 0;                               ///< tasks without one
    Status refused = {};
    CheckpointReport told = {};
    std::vector<ImagePiece> pieces = {};  ///< that wait to be written
  };
  /// Tasks write memory faster than a disk takes it.
  static constexpr std::uint64_t kWaitingBytesMax = 16u << 20;

  bool look_locked(std::unique_lock<std::mutex>& lock, std::int64_t now_ns);
  void begin(std::int64_t now_ns);
  void keep(std::unique_lock<std::mutex>& lock, std::int64_t now_ns);
  void write_pieces(std::unique_lock<std::mutex>& lock);
  static std::uint64_t counted(std::uint64_t waiting);
  void let_go_on(const std::vector<ImagePiece>& written);
  EpochImage assemble(bool& final_one);
  EpochImage new_image() const;
  void give_back(EpochImage& image);
  void completed(std::int64_t now_ns, bool final_one);
  void fail(Status why, std::int64_t now_ns);
  void note(CheckpointReport told);
  void plan_next(const Open& over, std::int64_t now_ns);
  std::int64_t due_ns_locked() const;
  void wake_all() const;

  EpochStore& store_;
  const EpochOptions options_;
  const std::string topology_;
  Env& env_;
  Log log_;
  const bool chains_;  ///< epochs may hold changes
  std::atomic<std::uint64_t> base_{0};
  std::uint32_t chain_length_ = 0;  ///< see CheckpointReport::chain; of the newest complete one
  std::atomic<std::uint64_t> requested_;
  std::atomic<std::uint64_t> complete_;
  std::atomic<bool> over_{false};
  std::atomic<bool> hands_over_{false};
  std::atomic<std::uint64_t> waiting_{0};  ///< bytes of the pieces that wait
  MemoryMeter* memory_ = nullptr;          ///< null: nobody counts them
  /// Of the epoch under way, once something is written. The driver's alone: the disk is slow.
  std::unique_ptr<EpochStream> stream_;

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  bool news_ = false;
  bool stopped_ = false;
  bool last_is_next_ = false;  ///< begin_last() was called
  std::vector<Waiter> tasks_;
  std::size_t running_ = 0;  ///< tasks without a last image
  std::optional<Open> open_;
  std::uint64_t next_base_;  ///< of the epoch that is not begun yet
  bool finished_ = false;    ///< the newest that was written says so
  /// When to begin the next; not known before the first look.
  std::optional<std::int64_t> next_ns_;
  std::int64_t gap_ns_;        ///< from the begin of one to that of the next
  std::uint64_t asked_ = 0;    ///< the newest epoch that somebody asked for
  std::int64_t retry_ns_ = 0;  ///< when the final one may be tried again
  int failures_ = 0;           ///< in a row
  Status failure_;
  std::int64_t completed_ns_ = 0;
  std::size_t uncommitted_ = 0;  ///< tasks that have not committed the newest complete one
  CheckpointsReport told_;
};

}  // namespace millrace::detail
