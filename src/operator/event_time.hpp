// EventTime: stamps records, makes the watermark of each source partition, marks late records,
// paces a replay.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/operator.hpp"
#include "record/batch_type.hpp"

namespace millrace {

/// How event time is taken from a stream.
struct EventTimeOptions {
  /// How far a record may lie behind the newest of its partition before it is late. Default 0: in
  /// order.
  Duration out_of_order{0};
  /// Added to the stamps once for every time a repeating source began again. 0: nothing.
  Duration lap{0};
};

namespace detail {

/// The watermarks of a task's partitions: each is the newest time minus the bound; their least is
/// the stream's.
class PartitionWatermarks {
 public:
  explicit PartitionWatermarks(std::int64_t bound) : bound_(bound) {}

  void resize(std::uint32_t partitions) { marks_.resize(partitions, kTimeMin); }

  /// The watermark of `partition` before its next record.
  Time of(std::uint32_t partition) const { return marks_[partition]; }
  void end(std::uint32_t partition) {
    if (partition >= marks_.size()) marks_.resize(partition + 1, kTimeMin);
    marks_[partition] = kTimeMax;
  }
  Time least() const {
    return marks_.empty() ? kTimeMin : *std::min_element(marks_.begin(), marks_.end());
  }

  std::span<const Time> all() const { return marks_; }

  /// The newest time of any partition; kTimeMin before the first record.
  Time newest() const { return newest_; }

  /// Walks the times of a batch of one partition in order: appends a mark for each record behind
  /// the watermark as it stood before the record, and moves the watermark on.
  void observe(std::uint32_t partition, const std::vector<Time>& times,
               std::vector<Behind>& behind) {
    if (partition >= marks_.size()) marks_.resize(partition + 1, kTimeMin);
    Time& mark = marks_[partition];
    if (times.empty()) return;
    if (is_ascending(times)) {
      // No record lies behind one before it: only those behind the mark as it came can be late.
      if (times.front() < mark) mark_late(mark, times, behind);
      mark = std::max(mark, saturating_add(times.back(), -bound_));
      newest_ = std::max(newest_, times.back());
      return;
    }
    const auto [least, newest] = std::minmax_element(times.begin(), times.end());
    const Time after = std::max(mark, saturating_add(*newest, -bound_));
    newest_ = std::max(newest_, *newest);
    if (*least < after) mark_late(mark, times, behind);
    mark = after;
  }

 private:
  /// Without branches inside, so that it becomes vector instructions.
  static bool is_ascending(const std::vector<Time>& times) {
    const Time* const at = times.data();
    bool descends = false;
    for (std::size_t next = 1; next < times.size(); ++next) descends |= at[next] < at[next - 1];
    return !descends;
  }

  void mark_late(Time mark, const std::vector<Time>& times, std::vector<Behind>& behind) const {
    for (std::size_t at = 0; at < times.size(); ++at) {
      if (times[at] < mark) behind.push_back({static_cast<std::uint32_t>(at), mark});
      mark = std::max(mark, saturating_add(times[at], -bound_));
    }
  }

  std::int64_t bound_;
  Time newest_ = kTimeMin;
  std::vector<Time> marks_;
};

/// Maps event time to the steady time at which a paced replay lets a record go: event time divided
/// by the speed, counted from the first record.
class ReplayPace {
 public:
  explicit ReplayPace(double speed) : speed_(speed) {}
  bool paced() const { return speed_ > 0; }
  /// The first record is due now; once, the later calls do nothing.
  void start(Time time, std::int64_t now_ns) {
    if (started_) return;
    started_ = true;
    first_time_ = time;
    first_ns_ = now_ns;
  }
  /// Once started.
  std::int64_t due_ns(Time time) const {
    return first_ns_ +
           static_cast<std::int64_t>(static_cast<double>(time - first_time_) * 1000.0 / speed_);
  }

 private:
  double speed_;
  bool started_ = false;
  Time first_time_ = 0;
  std::int64_t first_ns_ = 0;
};

/// Takes each record's time by `get`: Time (microseconds), Timestamp, or a member pointer to one of
/// them.
template <class T, class Get>
class EventTime final : public Operator {
 public:
  EventTime(Get get, EventTimeOptions options)
      : get_(std::move(get)), options_(options), marks_(options.out_of_order.count()) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    pace_ = ReplayPace(context.speed);
  }
  bool originates_time() const override { return true; }
  Standing standing() const override { return {marks_.newest(), marks_.all(), {}}; }
  void set_partitions(std::uint32_t partitions) override { marks_.resize(partitions); }
  Waiting waiting() const override {
    if (next_ == pending_.values.size()) return {};
    return {pending_.values.size() - next_, pace_.due_ns(pending_.times[next_])};
  }

