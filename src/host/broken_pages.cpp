// The handler of SIGBUS, which may only do what signals may: no memory, no locks.
#include "host/broken_pages.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/uio.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "env/posix_descriptor.hpp"
#include "env/scratch_pages.hpp"

namespace millrace::detail {
namespace {

constexpr std::string_view kBefore = "error 4002 \"";
constexpr std::string_view kBehind =
    "\": state on disk cannot be read or written there any more, so the process ends at once. What "
    "it has acknowledged or committed stays, as after a kill, and with --state-dir the next run "
    "goes on from its newest epoch. See what the system says of that disk (dmesg), or give "
    "--spill-dir another one\n";

struct sigaction bus_error_before = {};

/// Where "FROM-TO …", a line of the system's list, holds `address`.
bool holds(std::string_view line, std::uint64_t address) {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  const char* const end = line.data() + line.size();
  const auto first = std::from_chars(line.data(), end, from, 16);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return false;
  const auto last = std::from_chars(first.ptr + 1, end, to, 16);
  return last.ec == std::errc() && from <= address && address < to;
}

/// The file that is mapped there, of the lines of a list that is read through `room`.
std::optional<std::string_view> file_at(std::uint64_t address, std::array<char, 16384>& room) {
  const Descriptor list(::open("/proc/self/maps", O_RDONLY | O_CLOEXEC), true);
  std::size_t kept = 0;
  for (;;) {
    const ssize_t got = ::read(list.number(), room.data() + kept, room.size() - kept);
    if (got <= 0) return std::nullopt;
    std::string_view rest(room.data(), kept + static_cast<std::size_t>(got));
    for (std::size_t end = 0; (end = rest.find('\n')) != rest.npos; rest.remove_prefix(end + 1)) {
      const std::string_view line = rest.substr(0, end);
      if (!holds(line, address)) continue;
      const std::size_t path = line.find('/');
      if (path == line.npos) return std::nullopt;
      return line.substr(path, line.rfind(" (deleted)") - path);
    }
    kept = rest.size();
    std::memmove(room.data(), rest.data(), kept);
  }
}

void on_bus_error(int, siginfo_t* info, void*) {
  std::array<char, 16384> room;
  const auto file = file_at(reinterpret_cast<std::uintptr_t>(info->si_addr), room);
  if (!file || file->find(kScratchName) == file->npos) {
    // What broke is done again, and ends as without this.
    ::sigaction(SIGBUS, &bus_error_before, nullptr);
    return;
  }
  const auto part = [](std::string_view text) {
    return iovec{const_cast<char*>(text.data()), text.size()};
  };
  const std::array<iovec, 3> said{part(kBefore), part(*file), part(kBehind)};
  // Where nobody reads that, nothing can be done about it.
  [[maybe_unused]] const auto written = ::writev(STDERR_FILENO, said.data(), said.size());
  ::_exit(EX_IOERR);
}

}  // namespace

void exit_when_pages_break() {
  static const bool once = [] {
    struct sigaction ours = {};
    ours.sa_sigaction = on_bus_error;
    ours.sa_flags = SA_SIGINFO;
    return ::sigaction(SIGBUS, &ours, &bus_error_before) == 0;
  }();
  (void)once;
}

}  // namespace millrace::detail
