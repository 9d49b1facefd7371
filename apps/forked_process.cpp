// fork(2), waitpid(2), kill(2).
#include "forked_process.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace millrace::apps {

Result<ForkedProcess> ForkedProcess::start(const std::function<int()>& main) {
  const pid_t parent = ::getpid();
  std::fflush(nullptr);  // or the child would write it once more
  const pid_t id = ::fork();
  if (id < 0) {
    return Status(Code::internal, fmt::format("no process can be started: {}; end other programs, "
                                              "or raise ulimit -u",
                                              std::generic_category().message(errno)));
  }
  if (id > 0) return ForkedProcess(id);
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);  // the parent was gone before that
  const int code = main();
  std::fflush(nullptr);
  ::_exit(code);
}

void ForkedProcess::kill_now() const {
  send(SIGKILL);
  (void)wait(true);
}

std::optional<ForkedProcess::Ending> ForkedProcess::wait(bool blocking) const {
  int status = 0;
  pid_t found = 0;
  do {
    found = ::waitpid(id_, &status, blocking ? 0 : WNOHANG);
  } while (found < 0 && errno == EINTR);
  if (found == 0) return std::nullopt;
  if (found > 0 && WIFSIGNALED(status)) return Ending{128 + WTERMSIG(status), WTERMSIG(status)};
  return Ending{found < 0 ? 0 : WEXITSTATUS(status), 0};
}

}  // namespace millrace::apps
