// Trend: how far the value of a key in a window lies above what this key was used to.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "operator/keyed_step.hpp"
#include "operator/stored_records.hpp"

namespace millrace {

/// How a key's baseline is learnt.
struct TrendOptions {
  /// After this time a window weighs half in the baseline. Greater than 0. Longer: steadier, and
  /// slower to take a lasting change for normal.
  Duration half_life = std::chrono::minutes(30);
  /// Windows that are only learnt from before the first score, at least 1.
  std::uint32_t learn_windows = 5;
  /// Added to the variance, in records: what keeps a key of which nothing was known from trending
  /// for its first few records. Greater than 0.
  double rare = 1;
};

/// A key's value in a window against the key's own baseline.
struct Trend {
  double value = 0;
  double expected = 0;  ///< the baseline before this window
  double score = 0;     ///< (value - expected) / standard deviation; above 6: hardly by chance
};

namespace detail {

/// The number that trend compares of the value of an aggregate; `kIs` is false: it has none.
template <class V>
struct TrendNumber {
  static constexpr bool kIs = std::is_arithmetic_v<V>;
  static double of(const V& value) { return static_cast<double>(value); }
};

/// Mean and variance of a key's windows so far, the newer the heavier.
///
/// Exponentially weighted mean and variance (Finch 2009), whose distance in standard deviations is
/// the significance of SigniTrend (Schubert, Weiler, Kriegel, KDD 2014). Counts scatter at least as
/// Poisson's do, so the variance is at least the mean. A window that lies more than 3 standard
/// deviations off is learnt as if it lay there (robust smoothing: Gelper, Fried, Croux 2010): or a
/// trend would become its own baseline while it rises.
class TrendBaseline {
 public:
  /// The baseline of a key that had nothing for a time in which `keep` of its weight is left.
  void decay(double keep) {
    variance_ = keep * (variance_ + (1 - keep) * mean_ * mean_);
    mean_ *= keep;
  }
  /// What `value` is against the baseline, which then learns it with `weight` in (0, 1].
  Trend learn(double value, double weight, double rare) {
    const double deviation = std::sqrt(std::max(variance_, mean_) + rare);
    const double off = value - mean_;
    const Trend trend{value, mean_, off / deviation};
    const bool first = weight >= 1;
    const double learnt = first ? off : std::clamp(off, -kClip * deviation, kClip * deviation);
    variance_ = (1 - weight) * (variance_ + weight * learnt * learnt);
    mean_ += weight * learnt;
    return trend;
  }

  static std::string_view stored_shape() { return "baseline"; }
  void store(std::string& out) const {
    put_number(out, mean_);
    put_number(out, variance_);
  }
  bool load(BytesCursor& in) {
    mean_ = in.number<double>();
    variance_ = in.number<double>();
    return in.ok();
  }

 private:
  static constexpr double kClip = 3;
  double mean_ = 0;
  double variance_ = 0;
};

/// A key's baseline and the end of the last window that it had.
struct TrendState {
  TrendBaseline baseline;
  Time seen_to = kTimeMin;
};

/// Row: an Aggregate<K, number> of a window.
template <class K, class V>
class TrendStep {
 public:
  using Row = Aggregate<K, V>;
  using Out = Aggregate<K, Trend>;

  explicit TrendStep(TrendOptions options)
      : options_(options), half_life_us_(static_cast<double>(options.half_life.count())) {}

  /// The first window of all began at `start`, unless an earlier one is known.
  void began_at(Time start) {
    first_start_ = first_start_ == kTimeMin ? start : std::min(first_start_, start);
  }
  /// kTimeMin: not known yet.
  Time first_start() const { return first_start_; }

  template <class Emit>
  void operator()(TrendState& state, const K& key, const Row& row, Time, Emit&& emit) {
    // A key that was not there before had nothing since the first window of all.
    if (first_start_ == kTimeMin) began_at(row.window_start);
    if (state.seen_to == kTimeMin) state.seen_to = std::min(first_start_, row.window_start);
    if (row.window_end <= state.seen_to) return;  // fired again for a late record
    const std::int64_t size = row.window_end - row.window_start;
    const std::int64_t gap = std::max<std::int64_t>(row.window_start - state.seen_to, 0);
    if (gap > 0) state.baseline.decay(kept_after(gap));
    const double windows =
        static_cast<double>(row.window_end - first_start_) / static_cast<double>(size);
    const double steady = 1 - kept_after(row.window_end - state.seen_to - gap);
    // The first windows weigh alike: else the very first would count for far more than its share.
    const double weight = std::max(steady, 1 / std::max(1.0, windows));
    const Trend trend = state.baseline.learn(TrendNumber<V>::of(row.value), weight, options_.rare);
    state.seen_to = row.window_end;
    if (windows > static_cast<double>(options_.learn_windows))
      emit(Out{key, trend, row.window_start, row.window_end});
  }

 private:
  double kept_after(std::int64_t us) const {
    return std::exp2(-static_cast<double>(us) / half_life_us_);
  }

