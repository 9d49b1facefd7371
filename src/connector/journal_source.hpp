// JournalSource: the values of a journal's topic as records of a type or rows, read by a format.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "connector/journal_feed.hpp"
#include "record/schema.hpp"
#include "record/value_plan.hpp"

namespace millrace::detail {

/// Fills Batch<T>, a partition for each of the topic's; the batch's offset is that of its first
/// record. A value that is no T becomes a dead letter, "DIR/TOPIC/PARTITION:OFFSET" with the
/// reason and the value's start, and counts as read. Errors: as JournalFeed.
///
/// A Format has append(value, values, arena) and error(), as those of RecordSource.
template <class T, class Format>
class JournalSource final : public Source {
 public:
  JournalSource(JournalInput input, Format format)
      : feed_(make_journal_feed(std::move(input))), format_(std::move(format)) {}

  Status open(const EndContext& context) override {
    dead_letters_ = context.dead_letters;
    arenas_ = context.arenas;
    batch_records_max_ = context.batch_records_max;
    batch_bytes_max_ = context.batch_bytes_max;
    return feed_->open(context);
  }
  std::uint32_t partitions() const override { return feed_->partitions(); }
  std::string partition_name(std::uint32_t partition) const override {
    return feed_->partition_name(partition);
  }

  Result<Poll> poll(BatchBase& base) override {
    auto& batch = static_cast<Batch<T>&>(base);
    if (feed_->ended()) return Poll::ended;
    const ArenaRef texts = texts_.take(arenas_);
    batch.partition = feed_->current();
    std::size_t taken = 0;
    FedRecord record;
    for (std::size_t bytes = 0; taken < batch_records_max_ && bytes < batch_bytes_max_; ++taken) {
      const auto more = feed_->next(record);
      if (!more) return more.error();
      if (!*more) break;
      if (taken == 0) batch.offset = record.offset;
      bytes += record.value.size();
      decode(record, batch, *texts);
    }
    if constexpr (Schema<T>::kBorrows) {
      if (texts->used_bytes() > 0) batch.pin(texts);
    }
    read_ += taken;
    return feed_->pass(taken > 0);
  }
  std::uint64_t records_read() const override { return read_; }
  bool replayable() const override { return true; }
  bool reads_range() const override { return true; }
  void save_positions(std::vector<SourcePosition>& to) const override { feed_->save_positions(to); }
  Status resume(std::span<const SourcePosition> positions) override {
    return feed_->resume(positions);
  }

 private:
  static constexpr std::size_t kTextBytes = 64u << 10;

  void decode(const FedRecord& record, Batch<T>& batch, Arena& texts) {
    // The reader's buffer goes on: what T borrows must stand in the arena.
    const std::string_view value = texts.intern(record.value);
    const Decoded decoded = format_.append(value, batch.values, texts);
    if (decoded == Decoded::record || dead_letters_ == nullptr) return;
    dead_letters_->add(
        decoded == Decoded::blank ? std::string_view("the value is empty") : format_.error(),
        fmt::format("{}:{}", feed_->partition_name(batch.partition), record.offset), value);
  }

  std::unique_ptr<JournalFeed> feed_;
  Format format_;
  ArenaPool texts_{kTextBytes};
  DeadLetters* dead_letters_ = nullptr;
  MemoryMeter* arenas_ = nullptr;
  std::size_t batch_records_max_ = 0;
  std::size_t batch_bytes_max_ = 0;
  std::uint64_t read_ = 0;
};

}  // namespace millrace::detail
