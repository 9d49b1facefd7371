// The simulated disk: two images of each file, and a seed that says which parts meet.
#include "env/sim_disk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace millrace::detail {
namespace {

constexpr std::uint64_t kSectorBytes = 512;

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

Status failed(const std::string& path, bool writing, std::string_view reason) {
  return Status(writing ? Code::sink_failed : Code::source_failed,
                fmt::format("\"{}\" cannot be {}: {}; it is a simulated fault", path,
                            writing ? "written" : "read", reason));
}

void overwrite(std::string& image, std::uint64_t position, std::string_view bytes) {
  if (image.size() < position + bytes.size()) image.resize(position + bytes.size());
  image.replace(position, bytes.size(), bytes);
}

}  // namespace

class SimDiskFile final : public DiskFile {
 public:
  SimDiskFile(SimDisk& disk, std::shared_ptr<SimDisk::Node> node, std::string path)
      : disk_(disk), node_(std::move(node)), path_(std::move(path)), life_(disk.life_) {}

  Result<std::size_t> read_at(std::uint64_t position, char* buffer, std::size_t bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    if (Status status = enter(false); !status) return status;
    const std::string& cache = node_->cache;
    if (position >= cache.size()) return std::size_t{0};
    return cache.copy(buffer, bytes, position);
  }
  Status write_at(std::uint64_t position, std::string_view bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    if (life_ != disk_.life_) return failed(path_, true, "its process has ended");
    return disk_.write(*node_, path_, position, bytes);
  }
  Status sync() override {
    const std::lock_guard lock(disk_.mutex_);
    if (life_ != disk_.life_) return failed(path_, true, "its process has ended");
    return disk_.sync(*node_, path_);
  }
  Status truncate(std::uint64_t bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    if (Status status = enter(true); !status) return status;
    disk_.apply(*node_, {bytes, "", true});
    return {};
  }
  Result<std::uint64_t> bytes() override {
    const std::lock_guard lock(disk_.mutex_);
    if (Status status = enter(false); !status) return status;
    return static_cast<std::uint64_t>(node_->cache.size());
  }

 private:
  Status enter(bool writing) {
    if (life_ != disk_.life_) return failed(path_, writing, "its process has ended");
    return disk_.enter(path_, writing);
  }

  SimDisk& disk_;
  std::shared_ptr<SimDisk::Node> node_;
  std::string path_;
  std::uint64_t life_;
};

class SimDiskLock final : public DiskLock {
 public:
  SimDiskLock(SimDisk& disk, std::string path)
      : disk_(disk), path_(std::move(path)), life_(disk.life_) {}
  ~SimDiskLock() override {
    const std::lock_guard lock(disk_.mutex_);
    if (life_ == disk_.life_) disk_.locks_.erase(path_);
  }

 private:
  SimDisk& disk_;
  std::string path_;
  std::uint64_t life_;
};

Status SimDisk::enter(const std::string& path, bool writing) {
  if (power_is_off_) return failed(path, writing, "the power is off");
  const std::uint64_t call = calls_++;
  const bool struck = faults_.fault != DiskFault::none &&
                      (call == faults_.at_call || (faults_.sticky && call > faults_.at_call));
  if (!struck) return {};
  switch (faults_.fault) {
    case DiskFault::power_cut:
      power_is_off_ = true;
      return failed(path, writing, "the power is off");
    case DiskFault::no_space:
      return writing ? failed(path, true, "No space left on device") : Status();
    default:
      return failed(path, writing, "Input/output error");
  }
}

void SimDisk::apply(Node& node, Change change) {
  if (change.truncates) {
    node.cache.resize(change.position);
  } else {
    overwrite(node.cache, change.position, change.bytes);
  }
  node.unsynced.push_back(std::move(change));
}

Status SimDisk::write(Node& node, const std::string& path, std::uint64_t position,
                      std::string_view bytes) {
  const bool was_off = power_is_off_;
  Status status = enter(path, true);
  if (status) {
    apply(node, {position, std::string(bytes), false});
  } else if (!was_off) {
    const auto part = static_cast<std::size_t>(random_.below(bytes.size() + 1));
    if (part > 0) apply(node, {position, std::string(bytes.substr(0, part)), false});
  }
  return status;
}

Status SimDisk::sync(Node& node, const std::string& path) {
  const bool was_off = power_is_off_;
  Status status = enter(path, true);
  if (status) {
    for (const Change& change : node.unsynced) {  // not more: what a failed sync dropped stays so
      if (change.truncates) {
        node.device.resize(change.position);
      } else {
        overwrite(node.device, change.position, change.bytes);
      }
    }
    node.unsynced.clear();
  } else if (!was_off && !power_is_off_) {
    settle(node);  // some of it got there; the rest is clean in the cache and never will
  }
  return status;
}

/// Each sector of each unsynced change reaches the device or not.
void SimDisk::settle(Node& node) {
  for (const Change& change : node.unsynced) {
    if (change.truncates) {
      if (random_.chance(0.5)) node.device.resize(change.position);
      continue;
    }
    const double chance = random_.unit();  // some images keep most, some almost nothing
    for (std::uint64_t at = 0; at < change.bytes.size();) {
      const std::uint64_t place = change.position + at;
      const std::uint64_t end =
          std::min<std::uint64_t>(change.bytes.size(), at + kSectorBytes - place % kSectorBytes);
      if (random_.chance(chance))
        overwrite(node.device, place, std::string_view(change.bytes).substr(at, end - at));
      at = end;
    }
  }
  node.unsynced.clear();
}

