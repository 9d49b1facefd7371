// Starting shell commands, and ending them.
#include "env/spawned_child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>

extern char** environ;

namespace millrace::detail {
namespace {

/// Both ends of a pipe, or none.
struct Ends {
  Descriptor read{-1, true};
  Descriptor write{-1, true};
};

Result<Ends> make_pipe(const std::string& command, Code code) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) == 0) return Ends{Descriptor(ends[0], true), {ends[1], true}};
  return Status(code, fmt::format("the command \"{}\" cannot be started: {}; end other programs "
                                  "or raise ulimit -n",
                                  command, std::generic_category().message(errno)));
}

}  // namespace

Child::~Child() {
  if (id_ < 0) return;
  ::kill(-id_, SIGTERM);
  if (wait_for(std::chrono::seconds(2))) return;
  ::kill(-id_, SIGKILL);
  (void)wait_for(std::chrono::hours(1));
}

std::optional<int> Child::wait_for(Clock::duration limit) {
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

Status outcome_of(int status, const std::string& command, Code code) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const std::string how = WIFEXITED(status) ? fmt::format("exit code {}", WEXITSTATUS(status))
                                            : fmt::format("signal {}", WTERMSIG(status));
  return Status(code, fmt::format("the command \"{}\" ended with {}; run it alone, and read what "
                                  "it wrote to standard error",
                                  command, how));
}

Result<Spawned> spawn_shell(const std::string& command, ChildEnds ends, Code code) {
  const bool told = ends != ChildEnds::output;
  const bool heard = ends != ChildEnds::input;
  Result<Ends> input = told ? make_pipe(command, code) : Result<Ends>(Ends{});
  Result<Ends> output = heard ? make_pipe(command, code) : Result<Ends>(Ends{});
  if (!input) return input.error();
  if (!output) return output.error();
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  if (told) {
    posix_spawn_file_actions_adddup2(&files, input->read.number(), 0);
  } else {
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  }
  if (heard) posix_spawn_file_actions_adddup2(&files, output->write.number(), 1);
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
  if (failed == 0) return Spawned{Child(id), std::move(input->write), std::move(output->read)};
  return Status(code, fmt::format("the command \"{}\" cannot be started: {}; end other programs",
                                  command, std::generic_category().message(failed)));
}

}  // namespace millrace::detail
