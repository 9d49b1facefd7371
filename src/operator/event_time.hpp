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
#include "operator/stream_time.hpp"
#include "record/batch_type.hpp"

namespace millrace {
namespace detail {

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

/// The wall clock at which a batch was read, in place of a function of the record.
struct ReadClock {};

/// Takes each record's time by `get`: Time (microseconds), Timestamp, a member pointer to one of
/// them, or ReadClock.
template <class T, class Get, class Strategy = Bounded>
class EventTime final : public Operator,
                        public StreamTime<T, Strategy, std::is_same_v<Get, ReadClock>> {
 public:
  EventTime(Get get, EventTimeOptions options, Strategy strategy = {})
      : Times(options, std::move(strategy)), get_(std::move(get)), lap_(options.lap) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    this->read_clock_of(*context.env->clock);
    pace_ = ReplayPace(kReadsClock ? 0 : context.speed);
  }
  TimeOrigin* time_origin() override { return this; }
  Standing standing() const override {
    const PartitionWatermarks& marks = this->marks();
    return {marks.newest(), marks.all(), {}, marks.states(), marks.all_idle()};
  }
  Anchoring anchoring() const override { return Anchoring::by_record; }
  Waiting waiting() const override {
    if (next_ == pending_.values.size()) return {0, this->next_change_ns()};
    return {pending_.values.size() - next_,
            std::min(pace_.due_ns(pending_.times[next_]), this->next_change_ns())};
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
    pending_.messages.own();
    next_ = 0;
    release(context().env->clock->steady_ns(), false, outputs);
  }

  void partition_ended(std::uint32_t partition, Outputs& outputs) override {
    release(context().env->clock->steady_ns(), true, outputs);
    Times::partition_ended(partition, outputs);
  }

  void advance(Time watermark, Outputs& outputs) override {
    if (watermark == kTimeMax) outputs.advance_watermark(kTimeMax);
  }

  void release(std::int64_t now_ns, bool drain, Outputs& outputs) override {
    this->pass_time(now_ns, outputs);
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
  static constexpr bool kReadsClock = std::is_same_v<Get, ReadClock>;
  using Times = StreamTime<T, Strategy, kReadsClock>;
  static constexpr bool kShiftsRecords =
      std::is_member_object_pointer_v<Get> ||
      requires(const Get& get, Batch<T>& batch) { get.shift(batch, std::int64_t{0}); };

  static Time micros(Time time) { return time; }
  static Time micros(Timestamp time) { return time.micros; }

  void stamp(Batch<T>& batch) {
    const std::size_t count = batch.values.size();
    if constexpr (kReadsClock) {
      batch.times.assign(count, this->wall_time());
    } else {
      stamp_by_record(batch, count);
    }
  }

  void stamp_by_record(Batch<T>& batch, std::size_t count) {
    const std::int64_t shift = static_cast<std::int64_t>(batch.lap) * lap_.count();
    if (shift != 0) shift_members(batch, shift);
    batch.times.resize(count);
    Time* const times = batch.times.data();
    const auto values = std::as_const(batch.values).data();
    for (std::size_t at = 0; at < count; ++at) times[at] = micros(std::invoke(get_, values[at]));
    if (shift != 0 && !kShiftsRecords) {
      for (Time& time : batch.times) time = saturating_add(time, shift);
    }
  }

  /// A member is shifted in the record itself, so that what is shown agrees with the time it is
  /// processed under.
  void shift_members(Batch<T>& batch, std::int64_t shift) {
    if constexpr (requires { get_.shift(batch, shift); }) {
      get_.shift(batch, shift);
    } else if constexpr (std::is_member_object_pointer_v<Get>) {
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
    this->observe(batch);
    tally().processed += batch.values.size();
    outputs.push(0, batch);
    this->advance_to_least(outputs);
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
  Duration lap_;
  ReplayPace pace_{0};
  Batch<T> copy_;
  Batch<T> pending_;
  Batch<T> out_;
  std::size_t next_ = 0;
  std::vector<std::uint32_t> picks_;
};

}  // namespace detail
}  // namespace millrace
