// RereadableReader: a reader of what can be read again from a place in it: files, and what grows.
#pragma once

#include <cstdint>

#include "env/env.hpp"

namespace millrace::detail {

/// What readers of Files are where their input is more than a stream. One thread.
class RereadableReader : public ByteReader {
 public:
  /// False after all: a pipe or a terminal, which gives nothing twice.
  virtual bool rereadable() const { return true; }
  /// Passes over `bytes` bytes, or to the end where there are fewer; returns how many. Cost: none
  /// of a plain file; what is packed is unpacked up to there. Errors: 4001, 4004.
  virtual Result<std::uint64_t> skip(std::uint64_t bytes) = 0;
  /// How many bytes it had given when the file began that it reads now: 0 but for a followed one
  /// that was made anew.
  virtual std::uint64_t file_begin() const { return 0; }
};

}  // namespace millrace::detail
