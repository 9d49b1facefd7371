// JsonSource: the JSON lines of a file, a pipe or standard input as records of a described type.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "connector/line_input.hpp"
#include "operator/source.hpp"
#include "record/codec_json.hpp"
#include "record/schema.hpp"

namespace millrace::detail {

/// Fills Batch<T>, one partition; the batch's offset is the byte offset of the first line it was
/// read from.
///
/// A line that cannot be decoded becomes a dead letter, "path:LINE" with the reason and the line's
/// start, and counts as read; so does a line that is too long. Blank lines are skipped and not
/// counted.
///
/// Text stays where the line was read when it has no escapes; the batch pins what T borrows, and
/// nothing when T owns its members. Errors: as LineInput.
template <class T>
class JsonSource final : public Source {
 public:
  explicit JsonSource(LineInputOptions options) : input_(std::move(options)) {}

  Status open(const EndContext& context) override {
    dead_letters_ = context.dead_letters;
    batch_records_max_ = context.batch_records_max;
    return input_.open(context);
  }
  std::uint32_t partitions() const override { return input_.partitions(); }
  std::string partition_name(std::uint32_t) const override { return input_.path(); }

  Result<Poll> poll(BatchBase& batch) override {
    lines_.clear();
    batch.partition = 0;
    Result<Poll> poll = input_.read(lines_, batch_records_max_, batch);
    if (!poll || lines_.empty()) return poll;
    const ArenaRef texts =
        texts_.take();  // of text with escapes, which is not as it stands in the line
    decode(static_cast<Batch<T>&>(batch).values, *texts);
    if constexpr (!Schema<T>::kBorrows) {
      batch.arenas.clear();
    } else if (texts->used_bytes() > 0) {
      batch.pin(texts);
    }
    return poll;
  }
  std::uint64_t records_read() const override { return input_.lines_read() - blank_lines_; }
  void close() override { input_.close(); }

 private:
  static constexpr std::size_t kShownBytes = 256;
  static constexpr std::size_t kTextBytes = 64u << 10;

  void decode(std::vector<T>& values, Arena& texts) {
    values.reserve(values.size() + lines_.size());
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const Decoded decoded =
          decoder_.decode(lines_[i], values.emplace_back(), texts, LineHome::arena);
      if (decoded == Decoded::record) [[likely]]
        continue;
      values.pop_back();
      if (decoded == Decoded::blank) {
        ++blank_lines_;
      } else {
        refuse(lines_[i], input_.first_line() + i);
      }
    }
  }
  void refuse(std::string_view line, std::uint64_t number) {
    if (dead_letters_ == nullptr) return;
    dead_letters_->add(decoder_.error(), fmt::format("{}:{}", input_.path(), number),
                       line.substr(0, kShownBytes));
  }

  LineInput input_;
  JsonDecoder<T> decoder_;
  ArenaPool texts_{kTextBytes};
  std::vector<std::string_view> lines_;
  DeadLetters* dead_letters_ = nullptr;
  std::size_t batch_records_max_ = 0;
  std::uint64_t blank_lines_ = 0;
};

}  // namespace millrace::detail
