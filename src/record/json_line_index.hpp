// Where the structural bytes of a JSON line are: simdjson's first stage, behind one small class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::detail {

/// Positions of brackets, colons, commas, opening quotes and of the first bytes of other values.
class JsonLineIndex {
 public:
  JsonLineIndex();
  ~JsonLineIndex();

  /// Indexes `line` and checks that it is UTF-8 and that its texts are closed and have no raw
  /// control characters. False: the line is blank, or `why` says what is wrong with it. Reads
  /// nothing behind the line: simdjson copies its last bytes into a buffer of its own. Allocates
  /// only for a line longer than all before.
  bool read(std::string_view line, std::string& why);

  /// Of the last line read; the byte at end() is the length of the line.
  const std::uint32_t* begin() const { return begin_; }
  const std::uint32_t* end() const { return end_; }

 private:
  struct Stage;
  bool fit(std::size_t line_bytes, std::string& why);

  std::unique_ptr<Stage> stage_;
  std::size_t line_bytes_max_ = 0;
  const std::uint32_t* begin_ = nullptr;
  const std::uint32_t* end_ = nullptr;
};

}  // namespace millrace::detail