  void process(BatchBase& base, bool exclusive, Outputs& outputs) override {
    auto& in = static_cast<Batch<T>&>(base);
    if (!exclusive) {
      copy_.clear();
      carry_marks(in, copy_);
      batch_type<T>().append_all(copy_, in);
    }
    Batch<T>& batch = exclusive ? in : copy_;
    stamp(batch);
    if (!pace_.paced()) {
      hand_on(batch, outputs);
      return;
    }
    batch_type<T>().swap(pending_, batch);
    next_ = 0;
    release(context().env->clock->steady_ns(), false, outputs);
  }

  void partition_ended(std::uint32_t partition, Outputs& outputs) override {
    release(context().env->clock->steady_ns(), true, outputs);
    marks_.end(partition);
    if (marks_.least() != kTimeMax) outputs.advance_watermark(marks_.least());
  }

  void advance(Time watermark, Outputs& outputs) override {
    if (watermark == kTimeMax) outputs.advance_watermark(kTimeMax);
  }

  void release(std::int64_t now_ns, bool drain, Outputs& outputs) override {
    const std::size_t count = pending_.values.size();
    if (next_ == count) return;
    pace_.start(pending_.times[next_], now_ns);
    const std::int64_t first_due = pace_.due_ns(pending_.times[next_]);
    std::size_t end = next_;
    while (end < count && (drain || pace_.due_ns(pending_.times[end]) <= now_ns)) ++end;
    if (end > next_) emit_pending(end, drain ? now_ns : first_due, outputs);
    if (next_ < count) return;
    pending_.clear();
    next_ = 0;
  }

 private:
  static Time micros(Time time) { return time; }
  static Time micros(Timestamp time) { return time.micros; }

  void stamp(Batch<T>& batch) {
    const std::size_t count = batch.values.size();
    const std::int64_t shift = static_cast<std::int64_t>(batch.lap) * options_.lap.count();
    if (shift != 0) shift_members(batch, shift);
    batch.times.resize(count);
    Time* const times = batch.times.data();
    const T* const values = batch.values.data();
    for (std::size_t at = 0; at < count; ++at) times[at] = micros(std::invoke(get_, values[at]));
    if (shift != 0 && !std::is_member_object_pointer_v<Get>) {
      for (Time& time : batch.times) time = saturating_add(time, shift);
    }
  }

  /// A member is shifted in the record itself, so that what is shown agrees with the time it is
  /// processed under.
  void shift_members(Batch<T>& batch, std::int64_t shift) {
    if constexpr (std::is_member_object_pointer_v<Get>) {
      for (T& record : batch.values) {
        auto& stamp = std::invoke(get_, record);
        if constexpr (std::is_same_v<std::decay_t<decltype(stamp)>, Timestamp>) {
          stamp.micros = saturating_add(stamp.micros, shift);
        } else {
          stamp = static_cast<std::decay_t<decltype(stamp)>>(saturating_add(stamp, shift));
        }
      }
    }
  }

  void hand_on(Batch<T>& batch, Outputs& outputs) {
    marks_.observe(batch.partition, batch.times, batch.behind);
    tally().processed += batch.values.size();
    outputs.push(0, batch);
    outputs.advance_watermark(marks_.least());
  }

  void emit_pending(std::size_t end, std::int64_t due_ns, Outputs& outputs) {
    picks_.clear();
    for (std::size_t at = next_; at < end; ++at) picks_.push_back(static_cast<std::uint32_t>(at));
    out_.clear();
    carry_marks(pending_, out_);
    out_.due_ns = due_ns;
    batch_type<T>().append(out_, pending_, picks_);
    next_ = end;
    hand_on(out_, outputs);
  }

  Get get_;
  EventTimeOptions options_;
  PartitionWatermarks marks_;
  ReplayPace pace_{0};
  Batch<T> copy_;
  Batch<T> pending_;
  Batch<T> out_;
  std::size_t next_ = 0;
  std::vector<std::uint32_t> picks_;
};

}  // namespace detail
}  // namespace millrace
