// RecordSource: the lines of an input as records of a described type, read by a format.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "connector/line_feed.hpp"
#include "operator/source.hpp"
#include "record/schema.hpp"
#include "record/value_plan.hpp"

namespace millrace::detail {

/// Takes back the record that a line did not become.
template <class T>
Decoded kept_or_withdrawn(Decoded decoded, std::vector<T>& values) {
  if (decoded != Decoded::record) values.pop_back();
  return decoded;
}

/// Fills Batch<T>, a partition for each file; the batch's offset is the byte offset of the first
/// line it was read from.
///
/// A line that cannot be decoded becomes a dead letter, "path:LINE" with the reason and the line's
/// start, and counts as read; so does a line that is too long. Blank lines and headers are skipped
/// and not counted.
///
/// Text stays where the line was read when it stands there as it is meant; the batch pins what T
/// borrows, and nothing when T owns its members. Errors: as LineFeed and Format.
///
/// A Format has append(line, values, arena), error(), header(line, input, first, path):
/// Result<bool>, whether the line belongs to the input itself and not to a record (`first`: it is
/// the input's first line), and ended(input). Where it keeps something of an input, note(input)
/// says it for a later run, whose format gets it by take_note(input, note, path): Status.
template <class T, class Format>
class RecordSource final : public Source {
 public:
  explicit RecordSource(LineInputOptions options, Format format = Format())
      : feed_(make_line_feed(std::move(options))), format_(std::move(format)) {}

  Status open(const EndContext& context) override {
    dead_letters_ = context.dead_letters;
    arenas_ = context.arenas;
    batch_records_max_ = context.batch_records_max;
    return feed_->open(context);
  }
  std::uint32_t partitions() const override { return feed_->partitions(); }
  std::string partition_name(std::uint32_t partition) const override {
    return feed_->partition_name(partition);
  }

  Result<Poll> poll(BatchBase& batch) override {
    lines_.clear();
    Result<Poll> poll = feed_->read(lines_, batch_records_max_, batch);
    if (!poll) return poll;
    if (!lines_.empty()) {
      if (Status status = decode_lines(static_cast<Batch<T>&>(batch)); !status) return status;
    }
    if (feed_->input_ended()) format_.ended(feed_->input());
    return poll;
  }
  std::uint64_t records_read() const override { return feed_->lines_read() - other_lines_; }
  void close() override { feed_->close(); }
  bool replayable() const override { return feed_->replayable(); }
  void save_positions(std::vector<SourcePosition>& to) const override {
    LineFeed::Notes notes;
    if constexpr (requires { format_.note(0); }) {
      notes.of = [this](std::uint64_t input) { return format_.note(input); };
    }
    feed_->save_positions(to, notes);
  }
  Status resume(std::span<const SourcePosition> positions) override {
    LineFeed::Notes notes;
    if constexpr (requires { format_.note(0); }) {
      notes.take = [this](std::uint64_t input, const std::string& note, const std::string& path) {
        return format_.take_note(input, note, path);
      };
    }
    return feed_->resume(positions, notes);
  }

 private:
  static constexpr std::size_t kTextBytes = 64u << 10;

  Status decode_lines(Batch<T>& batch) {
    Result<bool> header =
        format_.header(lines_.front(), feed_->input(), feed_->first_line() == 1, feed_->path());
    if (!header) return header.error();
    // Of text with escapes or doubled quotes, which is not as it stands in the line.
    const ArenaRef texts = texts_.take(arenas_);
    decode(batch.values, *texts, *header ? 1 : 0);
    if constexpr (!Schema<T>::kBorrows) {
      batch.arenas.clear();
    } else if (texts->used_bytes() > 0) {
      batch.pin(texts);
    }
    return {};
  }
  template <class Values>
  void decode(Values& values, Arena& texts, std::size_t headers) {
    other_lines_ += headers;
    values.reserve(values.size() + lines_.size());
    for (std::size_t i = headers; i < lines_.size(); ++i) {
      const Decoded decoded = format_.append(lines_[i], values, texts);
      if (decoded == Decoded::record) [[likely]]
        continue;
      if (decoded == Decoded::blank) {
        ++other_lines_;
      } else {
        refuse(i);
      }
    }
  }
  void refuse(std::size_t index) {
    if (dead_letters_ == nullptr) return;
    std::uint64_t number = feed_->first_line() + index;
    for (std::size_t i = 0; i < index; ++i) {  // lines of CSV may hold newlines
      number += static_cast<std::uint64_t>(std::count(lines_[i].begin(), lines_[i].end(), '\n'));
    }
    dead_letters_->add(format_.error(), fmt::format("{}:{}", feed_->path(), number), lines_[index]);
  }

  std::unique_ptr<LineFeed> feed_;
  Format format_;
  ArenaPool texts_{kTextBytes};
  std::vector<std::string_view> lines_;
  DeadLetters* dead_letters_ = nullptr;
  MemoryMeter* arenas_ = nullptr;
  std::size_t batch_records_max_ = 0;
  std::uint64_t other_lines_ = 0;  // blank ones and headers
};

}  // namespace millrace::detail