  TrendOptions options_;
  double half_life_us_;
  Time first_start_ = kTimeMin;  // of the first window of all
};

/// Where the first window of a stream began, as one task of what makes the windows saw it.
struct StreamBegin {
  Time window_start = 0;
};

/// Stands beside each task that makes windows and tells when it sees an earlier one than before,
/// which is as good as never after its first.
template <class Row>
class BeginOfWindows final : public Operator {
 public:
  void process(BatchBase& base, bool, Outputs& outputs) override {
    auto& in = static_cast<Batch<Row>&>(base);
    tally().processed += in.values.size();
    std::size_t found = in.values.size();
    for (std::size_t at = 0; at < in.values.size(); ++at) {
      if (in.values[at].window_start >= earliest_) continue;
      earliest_ = in.values[at].window_start;
      found = at;
    }
    if (found == in.values.size()) return;
    out_.clear();
    out_.values.push_back({earliest_});
    if (!in.times.empty()) out_.times.push_back(in.times[found]);
    outputs.push(0, out_);
  }
  /// Readers know the earliest of all tasks.
  void save_state(StateWriter& writer) override {
    if (earliest_ != kTimeMax) put_number(writer.task_part(kBeginPart, "time"), earliest_);
  }
  void restore_state(StateReader& reader) override {
    reader.each(kBeginPart, [&](const StatePart& part) {
      BytesCursor in(part.bytes);
      earliest_ = std::min(earliest_, in.number<Time>());
      if (!in.ok()) reader.refuse(part, kBytesDoNotFit);
    });
  }

 private:
  static constexpr std::string_view kBeginPart = "begin";

  Time earliest_ = kTimeMax;
  Batch<StreamBegin> out_;
};

/// Input 0: rows of windows by key. Input 1: the begins that all their makers saw.
///
/// So that the result is the same however many tasks there are, rows are held until the watermark
/// passes the earliest of them: until then every maker has told when its first window began, and
/// the least of these is when the stream began. From then on nothing is held.
template <class K, class V>
class TrendOperator final : public Operator, public Spills {
 public:
  using Row = Aggregate<K, V>;
  using Key = KeyFn<Row, K Row::*>;
  using Step = KeyedStep<Row, Key, TrendState, typename TrendStep<K, V>::Out, TrendStep<K, V>>;

  TrendOperator(typename Step::KeyPtr key, TrendOptions options)
      : step_(std::move(key), TrendStep<K, V>(options)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    step_.open(context);
  }
  void spill_to(const SpillPlace& place) override { step_.spill_to(place); }
  void process(BatchBase& batch, bool exclusive, Outputs& outputs) override {
    if (begin_known_) return step_.process(batch, exclusive, outputs);
    batch_type<Row>().append_all(held_, batch);
    held_.hashed_by = nullptr;
    held_.messages.release();
    for (const Time time : batch.times) earliest_ = std::min(earliest_, time);
  }
  void process_input(std::uint32_t input, BatchBase& batch, bool exclusive,
                     Outputs& outputs) override {
    if (input == 0) return process(batch, exclusive, outputs);
    const auto& begins = static_cast<Batch<StreamBegin>&>(batch).values;
    tally().processed += begins.size();
    if (begin_known_) return;
    for (const StreamBegin& begin : begins) step_.step().began_at(begin.window_start);
  }
  void advance(Time watermark, Outputs& outputs) override {
    if (!held_.values.empty() && watermark >= earliest_) let_go(outputs);
  }
  void release(std::int64_t, bool drain, Outputs& outputs) override {
    if (drain) let_go(outputs);
  }
  Waiting waiting() const override { return {.records = held_.values.size()}; }

  void save_state(StateWriter& writer) override {
    step_.save_state(writer);
    save_keyed(writer, kHeldPart, held_, *step_.key());
    std::string& bytes = writer.task_part(kBeginPart, "begin");
    put_number(bytes, step_.step().first_start());
    put_number(bytes, begin_known_);
  }
  /// What one task knew of the begin all were told, for it comes ahead of what they hold.
  void restore_state(StateReader& reader) override {
    step_.restore_state(reader);
    held_ = restored_records<Row>(reader, kHeldPart);
    for (const Time time : held_.times) earliest_ = std::min(earliest_, time);
    bool known = false;
    reader.each(kBeginPart, [&](const StatePart& part) {
      BytesCursor in(part.bytes);
      const Time start = in.number<Time>();
      known |= in.number<std::uint8_t>() != 0;
      if (!in.ok()) return reader.refuse(part, kBytesDoNotFit);
      if (start != kTimeMin) step_.step().began_at(start);
    });
    begin_known_ = known && held_.values.empty();
  }

 private:
  static constexpr std::string_view kHeldPart = ":held";
  static constexpr std::string_view kBeginPart = ":begin";

  void let_go(Outputs& outputs) {
    begin_known_ = true;
    step_.process(held_, true, outputs);
    held_ = {};
  }

  Step step_;
  Batch<Row> held_;
  Time earliest_ = kTimeMax;
  bool begin_known_ = false;
};

/// 2010 unless half_life, learn_windows and rare are greater than 0.
inline Status validate(const TrendOptions& options) {
  if (options.half_life > Duration(0) && options.learn_windows > 0 && options.rare > 0) return {};
  return {Code::parameter_invalid,
          "trend: half_life, learn_windows and rare must each be greater than 0"};
}

}  // namespace detail
}  // namespace millrace
