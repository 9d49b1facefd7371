// LineInput: the lines of one input: opening, reading, and beginning again when it repeats.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/endpoint.hpp"
#include "connector/headed_input.hpp"
#include "connector/line_reader.hpp"
#include "operator/source.hpp"

namespace millrace::detail {

struct LineInputOptions {
  std::string path;     ///< "-" is standard input; with *, ? or [ every file that matches
  bool repeat = false;  ///< begins again at the end, for ever; not with standard input or a pipe
  std::size_t block_bytes = 256u << 10;  ///< what one read asks for
  QuoteRule quotes = {};                 ///< as of LineReader
  EndpointKind kind = EndpointKind::file;
};

/// Where the lines of an input go on.
struct LinePlace {
  InputPlace input = {};
  std::uint64_t lines = 0;  ///< before it, of the lap
  std::uint32_t lap = 0;
};

/// One stream of lines. One thread.
class LineInput {
 public:
  explicit LineInput(LineInputOptions options) : options_(std::move(options)) {}

  /// Errors: 4001 when it cannot be opened, or is something that cannot repeat and should; as
  /// HeadedInput::go_to().
  Status open(const EndContext& context, const LinePlace& from = {});
  /// Between calls of read(): what was not given yet begins there.
  LinePlace place() const;
  /// False of a pipe or terminal.
  bool rereadable() const { return input_ == nullptr || input_->rereadable(); }
  /// Appends up to `lines_max` lines that follow each other, all of one lap, and sets offset, lap
  /// and arena of `batch`. Results and errors as LineReader::read; a repeating input ends only when
  /// it has no line at all.
  Result<Poll> read(std::vector<std::string_view>& lines, std::size_t lines_max, BatchBase& batch);
  /// A block of whole lines as LineReader::read_run() takes it; for the rest as read().
  Result<Poll> read_block(LineBlock& block);
  /// Of the last read(): 1-based, counted from the begin of the lap.
  std::uint64_t first_line() const { return reader_ ? reader_->first_line() : 0; }
  /// Lines of all laps, refused ones included.
  std::uint64_t lines_read() const { return lines_before_ + (reader_ ? reader_->lines_read() : 0); }
  const std::string& path() const { return options_.path; }
  void close() { close_lap(); }

 private:
  template <class Read>
  Result<Poll> read_by(BatchBase& batch, Read&& read);
  Status open_lap(const LinePlace& from);
  void close_lap();

  LineInputOptions options_;
  const EndContext* context_ = nullptr;
  std::unique_ptr<LineReader> reader_;  // null between laps
  HeadedInput* input_ = nullptr;        // of reader_
  std::uint64_t lines_before_ = 0;      // of laps that are over
  std::uint32_t lap_ = 0;
};

}  // namespace millrace::detail
