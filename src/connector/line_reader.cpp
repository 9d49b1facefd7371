// Blocks, tails and the scan for '\n'.
#include "connector/line_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "connector/line_scan.hpp"

namespace millrace::detail {
namespace {

constexpr std::size_t kShownBytes = 256;  // of a line that is too long

constexpr std::string_view kUtf8Mark = "\xef\xbb\xbf";
constexpr std::string_view kUtf16Marks[] = {"\xff\xfe", "\xfe\xff"};

}  // namespace

LineReader::LineReader(std::unique_ptr<ByteReader> input, LineReaderOptions options,
                       DeadLetters* dead_letters)
    : input_(std::move(input)),
      options_(std::move(options)),
      dead_letters_(dead_letters),
      pool_(options_.block_bytes + kPaddingBytes) {
  MR_CHECK(options_.block_bytes > 0 && options_.line_bytes_max > 0, "a line reader needs room");
  new_arena(options_.block_bytes);
  block_offset_ = first_offset_ = options_.begin_offset;
  begun_ = options_.begin_offset > 0;
}

Result<Poll> LineReader::read(std::vector<std::string_view>& lines, std::size_t lines_max) {
  for (;;) {
    if (!skipping_ && begun_) {
      if (take_lines(lines, lines_max) > 0) return Poll::ready;
      if (tail_too_long()) {
        if (give_up_quote()) continue;
        begin_skipping();
      }
    }
    const Result<Fill> filled = fill();
    if (!filled) return filled.error();
    if (*filled == Fill::idle) return Poll::idle;
    if (!begun_) {
      if (Status status = begin(*filled == Fill::ended); !status) return status;
      if (begun_ && *filled == Fill::filled) continue;
    }
    if (*filled == Fill::ended) {
      if (give_up_quote()) continue;
      take_last_line(lines);
      return Poll::ended;
    }
    // One block a call: a line of many gigabytes must not hold the task up.
    if (skipping_ && !skip()) return Poll::ready;
  }
}

/// A block is filled to its half at least, as long as there is anything to read: a pipe that gives
/// little at a time would else cost a block each time.
Result<Poll> LineReader::read_run(LineRun& run) {
  for (;;) {
    if (begun_ && !skipping_ && scanned_ == filled_ && tail_too_long()) {
      begin_skipping();
    } else if (given_) {
      make_room();
    }
    given_ = false;
    const Result<Fill> filled = fill();
    if (!filled) return filled.error();
    if (!begun_ && *filled != Fill::idle) {
      if (Status status = begin(*filled == Fill::ended); !status) return status;
    }
    const bool more = *filled == Fill::filled;
    if (skipping_ && more && !skip()) return Poll::ready;
    if (more && 2 * static_cast<std::size_t>(filled_ - block_) < capacity_) continue;
    if (begun_ && !skipping_ && take_run(run)) return Poll::ready;
    if (*filled == Fill::idle) return Poll::idle;
    if (*filled == Fill::ended) {
      take_last_run(run);
      return Poll::ended;
    }
  }
}

bool LineReader::take_run(LineRun& run) {
  const void* last = memrchr(scanned_, '\n', static_cast<std::size_t>(filled_ - scanned_));
  scanned_ = filled_;
  if (last == nullptr) return false;
  const char* end = static_cast<const char*>(last) + 1;
  std::uint64_t lines = 0;
  for (const char* at = line_; at < end; at += 64) {
    lines += static_cast<std::uint64_t>(std::popcount(bits_before(byte_mask(at, '\n'), at, end)));
  }
  set_run(run, end, lines);
  line_ += end - line_;
  return true;
}

/// The last line of the input, which nothing ends.
void LineReader::take_last_run(LineRun& run) {
  if (skipping_) {
    std::vector<std::string_view> none;
    take_last_line(none);
  } else if (line_ < filled_) {
    set_run(run, filled_, 1);
    line_ = scanned_ = filled_;
  }
}

void LineReader::set_run(LineRun& run, const char* end, std::uint64_t lines) {
  run.text = {line_, static_cast<std::size_t>(end - line_)};
  run.lines = lines;
  run.first_line = first_line_ = lines_before_next() + 1;
  run.offset = first_offset_ = offset_of(line_);
  run.line_bytes_max = options_.line_bytes_max;
  lines_read_ += lines;
  given_ = true;
}

/// Passes over a byte order mark, once enough bytes are there to tell.
Status LineReader::begin(bool ended) {
  const std::string_view start(line_, static_cast<std::size_t>(filled_ - line_));
  for (const std::string_view mark : kUtf16Marks) {
    if (!start.starts_with(mark)) continue;
    return Status(Code::source_failed,
                  fmt::format("\"{}\" is UTF-16 text, and only UTF-8 is read; convert it first: "
                              "iconv -f UTF-16 -t UTF-8",
                              options_.path));
  }
  const auto may_be = [start](std::string_view mark) {
    return start.size() < mark.size() && mark.starts_with(start);
  };
  begun_ = ended || !(may_be(kUtf8Mark) || may_be(kUtf16Marks[0]) || may_be(kUtf16Marks[1]));
  if (start.starts_with(kUtf8Mark)) line_ = scanned_ = line_ + kUtf8Mark.size();
  return {};
}

std::size_t LineReader::take_lines(std::vector<std::string_view>& lines, std::size_t lines_max) {
  const std::size_t before = lines.size();
  const std::size_t longest = options_.line_bytes_max;
  char* line = line_;
  std::size_t count = 0;
  bool stopped = false;
  const auto take = [&](char* at) {
    auto bytes = static_cast<std::size_t>(at - line);
    bytes -= static_cast<std::size_t>(bytes > 0 && at[-1] == '\r');
    if (bytes > longest) [[unlikely]] {
      stopped = count > 0;  // the lines of one call follow each other without a gap
      if (stopped) return false;
      too_long(offset_of(line), bytes, {line, bytes});
      line = at + 1;
      return true;
    }
    lines.emplace_back(line, bytes);
    line = at + 1;
    stopped = ++count == lines_max;
    return !stopped;
  };
  if (options_.quotes.quote == '\0') {
    for_each_newline(scanned_, filled_, take);
  } else {
    for_each_newline(scanned_, filled_, line, options_.quotes, quotes_, take);
    if (stopped) quotes_ = {.hid_newlines = quotes_.hid_newlines};
  }
  line_ = line;
  scanned_ = stopped ? line : filled_;
  first_line_ = lines_before_next() + 1;
  lines_read_ += count;
  if (quotes_.hid_newlines) count_hidden_newlines(std::span(lines).subspan(before));
  first_offset_ = offset_of(count > 0 ? lines[before].data() : line_);
  return count;
}

/// So that line numbers stay those of an editor.
void LineReader::count_hidden_newlines(std::span<const std::string_view> lines) {
  for (const std::string_view line : lines) {
    hidden_newlines_ += static_cast<std::uint64_t>(std::count(line.begin(), line.end(), '\n'));
  }
  quotes_.hid_newlines = scanned_ != line_;  // what was met behind them belongs to a later line
}

/// Sets the first line of what a quote opened and nothing closes aside, and goes on behind it: a
/// stray quote costs one line, not the rest of the file.
bool LineReader::give_up_quote() {
  if (!quotes_.inside) return false;
  auto* at =
      static_cast<char*>(std::memchr(line_, '\n', static_cast<std::size_t>(filled_ - line_)));
  if (at == nullptr) return false;
  refuse("a quote in this line opens a text that nothing closes; double the quote or remove it",
         offset_of(line_), {line_, static_cast<std::size_t>(at - line_)});
  line_ = scanned_ = at + 1;
  quotes_ = {};
  return true;
}

bool LineReader::take_last_line(std::vector<std::string_view>& lines) {
  const auto bytes = static_cast<std::size_t>(filled_ - line_);
  if (skipping_) {
    skipping_ = false;
    too_long(skipped_offset_, offset_of(filled_) - skipped_offset_, skipped_start_);
    return false;
  }
  if (bytes == 0) return false;
  first_line_ = lines_before_next() + 1;
  first_offset_ = offset_of(line_);
  const std::string_view line(line_, bytes);
  line_ = scanned_ = filled_;
  if (bytes > options_.line_bytes_max) {
    too_long(first_offset_, bytes, line);
    return false;
  }
  lines.push_back(line);
  ++lines_read_;
  return true;
}

Result<LineReader::Fill> LineReader::fill() {
  if (input_ended_) return Fill::ended;
  if (skipping_) {
    begin_block(0);  // nothing of this block was given: it is used again
  } else if (static_cast<std::size_t>(block_ + capacity_ - filled_) * 8 <= capacity_) {
    make_room();
  }
  Result<std::size_t> count =
      input_->read(filled_, static_cast<std::size_t>(block_ + capacity_ - filled_));
  if (!count) return count.error();
  if (*count == ByteReader::kNotReady) return Fill::idle;
  if (*count == 0) {
    input_ended_ = true;
    return Fill::ended;
  }
  filled_ += *count;
  return Fill::filled;
}

void LineReader::make_room() {
  // Readers may hold lines of the old block: the unfinished line moves to a new one, twice as large
  // where it must.
  const auto tail = static_cast<std::size_t>(filled_ - line_);
  const std::size_t wanted = std::min(2 * tail, options_.line_bytes_max + 2);
  const ArenaRef old = arena_;
  const char* from = line_;
  const std::uint64_t offset = offset_of(line_);
  new_arena(std::max(options_.block_bytes, wanted));
  if (tail > 0) std::memcpy(block_, from, tail);
  block_offset_ = offset;
  filled_ = scanned_ = block_ + tail;
}

void LineReader::begin_block(std::size_t bytes) {
  const std::uint64_t offset = offset_of(filled_);
  if (bytes > 0) new_arena(bytes);
  block_offset_ = offset;
  line_ = scanned_ = filled_ = block_;
}

bool LineReader::tail_too_long() const {
  const auto tail = static_cast<std::size_t>(filled_ - line_);
  if (tail <= options_.line_bytes_max) return false;
  return tail > options_.line_bytes_max + 1 ||
         filled_[-1] != '\r';  // that may be the end of the line already
}

void LineReader::begin_skipping() {
  const auto tail = static_cast<std::size_t>(filled_ - line_);
  skipping_ = true;
  quotes_ = {};
  skipped_offset_ = offset_of(line_);
  skipped_cr_ = filled_[-1] == '\r';
  skipped_start_.assign(line_, std::min(tail, kShownBytes));
  begin_block(options_.block_bytes);
}

bool LineReader::skip() {
  const auto bytes = static_cast<std::size_t>(filled_ - block_);
  auto* at = static_cast<char*>(std::memchr(block_, '\n', bytes));
  if (at == nullptr) {
    skipped_cr_ = filled_[-1] == '\r';
    return false;
  }
  const bool cr = at > block_ ? at[-1] == '\r' : skipped_cr_;
  skipping_ = false;
  line_ = scanned_ = at + 1;
  too_long(skipped_offset_, offset_of(at) - skipped_offset_ - (cr ? 1 : 0), skipped_start_);
  return true;
}

void LineReader::too_long(std::uint64_t offset, std::uint64_t bytes, std::string_view start) {
  refuse(fmt::format(
             "the line has {} bytes, more than the {} allowed; raise --line-bytes-max to read it",
             bytes, options_.line_bytes_max),
         offset, start);
}

void LineReader::refuse(std::string_view reason, std::uint64_t offset, std::string_view start) {
  ++lines_read_;
  ++lines_refused_;
  if (dead_letters_ == nullptr) return;
  dead_letters_->add(reason, fmt::format("{}: byte {}", options_.path, offset),
                     start.substr(0, kShownBytes));
}

void LineReader::new_arena(std::size_t bytes) {
  // A block for one long line is not kept: sixteen of them in the pool would be memory for nothing.
  arena_ = bytes <= options_.block_bytes ? pool_.take(options_.arenas)
                                         : ArenaRef::make(bytes + kPaddingBytes, options_.arenas);
  capacity_ = bytes;
  block_ = arena_->allocate(bytes + kPaddingBytes);
  line_ = scanned_ = filled_ = block_;
}

}  // namespace millrace::detail
