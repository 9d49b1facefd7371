// EpochWriter: bytes that are seen when the epoch in which they were written is complete.
#pragma once

#include <string>
#include <string_view>

#include "base/status.hpp"
#include "env/env.hpp"

namespace millrace::detail {

/// One thread. See docs/decisions/0010-sinks-of-epochs.md.
class EpochWriter : public ByteWriter {
 public:
  /// Goes on behind what prepare() returned for the last complete epoch: shows that, and takes back
  /// all that was written behind it. Empty: begins; `append`: behind what is there. Before all
  /// other calls. Errors: 3003; 4001, 4002, also when what was committed is there no more.
  virtual Status recover(std::string_view prepared, bool append) = 0;
  /// What is written next is the first of a file, which the writer begins with nothing of its own.
  virtual bool needs_header() const = 0;

  /// Makes durable what was written since the last call. Returns what commit() needs for all that
  /// is not committed yet; never empty. Errors: 4002.
  virtual Result<std::string> prepare() = 0;
  /// Shows it. Repeatable. Errors: 3003, 4001, 4002.
  virtual Status commit(std::string_view prepared) = 0;
};

}  // namespace millrace::detail
