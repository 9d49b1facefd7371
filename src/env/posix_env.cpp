// Clock by clock_gettime, files by read(2), write(2) and poll(2).
#include "env/posix_env.hpp"

#include "env/posix_cpus.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <system_error>
#include <utility>

namespace millrace::detail {
namespace {

std::string_view advice(int error) {
  switch (error) {
    case ENOENT:
      return "check the path";
    case EACCES:
    case EPERM:
      return "check the permissions of the file and its folders";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    case ENOSPC:
    case EDQUOT:
      return "free some space or choose another place";
    case EFBIG:
      return "the file is at its largest size (ulimit -f): choose another file";
    case EROFS:
      return "choose a place that can be written";
    default:
      return "check the path and the device behind it";
  }
}

std::string shown(const std::string& path, bool reading) {
  if (path == "-") return reading ? "standard input" : "standard output";
  return fmt::format("\"{}\"", path);
}

Status failure(Code code, const std::string& path, bool reading, std::string_view what, int error) {
  return Status(code, fmt::format("{} {}: {}; {}", shown(path, reading), what,
                                  std::generic_category().message(error), advice(error)));
}

class Descriptor {
 public:
  Descriptor(int number, bool owned) : number_(number), owned_(owned) {}
  Descriptor(Descriptor&& other) noexcept
      : number_(std::exchange(other.number_, -1)), owned_(other.owned_) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (owned_ && number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
  bool owned_;
};

class PosixReader final : public ByteReader {
 public:
  PosixReader(Descriptor file, std::string path, bool regular)
      : file_(std::move(file)), path_(std::move(path)), regular_(regular) {}

  Result<std::size_t> read(char* buffer, std::size_t capacity) override {
    for (;;) {
      if (!regular_) {
        pollfd wanted{file_.number(), POLLIN, 0};
        const int found = ::poll(&wanted, 1, 0);
        if (found == 0) return kNotReady;
        if (found < 0 && errno == EINTR) continue;
      }
      const ssize_t count = ::read(file_.number(), buffer, capacity);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return kNotReady;
      return failure(Code::source_failed, path_, true, "cannot be read", errno);
    }
  }

 private:
  Descriptor file_;
  std::string path_;
  bool regular_;
};

/// Holds SIGPIPE back in this thread for one write, and takes it away if that write raised it: a
/// library installs no handlers, and the program may keep its own.
class PipeSignalHeld {
 public:
  PipeSignalHeld() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    if (!was_pending_) pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  PipeSignalHeld(const PipeSignalHeld&) = delete;
  PipeSignalHeld& operator=(const PipeSignalHeld&) = delete;
  ~PipeSignalHeld() {
    if (was_pending_) return;
    const timespec now{0, 0};
    sigset_t pending;
    sigpending(&pending);
    if (sigismember(&pending, SIGPIPE) == 1) {
      while (sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_;
};

class PosixWriter final : public ByteWriter {
 public:
  PosixWriter(Descriptor file, std::string path, bool regular)
      : file_(std::move(file)), path_(std::move(path)), regular_(regular) {}

  Status write(std::string_view bytes) override {
    while (!bytes.empty()) {
      int error = 0;
      const ssize_t count = write_once(bytes, error);
      if (count >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
      } else if (error == EAGAIN || error == EWOULDBLOCK) {
        pollfd wanted{file_.number(), POLLOUT, 0};
        ::poll(&wanted, 1, -1);
      } else if (error == EPIPE) {
        return failure(Code::output_closed, path_, false, "was closed by its reader", error);
      } else if (error != EINTR) {
        return failure(Code::sink_failed, path_, false, "cannot be written", error);
      }
    }
    return {};
  }
  Status flush() override { return {}; }

 private:
  ssize_t write_once(std::string_view bytes, int& error) {
    if (regular_) {
      const ssize_t count = ::write(file_.number(), bytes.data(), bytes.size());
      error = errno;
      return count;
    }
    const PipeSignalHeld held;
    const ssize_t count = ::write(file_.number(), bytes.data(), bytes.size());
    error = errno;
    return count;
  }

  Descriptor file_;
  std::string path_;
  bool regular_;
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
        fmt::format("{} cannot be read: it is a directory; name a file in it", shown(path, true)));
  }
  const bool regular = S_ISREG(about.st_mode);
  if (regular) ::posix_fadvise(number, 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::unique_ptr<ByteReader>(std::make_unique<PosixReader>(std::move(file), path, regular));
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

Env& real_env() {
  static PosixClock clock;
  static PosixFiles files;
  static PosixCpus cpus;
  static Env env = [] {
    std::random_device device;
    const std::uint64_t seed = (static_cast<std::uint64_t>(device()) << 32) ^ device();
    return Env{&clock, &files, seed, &cpus};
  }();
  return env;
}

}  // namespace millrace::detail
