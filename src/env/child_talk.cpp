// Lines to a child process and its answers, over two pipes at once: neither side waits for the
// other to read.
#include "env/child_talk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "env/spawned_child.hpp"

namespace millrace::detail {
namespace {

using ChildClock = Child::Clock;

class PosixTalk final : public ChildTalk {
 public:
  PosixTalk(Spawned spawned, std::string command)
      : child_(std::move(spawned.child)),
        to_(std::move(spawned.to)),
        from_(std::move(spawned.from)),
        command_(std::move(command)) {
    ::fcntl(to_.number(), F_SETFL, O_NONBLOCK);
    ::fcntl(from_.number(), F_SETFL, O_NONBLOCK);
  }

  Result<std::vector<std::string>> ask(std::string_view lines, std::size_t answers,
                                       Duration limit) override {
    const ChildClock::time_point end = ChildClock::now() + limit;
    std::vector<std::string> found;
    if (Status wrong = hear_nothing(); !wrong.ok()) return wrong;
    while (found.size() < answers) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - ChildClock::now());
      if (left.count() <= 0) return Status(Code::source_failed, no_reply(limit));
      pollfd ends[] = {{from_.number(), POLLIN, 0}, {to_.number(), POLLOUT, 0}};
      const nfds_t watched = lines.empty() ? 1 : 2;
      constexpr std::int64_t kLookMs = 60'000;
      if (::poll(ends, watched, static_cast<int>(std::min<std::int64_t>(left.count(), kLookMs))) <
          0) {
        if (errno == EINTR) continue;
        return failed(std::generic_category().message(errno));
      }
      if (watched == 2 && ends[1].revents != 0) {
        if (Status wrong = write_some(lines); !wrong.ok()) return wrong;
      }
      if (ends[0].revents == 0) continue;
      if (Status wrong = read_some(found, answers); !wrong.ok()) return wrong;
    }
    if (!lines.empty() || !heard_.empty())
      return failed("printed more lines than it was asked for");
    return found;
  }

 private:
  static constexpr std::size_t kLineBytesMax = 1u << 20;

  /// What was printed since the last answer would be taken for the next one.
  Status hear_nothing() {
    char byte;
    const ssize_t count = ::read(from_.number(), &byte, 1);
    if (count == 0) return ended("closed its output");
    if (count > 0 || !heard_.empty()) return failed("printed a line that nobody had asked for");
    return {};
  }
  Status write_some(std::string_view& lines) {
    const PipeSignalHeld held;
    const ssize_t count = ::write(to_.number(), lines.data(), lines.size());
    if (count >= 0) {
      lines.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR && errno != EAGAIN) {
      return ended("reads no more of its input");
    }
    return {};
  }
  Status read_some(std::vector<std::string>& found, std::size_t answers) {
    char bytes[1 << 14];
    const ssize_t count = ::read(from_.number(), bytes, sizeof bytes);
    if (count == 0) return ended("closed its output");
    if (count < 0) {
      if (errno == EINTR || errno == EAGAIN) return {};
      return failed(std::generic_category().message(errno));
    }
    heard_.append(bytes, static_cast<std::size_t>(count));
    std::size_t begin = 0;
    for (std::size_t end = heard_.find('\n'); end != std::string::npos && found.size() < answers;
         end = heard_.find('\n', begin)) {
      found.emplace_back(heard_, begin, end - begin);
      begin = end + 1;
    }
    heard_.erase(0, begin);
    return heard_.size() > kLineBytesMax ? failed("printed a line of more than a MiB") : Status();
  }
  /// As whoever asked says it, who may have noticed before.
  static std::string no_reply(Duration limit) {
    return "no reply within " + format_duration(limit);
  }
  /// Why it has ended, or what it did.
  Status ended(const char* what) {
    if (const auto status = child_.wait_for(std::chrono::seconds(1))) {
      const Status why = outcome_of(*status, command_, Code::source_failed);
      if (!why.ok()) return why;
    }
    return failed(what);
  }
  Status failed(const std::string& what) const {
    return {Code::source_failed,
            fmt::format("the command \"{}\" {}; it must print one line for each that it reads, at "
                        "once (flush its output), until its input ends",
                        command_, what)};
  }

  Child child_;
  Descriptor to_;
  Descriptor from_;
  std::string command_;
  std::string heard_;  ///< of no whole line yet
};

}  // namespace

Result<std::unique_ptr<ChildTalk>> talk_with_child(const std::string& command) {
  Result<Spawned> spawned = spawn_shell(command, ChildEnds::both, Code::source_failed);
  if (!spawned) return spawned.error();
  return std::unique_ptr<ChildTalk>(std::make_unique<PosixTalk>(*std::move(spawned), command));
}

}  // namespace millrace::detail
