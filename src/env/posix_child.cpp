// A shell command at the other end of a pipe.
#include "env/posix_child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "env/posix_descriptor.hpp"

extern char** environ;

namespace millrace::detail {
namespace {

using Clock = std::chrono::steady_clock;

/// Owns a child: ends it, politely first, when it goes.
class Child {
 public:
  explicit Child(pid_t id) : id_(id) {}
  Child(Child&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (id_ < 0) return;
    ::kill(-id_, SIGTERM);
    if (wait_for(std::chrono::seconds(2))) return;
    ::kill(-id_, SIGKILL);
    (void)wait_for(std::chrono::hours(1));
  }

  /// The status of waitpid(2) once the child has ended; nullopt when it has not within `limit`.
  std::optional<int> wait_for(Clock::duration limit) {
    const Clock::time_point end = Clock::now() + limit;
    for (;;) {
      int status = 0;
      const pid_t ended = ::waitpid(id_, &status, WNOHANG);
      if (ended == id_ || (ended < 0 && errno != EINTR)) {
        id_ = -1;
        return ended < 0 ? 0 : status;
      }
      if (Clock::now() >= end) return std::nullopt;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

 private:
  pid_t id_;
};

/// ok, or how the command failed.
Status outcome_of(int status, const std::string& command, Code code) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const std::string how = WIFEXITED(status) ? fmt::format("exit code {}", WEXITSTATUS(status))
                                            : fmt::format("signal {}", WTERMSIG(status));
  return Status(code, fmt::format("the command \"{}\" ended with {}; run it alone, and read what "
                                  "it wrote to standard error",
                                  command, how));
}

struct Spawned {
  Child child;
  Descriptor pipe;
};

/// Starts the command with our end of a pipe at its `child_end` (1: its output, 0: its input).
Result<Spawned> spawn(const std::string& command, int child_end, Code code) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return Status(code, fmt::format("the command \"{}\" cannot be started: {}; end other programs "
                                    "or raise ulimit -n",
                                    command, std::generic_category().message(errno)));
  }
  Descriptor ours(ends[child_end == 1 ? 0 : 1], true);
  const Descriptor theirs(ends[child_end == 1 ? 1 : 0], true);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, theirs.number(), child_end);
  if (child_end == 1) posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawnattr_t how;
  posix_spawnattr_init(&how);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  // This thread has the stop signals blocked, which a child would inherit.
  posix_spawnattr_setsigmask(&how, &none);
  posix_spawnattr_setsigdefault(&how, &all);
  posix_spawnattr_setpgroup(&how, 0);
  posix_spawnattr_setflags(&how,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::string shell = "/bin/sh";
  std::string option = "-c";
  std::string text = command;
  char* const arguments[] = {shell.data(), option.data(), text.data(), nullptr};
  pid_t id = -1;
  const int failed = ::posix_spawn(&id, shell.c_str(), &files, &how, arguments, environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&how);
  if (failed == 0) return Spawned{Child(id), std::move(ours)};
  return Status(code, fmt::format("the command \"{}\" cannot be started: {}; end other programs",
                                  command, std::generic_category().message(failed)));
}

class ChildReader final : public ByteReader {
 public:
  ChildReader(Spawned spawned, std::string command)
      : child_(std::move(spawned.child)),
        pipe_(std::move(spawned.pipe)),
        command_(std::move(command)) {}

  Result<std::size_t> read(char* buffer, std::size_t capacity) override {
    for (;;) {
      pollfd wanted{pipe_.number(), POLLIN, 0};
      const int found = ::poll(&wanted, 1, 0);
      if (found == 0) return kNotReady;
      const ssize_t count = found < 0 ? -1 : ::read(pipe_.number(), buffer, capacity);
      if (count > 0) return static_cast<std::size_t>(count);
      if (count == 0) return ended();
      if (errno != EINTR) {
        return Status(Code::source_failed,
                      fmt::format("the command \"{}\" cannot be read: {}; run it alone", command_,
                                  std::generic_category().message(errno)));
      }
    }
  }

 private:
  Result<std::size_t> ended() {
    if (!over_) {
      const std::optional<int> status = child_.wait_for(Clock::duration(0));
      if (!status) return kNotReady;  // it closed its output and still runs
      over_ = true;
      failed_ = outcome_of(*status, command_, Code::source_failed);
    }
    if (!failed_) return failed_;
    return std::size_t{0};
  }

  Child child_;
  Descriptor pipe_;
  std::string command_;
  bool over_ = false;
  Status failed_;
};

class ChildWriter final : public ByteWriter {
 public:
  ChildWriter(Spawned spawned, std::string command)
      : child_(std::move(spawned.child)),
        pipe_(std::make_unique<Descriptor>(std::move(spawned.pipe))),
        command_(std::move(command)) {}

  Status write(std::string_view bytes) override {
    while (!bytes.empty()) {
      if (!room_.wait(pipe_->number())) {
        pipe_.reset();
        return RoomToWrite::nobody_reads(fmt::format("the input of the command \"{}\"", command_));
      }
      const PipeSignalHeld held;
      // As much at once as fits without waiting where there is room.
      const ssize_t count =
          ::write(pipe_->number(), bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
      if (count >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
      } else if (errno != EINTR) {
        return gone();
      }
    }
    return {};
  }
  Status flush() override { return {}; }
  void give_up() override { room_.give_up(); }
  Status close() override {
    if (!pipe_) return {};
    pipe_.reset();  // its end of input
    const Clock::time_point end = Clock::now() + kEndWithin;
    while (Clock::now() < end && !room_.given_up()) {
      const std::optional<int> status = child_.wait_for(std::chrono::milliseconds(50));
      if (status) return outcome_of(*status, command_, Code::sink_failed);
    }
    if (room_.given_up()) {
      return Status(Code::sink_failed,
                    fmt::format("the command \"{}\" did not end with its input and was ended, as "
                                "the run is to end; it must end when its input does",
                                command_));
    }
    return Status(Code::sink_failed,
                  fmt::format("the command \"{}\" did not end within 30 seconds after the end of "
                              "its input and was ended; it must end when its input does",
                              command_));
  }

 private:
  static constexpr std::chrono::seconds kEndWithin{30};

  /// The command reads no more: why, if it has ended.
  Status gone() {
    const std::optional<int> status = child_.wait_for(std::chrono::seconds(1));
    Status why = status ? outcome_of(*status, command_, Code::sink_failed) : Status();
    pipe_.reset();
    if (!why) return why;
    return Status(Code::output_closed,
                  fmt::format("the command \"{}\" reads no more of its input", command_));
  }

  RoomToWrite room_;
  Child child_;
  std::unique_ptr<Descriptor> pipe_;
  std::string command_;
};

}  // namespace

Result<std::unique_ptr<ByteReader>> read_from_child(const std::string& command) {
  Result<Spawned> spawned = spawn(command, 1, Code::source_failed);
  if (!spawned) return spawned.error();
  return std::unique_ptr<ByteReader>(std::make_unique<ChildReader>(*std::move(spawned), command));
}

Result<std::unique_ptr<ByteWriter>> write_to_child(const std::string& command) {
  Result<Spawned> spawned = spawn(command, 0, Code::sink_failed);
  if (!spawned) return spawned.error();
  return std::unique_ptr<ByteWriter>(std::make_unique<ChildWriter>(*std::move(spawned), command));
}

}  // namespace millrace::detail
