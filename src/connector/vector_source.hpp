// VectorSource: records that are in memory already, for tests and small inputs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "connector/counted_position.hpp"
#include "connector/partition_turns.hpp"
#include "operator/source.hpp"
#include "record/heap_bytes.hpp"

namespace millrace::detail {

/// Fills Batch<T> with copies of the given records; task t of n owns the partitions with index % n
/// == t and takes a batch from each in turn. A batch's offset is the position in its partition.
///
/// The partitions are shared by the tasks and never changed. What a T borrows (string_view) is the
/// caller's to keep.
template <class T>
class VectorSource final : public Source {
 public:
  using Partitions = std::vector<std::vector<T>>;

  explicit VectorSource(std::shared_ptr<const Partitions> records) : records_(std::move(records)) {}
  explicit VectorSource(Partitions records)
      : VectorSource(std::make_shared<const Partitions>(std::move(records))) {}

  Status open(const EndContext& context) override {
    turns_ = PartitionTurns(static_cast<std::uint32_t>(records_->size()), context);
    batch_records_max_ = context.batch_records_max;
    batch_bytes_max_ = context.batch_bytes_max;
    taken_.assign(turns_.count(), 0);
    return {};
  }
  std::uint32_t partitions() const override { return turns_.count(); }

  Result<Poll> poll(BatchBase& batch) override {
    if (turns_.all_ended()) return Poll::ended;
    const std::uint32_t local = turns_.current();
    const std::vector<T>& records = (*records_)[turns_.global(local)];
    std::uint64_t& taken = taken_[local];
    const std::size_t count = that_fit(std::span(records).subspan(taken).first(
        std::min<std::size_t>(batch_records_max_, records.size() - taken)));
    const auto from = records.begin() + static_cast<std::ptrdiff_t>(taken);
    auto& values = static_cast<Batch<T>&>(batch).values;
    values.insert(values.end(), from, from + static_cast<std::ptrdiff_t>(count));
    batch.partition = local;
    batch.offset = taken;
    taken += count;
    read_ += count;
    if (taken < records.size()) {
      turns_.next();
      return Poll::ready;
    }
    turns_.end_current();
    return turns_.all_ended() ? Poll::ended : Poll::partition_ended;
  }
  std::uint64_t records_read() const override { return read_; }

  bool replayable() const override { return true; }
  void save_positions(std::vector<SourcePosition>& to) const override {
    save_counts(turns_, taken_, records_->size(), to);
  }
  Status resume(std::span<const SourcePosition> positions) override {
    if (Status status = take_counts(positions, turns_, records_->size(), taken_); !status) {
      return status;
    }
    for (std::uint32_t local = 0; local < turns_.count(); ++local) {
      if (taken_[local] > (*records_)[turns_.global(local)].size()) {
        return {Code::source_failed,
                "partition " + std::to_string(turns_.global(local)) +
                    " of the records in memory is shorter than when it was read; give the same "
                    "records, or begin anew with another state folder"};
      }
    }
    return {};
  }

 private:
  /// How many of `next` a batch takes by their bytes, at least one.
  std::size_t that_fit(std::span<const T> next) const {
    if constexpr (kHoldsHeap<T>) {
      std::size_t bytes = 0;
      std::size_t count = 0;
      while (count < next.size() && bytes < batch_bytes_max_) bytes += heap_bytes_of(next[count++]);
      return count;
    }
    return next.size();
  }

  std::shared_ptr<const Partitions> records_;
  PartitionTurns turns_;
  std::vector<std::uint64_t> taken_;  // per partition of this task
  std::size_t batch_records_max_ = 0;
  std::size_t batch_bytes_max_ = 0;
  std::uint64_t read_ = 0;
};

}  // namespace millrace::detail
