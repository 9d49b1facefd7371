// The state folder: its lock, its files, which of them counts.
#include "checkpoint/checkpoint_store.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "checkpoint/checkpoint_chain.hpp"
#include "checkpoint/checkpoint_file.hpp"
#include "checkpoint/checkpoint_stream.hpp"

namespace millrace::detail {
namespace {

constexpr const char* kLockName = "LOCK";
constexpr std::string_view kPrefix = "epoch-";
constexpr std::string_view kSuffix = ".ckpt";
constexpr std::string_view kAside = ".ckpt.new";
constexpr std::size_t kDigits = 10;
constexpr std::size_t kHolderBytesMax = 200;
/// Each is read at a start, and any that is damaged takes those behind it along.
constexpr std::uint32_t kChangesMax = 8;

/// The epoch of a name that ends in `suffix`.
std::optional<std::uint64_t> epoch_of(std::string_view name, std::string_view suffix) {
  if (!name.starts_with(kPrefix) || !name.ends_with(suffix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  if (name.size() < suffix.size() + kDigits) return std::nullopt;
  name.remove_suffix(suffix.size());
  std::uint64_t epoch = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), epoch);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return epoch;
}

/// The folder that a path names something in.
std::string parent_of(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status of_folder(const std::string& folder, const Status& status) {
  if (status) return status;
  return {status.code(),
          fmt::format("the state folder \"{}\" cannot be used: {}", folder, status.message())};
}

/// What the process that has the lock wrote into it.
std::string holder_of(Disk& disk, const std::string& path) {
  const auto file = disk.open(path, DiskOpen::read);
  if (!file) return {};
  std::string text(kHolderBytesMax, '\0');
  const auto count = (*file)->read_at(0, text.data(), text.size());
  text.resize(count ? *count : 0);
  return text;
}

/// A folder made a moment ago stays after a loss of power when its parent says so.
Status make_state_folder(Disk& disk, const std::string& folder, bool no_sync) {
  const bool is_there = disk.exists(folder);
  if (Status status = disk.make_folder(folder); !status) return status;
  return is_there || no_sync ? Status() : disk.sync_folder(parent_of(folder));
}

}  // namespace

std::string checkpoint_name(std::uint64_t epoch) {
  return fmt::format("{}{:0{}}{}", kPrefix, epoch, kDigits, kSuffix);
}

Result<std::unique_ptr<CheckpointStore>> CheckpointStore::open(Disk& disk, std::string folder,
                                                               CheckpointStoreOptions options) {
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  const bool no_sync = options.access.no_sync;
  std::unique_ptr<CheckpointStore> store(
      new CheckpointStore(disk, std::move(folder), std::move(options)));
  if (Status status = make_state_folder(disk, store->folder_, no_sync); !status)
    return of_folder(store->folder_, status);
  if (Status status = store->take_lock(); !status) return status;
  if (Status status = store->clear_leftovers(); !status) return of_folder(store->folder_, status);
  return store;
}

Status CheckpointStore::take_lock() {
  const std::string path = folder_ + "/" + kLockName;
  auto lock = disk_.lock(path);
  if (!lock && lock.error().code() == Code::state_in_use) {
    const std::string holder = holder_of(disk_, path);
    return {Code::state_in_use,
            fmt::format("the state folder \"{}\" is in use by {}: end it first, or give another "
                        "--state-dir",
                        folder_, holder.empty() ? "another process" : holder)};
  }
  if (!lock) return of_folder(folder_, lock.error());
  lock_ = std::move(*lock);
  auto file = disk_.open(path, DiskOpen::create);
  if (!file) return of_folder(folder_, file.error());
  return of_folder(folder_, (*file)->write_at(0, options_.holder.substr(0, kHolderBytesMax)));
}

Status CheckpointStore::clear_leftovers() {
  const auto names = disk_.list_folder(folder_);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (const auto epoch = epoch_of(name, kSuffix)) highest_ = std::max(highest_, *epoch);
    if (!epoch_of(name, kAside)) continue;
    if (Status status = disk_.remove(folder_ + "/" + name); !status) return status;
    options_.log(LogLevel::info, "checkpoint_leftover_removed",
                 fmt::format("file=\"{}/{}\"", folder_, name));
  }
  return {};
}

/// One epoch; the store learns of it when it is complete.
class CheckpointStore::Stream final : public EpochStream {
 public:
  Stream(CheckpointStore& store, std::uint64_t epoch)
      : store_(store),
        to_(store.disk_, store.folder_, checkpoint_name(epoch), store.options_.access,
            *store.base() != 0 ? store.last_ : CheckpointBase{}) {}
  Status add(const ImagePiece& piece) override { return to_.add(piece); }
  Status end(const EpochImage& image) override {
    Status status = to_.end(image);
    if (status) store_.kept(image.epoch, to_);
    return status;
  }

