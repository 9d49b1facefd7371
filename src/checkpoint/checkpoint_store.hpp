// CheckpointStore: the complete epochs of a topology in a state folder, one file each.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/checkpoint_image.hpp"
#include "env/disk.hpp"

namespace millrace::detail {

class CheckpointStream;

/// A checkpoint's file.
struct CheckpointFileName {
  std::uint64_t epoch = 0;
  std::string path;
};

/// Its name in its folder.
std::string checkpoint_name(std::uint64_t epoch);

struct CheckpointStoreOptions {
  std::uint32_t keep = 3;  ///< complete epochs that stay, at least 1, with those they change
  /// An epoch whose file is smaller is followed by a whole one.
  std::uint64_t base_bytes_min = 1u << 20;
  /// Epochs of changes that are together so large a part of the whole one that they begin from are
  /// followed by a whole one.
  std::uint64_t changes_percent_max = 50;
  std::string holder = {};  ///< who works with the folder, for whoever is refused: "process 12"
  CheckpointAccess access = {};
  Log log = {};
};

/// A state folder, as docs/formats/checkpoint.md says. One process at a time: a lock says so. All
/// calls by one thread at a time.
class CheckpointStore final : public EpochStore {
 public:
  /// Makes the folder when it is not there, takes its lock and removes what a write that did not
  /// end has left. Errors: 3005 another process has it; 4001, 4002 it is no folder or cannot be
  /// written.
  static Result<std::unique_ptr<CheckpointStore>> open(Disk& disk, std::string folder,
                                                       CheckpointStoreOptions options);

  /// The last epoch that this has written, unless a whole one is due: behind eight of changes, or
  /// as the options say.
  std::optional<std::uint64_t> base() const override;
  /// When its end() is ok, older ones beyond `keep` are removed. A failure to remove is logged and
  /// no failure.
  std::unique_ptr<EpochStream> begin(std::uint64_t epoch) override;
  /// The same of an epoch that is whole already.
  Status write(const EpochImage& image) { return begin(image.epoch)->end(image); }
  /// The newest epoch of which all files are whole; each newer one that is damaged is logged with
  /// file and offset. Errors: 3003 none is whole, or the newest is of a later version; 4001.
  Result<std::optional<EpochImage>> newest() override;
  std::uint64_t bytes_written() const override { return bytes_written_; }

  /// The highest number that a file in the folder has; 0: there is none.
  std::uint64_t highest() const { return highest_; }

 private:
  CheckpointStore(Disk& disk, std::string folder, CheckpointStoreOptions options)
      : disk_(disk), folder_(std::move(folder)), options_(std::move(options)) {}

  class Stream;
  /// Of files: the base of each.
  using Bases = std::map<std::uint64_t, std::uint64_t>;

  void kept(std::uint64_t epoch, const CheckpointStream& written);
  std::uint64_t base_of(const CheckpointFileName& file);
  Status take_lock();
  Status clear_leftovers();
  void remove_old();

  Disk& disk_;
  std::string folder_;
  CheckpointStoreOptions options_;
  std::unique_ptr<DiskLock> lock_;
  std::uint64_t highest_ = 0;
  std::set<std::uint64_t> damaged_;  // epochs
  std::uint64_t bytes_written_ = 0;
  Bases bases_;
  CheckpointBase last_;              // what this has written last
  std::uint32_t changes_ = 0;        // epochs since the last whole one
  std::uint64_t changes_bytes_ = 0;  // theirs
  std::uint64_t whole_bytes_ = 0;    // of that one
};

/// The checkpoints in a state folder, oldest first; also while a run works with it. Errors: 4001,
/// also when there is no such folder.
Result<std::vector<CheckpointFileName>> list_checkpoints(Disk& disk, const std::string& folder);

/// The newest epoch whose files are whole, and those newer ones that are not.
struct NewestCheckpoint {
  std::optional<EpochImage> image;  ///< nullopt: there is none
  std::vector<std::uint64_t> damaged;
};

/// As CheckpointStore::newest(), without a lock: also while a run works with the folder.
Result<NewestCheckpoint> read_newest_checkpoint(Disk& disk, const std::string& folder,
                                                const CheckpointAccess& access, const Log& log);

/// An epoch as people name it: "DIR" or "DIR@EPOCH".
struct EpochName {
  std::string folder;
  std::optional<std::uint64_t> epoch;  ///< nullopt: the newest
};
EpochName parse_epoch_name(const std::string& text);

/// That epoch; also while a run works with the folder. Errors: 3003; 4001, also when there is none.
Result<EpochImage> read_epoch(Disk& disk, const EpochName& name,
                              const CheckpointAccess& access = {});
/// Keeps a copy of that epoch in a folder of its own, which is made, and where no run removes it:
/// its number. Errors: as read_epoch(), and as write(); 4002 when the folder has an epoch.
Result<std::uint64_t> save_epoch(Disk& disk, const EpochName& name, const std::string& target,
                                 const CheckpointAccess& access);

/// What a pass over all checkpoints of a folder found.
struct CheckpointVerdict {
  std::size_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<Status> damage;  ///< one a file, with the offset
};

/// Reads every byte of every checkpoint; changes nothing. Errors: 4001.
Result<CheckpointVerdict> verify_checkpoints(Disk& disk, const std::string& folder);

}  // namespace millrace::detail
