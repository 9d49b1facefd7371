// TextSink: records as lines of text in a file or on standard output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "connector/endpoint.hpp"
#include "connector/epoch_writer.hpp"
#include "connector/rolled_folder.hpp"
#include "operator/idempotency_key.hpp"
#include "operator/source.hpp"

namespace millrace::detail {

struct TextSinkOptions {
  std::string path;         ///< "-" is standard output
  bool append = false;      ///< keeps what the file holds; else it is emptied at open()
  std::string header = {};  ///< the first line of a file that holds nothing yet; empty: none
  EndpointKind kind = EndpointKind::file;
  std::optional<Rolling> rolling = {};         ///< `path` is a folder that gets files
  std::string extension = {};                  ///< of those, with its dot
  std::shared_ptr<IdempotencyKeys> keys = {};  ///< that the formatter writes; opened with the sink
  std::size_t buffer_bytes = 64u << 10;  ///< written when this full, and at flush() and close()
};

/// Writes a line for each record. One thread.
///
/// Where the run makes epochs, a file gets the lines of an epoch when that is complete, and a
/// folder a file when it is whole and the epoch of its last line complete; standard output, pipes,
/// devices, sockets and commands get them at once.
///
/// One task only: several would empty or tear each other's file; open() refuses them with 4002.
/// Errors: 4002 with path, reason and the number of records written before; 4005 when the reader of
/// a pipe is gone. After an error nothing more is written, and each call gives it again.
class TextSink final : public Sink {
 public:
  /// Appends the text of record `index` of the batch to `out`, without its '\n'.
  using Formatter =
      std::function<void(std::string& out, const BatchBase& batch, std::size_t index)>;

  TextSink(TextSinkOptions options, Formatter format);

  Status open(const EndContext& context) override;
  Status write(const BatchBase& batch) override;
  Status flush() override;
  Status close() override;
  void give_up() override;
  bool transactional() const override {
    return options_.kind == EndpointKind::file && options_.path != "-" && !is_device_;
  }
  Result<std::string> prepare(std::uint64_t epoch) override;
  Status commit(std::uint64_t epoch, std::string_view prepared) override;
  Status recover(std::span<const std::string> prepared) override;
  /// Records whose whole lines were handed to the system.
  std::uint64_t records_written() const { return records_written_; }

 private:
  Status write_out();
  bool begins_empty(const EndContext& context) const;
  Status open_rolled(const EndContext& context);

  TextSinkOptions options_;
  Formatter format_;
  std::unique_ptr<ByteWriter> writer_;
  EpochWriter* staged_ = nullptr;  ///< is writer_ where the run makes epochs; else null
  bool is_device_ = false;         ///< or a pipe: what is written there cannot wait
  std::mutex closing_;  ///< give_up() and the end of close() only: the writer may be gone
  std::string buffer_;
  std::uint64_t buffered_ = 0;  // records in buffer_
  std::uint64_t records_written_ = 0;
  Status failed_;
};

}  // namespace millrace::detail
