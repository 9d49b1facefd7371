// The handlers that end the process without asking for memory.
#include "host/out_of_memory.hpp"

#include <sysexits.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>

namespace millrace::detail {
namespace {

constexpr std::string_view kSentence =
    "error 3002 out of memory: the system gave this process no more memory, or no more threads, so "
    "it ends at once. What it has acknowledged or committed stays, as after a kill, and the next "
    "run goes on from there. Lower --memory or the number of tasks, or give the machine, the "
    "control group or the limits of the process (ulimit -v, ulimit -u) more\n";

std::terminate_handler before = nullptr;

[[noreturn]] void say_and_exit() {
  // Where nobody reads that, nothing can be done about it.
  [[maybe_unused]] const auto said = ::write(STDERR_FILENO, kSentence.data(), kSentence.size());
  ::_exit(EX_UNAVAILABLE);
}

/// A thread that cannot be made is an exception that nobody can do anything about.
[[noreturn]] void end() {
  try {
    if (const auto thrown = std::current_exception()) std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    say_and_exit();
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::resource_unavailable_try_again) say_and_exit();
  } catch (...) {
  }
  before();  // as without this: it says what was thrown
  std::abort();
}

}  // namespace

void exit_when_out_of_memory() {
  if (std::get_new_handler() != nullptr) return;
  std::set_new_handler(say_and_exit);
  before = std::set_terminate(end);
}

}  // namespace millrace::detail
