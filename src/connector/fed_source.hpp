// FedSource: a source that gives what its owner puts into its feed, call by call.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "connector/partition_turns.hpp"
#include "operator/source.hpp"
#include "record/row_batch.hpp"

namespace millrace::detail {

/// Records as a batch of them takes them.
template <class T>
using FedRecords = std::conditional_t<std::is_same_v<T, RowRef>, RowColumns, std::vector<T>>;

/// Appends so many records from `first` on.
template <class T>
void append_fed(std::vector<T>& to, const std::vector<T>& from, std::size_t first,
                std::size_t count) {
  const auto begin = from.begin() + static_cast<std::ptrdiff_t>(first);
  to.insert(to.end(), begin, begin + static_cast<std::ptrdiff_t>(count));
}
inline void append_fed(RowColumns& to, const RowColumns& from, std::size_t first,
                       std::size_t count) {
  for (std::size_t at = first; at < first + count; ++at) to.push_back(from[at]);
}

/// What waits to be read, by partition. One thread.
template <class T>
struct Feed {
  struct Item {
    FedRecords<T> records;
    Time watermark = kTimeMin;  ///< behind the records; kTimeMin: none
    bool end = false;           ///< the partition ends behind them
  };
  explicit Feed(std::uint32_t partitions) : waiting(partitions), ended(partitions) {}

  std::vector<std::deque<Item>> waiting;
  std::vector<bool> ended;  ///< an end was put in
};

/// Reads the partitions of a feed in turn. Task t of n owns those with index % n == t.
template <class T>
class FedSource final : public Source {
 public:
  explicit FedSource(std::shared_ptr<Feed<T>> feed) : feed_(std::move(feed)) {}

  Status open(const EndContext& context) override {
    turns_ = PartitionTurns(static_cast<std::uint32_t>(feed_->waiting.size()), context);
    taken_.assign(turns_.count(), 0);
    records_max_ = context.batch_records_max;
    return {};
  }
  std::uint32_t partitions() const override { return turns_.count(); }

  Result<Poll> poll(BatchBase& batch) override {
    if (turns_.all_ended()) return Poll::ended;
    batch.partition = turns_.current();
    auto& waiting = feed_->waiting[turns_.global(batch.partition)];
    if (waiting.empty()) return turns_.passed(false);
    auto& item = waiting.front();
    std::size_t& taken = taken_[batch.partition];
    auto& values = static_cast<Batch<T>&>(batch).values;
    const std::size_t count = std::min(records_max_, item.records.size() - taken);
    append_fed(values, item.records, taken, count);
    taken += count;
    read_ += count;
    if (taken < item.records.size()) return Poll::ready;
    taken = 0;
    batch.watermark = item.watermark;
    const bool end = item.end;
    waiting.pop_front();
    if (!end) return turns_.passed(true);
    turns_.end_current();
    return turns_.all_ended() ? Poll::ended : Poll::partition_ended;
  }
  std::uint64_t records_read() const override { return read_; }

 private:
  std::shared_ptr<Feed<T>> feed_;
  PartitionTurns turns_;
  std::size_t records_max_ = 0;
  std::vector<std::size_t> taken_;  ///< of the first item of each partition
  std::uint64_t read_ = 0;
};

}  // namespace millrace::detail