 private:
  CheckpointStore& store_;
  CheckpointStream to_;
};

std::unique_ptr<EpochStream> CheckpointStore::begin(std::uint64_t epoch) {
  return std::make_unique<Stream>(*this, epoch);
}

std::optional<std::uint64_t> CheckpointStore::base() const {
  const std::uint64_t changes_max = whole_bytes_ / 100 * options_.changes_percent_max;
  const bool whole_due = changes_ >= kChangesMax || changes_bytes_ >= changes_max ||
                         whole_bytes_ < options_.base_bytes_min;
  return last_.epoch == 0 || whole_due ? 0 : last_.epoch;
}

void CheckpointStore::kept(std::uint64_t epoch, const CheckpointStream& written) {
  bytes_written_ = written.bytes();
  highest_ = std::max(highest_, epoch);
  damaged_.erase(epoch);
  const bool whole = written.base().epoch == 0;
  changes_ = whole ? 0 : changes_ + 1;
  changes_bytes_ = whole ? 0 : changes_bytes_ + bytes_written_;
  whole_bytes_ = whole ? bytes_written_ : whole_bytes_;
  last_ = {epoch, written.crc()};
  bases_[epoch] = written.base().epoch;
  remove_old();
}

/// 0 where it is not known: what is damaged names nothing.
std::uint64_t CheckpointStore::base_of(const CheckpointFileName& file) {
  const auto known = bases_.find(file.epoch);
  if (known != bases_.end()) return known->second;
  const auto head = read_checkpoint_head(disk_, file.path);
  return bases_[file.epoch] = head ? head->base.epoch : 0;
}

/// Epochs that stay, and what they hold the changes of. One at least needs none of the files that
/// the newest needs, if there is such a one: a damaged base would take all others along. What
/// holds changes goes before what it changes.
void CheckpointStore::remove_old() {
  const auto note = [this](const Status& status) {
    if (!status) options_.log(LogLevel::warn, "checkpoint_not_removed", status.message());
  };
  const auto files = list_checkpoints(disk_, folder_);
  if (!files) return note(files.error());
  std::map<std::uint64_t, std::uint64_t> wholes;  // by epoch: the whole one that it begins from
  for (const CheckpointFileName& file : *files) {
    const auto base = wholes.find(base_of(file));
    wholes[file.epoch] = base == wholes.end() ? file.epoch : base->second;
  }
  std::set<std::uint64_t> needed;
  std::set<std::uint64_t> begun_from;
  std::uint32_t kept = 0;
  for (auto file = files->rbegin(); file != files->rend(); ++file) {
    const bool alone = options_.keep > 1 && begun_from.size() == 1;
    const bool counts = kept < std::max(options_.keep, 1u) || alone;
    if (counts && !damaged_.contains(file->epoch)) {
      ++kept;
      begun_from.insert(wholes[file->epoch]);
    }
    if (!counts && !needed.contains(file->epoch)) {
      note(disk_.remove(file->path));
      bases_.erase(file->epoch);
      continue;
    }
    needed.insert(base_of(*file));
  }
}

Result<std::optional<EpochImage>> CheckpointStore::newest() {
  auto found = read_newest_checkpoint(disk_, folder_, options_.access, options_.log);
  if (!found) return of_folder(folder_, found.error());
  damaged_.insert(found->damaged.begin(), found->damaged.end());
  return std::move(found->image);
}

Result<NewestCheckpoint> read_newest_checkpoint(Disk& disk, const std::string& folder,
                                                const CheckpointAccess& access, const Log& log) {
  const auto files = list_checkpoints(disk, folder);
  if (!files) return files.error();
  NewestCheckpoint newest;
  std::vector<std::string> damage;
  for (auto file = files->rbegin(); file != files->rend() && !newest.image; ++file) {
    ReadCheckpoint found = read_checkpoint_chain(disk, folder, file->epoch, access);
    if (found.status) {
      newest.image = std::move(found.image);
    } else if (found.damaged) {
      damage.push_back(found.status.message());
      newest.damaged.push_back(file->epoch);
    } else {
      return found.status;
    }
  }
  if (!newest.image && !damage.empty()) {
    return Status(Code::state_unreadable, damage.front() + "; no other checkpoint there is whole");
  }
  for (const std::string& text : damage) {
    log(LogLevel::warn, "checkpoint_damaged",
        fmt::format("{}; going on from epoch {}: what was committed behind it may come again", text,
                    newest.image->epoch));
  }
  return newest;
}

Result<std::vector<CheckpointFileName>> list_checkpoints(Disk& disk, const std::string& folder) {
  const auto names = disk.list_folder(folder);
  if (!names) return names.error();
  std::vector<CheckpointFileName> files;
  for (const std::string& name : *names) {
    if (const auto epoch = epoch_of(name, kSuffix)) files.push_back({*epoch, folder + "/" + name});
  }
  std::sort(files.begin(), files.end(),
            [](const auto& left, const auto& right) { return left.epoch < right.epoch; });
  return files;
}

EpochName parse_epoch_name(const std::string& text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string::npos) return {text, std::nullopt};
  std::uint64_t epoch = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + at + 1, last, epoch);
  if (error != std::errc() || end != last) return {text, std::nullopt};
  return {text.substr(0, at), epoch};
}

