// ClockTime: gives records the wall clock's time wherever it stands, and lets time go on with the
// clock.
#pragma once

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include "operator/operator.hpp"
#include "record/batch_type.hpp"
#include "state/stored_tables.hpp"

namespace millrace::detail {

/// What stands behind it sees the clock for event time: a batch has the time at which it came, none
/// is late, and the watermark is the clock, told with each batch, at each end of a window, and
/// every 100 ms. Times that the records had before are forgotten. A clock that is set back stands
/// still until it is where it was. Ctrl-C stops time, the end of input ends it.
///
/// Cost: two clock reads a batch.
template <class T>
class ClockTime final : public Operator {
 public:
  /// `next_end`(now): when a window ends next; called once a batch, must not throw.
  explicit ClockTime(std::function<Time(Time)> next_end) : next_end_(std::move(next_end)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    due_ns_ = context.env->clock->steady_ns();
  }

  void process(BatchBase& base, bool exclusive, Outputs& outputs) override {
    auto& in = static_cast<Batch<T>&>(base);
    if (!exclusive) {
      copy_.clear();
      carry_marks(in, copy_);
      batch_type<T>().append_all(copy_, in);
    }
    Batch<T>& batch = exclusive ? in : copy_;
    read_clock();
    batch.times.assign(batch.values.size(), now_);
    batch.behind.clear();
    tally().processed += batch.values.size();
    outputs.push(0, batch);
    outputs.advance_watermark(now_);
  }

  /// Time goes on from where the furthest task was.
  void save_state(StateWriter& writer) override {
    put_number(writer.task_part(kNowPart, "time"), now_);
  }
  void restore_state(StateReader& reader) override {
    reader.each(kNowPart, [&](const StatePart& part) {
      BytesCursor in(part.bytes);
      now_ = std::max(now_, in.number<Time>());
      if (!in.ok()) reader.refuse(part, kBytesDoNotFit);
    });
  }

  Anchoring anchoring() const override { return Anchoring::by_record; }
  Time forwarded(Time watermark) const override { return watermark == kTimeMax ? kTimeMax : now_; }
  Waiting waiting() const override { return {0, due_ns_}; }
  void release(std::int64_t, bool drain, Outputs& outputs) override {
    read_clock();
    if (!drain) outputs.advance_watermark(now_);
  }

 private:
  static constexpr std::string_view kNowPart = "now";
  /// How often the clock alone moves the watermark where no window ends: sessions fire by it.
  static constexpr std::int64_t kPassUs = 100'000;

  void read_clock() {
    Clock& clock = *context().env->clock;
    now_ = std::max(now_, clock.wall_us());
    const std::int64_t wait_us = std::min(saturating_add(next_end_(now_), -now_), kPassUs);
    due_ns_ = clock.steady_ns() + wait_us * 1000;
  }

  std::function<Time(Time)> next_end_;
  Time now_ = kTimeMin;
  std::int64_t due_ns_ = kNeverDue;
  Batch<T> copy_;
};

}  // namespace millrace::detail
