// TextSink: whole lines are gathered in a buffer and written together.
#include "connector/text_sink.hpp"

#include <fmt/format.h>

#include <utility>

#include "connector/open_input.hpp"
#include "connector/rolled_files.hpp"
#include "connector/staged_file.hpp"
#include "env/rereadable_reader.hpp"
#include "operator/task_context.hpp"

namespace millrace::detail {

namespace {

bool is_pipe_or_device(const EndContext& context, const std::string& path) {
  if (!context.env->disk->exists(path)) return false;
  const auto reader = context.env->files->open_read(path);
  const auto* const again = reader ? dynamic_cast<const RereadableReader*>(reader->get()) : nullptr;
  return again != nullptr && !again->rereadable();
}

}  // namespace

TextSink::TextSink(TextSinkOptions options, Formatter format)
    : options_(std::move(options)), format_(std::move(format)) {}

Status TextSink::open(const EndContext& context) {
  if (context.tasks > 1) {
    return Status(
        Code::sink_failed,
        fmt::format("\"{}\" cannot be written by {} tasks, they would tear each other's lines; "
                    "give the text sink one task",
                    options_.path, context.tasks));
  }
  if (options_.keys) options_.keys->open(context);
  buffer_.reserve(options_.buffer_bytes + (options_.buffer_bytes >> 2));
  if (options_.rolling) return open_rolled(context);
  is_device_ = context.epochs && transactional() && is_pipe_or_device(context, options_.path);
  if (context.epochs && transactional()) {
    auto staged = std::make_unique<StagedFile>(*context.env->disk, options_.path);
    staged_ = staged.get();
    writer_ = std::move(staged);
    return {};
  }
  const bool writes_header = !options_.header.empty() && begins_empty(context);
  Result<std::unique_ptr<ByteWriter>> writer =
      open_output(context, options_.kind, options_.path, options_.append);
  if (!writer) return writer.error();
  writer_ = *std::move(writer);
  if (writes_header) buffer_.append(options_.header).push_back('\n');
  return {};
}

Status TextSink::open_rolled(const EndContext& context) {
  RolledNames names{.stem = "records", .extension = options_.extension, .header = {}};
  if (context.user != nullptr) {
    names.stem = safe_file_name(context.user->topology().name) + "." +
                 safe_file_name(context.user->component());
  }
  if (!options_.header.empty()) names.header = options_.header + "\n";
  auto files = std::make_unique<RolledFiles>(*context.env->disk, *context.env->clock,
                                             RolledFolder{options_.path, *options_.rolling},
                                             std::move(names), context.epochs);
  if (Status status = files->open(); !status) return status;
  if (context.epochs) staged_ = files.get();
  writer_ = std::move(files);
  return {};
}

bool TextSink::begins_empty(const EndContext& context) const {
  if (!options_.append || options_.path == "-" || options_.kind != EndpointKind::file) return true;
  Result<std::unique_ptr<ByteReader>> reader = context.env->files->open_read(options_.path);
  char first = 0;
  if (!reader) return true;
  const Result<std::size_t> count = (*reader)->read(&first, 1);
  return count && *count == 0;
}

Status TextSink::write(const BatchBase& batch) {
  if (!failed_) return failed_;
  const std::size_t count = batch.size();
  for (std::size_t index = 0; index < count; ++index) {
    format_(buffer_, batch, index);
    buffer_.push_back('\n');
    ++buffered_;
    if (buffer_.size() < options_.buffer_bytes) continue;
    if (Status status = write_out(); !status) return status;
  }
  return {};
}

Result<std::string> TextSink::prepare(std::uint64_t) {
  if (staged_ == nullptr) return std::string();
  if (Status status = write_out(); !status) return status;
  Result<std::string> prepared = staged_->prepare();
  if (!prepared) failed_ = prepared.error();
  return prepared;
}

Status TextSink::commit(std::uint64_t, std::string_view prepared) {
  return staged_ != nullptr ? staged_->commit(prepared) : Status();
}

Status TextSink::recover(std::span<const std::string> prepared) {
  if (staged_ == nullptr) return {};
  const std::string_view last = prepared.empty() ? std::string_view() : prepared.back();
  if (Status status = staged_->recover(last, options_.append); !status) return status;
  if (staged_->needs_header() && !options_.header.empty())
    buffer_.append(options_.header).push_back('\n');
  return {};
}

Status TextSink::flush() {
  if (staged_ != nullptr) return failed_;  // nobody could see it yet
  if (Status status = write_out(); !status) return status;
  return writer_ ? writer_->flush() : Status();
}

Status TextSink::close() {
  Status status = flush();
  const Status closed = writer_ ? writer_->close() : Status();
  const std::lock_guard lock(closing_);
  writer_.reset();
  return status ? closed : status;
}

void TextSink::give_up() {
  const std::lock_guard lock(closing_);
  if (writer_) writer_->give_up();
}

Status TextSink::write_out() {
  if (!failed_) return failed_;
  if (buffer_.empty()) return {};
  const Status status = writer_->write(buffer_);
  if (status) {
    records_written_ += buffered_;
  } else if (status.code() == Code::output_closed) {
    failed_ = status;
  } else {
    failed_ = Status(
        status.code(),
        fmt::format("{} ({} records were written before, the {} after them in part or not at "
                    "all)",
                    status.message(), records_written_, buffered_));
  }
  buffer_.clear();
  buffered_ = 0;
  return failed_;
}

}  // namespace millrace::detail
