// A child process that a shell command is: its ends of pipes, and its end.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/status.hpp"
#include "env/posix_descriptor.hpp"

namespace millrace::detail {

/// Owns a child: ends it, politely first, when it goes.
class Child {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Child(pid_t id) : id_(id) {}
  Child(Child&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Child& operator=(Child&&) = delete;
  ~Child();

  /// The status of waitpid(2) once the child has ended; nullopt when it has not within `limit`.
  std::optional<int> wait_for(Clock::duration limit);

 private:
  pid_t id_;
};

/// ok, or how the command failed.
Status outcome_of(int status, const std::string& command, Code code);

/// Our ends; what was not asked for has the number -1.
struct Spawned {
  Child child;
  Descriptor to;    ///< its standard input
  Descriptor from;  ///< its standard output
};

enum class ChildEnds { input, output, both };

/// Starts the command with our end of a pipe at its input, its output or both; without one at its
/// input that is empty. Errors: `code`.
Result<Spawned> spawn_shell(const std::string& command, ChildEnds ends, Code code);

}  // namespace millrace::detail
