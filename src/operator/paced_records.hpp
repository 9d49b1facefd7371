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

/// Holds one batch at a time, with times; after a restart also one for each other partition that
/// had one. The pace begins anew then: the first of them is due at once. One thread.
template <class T>
class PacedRecords {
 public:
  explicit PacedRecords(double speed) : pace_(speed) {}

  bool paced() const { return pace_.paced(); }
  /// Records that are held.
  std::size_t size() const { return pending_.values.size() - next_ + later_records_; }
  /// Of the first one.
  std::int64_t due_ns() const {
    return pace_.started() && pace_.paced() ? pace_.due_ns(pending_.times[next_]) : 0;
  }
  /// Takes the records of `batch`; only while none are held.
  void hold(Batch<T>& batch) {
    batch_type<T>().swap(pending_, batch);
    pending_.messages.own();
    next_ = 0;
  }
  /// Calls hand_on(Batch<T>&) with those that are due, or with all of them when `drain`.
  template <class HandOn>
  void release(std::int64_t now_ns, bool drain, HandOn&& hand_on) {
    do {
      release_pending(now_ns, drain || !pace_.paced(), hand_on);
    } while (pending_.values.empty() && take_later());
  }

  /// A part of its partition for each batch.
  void save(StateWriter& writer) const {
    save_batch(writer, pending_, next_);
    for (const Batch<T>& batch : later_) save_batch(writer, batch, 0);
  }
  void restore(StateReader& reader) {
    reader.each(kPart, [&](const StatePart& part) {
      Batch<T> batch;
      restore_batch(reader, part, batch);
      if (batch.values.empty()) return;
      later_records_ += batch.values.size();
      later_.push_back(std::move(batch));
    });
    take_later();
  }

 private:
  static constexpr std::string_view kPart = "pending";

  template <class HandOn>
  void release_pending(std::int64_t now_ns, bool at_once, HandOn&& hand_on) {
    const std::size_t count = pending_.values.size();
    if (next_ == count) return;
    pace_.start(pending_.times[next_], now_ns);
    const std::int64_t first_due = at_once ? now_ns : pace_.due_ns(pending_.times[next_]);
    picks_.clear();
    for (; next_ < count && (at_once || pace_.due_ns(pending_.times[next_]) <= now_ns); ++next_)
      picks_.push_back(static_cast<std::uint32_t>(next_));
    if (!picks_.empty()) {
      out_.clear();
      carry_marks(pending_, out_);
      out_.due_ns = first_due;
      batch_type<T>().append(out_, pending_, picks_);
      hand_on(out_);
    }
    if (next_ < count) return;
    pending_.clear();
    next_ = 0;
  }
  /// Goes on to what was restored of another partition; false: there is nothing.
  bool take_later() {
    if (later_.empty()) return false;
    batch_type<T>().swap(pending_, later_.front());
    later_.erase(later_.begin());
    later_records_ -= pending_.values.size();
    next_ = 0;
    return true;
  }

  static void save_batch(StateWriter& writer, const Batch<T>& batch, std::size_t first) {
    if (first >= batch.values.size()) return;
    if constexpr (kStoresRecords<T>) {
      std::vector<std::uint32_t> left(batch.values.size() - first);
      std::iota(left.begin(), left.end(), static_cast<std::uint32_t>(first));
      std::string& bytes = writer.partition_part(kPart, batch.partition, records_shape(batch));
      put_number(bytes, batch.offset);
      put_number(bytes, batch.lap);
      append_records(bytes, batch, left);
    } else {
      refuse_records(writer);
    }
  }
  static void restore_batch([[maybe_unused]] StateReader& reader,
                            [[maybe_unused]] const StatePart& part,
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

  ReplayPace pace_;
  Batch<T> pending_;
  std::size_t next_ = 0;         ///< the first of pending_ that has not gone
  std::vector<Batch<T>> later_;  ///< of other partitions, as they were restored
  std::size_t later_records_ = 0;
  Batch<T> out_;
  std::vector<std::uint32_t> picks_;
};

}  // namespace millrace::detail
