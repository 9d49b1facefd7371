// EventTime: stamps records, makes the watermark of each source partition, marks late records,
// paces a replay.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/operator.hpp"
#include "operator/paced_records.hpp"
#include "operator/stream_time.hpp"
#include "operator/time_range.hpp"
#include "record/batch_type.hpp"

namespace millrace {
namespace detail {

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
    paced_.emplace(kReadsClock ? 0 : context.speed);
    paced_->set_partitions(static_cast<std::uint32_t>(this->marks().all().size()));
  }
  TimeOrigin* time_origin() override { return this; }
  Standing standing() const override {
    const PartitionWatermarks& marks = this->marks();
    return {marks.newest(), marks.all(), {}, marks.states(), marks.all_idle(), {}, marks.newests()};
  }
  Anchoring anchoring() const override { return Anchoring::by_record; }
  Waiting waiting() const override {
    if (paced_->size() == 0) return {0, this->next_change_ns()};
    return {paced_->size(), std::min(paced_->due_ns(), this->next_change_ns())};
  }
  /// With the records of a replay that are not due yet: their source will not give them again.
  void save_state(StateWriter& writer) override {
    this->save_time(writer);
    paced_->save(writer);
  }
  void restore_state(StateReader& reader) override {
    this->restore_time(reader);
    paced_->restore(reader);
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
    tally().filtered += range_.keep(batch);
    if (batch.values.empty()) return;
    if (paced_->paced()) {
      paced_->hold(batch);
      return release(context().env->clock->steady_ns(), false, outputs);
    }
    if (paced_->size() > 0) release(context().env->clock->steady_ns(), true, outputs);
    hand_on(batch, outputs);
  }

  void set_partitions(std::uint32_t partitions) override {
    Times::set_partitions(partitions);
    if (paced_) paced_->set_partitions(partitions);
  }
  void partition_ended(std::uint32_t partition, Outputs& outputs) override {
    paced_->release_partition(partition, context().env->clock->steady_ns(),
                              [&](Batch<T>& due) { hand_on(due, outputs); });
    Times::partition_ended(partition, outputs);
  }
  void set_range(Time from, Time until) override {
    if constexpr (!kReadsClock) range_.set(from, until);
  }
  bool holds(std::uint32_t partition) const override { return paced_->holds(partition); }
  bool all_read() override { return paced_->all_read(); }

  void advance(Time watermark, Outputs& outputs) override {
    if (watermark == kTimeMax) outputs.advance_watermark(kTimeMax);
  }

  void release(std::int64_t now_ns, bool drain, Outputs& outputs) override {
    this->pass_time(now_ns, outputs);
    paced_->release(now_ns, drain, [&](Batch<T>& due) { hand_on(due, outputs); });
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

  Get get_;
  Duration lap_;
  std::optional<PacedRecords<T>> paced_;  ///< from open() on
  Batch<T> copy_;
  TimeRange<T> range_;
};

}  // namespace detail
}  // namespace millrace
