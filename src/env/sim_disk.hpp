// A simulated disk: what is not synced may be lost, reordered or torn; any call may fail.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "env/disk.hpp"
#include "env/random.hpp"

namespace millrace::detail {

/// What the disk does to its N-th call.
enum class DiskFault {
  none,
  io_error,   ///< EIO; of a write any part may be there, and a sync drops what it was to keep
  no_space,   ///< ENOSPC, after a part of a write; reads succeed
  power_cut,  ///< the machine stops in the middle of the call; all later calls fail
};

struct SimDiskFaults {
  DiskFault fault = DiskFault::none;
  std::uint64_t at_call = 0;  ///< the first call is 0
  bool sticky = false;        ///< every later call fails too
};

/// Files in memory, each as the system's cache has it and as the device has it. Any thread.
///
/// A write lives in the cache until its file is synced; at a loss of power each of its sectors of
/// 512 bytes survives or not, whatever the order, and of the changes of names in a folder the first
/// few survive. A failed sync leaves the cache as it is and calls it clean, as Linux does: the
/// next sync succeeds and writes nothing of it.
class SimDisk final : public Disk {
 public:
  explicit SimDisk(std::uint64_t seed) : random_(seed) {}

  Result<std::unique_ptr<DiskFile>> open(const std::string& path, DiskOpen how) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status make_folder(const std::string& path) override;
  Result<std::vector<std::string>> list_folder(const std::string& path) override;
  Status sync_folder(const std::string& path) override;
  bool exists(const std::string& path) override;
  Result<std::unique_ptr<DiskLock>> lock(const std::string& path) override;

  /// From the next call on, which is call 0.
  void set_faults(SimDiskFaults faults);
  /// Calls since set_faults().
  std::uint64_t calls() const;
  /// The power goes and comes back: the files are what the device held. Files opened before are
  /// of no more use, locks are free, faults are over.
  void lose_power();
  /// The process is killed: the cache stays, all else is as after lose_power().
  void kill();
  /// What a file holds now; for damaging it and for looking.
  std::string content(const std::string& path) const;
  void put(const std::string& path, std::string content);
  /// The paths of all files.
  std::vector<std::string> paths() const;

 private:
  friend class SimDiskFile;
  friend class SimDiskLock;
  struct Change {
    std::uint64_t position = 0;
    std::string bytes;
    bool truncates = false;  ///< to `position`
  };
  struct Node {
    std::string cache;
    std::string device;
    std::vector<Change> unsynced;
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;
  struct NameChange {
    std::string folder;
    std::vector<std::pair<std::string, std::shared_ptr<Node>>> now;  ///< null: gone
  };

  Status enter(const std::string& path, bool writing);
  Status write(Node& node, const std::string& path, std::uint64_t position, std::string_view bytes);
  Status sync(Node& node, const std::string& path);
  void apply(Node& node, Change change);
  void change_names(NameChange change);
  void settle(Node& node);
  void restart();

  mutable std::mutex mutex_;
  Random random_;  // guarded by mutex_, as all below
  Names names_;
  Names device_names_;
  std::deque<NameChange> unsynced_names_;
  std::set<std::string> folders_;
  std::set<std::string> locks_;
  SimDiskFaults faults_;
  std::uint64_t calls_ = 0;
  std::uint64_t life_ = 0;  // counts restarts: handles of an earlier life are dead
  bool power_is_off_ = false;
};

}  // namespace millrace::detail
