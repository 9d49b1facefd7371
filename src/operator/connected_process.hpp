// ConnectedProcess: a user's class that reads several keyed streams with the same states and timers
// for each key.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/held_batches.hpp"
#include "operator/keyed_inputs.hpp"

namespace millrace::detail {

/// What one of several methods process(const T&, KeyedContext<K>&, Output<U>&) emits, and whether
/// it may throw.
template <class U, bool kNoexcept>
struct ProcessOne {
  using Emitted = U;
  static constexpr bool kNothrow = kNoexcept;
};

/// Picks the method for T among those of a class; declared only.
template <class T, class K>
struct PickProcess {
  template <class C, class U, bool kNoexcept>
  static ProcessOne<U, kNoexcept> from(void (C::*)(const T&, KeyedContext<K>&,
                                                   Output<U>&) noexcept(kNoexcept));
  template <class C, class U, bool kNoexcept>
  static ProcessOne<U, kNoexcept> from(void (C::*)(T, KeyedContext<K>&,
                                                   Output<U>&) noexcept(kNoexcept));
};

/// True for a class with process(const T&, KeyedContext<K>&, Output<U>&) for some U, beside others.
template <class P, class T, class K>
concept ProcessesRecord = requires { PickProcess<T, K>::from(&P::process); };

template <class P, class T, class K>
using ProcessOf = decltype(PickProcess<T, K>::from(&P::process));

/// Of a class with a method process() for each of `Ts`, which all emit the same.
template <class P, class K, class First, class... Ts>
struct ConnectedTraits {
  using Key = K;
  using Emitted = typename ProcessOf<P, First, K>::Emitted;
  static constexpr bool kNothrow =
      ProcessOf<P, First, K>::kNothrow && (ProcessOf<P, Ts, K>::kNothrow && ...);
};

/// The records of one input that are held until the watermark lies beyond them. One thread.
template <class T>
class HeldInput {
 public:
  void open(MemoryMeter* meter) {
    meter_ = meter;
    queue_ = std::make_unique<TimerQueue>(meter);
  }
  void close() { records_.clear(meter_); }
  /// Of late ones that of the watermark that they came behind.
  void keep(Batch<T>& in, bool exclusive) {
    const std::uint64_t first = std::uint64_t{records_.keep(in, exclusive, meter_)} << 32;
    const Batch<T>& batch = records_.batch(first);
    records_.set_left(static_cast<std::uint32_t>(first >> 32), batch.values.size());
    std::size_t cursor = 0;
    for (std::size_t at = 0; at < batch.values.size(); ++at)
      queue_->push(std::max(batch.times[at], behind_at(batch, at, cursor)), first | at);
  }
  /// The least time of any; kTimeMax: there is none.
  Time next() const { return queue_->next(); }
  /// Calls use(batch, place in it) for those of that time, which is next(), in the order of their
  /// places in the input; they have gone then.
  template <class Use>
  std::size_t take(Time time, Use&& use) {
    if (!queue_->pop(time, due_)) return 0;
    std::sort(due_.begin(), due_.end(), [this](std::uint64_t a, std::uint64_t b) {
      const Arrival left = records_.place_of(a);
      const Arrival right = records_.place_of(b);
      return left == right ? a < b : left < right;
    });
    for (const std::uint64_t slot : due_) {
      use(records_.batch(slot), std::size_t{static_cast<std::uint32_t>(slot)});
      records_.gone(slot, meter_);
    }
    return due_.size();
  }
  Batch<T> all() const { return records_.all(*queue_, 0); }

 private:
  MemoryMeter* meter_ = nullptr;
  std::unique_ptr<TimerQueue> queue_;  ///< of slots, by event time
  HeldBatches<T> records_;
  std::vector<std::uint64_t> due_;
};

/// As they come, records are handled as KeyedCalls says. By event time they are held until the
/// watermark lies beyond them and handled in the order of their times (of late ones: of the
/// watermark that they came behind); of equal times those of the input that was named first come
/// first, of one input by place. Timers fire in between, so that nothing waits for them.
///
/// Cost by event time: a radix heap of 16 bytes a record.
template <class Caller, class... In>
class ConnectedProcess final : public KeyedInputs<Caller, In...> {
  using Base = KeyedInputs<Caller, In...>;
  using Calls = typename Base::Calls;

