// A reader that looks at its first two bytes before it decides to unpack.
#include "connector/open_input.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "connector/gzip_reader.hpp"

namespace millrace::detail {
namespace {

constexpr std::string_view kGzipMagic = "\x1f\x8b";

class SniffingReader final : public ByteReader {
 public:
  SniffingReader(std::unique_ptr<ByteReader> input, std::string path)
      : input_(std::move(input)), path_(std::move(path)) {}

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
  /// False when the input is not ready yet.
  Result<bool> decide() {
    while (held_ == 0 || (held_ == 1 && first_[0] == kGzipMagic[0])) {
      Result<std::size_t> count = input_->read(first_.data() + held_, first_.size() - held_);
      if (!count) return count.error();
      if (*count == kNotReady) return false;
      if (*count == 0) break;
      held_ += *count;
    }
    decided_ = true;
    const std::string_view first(first_.data(), held_);
    if (first == kGzipMagic) {
      input_ = std::make_unique<GzipReader>(std::move(input_), path_, first);
      handed_ = held_;
    }
    return true;
  }

  std::unique_ptr<ByteReader> input_;
  std::string path_;
  std::array<char, 2> first_{};
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

}  // namespace millrace::detail
