// LineBlock: lines as they were read, not cut apart yet: what goes to tasks that decode side by
// side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "record/batch.hpp"

namespace millrace::detail {

/// Whole lines that follow each other in one input. The text lies in an arena of the batch that is
/// not written to any more; kScanPaddingBytes behind it may be read.
struct LineRun {
  std::string_view text;           ///< each line with its '\n', which the last of an input may lack
  std::uint64_t lines = 0;         ///< in `text`
  std::uint64_t first_line = 0;    ///< 1-based number of its first line
  std::uint64_t offset = 0;        ///< of `text` in the input
  std::size_t line_bytes_max = 0;  ///< longer lines are dead letters
  std::shared_ptr<const std::string> path;  ///< of the input, for messages
};

/// A batch whose records are lines that nobody has cut apart: its size is their number, so that
/// counts are those of lines everywhere. It is sent whole.
class LineBlock final : public BatchBase {
 public:
  std::size_t size() const override { return lines_; }
  void add(LineRun run) {
    lines_ += run.lines;
    runs_.push_back(std::move(run));
  }
  /// Adds the lines of `other` that are picked (ascending), each as a run of its own. Cost: a walk
  /// over `other`.
  void add_picked(const LineBlock& other, std::span<const std::uint32_t> picks);
  void add_all(const LineBlock& other) {
    for (const LineRun& run : other.runs_) add(run);
  }
  const std::vector<LineRun>& runs() const { return runs_; }
  void swap_records(LineBlock& other) {
    runs_.swap(other.runs_);
    std::swap(lines_, other.lines_);
  }

 protected:
  void clear_records() override {
    runs_.clear();
    lines_ = 0;
  }

 private:
  std::vector<LineRun> runs_;
  std::size_t lines_ = 0;
};

const BatchType& line_block_type();

}  // namespace millrace::detail
