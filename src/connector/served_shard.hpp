// ServedShard: the rows that one task keeps of a table that is asked while it runs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory_meter.hpp"
#include "base/time.hpp"
#include "record/ordered_key.hpp"
#include "record/schema.hpp"
#include "state/state_image.hpp"

namespace millrace::detail {

/// What the rows of a table are. A key is its parts as an OrderedKey; of windows the bounds of the
/// window stand behind them, so that the windows of a key lie in the order of their starts.
struct ServedShape {
  std::vector<KeyPart> key;
  std::vector<ColumnInfo> columns;
  bool windowed = false;
  /// Rows whose window ended, or whose record's event time was, longer before the watermark are no
  /// longer there; 0: they stay.
  Duration keep{0};
  bool sessions = false;  ///< a window's row replaces those of its key within its bounds
};

/// Bytes that the bounds of a window take behind the parts of a key.
inline constexpr std::size_t kWindowKeyBytes = 18;

void append_window(std::string& key, Time start, Time end);
/// Of a key of windows.
Time window_start_of(std::string_view key);
Time window_end_of(std::string_view key);

/// Keys in [from, until); an empty `until`: to the end.
struct KeyRange {
  std::string from = {};
  std::string until = {};
};

/// Which rows are asked for.
struct ServedQuestion {
  std::vector<KeyRange> ranges = {};       ///< ascending, apart
  std::optional<Time> windows_from = {};   ///< windows that begin then or later
  std::optional<Time> windows_until = {};  ///< and before that
  std::string after = {};                  ///< rows of greater keys alone
  std::size_t limit = 100;
};

struct ServedRow {
  std::string key;
  std::string values;  ///< packed
};

/// What a shard says, of one moment.
struct ServedPart {
  std::vector<ServedRow> rows = {};  ///< by ascending key
  /// It was looked through up to this key alone, for the page is full or the time is up; nullopt:
  /// to the end.
  std::optional<std::string> looked_to = {};
  Time watermark = kTimeMin;
};

/// Ordered rows of a task. The task's thread puts and removes, a batch under one lock; others ask
/// between batches, and hold the lock while they look at kLookMost rows at most.
///
/// A row that is taken back (-U, a window's retracted row) stays until its successor comes, so that
/// nobody sees half an update; what has no successor goes when the watermark rises.
///
/// Cost: a look-up in a balanced tree a record. Memory: key, values and 150 bytes a row, counted in
/// blocks.
class ServedShard {
 public:
  static constexpr std::size_t kLookMost = 4096;       ///< rows looked at in one question
  static constexpr std::size_t kBytesMost = 1u << 20;  ///< of the rows given for one

  /// `meter` outlives what it counts, see stop_counting(); null: nobody counts.
  ServedShard(const ServedShape& shape, MemoryMeter* meter) : shape_(shape), meter_(meter) {}
  ~ServedShard() { stop_counting(); }
  ServedShard(const ServedShard&) = delete;
  ServedShard& operator=(const ServedShard&) = delete;

  // The task's thread.
  std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }
  // Under the lock.
  /// Throws MemoryRefused, with the row as it was.
  void put(const std::string& key, const std::string& values, Time time);
  /// Its successor follows, or it goes with the first watermark > `last`.
  void take_back(const std::string& key, Time last);
  void erase(const std::string& key);
  /// No record before `watermark` follows. Also removes some of the rows that are over.
  void reached(Time watermark);
  /// Rows that were taken back and have no successor go, where none can follow before `watermark`.
  void settle(Time watermark);
  /// Removes those that are over among the next `rows`.
  void sweep(std::size_t rows);
  void stop_counting();

  // The task's thread, without the lock: nobody else writes.
  /// The rows of now, written while others come.
  void save(StateWriter& writer);
  /// Into an empty one, before it is asked.
  void restore(StateReader& reader);

  // Any thread.
  ServedPart look(const ServedQuestion& question) const;
  std::uint64_t rows() const { return size_.load(std::memory_order_relaxed); }
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  Time watermark() const { return watermark_.load(std::memory_order_relaxed); }

 private:
  struct Row {
    std::string values;
    Time time = kTimeMin;
    std::uint32_t image = 0;  ///< the newest image that has it; of the task's thread
  };
  using Rows = std::map<std::string, Row, std::less<>>;
  class Image;

  bool is_over(std::string_view key, const Row& row) const;
  std::size_t cut(std::string_view key) const;
  void end_predecessors(const std::string& key);
  void remove(Rows::iterator at);
  void save_before_change(Rows::iterator at);
  void grow(std::size_t bytes);
  void shrink(std::size_t bytes);
  class Looking;

  const ServedShape shape_;
  MemoryMeter* meter_;
  mutable std::mutex mutex_;  // guards rows_ against who looks
  Rows rows_;
  /// Taken back, and no successor so far; with the watermark up to which it may come.
  std::map<std::string, Time, std::less<>> leaving_;
  std::string swept_to_;
  Time over_before_ = kTimeMin;  ///< the watermark that rows are kept by: no end of input
  std::uint64_t counted_ = 0;    ///< of bytes_, those that the meter was told of
  std::atomic<std::uint64_t> size_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<Time> watermark_{kTimeMin};
  Image* image_ = nullptr;  ///< that is being written; it tells of its end
  std::uint32_t images_ = 0;
};

}  // namespace millrace::detail
