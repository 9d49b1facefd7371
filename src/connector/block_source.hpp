// BlockSource and BlockDecoder: a source of lines in two steps: one task reads blocks, several
// decode them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "connector/line_feed.hpp"
#include "connector/line_scan.hpp"
#include "operator/operator.hpp"
#include "operator/source.hpp"
#include "record/batch_type.hpp"
#include "record/line_block.hpp"
#include "record/value_plan.hpp"

namespace millrace::detail {

/// Fills LineBlock with the lines of files. Lines that do not fit a block and are longer than
/// allowed become dead letters here. Errors: as LineFeed.
class BlockSource final : public Source {
 public:
  explicit BlockSource(LineInputOptions options) : feed_(std::move(options)) {}

  Status open(const EndContext& context) override { return feed_.open(context); }
  std::uint32_t partitions() const override { return feed_.partitions(); }
  std::string partition_name(std::uint32_t partition) const override {
    return feed_.partition_name(partition);
  }
  Result<Poll> poll(BatchBase& batch) override {
    return feed_.read_block(static_cast<LineBlock&>(batch));
  }
  std::uint64_t records_read() const override { return feed_.lines_read(); }
  void close() override { feed_.close(); }
  bool replayable() const override { return feed_.replayable(); }
  void save_positions(std::vector<SourcePosition>& to) const override {
    feed_.save_positions(to, {});
  }
  Status resume(std::span<const SourcePosition> positions) override {
    return feed_.resume(positions, {});
  }

 private:
  FileFeed feed_;
};

/// The lines themselves as records.
struct WholeLines {
  Decoded decode(std::string_view line, std::string_view& record, Arena&) {
    record = line;
    return Decoded::record;
  }
  std::string error() const { return {}; }
};

/// Cuts the lines of blocks apart and decodes each by a Format, which has decode() and error() as
/// that of RecordSource. What it cannot decode becomes a dead letter with path and line; blank
/// lines are filtered. Emits batches of batch_records_max at most, in the order of the block.
template <class T, class Format>
class BlockDecoder final : public Operator {
 public:
  /// `args` make its format.
  template <class... Args>
  explicit BlockDecoder(Args... args) : format_(std::move(args)...) {}

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool, Outputs& outputs) override {
    const auto& block = static_cast<const LineBlock&>(base);
    begin(block);
    line_ = 0;
    for (const LineRun& run : block.runs()) {
      std::uint64_t number = run.first_line;
      const char* line = run.text.data();
      const char* const end = line + run.text.size();
      for_each_newline(line, end, [&](const char* at) {
        const bool cr = at > line && at[-1] == '\r';
        take(block, run, {line, static_cast<std::size_t>(at - line) - (cr ? 1 : 0)}, number++);
        line = at + 1;
        if (out_.values.size() >= context().batch_records_max) hand_on(block, outputs);
        return true;
      });
      if (line < end) take(block, run, {line, static_cast<std::size_t>(end - line)}, number);
    }
    hand_on(block, outputs);
  }

 private:
  static constexpr std::size_t kTextBytes = 64u << 10;

  void begin(const LineBlock& block) {
    out_.clear();
    carry_marks(block, out_);
    texts_ = pool_.take(context().arenas);
  }

  void take(const LineBlock& block, const LineRun& run, std::string_view line,
            std::uint64_t number) {
    const std::uint32_t index = line_++;
    if (line.size() > run.line_bytes_max) [[unlikely]] {
      return refuse(
          fmt::format(
              "the line has {} bytes, more than the {} allowed; raise --line-bytes-max to read it",
              line.size(), run.line_bytes_max),
          fmt::format("{}: byte {}", *run.path,
                      run.offset + static_cast<std::uint64_t>(line.data() - run.text.data())),
          line);
    }
    const Decoded decoded = format_.decode(line, out_.values.emplace_back(), *texts_);
    if (decoded == Decoded::record) [[likely]] {
      if (!block.messages.empty()) out_.messages.push_back(block.message_of(index));
      return;
    }
    out_.values.pop_back();
    if (decoded == Decoded::blank) {
      ++tally().filtered;
    } else {
      refuse(format_.error(), fmt::format("{}:{}", *run.path, number), line);
    }
  }

  void refuse(std::string_view reason, std::string_view where, std::string_view line) {
    ++tally().dead_lettered;
    context().dead_letters->add(reason, where, line);
  }

  void hand_on(const LineBlock& block, Outputs& outputs) {
    if (out_.values.empty()) return;
    tally().processed += out_.values.size();
    if constexpr (borrows<T>()) {
      out_.pin_all(block);
      if (texts_->used_bytes() > 0) out_.pin(texts_);
    }
    outputs.push(0, out_);
    begin(block);
  }

  template <class U>
  static constexpr bool borrows() {
    if constexpr (std::is_same_v<U, std::string_view>) {
      return true;
    } else {
      return Schema<U>::kBorrows;
    }
  }

  Format format_;
  ArenaPool pool_{kTextBytes};
  ArenaRef texts_;
  Batch<T> out_;
  std::uint32_t line_ = 0;  ///< of the block, the next one
};

}  // namespace millrace::detail
