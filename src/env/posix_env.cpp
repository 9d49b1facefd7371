// Clock by clock_gettime, files by read(2), write(2) and poll(2).
#include "env/posix_env.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <random>
#include <utility>

#include "env/disk.hpp"
#include "env/posix_cpus.hpp"
#include "env/posix_descriptor.hpp"
#include "env/posix_follow.hpp"
#include "env/posix_messages.hpp"
#include "env/posix_peers.hpp"
#include "env/rereadable_reader.hpp"

namespace millrace::detail {
namespace {

class PosixReader final : public RereadableReader {
 public:
  /// `bytes`: what a regular file holds now; -1: not a regular file.
  PosixReader(Descriptor file, std::string path, off_t bytes)
      : file_(std::move(file)), path_(std::move(path)), bytes_(bytes), regular_(bytes >= 0) {}

  Result<std::size_t> read(char* buffer, std::size_t capacity) override {
    for (;;) {
      if (!regular_) {
        pollfd wanted{file_.number(), POLLIN, 0};
        const int found = ::poll(&wanted, 1, 0);
        if (found == 0) return kNotReady;
        if (found < 0 && errno == EINTR) continue;
      }
      const ssize_t count = ::read(file_.number(), buffer, capacity);
      if (count == 0 && regular_ && read_ < bytes_) return shrank();
      if (count >= 0) {
        read_ += count;
        return static_cast<std::size_t>(count);
      }
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return kNotReady;
      return failure(Code::source_failed, path_, true, "cannot be read", errno);
    }
  }
  bool rereadable() const override { return regular_; }
  Result<std::uint64_t> skip(std::uint64_t bytes) override {
    const std::uint64_t count = std::min(bytes, static_cast<std::uint64_t>(bytes_ - read_));
    read_ += static_cast<off_t>(count);
    if (::lseek(file_.number(), read_, SEEK_SET) < 0) {
      return failure(Code::source_failed, path_, true, "cannot be read from its middle", errno);
    }
    return count;
  }

 private:
  Status shrank() const {
    return Status(Code::source_failed,
                  fmt::format("{} shrank while it was read: it had {} bytes, and ended after {}; "
                              "read a copy, or use follow(...) for a log that is emptied in place",
                              shown(path_, true), bytes_, read_));
  }

  Descriptor file_;
  std::string path_;
  off_t bytes_;
  off_t read_ = 0;
  bool regular_;
};

class PosixWriter final : public ByteWriter {
 public:
  PosixWriter(Descriptor file, std::string path, bool regular)
      : file_(std::move(file)), path_(std::move(path)), regular_(regular) {}

  Status write(std::string_view bytes) override {
    while (!bytes.empty()) {
      if (!regular_ && !room_.wait(file_.number())) {
        return RoomToWrite::nobody_reads(shown(path_, false));
      }
      int error = 0;
      const ssize_t count = write_once(bytes, error);
      if (count >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
      } else if (error == EAGAIN || error == EWOULDBLOCK) {
        continue;
      } else if (error == EPIPE) {
        return failure(Code::output_closed, path_, false, "was closed by its reader", error);
      } else if (error != EINTR) {
        return failure(Code::sink_failed, path_, false, "cannot be written", error);
      }
    }
    return {};
  }
  Status flush() override { return {}; }
  void give_up() override { room_.give_up(); }

