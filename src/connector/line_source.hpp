// LineSource: the lines of a file, a pipe or standard input as records.
#pragma once

#include "connector/line_input.hpp"
#include "operator/source.hpp"

namespace millrace::detail {

/// Fills Batch<std::string_view>, one partition; the batch's offset is the byte offset of its first
/// line.
///
/// Lines are as LineReader gives them (empty ones too); too long ones become dead letters and count
/// as read. Errors: as LineInput.
class LineSource final : public Source {
 public:
  explicit LineSource(LineInputOptions options) : input_(std::move(options)) {}

  Status open(const EndContext& context) override;
  std::uint32_t partitions() const override { return input_.partitions(); }
  std::string partition_name(std::uint32_t) const override { return input_.path(); }
  Result<Poll> poll(BatchBase& batch) override;
  std::uint64_t records_read() const override { return input_.lines_read(); }
  void close() override { input_.close(); }

 private:
  LineInput input_;
  std::size_t batch_records_max_ = 0;
};

}  // namespace millrace::detail
