// StreamTime: the watermarks of a stream as records, ends, promises and the clock move them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/idle_clock.hpp"
#include "operator/operator.hpp"
#include "operator/partition_watermarks.hpp"
#include "operator/stored_strategy.hpp"
#include "operator/time_origin.hpp"
#include "operator/watermark_strategy.hpp"
#include "state/stored_tables.hpp"

namespace millrace::detail {

/// `Strategy`: Bounded, Punctuated or OwnWatermarks. `kByClock`: the stream is stamped with the
/// wall clock, so time goes on without records.
///
/// A partition that is idle is at the watermark that the stream has reached, so of what it gives
/// when it wakes the records before that are late: the stream's time never goes back.
template <class T, class Strategy, bool kByClock>
class StreamTime : public TimeOrigin {
 public:
  StreamTime(const EventTimeOptions& options, Strategy strategy)
      : align_within_(options.align_within),
        strategy_(std::move(strategy)),
        marks_(options.out_of_order.count()),
        idle_clock_(options.idle_after) {}

  void set_partitions(std::uint32_t partitions) override {
    marks_.resize(partitions);
    idle_clock_.resize(partitions);
  }
  void partition_ended(std::uint32_t partition, Outputs& outputs) override {
    marks_.end(partition);
    idle_clock_.ended(partition);
    if (marks_.least() != kTimeMax) advance_to(marks_.least(), outputs);
  }
  void partition_reached(std::uint32_t partition, Time watermark, Outputs& outputs) override {
    note_sign_of_life(partition);
    marks_.reach(partition, watermark);
    advance_to(marks_.least(), outputs);
  }

  bool counts_quiet_time() const override { return idle_clock_.on(); }
  void looked(std::uint32_t partition, std::int64_t now_ns, Outputs& outputs) override {
    if (!idle_clock_.looked(partition, now_ns)) return;
    marks_.fall_idle(partition);
    advance_to(marks_.least(), outputs);
  }
  void not_read(std::int64_t now_ns) override { idle_clock_.not_read(now_ns); }
  void not_read_one(std::uint32_t partition) override { idle_clock_.forget(partition); }
  void follow(Time watermark, Outputs& outputs) override { advance_to(watermark, outputs); }
  Duration align_within() const override { return align_within_; }

 protected:
  /// A part a partition: its watermark, and what its stream had reached.
  void save_time(StateWriter& writer) const {
    for (std::uint32_t at = 0; at < marks_.all().size(); ++at) {
      std::string& bytes = writer.partition_part(kTimePart, at, "time");
      for (const Time time : {marks_.all()[at], marks_.newest(), reached_, wall_time_})
        put_number(bytes, time);
      put_number(bytes, marks_.states()[at]);
      put_number(bytes, idle_clock_.quiet_ns(at, clock_->steady_ns()));
      if (at < strategies_.size()) save_strategy(writer, at, strategies_[at]);
    }
  }
  /// Partitions of several streams go on from the least that these had reached.
  void restore_time(StateReader& reader) {
    Time least = kTimeMax;
    reader.each(kTimePart, [&](const StatePart& part) {
      BytesCursor in(part.bytes);
      const Time mark = in.number<Time>();
      const Time newest = in.number<Time>();
      least = std::min(least, in.number<Time>());
      wall_time_ = std::max(wall_time_, in.number<Time>());
      const auto state = in.number<PartitionWatermarks::State>();
      const auto quiet_ns = in.number<std::int64_t>();
      if (!in.ok() || state > PartitionWatermarks::State::ended)
        return reader.refuse(part, kBytesDoNotFit);
      const std::uint32_t partition = reader.local(part);
      marks_.restore(partition, mark, state, newest);
      idle_clock_.restore(partition, quiet_ns, clock_->steady_ns());
      if (state != PartitionWatermarks::State::active) idle_clock_.ended(partition);
      reached_ = least;
    });
    restore_strategies<Strategy>(reader,
                                 [this](std::uint32_t at) -> Strategy& { return strategy_of(at); });
  }
  const PartitionWatermarks& marks() const { return marks_; }
  void read_clock_of(Clock& clock) { clock_ = &clock; }

  /// Marks the late records of a stamped batch and moves its partition's watermark on.
  void observe(Batch<T>& batch) {
    note_sign_of_life(batch.partition);
    if constexpr (std::is_same_v<Strategy, Bounded>) {
      marks_.observe(batch.partition, batch.times, batch.behind);
    } else {
      Strategy& strategy = strategy_of(batch.partition);
      marks_.observe_by(batch.partition, batch.times, batch.behind, [&](std::size_t at) {
        return watermark_after(strategy, batch.values[at], batch.times[at]);
      });
    }
  }
  /// When time goes on, or a look finds a partition idle, though nothing comes.
  std::int64_t next_change_ns() const {
    if constexpr (kByClock) return passed_ns_ + kPassNs;
    const std::int64_t idle = idle_clock_.on() ? idle_clock_.next() : kNeverDue;
    return kHasTimer<Strategy> ? std::min(idle, passed_ns_ + kPassNs) : idle;
  }
  void advance_to_least(Outputs& outputs) { advance_to(marks_.least(), outputs); }

  /// Ingestion: what is read from now on is stamped with now or later. Or the strategy has a timer.
  void pass_time(std::int64_t now_ns, Outputs& outputs) {
    if (!(kByClock || kHasTimer<Strategy>) || now_ns < passed_ns_ + kPassNs) return;
    passed_ns_ = now_ns;
    const Time now = wall_time();
    for (std::uint32_t at = 0; at < marks_.all().size(); ++at) {
      if constexpr (kHasTimer<Strategy>) {
        marks_.reach(at, time_or_none(strategy_of(at).own.on_time(Timestamp{now})));
      } else {
        marks_.reach(at, now);
      }
    }
    if (marks_.least() != kTimeMax) advance_to(marks_.least(), outputs);
  }

  /// Never before what it said last, though the wall clock may be set back.
  Time wall_time() {
    wall_time_ = std::max(wall_time_, clock_->wall_us());
    return wall_time_;
  }

 private:
  static constexpr std::string_view kTimePart = "watermark";
  /// How often the clock alone moves the watermark.
  static constexpr std::int64_t kPassNs = 100'000'000;

  void advance_to(Time watermark, Outputs& outputs) {
    reached_ = std::max(reached_, watermark);
    outputs.advance_watermark(watermark);
  }

  /// An idle partition wakes with it.
  void note_sign_of_life(std::uint32_t partition) {
    if (!idle_clock_.on()) return;
    marks_.wake(partition, reached_);
    idle_clock_.gave(partition, clock_->steady_ns());
  }

  Strategy& strategy_of(std::uint32_t partition) {
    if (partition >= strategies_.size()) strategies_.resize(partition + 1, strategy_);
    return strategies_[partition];
  }

  Duration align_within_;
  Strategy strategy_;
  std::vector<Strategy> strategies_;  ///< by partition; of Bounded none
  PartitionWatermarks marks_;
  IdleClock idle_clock_;
  Clock* clock_ = nullptr;
  Time reached_ = kTimeMin;  ///< the watermark that readers were told
  Time wall_time_ = kTimeMin;
  std::int64_t passed_ns_ = 0;
};

}  // namespace millrace::detail