 private:
  /// To a pipe only as much at once as fits without waiting where poll(2) found room.
  ssize_t write_once(std::string_view bytes, int& error) {
    if (regular_) {
      const ssize_t count = ::write(file_.number(), bytes.data(), bytes.size());
      error = errno;
      return count;
    }
    const PipeSignalHeld held;
    const ssize_t count =
        ::write(file_.number(), bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
    error = errno;
    return count;
  }

  Descriptor file_;
  std::string path_;
  bool regular_;
  RoomToWrite room_;
};

int open_retrying(const std::string& path, int flags) {
  for (;;) {
    const int number = ::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, 0666);
    if (number >= 0 || errno != EINTR) return number;
  }
}

}  // namespace

std::int64_t PosixClock::steady_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

Time PosixClock::wall_us() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<Time>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

Result<std::unique_ptr<ByteReader>> PosixFiles::open_read(const std::string& path) {
  // Non-blocking, so that a named pipe without writer opens at once; regular files do not care.
  const bool standard = path == "-";
  const int number = standard ? STDIN_FILENO : open_retrying(path, O_RDONLY | O_NONBLOCK);
  if (number < 0) return failure(Code::source_failed, path, true, "cannot be opened", errno);
  Descriptor file(number, !standard);
  struct stat about{};
  if (::fstat(number, &about) != 0) {
    return failure(Code::source_failed, path, true, "cannot be opened", errno);
  }
  if (S_ISDIR(about.st_mode)) {
    return Status(
        Code::source_failed,
        fmt::format("{} cannot be read: it is a directory; name a file in it, or all: \"{}/*\"",
                    shown(path, true), path));
  }
  const bool regular = S_ISREG(about.st_mode);
  if (regular) ::posix_fadvise(number, 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::unique_ptr<ByteReader>(
      std::make_unique<PosixReader>(std::move(file), path, regular ? about.st_size : off_t{-1}));
}

Result<std::unique_ptr<ByteWriter>> PosixFiles::open_write(const std::string& path, bool append) {
  const bool standard = path == "-";
  const int mode = O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC);
  const int number = standard ? STDOUT_FILENO : open_retrying(path, mode);
  if (number < 0 && errno == EISDIR) {
    return Status(Code::sink_failed,
                  fmt::format("{} cannot be written: it is a directory; name a file in it",
                              shown(path, false)));
  }
  if (number < 0)
    return failure(Code::sink_failed, path, false, "cannot be opened for writing", errno);
  Descriptor file(number, !standard);
  struct stat about{};
  const bool regular = ::fstat(number, &about) == 0 && S_ISREG(about.st_mode);
  return std::unique_ptr<ByteWriter>(std::make_unique<PosixWriter>(std::move(file), path, regular));
}

Result<std::vector<std::string>> PosixFiles::list(const std::string& pattern) {
  struct stat about{};
  const bool is_path =
      pattern.find_first_of("*?[") == std::string::npos || ::stat(pattern.c_str(), &about) == 0;
  if (is_path) return std::vector{pattern};
  std::vector<std::string> found;
  glob_t matches{};
  if (::glob(pattern.c_str(), GLOB_MARK, nullptr, &matches) == 0) {
    for (std::size_t at = 0; at < matches.gl_pathc; ++at) {
      std::string path = matches.gl_pathv[at];
      if (path.back() != '/') found.push_back(std::move(path));
    }
  }
  ::globfree(&matches);
  if (!found.empty()) return found;
  return Status(Code::source_failed, no_match_sentence(pattern));
}

Result<std::unique_ptr<ByteReader>> PosixFiles::follow(const std::string& path) {
  static PosixClock clock;
  return follow_file(path, clock);
}

Result<DiskSpace> PosixFiles::space(const std::string& path) {
  struct statvfs about{};
  if (::statvfs(path.c_str(), &about) != 0)
    return failure(Code::source_failed, path, true, "has no known space", errno);
  const std::uint64_t block = about.f_frsize;
  return DiskSpace{about.f_blocks * block, about.f_bfree * block, about.f_bavail * block};
}

Env& real_env() {
  static PosixClock clock;
  static PosixFiles files;
  static PosixCpus cpus;
  static PosixPeers peers;
  static Env env = [] {
    std::random_device device;
    const std::uint64_t seed = (static_cast<std::uint64_t>(device()) << 32) ^ device();
    return Env{&clock, &files, seed, &cpus, &peers, &real_disk()};
  }();
  return env;
}

}  // namespace millrace::detail
