// Files by position, folders and locks of the machine.
#include "env/posix_disk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "env/posix_descriptor.hpp"
#include "env/posix_messages.hpp"

namespace millrace::detail {
namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kFolderMode = 0755;

/// Calls again what a signal interrupted.
template <class Call>
auto retrying(Call call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

Status cannot(const std::string& path, bool reading, std::string_view what) {
  return failure(reading ? Code::source_failed : Code::sink_failed, path, reading, what, errno);
}

class PosixDiskFile final : public DiskFile {
 public:
  PosixDiskFile(Descriptor file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t position, char* buffer, std::size_t bytes) override {
    std::size_t done = 0;
    while (done < bytes) {
      const ssize_t count = retrying([&] {
        return ::pread(file_.number(), buffer + done, bytes - done,
                       static_cast<off_t>(position + done));
      });
      if (count < 0) return cannot(path_, true, "cannot be read");
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  Status write_at(std::uint64_t position, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = retrying([&] {
        return ::pwrite(file_.number(), bytes.data(), bytes.size(), static_cast<off_t>(position));
      });
      if (count < 0) return cannot(path_, false, "cannot be written");
      position += static_cast<std::uint64_t>(count);
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
  }

  Status sync() override {
    // Interrupted, it has promised nothing: it is not called again as if it had.
    if (::fdatasync(file_.number()) != 0) return cannot(path_, false, "cannot be made durable");
    return {};
  }

  Status truncate(std::uint64_t bytes) override {
    if (retrying([&] { return ::ftruncate(file_.number(), static_cast<off_t>(bytes)); }) != 0)
      return cannot(path_, false, "cannot be cut");
    return {};
  }

  Result<std::uint64_t> bytes() override {
    struct stat about{};
    if (::fstat(file_.number(), &about) != 0) return cannot(path_, true, "has no known size");
    return static_cast<std::uint64_t>(about.st_size);
  }

 private:
  Descriptor file_;
  std::string path_;
};

class PosixDiskLock final : public DiskLock {
 public:
  explicit PosixDiskLock(Descriptor file) : file_(std::move(file)) {}

 private:
  Descriptor file_;  // closing it gives the lock back
};

int open_flags(DiskOpen how) {
  if (how == DiskOpen::read) return O_RDONLY | O_CLOEXEC;
  if (how == DiskOpen::write) return O_RDWR | O_CLOEXEC;
  return O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC;
}

}  // namespace

Result<std::unique_ptr<DiskFile>> PosixDisk::open(const std::string& path, DiskOpen how) {
  const int number = retrying([&] { return ::open(path.c_str(), open_flags(how), kFileMode); });
  if (number < 0) return cannot(path, how == DiskOpen::read, "cannot be opened");
  return std::unique_ptr<DiskFile>(std::make_unique<PosixDiskFile>(Descriptor(number, true), path));
}

Status PosixDisk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return cannot(to, false, "cannot be put in place");
  return {};
}

Status PosixDisk::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return cannot(path, false, "cannot be removed");
  return {};
}

Status PosixDisk::make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), kFolderMode) == 0) return {};
  const int error = errno;
  struct stat about{};
  if (error == EEXIST && ::stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode)) return {};
  return failure(Code::sink_failed, path, false, "cannot be made", error);
}

Result<std::vector<std::string>> PosixDisk::list_folder(const std::string& path) {
  DIR* folder = ::opendir(path.c_str());
  if (folder == nullptr) return cannot(path, true, "cannot be listed");
  std::vector<std::string> names;
  for (errno = 0; const dirent* entry = ::readdir(folder); errno = 0) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  const int error = errno;
  ::closedir(folder);
  if (error != 0) return failure(Code::source_failed, path, true, "cannot be listed", error);
  std::sort(names.begin(), names.end());
  return names;
}

Status PosixDisk::sync_folder(const std::string& path) {
  const int number =
      retrying([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (number < 0) return cannot(path, false, "cannot be opened");
  const Descriptor folder(number, true);
  if (::fsync(number) != 0) return cannot(path, false, "cannot be made durable");
  return {};
}

bool PosixDisk::exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Result<std::unique_ptr<DiskLock>> PosixDisk::lock(const std::string& path) {
  const int number =
      retrying([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode); });
  if (number < 0) return cannot(path, false, "cannot be opened");
  Descriptor file(number, true);
  if (retrying([&] { return ::flock(number, LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) return cannot(path, false, "cannot be locked");
    return Status(Code::state_in_use,
                  fmt::format("\"{}\" is locked: another process writes there; end it first, or "
                              "choose another folder",
                              path));
  }
  return std::unique_ptr<DiskLock>(std::make_unique<PosixDiskLock>(std::move(file)));
}

Disk& real_disk() {
  static PosixDisk disk;
  return disk;
}

}  // namespace millrace::detail
