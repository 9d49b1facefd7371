// PacedRecords: the records of a replay that are not due yet.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/operator.hpp"
#include "operator/stored_records.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {

/// Maps event time to the steady time at which a paced replay lets a record go: event time divided
/// by the speed, counted from the first record.
class ReplayPace {
 public:
  explicit ReplayPace(double speed) : speed_(speed) {}
  bool paced() const { return speed_ > 0; }
  bool started() const { return started_; }
  /// The first record is due now; once, the later calls do nothing.
  void start(Time time, std::int64_t now_ns) {
    if (started_) return;
    started_ = true;
    first_time_ = time;
    first_ns_ = now_ns;
  }
  /// Once started. Times further apart than 126 years of replay are due that much later or earlier.
  std::int64_t due_ns(Time time) const {
    const double span_us = static_cast<double>(time) - static_cast<double>(first_time_);
    const double after_ns = std::clamp(span_us * 1000.0 / speed_, -kMostNs, kMostNs);
    return first_ns_ + static_cast<std::int64_t>(after_ns);
  }

 private:
  static constexpr double kMostNs = 4e18;  ///< so that sums with any clock stay in 64 bits
  double speed_;
  bool started_ = false;
  Time first_time_ = 0;
  std::int64_t first_ns_ = 0;
};

inline constexpr std::string_view kPacedPart = "pending";

/// The records of a batch from `first` on, as a part of its partition.
template <class T>
void save_paced(StateWriter& writer, const Batch<T>& batch, std::size_t first) {
  if (first >= batch.values.size()) return;
  if constexpr (kStoresRecords<T>) {
    std::vector<std::uint32_t> left(batch.values.size() - first);
    std::iota(left.begin(), left.end(), static_cast<std::uint32_t>(first));
    std::string& bytes = writer.partition_part(kPacedPart, batch.partition, records_shape(batch));
    put_number(bytes, batch.offset);
    put_number(bytes, batch.lap);
    append_records(bytes, batch, left);
  } else {
    refuse_records(writer);
  }
}
template <class T>
void restore_paced([[maybe_unused]] StateReader& reader, [[maybe_unused]] const StatePart& part,
                   [[maybe_unused]] Batch<T>& batch) {
  if constexpr (kStoresRecords<T>) {
    BytesCursor in(part.bytes);
    batch.partition = reader.local(part);
    batch.offset = in.number<std::uint64_t>();
    batch.lap = in.number<std::uint32_t>();
    const Status status = load_records(part.shape, in, batch);
    if (!status.ok()) return reader.refuse(part, status.message());
    own_records(batch);
  }
}

/// Holds batches with times by partition, mostly one of each, and lets their records go in the
/// order of time. The records of several partitions wait until the source has been asked for more
/// of each that has none left here. After a restart the pace begins anew: the first of them is due
/// at once. One thread. Cost: a look at each partition for each run of records of one of them.
template <class T>
class PacedRecords {
 public:
  explicit PacedRecords(double speed) : pace_(speed) {}

  bool paced() const { return pace_.paced(); }
  /// Before the first record.
  void set_partitions(std::uint32_t partitions) {
    if (lanes_.size() < partitions) lanes_.resize(partitions);
  }
  /// Records that are held.
  std::size_t size() const { return size_; }
  bool holds(std::uint32_t partition) const {
    return partition < lanes_.size() && !lanes_[partition].batches.empty();
  }
  /// Of the first one; kNeverDue: not before all_read().
  std::int64_t due_ns() const {
    if (!pace_.paced()) return 0;
    if (!all_read_) return kNeverDue;
    return pace_.started() ? pace_.due_ns(lanes_[earliest()].time()) : 0;
  }
  /// The source was asked for more of each partition that it may read. True when something was not
  /// due before.
  bool all_read() { return !std::exchange(all_read_, true) && size_ > 0; }
  /// Takes the records of `batch`.
  void hold(Batch<T>& batch) {
    if (batch.values.empty()) return;
    set_partitions(batch.partition + 1);
    size_ += batch.values.size();
    Lane& lane = lanes_[batch.partition];
    batch_type<T>().swap(lane.batches.emplace_back(), batch);
    lane.batches.back().messages.own();
    if (lanes_.size() == 1) all_read_ = true;
  }
  /// Calls hand_on(Batch<T>&) with those that are due, or with all of them when `drain`.
  template <class HandOn>
  void release(std::int64_t now_ns, bool drain, HandOn&& hand_on) {
    const bool at_once = drain || !pace_.paced();
    while (size_ > 0 && (at_once || all_read_)) {
      const std::size_t first = earliest();
      if (!release_run(first, now_ns, at_once, next_after(first), hand_on)) return;
    }
  }
  /// The same of a partition whose end is to be told.
  template <class HandOn>
  void release_partition(std::uint32_t partition, std::int64_t now_ns, HandOn&& hand_on) {
    while (holds(partition)) release_run(partition, now_ns, true, kTimeMax, hand_on);
  }