 public:
  ConnectedProcess(bool by_time, typename Base::Keys keys, typename Base::P processor)
      : Base(std::move(keys), std::move(processor)), by_time_(by_time) {}

  void open(const OperatorContext& context) override {
    Base::open(context);
    Calls::each_input([&](auto at) { held(at).open(context.state); });
  }
  void close() override {
    Calls::each_input([&](auto at) { held(at).close(); });
  }
  void save_state(StateWriter& writer) override {
    Base::save_state(writer);
    Calls::each_input([&](auto at) {
      save_records(writer, input_part(kHeldPart, at), held(at).all(), this->key(at).get());
    });
  }
  void restore_state(StateReader& reader) override {
    Base::restore_state(reader);
    Calls::each_input([&](auto at) {
      using T = typename Base::template RecordOf<decltype(at)::value>;
      Batch<T> records = restored_records<T>(reader, input_part(kHeldPart, at));
      hold(at, records, true);
    });
  }

  void process(BatchBase& batch, bool exclusive, Outputs& outputs) override {
    process_input(0, batch, exclusive, outputs);
  }
  void process_input(std::uint32_t input, BatchBase& batch, bool exclusive,
                     Outputs& outputs) override {
    if (!by_time_) return Base::process_input(input, batch, exclusive, outputs);
    Calls::each_input([&](auto at) {
      if (at != input) return;
      using T = typename Base::template RecordOf<decltype(at)::value>;
      hold(at, static_cast<Batch<T>&>(batch), exclusive);
    });
  }
  void advance(Time watermark, Outputs& outputs) override {
    handle_held(watermark == kTimeMax ? watermark : watermark - 1, true, outputs);
    Base::advance(watermark, outputs);
  }
  void release(std::int64_t now_ns, bool drain, Outputs& outputs) override {
    if (drain) handle_held(kTimeMax, false, outputs);
    Base::release(now_ns, drain, outputs);
  }
  Waiting waiting() const override {
    Waiting waiting = Base::waiting();
    waiting.records += held_records_;
    return waiting;
  }
  /// Late records are held by the watermark that they came behind.
  Time newest_of(const BatchBase& batch) const override {
    Time newest = Base::newest_of(batch);
    for (const Behind& behind : batch.behind) newest = std::max(newest, behind.watermark);
    return newest;
  }
  Standing standing() const override {
    Standing standing = Base::standing();
    if (held_records_ > 0)
      standing.holds_from = std::min(standing.holds_from.value_or(kTimeMax), next());
    return standing;
  }

 private:
  static constexpr const char* kHeldPart = ":held";

  template <std::size_t kAt>
  auto& held(std::integral_constant<std::size_t, kAt>) {
    return std::get<kAt>(held_);
  }
  template <class At, class T>
  void hold(At at, Batch<T>& in, bool exclusive) {
    if (in.values.empty()) return;
    held_records_ += in.values.size();
    held(at).keep(in, exclusive);
  }
  Time next() const {
    return std::apply([](const auto&... inputs) { return std::min({inputs.next()...}); }, held_);
  }
  /// Of times up to `until`. With `fire`, timers come between the records, each behind those of its
  /// own time.
  void handle_held(Time until, bool fire, Outputs& outputs) {
    if (held_records_ == 0 || next() > until) return;
    Calls& calls = this->calls();
    calls.begin();
    for (Time time = next(); held_records_ > 0 && time <= until; time = next()) {
      if (fire && time > kTimeMin) calls.reach(time, outputs);
      calls.set_newest(time);
      Calls::each_input([&](auto at) {
        if (held(at).next() != time) return;
        held_records_ -= held(at).take(time, [&](auto& batch, std::size_t index) {
          calls.template take_one<decltype(at)::value>(batch, index, outputs);
        });
      });
    }
    calls.end(outputs);
  }

  std::tuple<HeldInput<typename In::Record>...> held_;
  std::size_t held_records_ = 0;
  bool by_time_;
};

}  // namespace millrace::detail
