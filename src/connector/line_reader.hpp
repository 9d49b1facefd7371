// LineReader: cuts an input into lines, in blocks of an arena, at the speed of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connector/line_scan.hpp"
#include "env/env.hpp"
#include "operator/source.hpp"
#include "record/arena.hpp"
#include "record/line_block.hpp"

namespace millrace::detail {

struct LineReaderOptions {
  std::string path;                      ///< for messages only
  std::size_t block_bytes = 256u << 10;  ///< what one read asks for; > 0
  std::size_t line_bytes_max =
      16u << 20;          ///< longer lines, without their end, become dead letters; > 0
  QuoteRule quotes = {};  ///< a '\n' inside quotes does not end a line; default: there are none
  MemoryMeter* arenas = nullptr;  ///< counts the blocks and outlives them; null: nobody does
  /// Where the input goes on, at the begin of a line, and how many lines are before; not 0: the
  /// byte order mark is.
  std::uint64_t begin_offset = 0;
  std::uint64_t begin_lines = 0;
};

/// Splits bytes at '\n'. One thread.
///
/// A UTF-8 byte order mark at the begin is passed over; UTF-16 is refused with 4001.
/// A line is given without its '\n' and without one '\r' before that; the last line needs no '\n'
/// (and keeps a '\r'). NUL and bytes that are not UTF-8 are ordinary. A line that spans blocks is
/// moved into the next block, so each line is one view. A line that is too long becomes a dead
/// letter, "path: byte OFFSET" with its length; its bytes pass through one block. So does the first
/// line of a quoted text that does not end within the longest line or before the input does.
///
/// The views live as long as arena() is held. At least kPaddingBytes bytes behind each line may be
/// read (their values mean nothing) by the reader's own thread until the next read(): what simdjson
/// asks for.
///
/// Cost: one read(2) and one scan a block, one copy of the line that spans two blocks; one arena a
/// block.
class LineReader {
 public:
  static constexpr std::size_t kPaddingBytes = kScanPaddingBytes;

  /// `dead_letters` may be null: too long lines are then only counted.
  LineReader(std::unique_ptr<ByteReader> input, LineReaderOptions options,
             DeadLetters* dead_letters);

  /// Appends at most `lines_max` (> 0) lines that follow each other in the input and lie in one
  /// arena.
  ///
  /// ready: there may be more (perhaps none were appended); idle: nothing now; ended: as ready, and
  /// there is no more. Errors: those of the input; lines before the error were given by earlier
  /// calls, except an unfinished last one.
  Result<Poll> read(std::vector<std::string_view>& lines, std::size_t lines_max);

  /// Takes a whole block of lines at once, up to the last line's end in it, without cutting them
  /// apart: text, number and place of `run` are set, and its arena is not written to any more. Not
  /// with quotes. Results as read(); none are taken when run.lines is 0. Lines that are longer than
  /// allowed may be among them: cutting them apart finds them.
  ///
  /// Cost: one read(2) and one count of '\n' a block, and a copy of its unfinished last line.
  Result<Poll> read_run(LineRun& run);

  /// What the lines of the last read() lie in.
  const ArenaRef& arena() const { return arena_; }
  /// 1-based number, and byte offset, of the first line of the last read(). Newlines inside quotes
  /// are counted, as an editor counts them.
  std::uint64_t first_line() const { return first_line_; }
  std::uint64_t first_offset() const { return first_offset_; }
  /// Offset of the first line that was not given yet, and how many are before it in the input.
  std::uint64_t next_offset() const { return skipping_ ? skipped_offset_ : offset_of(line_); }
  std::uint64_t lines_before_next() const {
    return options_.begin_lines + lines_read_ + hidden_newlines_;
  }
  /// Lines met so far, and how many of them became dead letters here.
  std::uint64_t lines_read() const { return lines_read_; }
  std::uint64_t lines_refused() const { return lines_refused_; }

 private:
  enum class Fill { filled, idle, ended };

  Status begin(bool ended);
  std::size_t take_lines(std::vector<std::string_view>& lines, std::size_t lines_max);
  bool take_last_line(std::vector<std::string_view>& lines);
  bool take_run(LineRun& run);
  void take_last_run(LineRun& run);
  void set_run(LineRun& run, const char* end, std::uint64_t lines);
  Result<Fill> fill();
  void make_room();
  void begin_block(std::size_t bytes);
  void count_hidden_newlines(std::span<const std::string_view> lines);
  bool give_up_quote();
  bool tail_too_long() const;
  void begin_skipping();
  bool skip();
  void too_long(std::uint64_t offset, std::uint64_t bytes, std::string_view start);
  void refuse(std::string_view reason, std::uint64_t offset, std::string_view start);
  void new_arena(std::size_t bytes);
  std::uint64_t offset_of(const char* at) const {
    return block_offset_ + static_cast<std::uint64_t>(at - block_);
  }

  std::unique_ptr<ByteReader> input_;
  LineReaderOptions options_;
  DeadLetters* dead_letters_;
  ArenaPool pool_;
  ArenaRef arena_;

  char* block_ = nullptr;           // begin of the current block
  std::size_t capacity_ = 0;        // bytes of it, without the padding
  char* line_ = nullptr;            // begin of the first line that was not given yet
  char* scanned_ = nullptr;         // no '\n' in [line_, scanned_)
  char* filled_ = nullptr;          // end of what was read
  std::uint64_t block_offset_ = 0;  // offset of block_ in the input
  bool input_ended_ = false;
  bool begun_ = false;  // a byte order mark was looked for
  bool given_ = false;  // the block went with a run: nothing may be written to it
  QuoteState quotes_;
  std::uint64_t hidden_newlines_ = 0;  // inside the lines given so far

  bool skipping_ = false;             // inside a line that is too long
  std::uint64_t skipped_offset_ = 0;  // where that line began
  bool skipped_cr_ = false;           // its last byte so far is '\r'
  std::string skipped_start_;

  std::uint64_t first_line_ = 1;
  std::uint64_t first_offset_ = 0;
  std::uint64_t lines_read_ = 0;
  std::uint64_t lines_refused_ = 0;
};

}  // namespace millrace::detail
