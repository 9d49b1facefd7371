// GeneratorSource: records made by a pure function of their index.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "connector/counted_position.hpp"
#include "connector/partition_turns.hpp"
#include "operator/source.hpp"
#include "record/heap_bytes.hpp"

namespace millrace::detail {

/// Fills Batch<T> with make(index) for index = 0, 1, ...: partition p of n holds the indices p, p +
/// n, p + 2n, ...
///
/// The records are therefore the same for every number of tasks. `make` is copied into each task
/// and called by that task's thread only; what a T borrows must outlive the run. It may be a class
/// with append(index, records) in place of the call. A batch's offset
/// is the position in its partition. Cost: one inlined call a record.
template <class T, class F>
class GeneratorSource final : public Source {
 public:
  /// `records`: how many in all; nullopt: without end. `partitions` > 0.
  GeneratorSource(F make, std::optional<std::uint64_t> records, std::uint32_t partitions = 1)
      : make_(std::move(make)), records_(records), partitions_(partitions) {
    MR_CHECK(partitions_ > 0, "a generator needs a partition");
  }

  Status open(const EndContext& context) override {
    turns_ = PartitionTurns(partitions_, context);
    batch_records_max_ = std::min(context.batch_records_max,
                                  std::max<std::size_t>(context.batch_bytes_max / sizeof(T), 1));
    batch_bytes_max_ = context.batch_bytes_max;
    made_.assign(turns_.count(), 0);
    return {};
  }
  std::uint32_t partitions() const override { return turns_.count(); }

  Result<Poll> poll(BatchBase& batch) override {
    if (turns_.all_ended()) return Poll::ended;
    const std::uint32_t local = turns_.current();
    const std::uint32_t first = turns_.global(local);
    std::uint64_t& made = made_[local];
    std::uint64_t count = batch_records_max_;
    if (records_) count = std::min(count, records_of(first) - std::min(made, records_of(first)));
    batch.partition = local;
    batch.offset = made;
    count = fill(static_cast<Batch<T>&>(batch).values, first + made * partitions_, count);
    made += count;
    read_ += count;
    if (!records_ || made < records_of(first)) {
      turns_.next();
      return Poll::ready;
    }
    turns_.end_current();
    return turns_.all_ended() ? Poll::ended : Poll::partition_ended;
  }
  std::uint64_t records_read() const override { return read_; }

  bool replayable() const override { return true; }
  void save_positions(std::vector<SourcePosition>& to) const override {
    save_counts(turns_, made_, partitions_, to);
  }
  Status resume(std::span<const SourcePosition> positions) override {
    return take_counts(positions, turns_, partitions_, made_);
  }

 private:
  std::uint64_t records_of(std::uint32_t partition) const {
    return *records_ > partition ? (*records_ - partition - 1) / partitions_ + 1 : 0;
  }
  /// Walks make(index), make(index + step), ...: so vector::insert writes the records in place, in
  /// one loop that neither looks for room nor clears memory first.
  class Cursor {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = T;

    Cursor(F& make, std::uint64_t index, std::uint64_t step)
        : make_(&make), index_(index), step_(step) {}
    T operator*() const { return (*make_)(index_); }
    Cursor& operator++() {
      index_ += step_;
      return *this;
    }
    Cursor operator++(int) {
      const Cursor before = *this;
      index_ += step_;
      return before;
    }
    friend bool operator==(const Cursor& a, const Cursor& b) { return a.index_ == b.index_; }

   private:
    F* make_;
    std::uint64_t index_;
    std::uint64_t step_;
  };

  /// Returns how many were made: fewer than `count` where their bytes fill a batch.
  template <class Values>
  std::uint64_t fill(Values& values, std::uint64_t index, std::uint64_t count) {
    const std::uint64_t step = partitions_;
    if constexpr (requires { make_.append(index, values); }) {
      for (std::uint64_t made = 0; made < count; ++made) make_.append(index + made * step, values);
      return count;
    } else if constexpr (std::is_trivially_copyable_v<T> && std::is_copy_assignable_v<T>) {
      values.insert(values.end(), Cursor(make_, index, step),
                    Cursor(make_, index + count * step, step));
      return count;
    } else {
      std::size_t bytes = 0;
      std::uint64_t made = 0;
      values.reserve(values.size() + count);
      while (made < count && bytes < batch_bytes_max_) {
        values.push_back(make_(index + made * step));
        bytes += heap_bytes_of(values.back());
        ++made;
      }
      return made;
    }
  }

  F make_;
  std::optional<std::uint64_t> records_;
  std::uint32_t partitions_;
  PartitionTurns turns_;
  std::vector<std::uint64_t> made_;  // per partition of this task
  std::size_t batch_records_max_ = 0;
  std::size_t batch_bytes_max_ = 0;
  std::uint64_t read_ = 0;
};

}  // namespace millrace::detail