  /// A part of its partition for each batch.
  void save(StateWriter& writer) const {
    for (const Lane& lane : lanes_) {
      for (const Batch<T>& batch : lane.batches)
        save_paced(writer, batch, &batch == &lane.batches.front() ? lane.next : 0);
    }
  }
  void restore(StateReader& reader) {
    reader.each(kPacedPart, [&](const StatePart& part) {
      Batch<T> batch;
      restore_paced(reader, part, batch);
      hold(batch);
    });
  }

 private:
  struct Lane {
    std::vector<Batch<T>> batches;
    std::size_t next = 0;  ///< the first record of the first batch that has not gone
    Time time() const { return batches.front().times[next]; }
  };

  /// The lane with the least time; only while something is held.
  std::size_t earliest() const {
    std::size_t first = lanes_.size();
    for (std::size_t at = 0; at < lanes_.size(); ++at) {
      if (lanes_[at].batches.empty()) continue;
      if (first == lanes_.size() || lanes_[at].time() < lanes_[first].time()) first = at;
    }
    return first;
  }
  /// The least time of the lanes but that one; kTimeMax: they are empty.
  Time next_after(std::size_t lane) const {
    Time least = kTimeMax;
    for (std::size_t at = 0; at < lanes_.size(); ++at) {
      if (at != lane && !lanes_[at].batches.empty()) least = std::min(least, lanes_[at].time());
    }
    return least;
  }

  /// Of the first batch of a lane what is due and not behind `until`. False: nothing.
  template <class HandOn>
  bool release_run(std::size_t number, std::int64_t now_ns, bool at_once, Time until,
                   HandOn&& hand_on) {
    Lane& lane = lanes_[number];
    Batch<T>& batch = lane.batches.front();
    const std::size_t count = batch.values.size();
    pace_.start(lane.time(), now_ns);
    const std::int64_t first_due = at_once ? now_ns : pace_.due_ns(lane.time());
    picks_.clear();
    for (std::size_t at = lane.next; at < count && (batch.times[at] <= until || picks_.empty()) &&
                                     (at_once || pace_.due_ns(batch.times[at]) <= now_ns);
         ++at) {
      picks_.push_back(static_cast<std::uint32_t>(at));
    }
    if (picks_.empty()) return false;
    lane.next += picks_.size();
    size_ -= picks_.size();
    out_.clear();
    carry_marks(batch, out_);
    out_.due_ns = first_due;
    batch_type<T>().append(out_, batch, picks_);
    hand_on(out_);
    if (lane.next < count) return true;
    lane.batches.erase(lane.batches.begin());
    lane.next = 0;
    if (lane.batches.empty() && lanes_.size() > 1) all_read_ = false;
    return true;
  }

  ReplayPace pace_;
  std::vector<Lane> lanes_;  ///< by partition
  std::size_t size_ = 0;
  bool all_read_ = false;  ///< see all_read(); of one partition it is so when it holds records
  Batch<T> out_;
  std::vector<std::uint32_t> picks_;
};

}  // namespace millrace::detail
