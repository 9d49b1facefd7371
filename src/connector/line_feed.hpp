// LineFeed: the lines of all inputs that a source reads: files as partitions, clients as they come.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/file_position.hpp"
#include "connector/line_input.hpp"
#include "connector/partition_turns.hpp"

namespace millrace::detail {

/// Lines of several inputs in turn; each read() gives lines of one of them. One thread.
class LineFeed {
 public:
  virtual ~LineFeed() = default;
  /// Errors: 4001 when an input cannot be opened, or no file matches.
  virtual Status open(const EndContext& context) = 0;
  virtual std::uint32_t partitions() const = 0;
  virtual std::string partition_name(std::uint32_t partition) const = 0;
  /// As LineInput::read(); sets the batch's partition too, and may say partition_ended.
  virtual Result<Poll> read(std::vector<std::string_view>& lines, std::size_t lines_max,
                            BatchBase& batch) = 0;
  /// Of the last read(): which input gave its lines (each has a header of its own), whether that
  /// was its end, its name for messages, and the 1-based number of the first line.
  virtual std::uint64_t input() const = 0;
  virtual bool input_ended() const = 0;
  virtual const std::string& path() const = 0;
  virtual std::uint64_t first_line() const = 0;
  /// Lines of all inputs, refused ones included.
  virtual std::uint64_t lines_read() const = 0;
  virtual void close() = 0;

  /// What the format of the lines keeps of an input, and takes back.
  struct Notes {
    std::function<std::string(std::uint64_t input)> of = {};
    std::function<Status(std::uint64_t input, const std::string& note, const std::string& path)>
        take = {};
  };
  /// As those of Source.
  virtual bool replayable() const { return false; }
  virtual void save_positions(std::vector<SourcePosition>&, const Notes&) const {}
  virtual Status resume(std::span<const SourcePosition>, const Notes&) { return {}; }
};

/// A partition for each file; for anything else one. The tasks share them. At most 64 files are
/// open at a time: the next one is opened when one ends.
class FileFeed final : public LineFeed {
 public:
  static constexpr std::uint32_t kOpenMax = 64;

  explicit FileFeed(LineInputOptions options) : options_(std::move(options)) {}

  Status open(const EndContext& context) override;
  std::uint32_t partitions() const override { return turns_.count(); }
  std::string partition_name(std::uint32_t partition) const override;
  Result<Poll> read(std::vector<std::string_view>& lines, std::size_t lines_max,
                    BatchBase& batch) override;
  /// A block of whole lines instead, see LineReader::read_run().
  Result<Poll> read_block(LineBlock& block);
  std::uint64_t input() const override { return last_; }
  bool input_ended() const override { return ended_; }
  const std::string& path() const override { return paths_[turns_.global(last_)]; }
  std::uint64_t first_line() const override { return first_line_; }
  std::uint64_t lines_read() const override { return lines_read_; }
  void close() override { inputs_.clear(); }

  bool replayable() const override;
  void save_positions(std::vector<SourcePosition>& to, const Notes& notes) const override;
  /// Files keep the numbers of their partitions, and those that are new come behind them: so
  /// partitions() may be greater than before. One that had ended may be gone.
  Status resume(std::span<const SourcePosition> positions, const Notes& notes) override;

 private:
  template <class Read>
  Result<Poll> read_by(BatchBase& batch, Read&& read);
  Status open_first();
  Status open_input_of(std::uint32_t local);
  Poll end_current();
  Result<std::vector<FilePosition>> take_paths(std::span<const SourcePosition> positions);

  LineInputOptions options_;
  const EndContext* context_ = nullptr;
  std::vector<std::string> paths_;  // of all tasks
  PartitionTurns turns_;
  std::vector<std::unique_ptr<LineInput>> inputs_;  // of this task; null: not open
  std::vector<FilePosition> begins_;                // of this task: where each begins, or that it
                                                    // has ended; its note is with the format
  std::uint32_t last_ = 0;
  bool ended_ = false;
  std::uint64_t first_line_ = 0;
  std::uint64_t lines_read_ = 0;
};

/// The lines of the clients of a listening socket: one partition, which task 0 reads. A client that
/// goes in the middle of a line gave that line.
class ClientFeed final : public LineFeed {
 public:
  static constexpr std::size_t kClientsMax = 256;
  static constexpr std::size_t kLineBytesMax = 1u << 20;

  explicit ClientFeed(LineInputOptions options) : options_(std::move(options)) {}

  Status open(const EndContext& context) override;
  std::uint32_t partitions() const override { return partitions_; }
  std::string partition_name(std::uint32_t) const override { return options_.path; }
  Result<Poll> read(std::vector<std::string_view>& lines, std::size_t lines_max,
                    BatchBase& batch) override;
  std::uint64_t input() const override { return last_; }
  bool input_ended() const override { return ended_; }
  const std::string& path() const override { return options_.path; }
  std::uint64_t first_line() const override { return first_line_; }
  std::uint64_t lines_read() const override { return lines_read_; }
  void close() override;

 private:
  struct Client {
    std::uint64_t id;
    std::unique_ptr<LineReader> reader;
  };
  Status take_clients();
  bool read_client(std::vector<std::string_view>& lines, std::size_t lines_max, BatchBase& batch);

  LineInputOptions options_;
  const EndContext* context_ = nullptr;
  std::unique_ptr<Listener> listener_;
  std::vector<Client> clients_;
  std::size_t turn_ = 0;
  std::uint32_t partitions_ = 0;
  std::uint64_t next_id_ = 1;
  std::uint64_t last_ = 0;
  bool ended_ = false;
  std::uint64_t first_line_ = 0;
  std::uint64_t lines_read_ = 0;
};

std::unique_ptr<LineFeed> make_line_feed(LineInputOptions options);

}  // namespace millrace::detail
