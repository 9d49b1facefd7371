// HeadedInput: an input that knows how it began, so that a later run finds its place in it again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "env/rereadable_reader.hpp"

namespace millrace::detail {

/// A place in a file, and what its first bytes were, by which another file is told from it.
struct InputPlace {
  std::uint64_t offset = 0;  ///< bytes before it, unpacked
  std::uint64_t head_bytes = 0;
  std::uint32_t head_crc = 0;
};

/// Passes bytes on. One thread. Cost: a copy of the first few hundred of each file.
class HeadedInput final : public ByteReader {
 public:
  static constexpr std::size_t kHeadBytes = 256;

  explicit HeadedInput(std::unique_ptr<ByteReader> input);

  Result<std::size_t> read(char* buffer, std::size_t capacity) override;
  /// False of a pipe or terminal.
  bool rereadable() const { return again_ != nullptr && again_->rereadable(); }
  /// The place in its file of what it gave at `offset`, counted from the first byte that it gave
  /// or passed over. `offset` never goes back.
  InputPlace place_of(std::uint64_t offset);
  /// Goes on there, before the first read(). Errors: 4001 when the file is shorter, or begins
  /// otherwise; those of reading. `path` is for messages.
  Status go_to(const InputPlace& place, const std::string& path);

 private:
  struct Head {
    std::uint64_t begin;
    std::string bytes;
  };
  void note(std::string_view bytes);

  std::unique_ptr<ByteReader> input_;
  RereadableReader* again_;  // is input_, or null
  std::uint64_t given_ = 0;
  std::deque<Head> heads_;  // of the files in turn; the first is that of the last place_of()
};

}  // namespace millrace::detail
