// KeyedInputs: the operator around KeyedCalls: batches, watermarks, the clock and images.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "operator/keyed_calls.hpp"

namespace millrace::detail {

/// One or several keyed inputs of one class of the user's. One thread.
template <class Caller, class... In>
class KeyedInputs : public Operator, public Inspectable, public Spills, public HandsOver {
 public:
  using Calls = KeyedCalls<Caller, In...>;
  using P = typename Calls::P;
  using Keys = typename Calls::Keys;
  template <std::size_t kAt>
  using RecordOf = typename Calls::template RecordOf<kAt>;
  static constexpr bool kOnTimer = Caller::kOnTimer;

  KeyedInputs(Keys keys, P processor) : calls_(std::move(keys), std::move(processor)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    calls_.open(context);
  }
  void spill_to(const SpillPlace& place) override { calls_.spilled().spill_to(place); }

  void process(BatchBase& batch, bool, Outputs& outputs) override { take<0>(batch, outputs); }
  void process_input(std::uint32_t input, BatchBase& batch, bool, Outputs& outputs) override {
    Calls::each_input([&](auto at) {
      if (at == input) take<decltype(at)::value>(batch, outputs);
    });
  }
  void advance(Time watermark, Outputs& outputs) override {
    catch_up(watermark, outputs);
    calls_.caller().set_forwarded();
  }
  /// The same for a watermark that readers are not told of.
  void catch_up(Time watermark, Outputs& outputs) {
    calls_.begin();
    calls_.reach(watermark, outputs);
    calls_.end(outputs);
  }
  P& processor() { return calls_.caller().processor(); }
  void inspect(StateQuery& query) override { calls_.caller().inspect(query); }

  void save_state(StateWriter& writer) override {
    calls_.caller().save(writer, calls_.newest());
    Calls::each_input(
        [&](auto at) { calls_.waiting().template save<decltype(at)::value>(writer, *key(at)); });
  }
  void restore_state(StateReader& reader) override {
    calls_.set_newest(calls_.caller().restore(reader));
    Calls::each_input(
        [&](auto at) { calls_.waiting().template restore<decltype(at)::value>(reader, *key(at)); });
  }
  bool hands_over() const override { return calls_.caller().rows().hands_over(); }
  std::unique_ptr<HandedState> hand_over() override { return calls_.caller().rows().hand_over(); }
  bool take_over(HandedState& handed) override { return calls_.caller().rows().take_over(handed); }
  Waiting waiting() const override {
    return {calls_.waiting().size(), calls_.caller().clock_due_ns()};
  }
  Standing standing() const override {
    return holding(calls_.waiting().size() > 0, calls_.caller().watermark());
  }
  /// With `drain` nothing fires any more: the waiting records are handled as they came.
  void release(std::int64_t, bool drain, Outputs& outputs) override {
    calls_.begin();
    if (drain) {
      calls_.let_all_go();
    } else {
      calls_.fire(Calls::Kind::clock, calls_.caller().user().now().micros, outputs);
    }
    calls_.end(outputs);
  }

 protected:
  Calls& calls() { return calls_; }
  template <std::size_t kAt>
  const auto& key(std::integral_constant<std::size_t, kAt>) const {
    return calls_.template key<kAt>();
  }

 private:
  template <std::size_t kAt>
  void take(BatchBase& base, Outputs& outputs) {
    auto& in = static_cast<Batch<RecordOf<kAt>>&>(base);
    calls_.begin();
    calls_.set_newest(Operator::newest_of(in));
    calls_.template take<kAt>(in);
    calls_.end(outputs);
  }

  Calls calls_;
};

}  // namespace millrace::detail
