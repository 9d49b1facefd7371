// The old file to its end, then the new one.
#include "env/posix_follow.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <utility>

#include "env/posix_descriptor.hpp"
#include "env/posix_messages.hpp"
#include "env/rereadable_reader.hpp"

namespace millrace::detail {
namespace {

constexpr std::int64_t kLookEveryNs = 20'000'000;

/// One of the files that had the path, in turn.
struct Followed {
  Descriptor file;
  dev_t device = 0;
  ino_t inode = 0;
  off_t read = 0;
};

class FollowReader final : public RereadableReader {
 public:
  FollowReader(std::string path, Clock& clock, std::chrono::nanoseconds quiet)
      : path_(std::move(path)), clock_(clock), quiet_ns_(quiet.count()) {}

  Status open() {
    if (!look()) return failure(Code::source_failed, path_, true, "cannot be followed", error_);
    return {};
  }

  Result<std::size_t> read(char* buffer, std::size_t capacity) override {
    const std::int64_t now = clock_.steady_ns();
    if (now - looked_ns_ >= kLookEveryNs) look();
    for (;;) {
      const ssize_t count = ::read(files_.front().file.number(), buffer, capacity);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failure(Code::source_failed, path_, true, "cannot be read", errno);
      if (count > 0) {
        files_.front().read += count;
        given_ += static_cast<std::uint64_t>(count);
        last_byte_ = buffer[count - 1];
        moved_ns_ = now;
        return static_cast<std::size_t>(count);
      }
      if (!was_emptied() && !next_file(now)) return kNotReady;
      if (last_byte_ == '\n') continue;
      buffer[0] = last_byte_ = '\n';
      ++given_;
      ++file_begin_;
      return std::size_t{1};
    }
  }
  Result<std::uint64_t> skip(std::uint64_t bytes) override {
    struct stat about{};
    Followed& now = files_.front();
    if (::fstat(now.file.number(), &about) != 0) {
      return failure(Code::source_failed, path_, true, "cannot be read", errno);
    }
    const off_t there = std::max(about.st_size - now.read, off_t{0});
    const std::uint64_t count = std::min(bytes, static_cast<std::uint64_t>(there));
    now.read += static_cast<off_t>(count);
    if (::lseek(now.file.number(), now.read, SEEK_SET) < 0) {
      return failure(Code::source_failed, path_, true, "cannot be read from its middle", errno);
    }
    given_ += count;
    return count;
  }
  std::uint64_t file_begin() const override { return file_begin_; }

 private:
  /// Opens what has the path now, if it is another file than the last one.
  bool look() {
    looked_ns_ = clock_.steady_ns();
    Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK), true);
    struct stat about{};
    error_ = errno;
    if (file.number() < 0 || ::fstat(file.number(), &about) != 0) return false;
    error_ = S_ISDIR(about.st_mode) ? EISDIR : EINVAL;
    if (!S_ISREG(about.st_mode)) return false;
    if (!files_.empty() && files_.back().inode == about.st_ino &&
        files_.back().device == about.st_dev) {
      return true;
    }
    files_.push_back({std::move(file), about.st_dev, about.st_ino, 0});
    moved_ns_ = looked_ns_;
    return true;
  }

  bool was_emptied() {
    struct stat about{};
    Followed& now = files_.front();
    if (::fstat(now.file.number(), &about) != 0 || about.st_size >= now.read) return false;
    ::lseek(now.file.number(), 0, SEEK_SET);
    now.read = 0;
    file_begin_ = given_;
    return true;
  }

  bool next_file(std::int64_t now) {
    if (files_.size() < 2 || now - moved_ns_ < quiet_ns_) return false;
    files_.pop_front();
    file_begin_ = given_;
    moved_ns_ = now;
    return true;
  }

  std::string path_;
  Clock& clock_;
  std::int64_t quiet_ns_;
  std::deque<Followed> files_;  // the first is read; the others wait
  std::int64_t looked_ns_ = 0;
  std::int64_t moved_ns_ = 0;     // when bytes came, or a file was seen, last
  std::uint64_t given_ = 0;       // of all files
  std::uint64_t file_begin_ = 0;  // of those, before the first of files_
  char last_byte_ = '\n';
  int error_ = 0;
};

}  // namespace

Result<std::unique_ptr<ByteReader>> follow_file(const std::string& path, Clock& clock,
                                                std::chrono::nanoseconds quiet) {
  auto reader = std::make_unique<FollowReader>(path, clock, quiet);
  if (Status status = reader->open(); !status) return status;
  return std::unique_ptr<ByteReader>(std::move(reader));
}

}  // namespace millrace::detail
