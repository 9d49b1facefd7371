// MergedSource: many files as one stream in the order of their records' times.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "operator/source.hpp"
#include "record/arena.hpp"
#include "record/batch_type.hpp"
#include "record/schema.hpp"

namespace millrace::detail {

using MakeSource = std::function<std::unique_ptr<Source>(const std::string& path)>;

/// One file of a merge and its next record.
template <class T, class Get>
class MergedFile {
 public:
  MergedFile(std::string path, const MakeSource& make, const Get& get)
      : path_(std::move(path)), make_(make), get_(get) {}

  /// Of the next record; valid after peek() and advance() gave true.
  Time time() const { return time_; }
  bool is_open() const { return source_ != nullptr; }
  std::uint64_t records_read() const { return source_ ? source_->records_read() : 0; }

  /// Learns the time of the first record and closes the file: it is read again when its turn comes,
  /// and only then counted. False, and the file still open, when it has no record.
  Result<bool> peek(const EndContext& context) {
    EndContext silent = context;
    silent.dead_letters = nullptr;
    silent.batch_records_max = 1;
    if (Status status = open(silent); !status) return status;
    Result<bool> found = advance();
    if (!found) return found;
    close();
    if (*found) return true;
    if (Status status = open(context); !status) return status;  // what cannot be read is counted
    return advance();
  }
  Status open(const EndContext& context) {
    source_ = make_(path_);
    ended_ = false;
    return source_->open(context);
  }
  void close() {
    source_.reset();
    batch_ = Batch<T>();
    at_ = 0;
  }
  /// Sees to it that there is a next record. False at the file's end.
  Result<bool> advance() {
    while (at_ >= batch_.values.size()) {
      if (ended_) return false;
      batch_.clear();
      at_ = 0;
      const Result<Poll> poll = source_->poll(batch_);
      if (!poll) return poll.error();
      ended_ = *poll == Poll::ended;
      if (*poll == Poll::idle) {
        return Status(Code::source_failed,
                      fmt::format("\"{}\" is not a file but a pipe or device, and ordered_by would "
                                  "wait for it: read it without ordered_by",
                                  path_));
      }
    }
    learn_time();
    return true;
  }
  bool has_next() const { return at_ < batch_.values.size(); }
  void learn_time() { time_ = micros(std::invoke(get_, batch_.values[at_])); }
  template <class Values>
  void take(Values& to) {
    to.push_back(std::move(batch_.values[at_++]));
  }

 private:
  static Time micros(Time time) { return time; }
  static Time micros(Timestamp time) { return time.micros; }

  std::string path_;
  const MakeSource& make_;
  const Get& get_;
  std::unique_ptr<Source> source_;  // null: not open
  Batch<T> batch_;
  std::size_t at_ = 0;  // of the next record in the batch
  Time time_ = 0;
  bool ended_ = false;  // the batch is its last
};

/// Merges files that are each in the order of `get` (Timestamp or microseconds): always hands on
/// the record with the least time of all files; ties in the order of the files' names, then of
/// their lines. A k-way merge with a heap (Knuth, TAOCP 5.4.1). One partition, which task 0 reads.
///
/// Bounded: a file is open from its first record's turn until its end, so only files that overlap
/// in time are open together, at most kOpenMax, each with one batch of kBatchRecords. When more
/// overlap, it fails with 4001. At open() each file is opened once for its first record.
/// Cost: while one file is ahead of the others, a copy a record; else O(log files).
template <class T, class Get>
class MergedSource final : public Source {
 public:
  static constexpr std::size_t kOpenMax = 256;
  static constexpr std::size_t kBatchRecords = 256;

  MergedSource(std::string pattern, MakeSource make, Get get)
      : pattern_(std::move(pattern)), make_(std::move(make)), get_(std::move(get)) {}

  Status open(const EndContext& context) override {
    context_ = context;
    records_max_ = context.batch_records_max;
    context_.task = 0;
    context_.tasks = 1;
    context_.batch_records_max = kBatchRecords;
    partitions_ = context.task == 0 ? 1 : 0;
    if (partitions_ == 0) return {};
    Result<std::vector<std::string>> paths = context.env->files->list(pattern_);
    if (!paths) return paths.error();
    for (std::string& path : *paths) {
      File& file = *files_.emplace_back(std::make_unique<File>(std::move(path), make_, get_));
      const Result<bool> found = file.peek(context_);
      if (!found) return found.error();
      if (*found) order_.push_back(files_.size() - 1);
      if (!*found) retire(file);
    }
    std::make_heap(order_.begin(), order_.end(), after());
    return {};
  }
  std::uint32_t partitions() const override { return partitions_; }
  std::string partition_name(std::uint32_t) const override { return pattern_; }

  Result<Poll> poll(BatchBase& base) override {
    auto& batch = static_cast<Batch<T>&>(base);
    batch.partition = 0;
    batch.offset = handed_;
    const ArenaRef texts = texts_.take(context_.arenas);
    while (!order_.empty() && batch.values.size() < records_max_) {
      std::pop_heap(order_.begin(), order_.end(), after());
      File& file = *files_[order_.back()];
      if (Status status = open_file(file); !status) return status;
      take_run(file, batch.values, *texts);
      const Result<bool> more = file.advance();
      if (!more) return more.error();
      if (*more) {
        std::push_heap(order_.begin(), order_.end(), after());
      } else {
        order_.pop_back();
        retire(file);
        --open_;
      }
    }
    handed_ += batch.values.size();
    if (texts->used_bytes() > 0) batch.pin(texts);
    return order_.empty() ? Poll::ended : Poll::ready;
  }
  std::uint64_t records_read() const override {
    std::uint64_t read = read_;
    for (const std::size_t index : order_) read += files_[index]->records_read();
    return read;
  }
  void close() override { files_.clear(), order_.clear(); }

 private:
  using File = MergedFile<T, Get>;

  auto after() const {
    return [this](std::size_t a, std::size_t b) {
      const Time first = files_[a]->time();
      const Time second = files_[b]->time();
      return first != second ? first > second : a > b;
    };
  }
  Status open_file(File& file) {
    if (file.is_open()) return {};
    if (open_ >= kOpenMax) {
      return Status(Code::source_failed,
                    fmt::format("more than {} of the files of \"{}\" overlap in time, and so many "
                                "are not held open; read them without ordered_by, or in parts",
                                kOpenMax, pattern_));
    }
    ++open_;
    if (Status status = file.open(context_); !status) return status;
    return file.advance().error();
  }
  /// Takes records of the open batch while no other file has an earlier one.
  template <class Values>
  void take_run(File& file, Values& values, Arena& texts) {
    const std::size_t index = order_.back();
    const std::size_t next = order_.size() > 1 ? order_.front() : index;
    while (file.has_next() && values.size() < records_max_) {
      file.learn_time();
      if (next != index && after()(index, next)) return;
      file.take(values);
      if constexpr (Schema<T>::kBorrows) rehome_last(values, texts);
    }
  }
  void retire(File& file) {
    read_ += file.records_read();
    file.close();
  }

  std::string pattern_;
  MakeSource make_;
  Get get_;
  EndContext context_;
  std::size_t records_max_ = 0;
  std::uint32_t partitions_ = 0;
  std::vector<std::unique_ptr<File>> files_;
  std::vector<std::size_t> order_;  // a heap; the least time in front
  std::size_t open_ = 0;
  ArenaPool texts_{64u << 10};
  std::uint64_t handed_ = 0;
  std::uint64_t read_ = 0;  // of files that have ended
};

}  // namespace millrace::detail
