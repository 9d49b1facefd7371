// A shell command at the other end of a pipe.
#include "env/posix_child.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <optional>
#include <system_error>
#include <utility>

#include "env/spawned_child.hpp"

namespace millrace::detail {
namespace {

using ChildClock = Child::Clock;

class ChildReader final : public ByteReader {
 public:
  ChildReader(Spawned spawned, std::string command)
      : child_(std::move(spawned.child)),
        pipe_(std::move(spawned.from)),
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
      const std::optional<int> status = child_.wait_for(ChildClock::duration(0));
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
        pipe_(std::make_unique<Descriptor>(std::move(spawned.to))),
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
    const ChildClock::time_point end = ChildClock::now() + kEndWithin;
    while (ChildClock::now() < end && !room_.given_up()) {
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
  Result<Spawned> spawned = spawn_shell(command, ChildEnds::output, Code::source_failed);
  if (!spawned) return spawned.error();
  return std::unique_ptr<ByteReader>(std::make_unique<ChildReader>(*std::move(spawned), command));
}

Result<std::unique_ptr<ByteWriter>> write_to_child(const std::string& command) {
  Result<Spawned> spawned = spawn_shell(command, ChildEnds::input, Code::sink_failed);
  if (!spawned) return spawned.error();
  return std::unique_ptr<ByteWriter>(std::make_unique<ChildWriter>(*std::move(spawned), command));
}

}  // namespace millrace::detail