void SimDisk::change_names(NameChange change) {
  for (const auto& [path, node] : change.now) {
    if (node) {
      names_[path] = node;
    } else {
      names_.erase(path);
    }
  }
  unsynced_names_.push_back(std::move(change));
}

Result<std::unique_ptr<DiskFile>> SimDisk::open(const std::string& path, DiskOpen how) {
  const std::lock_guard lock(mutex_);
  if (Status status = enter(path, how != DiskOpen::read); !status) return status;
  const auto found = names_.find(path);
  std::shared_ptr<Node> node = found == names_.end() ? nullptr : found->second;
  if (how == DiskOpen::create) {
    if (!folders_.contains(folder_of(path))) return failed(path, true, "No such file or directory");
    if (node) {
      apply(*node, {0, "", true});
    } else {
      node = std::make_shared<Node>();
      change_names({folder_of(path), {{path, node}}});
    }
  }
  if (!node) return failed(path, how != DiskOpen::read, "No such file or directory");
  return std::unique_ptr<DiskFile>(std::make_unique<SimDiskFile>(*this, node, path));
}

Status SimDisk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  if (Status status = enter(to, true); !status) return status;
  const auto found = names_.find(from);
  if (found == names_.end()) return failed(from, true, "No such file or directory");
  change_names({folder_of(to), {{to, found->second}, {from, nullptr}}});
  return {};
}

Status SimDisk::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (Status status = enter(path, true); !status) return status;
  if (!names_.contains(path)) return failed(path, true, "No such file or directory");
  change_names({folder_of(path), {{path, nullptr}}});
  return {};
}

Status SimDisk::make_folder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (Status status = enter(path, true); !status) return status;
  folders_.insert(path);  // folders are few, and taken as durable at once
  return {};
}

Result<std::vector<std::string>> SimDisk::list_folder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (Status status = enter(path, false); !status) return status;
  if (!folders_.contains(path)) return failed(path, false, "No such file or directory");
  std::vector<std::string> found;
  for (const auto& [name, node] : names_)
    if (folder_of(name) == path) found.push_back(name.substr(path.size() + 1));
  for (const std::string& name : folders_)
    if (name != path && folder_of(name) == path) found.push_back(name.substr(path.size() + 1));
  std::sort(found.begin(), found.end());
  return found;
}

Status SimDisk::sync_folder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (Status status = enter(path, true); !status) return status;
  std::deque<NameChange> kept;
  for (NameChange& change : unsynced_names_) {
    if (change.folder != path) {
      kept.push_back(std::move(change));
      continue;
    }
    for (const auto& [name, node] : change.now) {
      if (node) {
        device_names_[name] = node;
      } else {
        device_names_.erase(name);
      }
    }
  }
  unsynced_names_ = std::move(kept);
  return {};
}

bool SimDisk::exists(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return names_.contains(path) || folders_.contains(path);
}

Result<std::unique_ptr<DiskLock>> SimDisk::lock(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (Status status = enter(path, true); !status) return status;
  if (!locks_.insert(path).second)
    return Status(Code::state_in_use, fmt::format("\"{}\" is locked by another process", path));
  return std::unique_ptr<DiskLock>(std::make_unique<SimDiskLock>(*this, path));
}

void SimDisk::set_faults(SimDiskFaults faults) {
  const std::lock_guard lock(mutex_);
  faults_ = faults;
  calls_ = 0;
}

std::uint64_t SimDisk::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

void SimDisk::restart() {
  faults_ = {};
  calls_ = 0;
  power_is_off_ = false;
  locks_.clear();
  ++life_;
}

void SimDisk::lose_power() {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::uint64_t> left;  // of the changes of names in each folder
  for (const NameChange& change : unsynced_names_) ++left[change.folder];
  for (auto& [folder, count] : left) count = random_.below(count + 1);
  for (const NameChange& change : unsynced_names_) {
    std::uint64_t& count = left[change.folder];
    if (count == 0) continue;
    --count;
    for (const auto& [name, node] : change.now) {
      if (node) {
        device_names_[name] = node;
      } else {
        device_names_.erase(name);
      }
    }
  }
  unsynced_names_.clear();
  names_ = device_names_;
  for (const auto& [name, node] : names_) {
    settle(*node);
    node->cache = node->device;
  }
  restart();
}

void SimDisk::kill() {
  const std::lock_guard lock(mutex_);
  restart();
}

std::string SimDisk::content(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(path);
  return found == names_.end() ? "" : found->second->cache;
}

void SimDisk::put(const std::string& path, std::string content) {
  const std::lock_guard lock(mutex_);
  auto node = std::make_shared<Node>();
  node->cache = node->device = std::move(content);
  names_[path] = device_names_[path] = std::move(node);
}

std::vector<std::string> SimDisk::paths() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> found;
  for (const auto& [path, node] : names_) found.push_back(path);
  return found;
}

}  // namespace millrace::detail
