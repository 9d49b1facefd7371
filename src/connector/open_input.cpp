// A reader that looks at its first bytes before it decides to unpack.
#include "connector/open_input.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "connector/gzip_reader.hpp"
#include "connector/zstd_reader.hpp"
#include "env/rereadable_reader.hpp"

namespace millrace::detail {
namespace {

constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";

/// Whether more bytes are needed to tell.
bool may_be_magic(std::string_view first) {
  const auto begins = [first](std::string_view magic) {
    return first.size() < magic.size() && magic.starts_with(first);
  };
  return begins(kGzipMagic) || begins(kZstdMagic);
}

class SniffingReader final : public RereadableReader {
 public:
  SniffingReader(std::unique_ptr<ByteReader> input, std::string path)
      : input_(std::move(input)),
        again_(dynamic_cast<RereadableReader*>(input_.get())),
        path_(std::move(path)) {}

  bool rereadable() const override {
    return again_ != nullptr ? again_->rereadable() : rereadable_;
  }
  Result<std::uint64_t> skip(std::uint64_t bytes) override {
    std::uint64_t passed = 0;
    std::string unwanted(std::min<std::uint64_t>(bytes, kSkipBytes), '\0');
    while (passed < bytes) {
      if (decided_ && handed_ == held_ && again_ != nullptr) {
        const Result<std::uint64_t> rest = again_->skip(bytes - passed);
        if (!rest) return rest.error();
        return passed + *rest;
      }
      // Until it is known whether it is packed, and all of what is.
      const std::size_t wanted = decided_ && again_ == nullptr ? unwanted.size() : first_.size();
      const auto count =
          read(unwanted.data(), std::min<std::uint64_t>({wanted, bytes - passed, unwanted.size()}));
      if (!count) return count.error();
      if (*count == 0 || *count == kNotReady) break;
      passed += *count;
    }
    return passed;
  }

  Result<std::size_t> read(char* buffer, std::size_t capacity) override {
    if (!decided_) {
      Result<bool> decided = decide();
      if (!decided) return decided.error();
      if (!*decided) return kNotReady;
    }
    if (ended_) return std::size_t{0};
    if (handed_ == held_) return input_->read(buffer, capacity);
    const std::size_t count = std::min(capacity, held_ - handed_);
    std::memcpy(buffer, first_.data() + handed_, count);
    handed_ += count;
    if (count == capacity) return count;
    // What follows comes in the same call, so that callers meet full blocks.
    Result<std::size_t> more = input_->read(buffer + count, capacity - count);
    if (!more || *more == kNotReady) return count;  // the next read meets it again
    ended_ = *more == 0;                            // a terminal says its end only once
    return count + *more;
  }

 private:
  static constexpr std::size_t kSkipBytes = 64u << 10;

  void unpack() {
    rereadable_ = again_ != nullptr && again_->rereadable();
    again_ = nullptr;
  }
  /// False when the input is not ready yet.
  Result<bool> decide() {
    while (may_be_magic({first_.data(), held_})) {
      Result<std::size_t> count = input_->read(first_.data() + held_, first_.size() - held_);
      if (!count) return count.error();
      if (*count == kNotReady) return false;
      if (*count == 0) break;
      held_ += *count;
    }
    decided_ = true;
    const std::string_view first(first_.data(), held_);
    if (first.starts_with(kGzipMagic)) {
      unpack();
      input_ = std::make_unique<GzipReader>(std::move(input_), path_, first);
      handed_ = held_;
    } else if (first == kZstdMagic) {
      unpack();
      input_ = std::make_unique<ZstdReader>(std::move(input_), path_, first);
      handed_ = held_;
    }
    return true;
  }

  std::unique_ptr<ByteReader> input_;
  RereadableReader* again_;  // is input_, unless that is packed or a stream
  bool rereadable_ = false;  // of what is packed
  std::string path_;
  std::array<char, 4> first_{};
  std::size_t held_ = 0;
  std::size_t handed_ = 0;
  bool decided_ = false;
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<ByteReader>> open_input(Files& files, const std::string& path) {
  Result<std::unique_ptr<ByteReader>> input = files.open_read(path);
  if (!input) return input;
  return std::unique_ptr<ByteReader>(std::make_unique<SniffingReader>(*std::move(input), path));
}

Result<std::unique_ptr<ByteReader>> open_input(Env& env, EndpointKind kind,
                                               const std::string& path) {
  if (kind == EndpointKind::file) return open_input(*env.files, path);
  if (kind == EndpointKind::follow) return env.files->follow(path);
  if (env.peers == nullptr) {
    return Status(Code::source_failed,
                  "\"" + path + "\" cannot be opened: a simulation has no sockets and commands");
  }
  Result<std::unique_ptr<ByteReader>> input =
      kind == EndpointKind::exec ? env.peers->exec_read(path) : env.peers->connect_read(path);
  if (!input) return input;
  return std::unique_ptr<ByteReader>(std::make_unique<SniffingReader>(*std::move(input), path));
}

Result<std::unique_ptr<ByteWriter>> open_output(const EndContext& context, EndpointKind kind,
                                                const std::string& path, bool append) {
  Env& env = *context.env;
  if (kind == EndpointKind::file || kind == EndpointKind::follow) {
    return env.files->open_write(path, append);
  }
  if (env.peers == nullptr) {
    return Status(Code::sink_failed,
                  "\"" + path + "\" cannot be opened: a simulation has no sockets and commands");
  }
  if (kind == EndpointKind::exec) return env.peers->exec_write(path);
  if (kind == EndpointKind::listen) return env.peers->listen_write(path, context.log);
  return env.peers->connect_write(path);
}

}  // namespace millrace::detail