Result<EpochImage> read_epoch(Disk& disk, const EpochName& name, const CheckpointAccess& access) {
  if (!name.epoch) {
    auto newest = read_newest_checkpoint(disk, name.folder, access, {});
    if (!newest) return newest.error();
    if (newest->image) return std::move(*newest->image);
    return Status(
        Code::source_failed,
        fmt::format("\"{}\" has no checkpoint: give the folder of --state-dir", name.folder));
  }
  const auto files = list_checkpoints(disk, name.folder);
  if (!files) return files.error();
  for (const CheckpointFileName& file : *files) {
    if (file.epoch != *name.epoch) continue;
    ReadCheckpoint read = read_checkpoint_chain(disk, name.folder, file.epoch, access);
    if (!read.status) return read.status;
    return std::move(read.image);
  }
  return Status(Code::source_failed,
                fmt::format("\"{}\" has no epoch {}; `millrace checkpoints ls` lists them",
                            name.folder, *name.epoch));
}

Result<std::uint64_t> save_epoch(Disk& disk, const EpochName& name, const std::string& target,
                                 const CheckpointAccess& access) {
  const auto image = read_epoch(disk, name, {.leave_parts = true});
  if (!image) return image.error();
  auto store = CheckpointStore::open(disk, target, {.holder = "a savepoint", .access = access});
  if (!store) return store.error();
  if ((*store)->highest() > 0) {
    return Status(Code::sink_failed,
                  fmt::format("\"{}\" has epoch {} already: give a folder of its own to keep this "
                              "one in",
                              target, (*store)->highest()));
  }
  if (Status status = (*store)->write(*image); !status) return status;
  return image->epoch;
}

Result<CheckpointVerdict> verify_checkpoints(Disk& disk, const std::string& folder) {
  const auto files = list_checkpoints(disk, folder);
  if (!files) return files.error();
  CheckpointVerdict verdict;
  std::map<std::uint64_t, std::uint32_t> crcs;  // of those that are whole in themselves
  for (const CheckpointFileName& file : *files) {
    const ReadCheckpoint read = read_checkpoint(disk, file.path, {.leave_parts = true});
    if (!read.status && !disk.exists(file.path)) continue;  // a run that works here has removed it
    ++verdict.files;
    verdict.bytes += read.bytes;
    if (!read.status) verdict.damage.push_back(read.status);
    if (read.status) crcs[file.epoch] = read.crc;
    const auto base = crcs.find(read.base.epoch);
    const bool fits = base != crcs.end() && base->second == read.base.crc;
    if (!read.status || read.base.epoch == 0 || fits || !disk.exists(file.path)) continue;
    verdict.damage.push_back(checkpoint_damage(
        file.path, 0,
        fmt::format("it holds the changes of epoch {}, which is not there as it was",
                    read.base.epoch)));
  }
  return verdict;
}

}  // namespace millrace::detail
