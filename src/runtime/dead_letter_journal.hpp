// DeadLetterJournal: keeps the dead letters of a run on disk, beside the path of the data.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "journal/journal.hpp"
#include "runtime/kept_letter.hpp"

namespace millrace::detail {

struct DeadLetterSettings {
  static constexpr std::uint64_t kBytesLeast = 1u << 20;
  std::string folder;                  ///< of the journal; empty: dead letters are not kept
  std::uint64_t bytes_max = 1u << 30;  ///< of a topology's letters; the oldest beyond go
};

/// A topic of a journal with one partition. A thread of its own appends what came in the last 100
/// ms as one batch and syncs once a second, so that no record waits for the disk, unless 16 MiB of
/// letters wait for it. A letter survives the end of the process 100 ms after it came, and a loss
/// of power a second after.
///
/// When the disk fails, the run goes on: letters are counted as lost, which the log says, and every
/// 5 s it is tried again.
class DeadLetterJournal {
 public:
  /// `env` outlives it.
  DeadLetterJournal(DeadLetterSettings settings, const std::string& topology, Env& env, Log log);
  ~DeadLetterJournal() { close(); }
  DeadLetterJournal(const DeadLetterJournal&) = delete;
  DeadLetterJournal& operator=(const DeadLetterJournal&) = delete;

  /// Once. Errors: 4002, also when another run keeps its letters there; 4001, 4004.
  Status open();
  /// Any thread. Waits only while there is no room.
  void add(KeptLetter letter);
  /// Writes and syncs all that was added. Nothing is added afterwards.
  void close();

  // Any thread.
  const DeadLetterSettings& settings() const { return settings_; }
  const std::string& topic() const { return topic_name_; }
  std::uint64_t kept() const;
  /// Those that the disk did not take.
  std::uint64_t lost() const;

 private:
  using Letters = std::vector<KeptLetter>;
  void write_on();
  bool may_write();
  void write(const Letters& letters);
  Status append(const Letters& letters);
  Status sync();
  void give_up(const Status& why, std::size_t letters);

  const DeadLetterSettings settings_;
  const std::string topic_name_;
  Env& env_;
  const Log log_;

  // The writer's own, from open() on.
  std::unique_ptr<Journal> journal_;  // null: the disk has failed
  PartitionLog* partition_ = nullptr;
  std::int64_t try_again_ns_ = 0;
  std::int64_t synced_ns_ = 0;
  bool dirty_ = false;  // not synced

  mutable std::mutex mutex_;
  std::condition_variable come_;
  std::condition_variable room_;
  Letters waiting_;  // guarded by mutex_, as all below
  std::size_t waiting_bytes_ = 0;
  std::uint64_t kept_ = 0;
  std::uint64_t lost_ = 0;
  bool over_ = false;
  std::thread writer_;  // last: it uses all of these
};

}  // namespace millrace::detail
