// LineSource: the lines of a file, a pipe or standard input as records.
#pragma once

#include "connector/line_feed.hpp"
#include "operator/source.hpp"

namespace millrace::detail {

/// Fills Batch<std::string_view>, a partition for each file; the batch's offset is the byte offset
/// of its first line.
///
/// Lines are as LineReader gives them (empty ones too); too long ones become dead letters and count
/// as read. Errors: as LineFeed.
class LineSource final : public Source {
 public:
  explicit LineSource(LineInputOptions options) : feed_(make_line_feed(std::move(options))) {}

  Status open(const EndContext& context) override;
  std::uint32_t partitions() const override { return feed_->partitions(); }
  std::string partition_name(std::uint32_t partition) const override {
    return feed_->partition_name(partition);
  }
  Result<Poll> poll(BatchBase& batch) override;
  std::uint64_t records_read() const override { return feed_->lines_read(); }
  void close() override { feed_->close(); }
  bool replayable() const override { return feed_->replayable(); }
  void save_positions(std::vector<SourcePosition>& to) const override {
    feed_->save_positions(to, {});
  }
  Status resume(std::span<const SourcePosition> positions) override {
    return feed_->resume(positions, {});
  }

 private:
  std::unique_ptr<LineFeed> feed_;
  std::size_t batch_records_max_ = 0;
};

}  // namespace millrace::detail
