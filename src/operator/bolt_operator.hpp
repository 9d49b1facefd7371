// BoltOperator: runs a user's bolt through its concrete type, for one input type or several.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/emission.hpp"
#include "operator/operator.hpp"
#include "record/batch_type.hpp"

namespace millrace {

/// The record types that a bolt with several inputs takes: Bolt<Inputs<Order, Payment>, Match>.
template <class... In>
struct Inputs;

namespace detail {

/// The input types of a bolt as a tuple of pointers (so that nothing is constructed).
template <class In>
struct InputTypes {
  using Pointers = std::tuple<In*>;
};
template <class... In>
struct InputTypes<Inputs<In...>> {
  using Pointers = std::tuple<In*...>;
};

/// Calls use.operator()<T>() for the type of number `type` among those that Pointers point to.
template <class Pointers, class Use>
void with_input_type(std::size_t type, Use&& use) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (void)((type == I ? (use.template
                         operator()<std::remove_pointer_t<std::tuple_element_t<I, Pointers>>>(),
                         true)
                      : false) ||
           ...);
  }(std::make_index_sequence<std::tuple_size_v<Pointers>>{});
}

/// True when B has a tick(), or finish(), of its own.
template <class B>
concept Ticks = !requires { requires std::is_same_v<decltype(&B::tick), typename B::TickOfBase>; };
template <class B>
concept Finishes =
    !requires { requires std::is_same_v<decltype(&B::finish), typename B::TickOfBase>; };

/// `inputs[i]` says which of the bolt's input types declared input i has.
template <class B>
class BoltOperator final : public Operator {
 public:
  using In = typename B::Input;
  using Pointers = typename InputTypes<In>::Pointers;

  BoltOperator(B bolt, std::vector<std::uint8_t> inputs)
      : bolt_(std::move(bolt)), type_of_input_(std::move(inputs)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    emission_.open(*context.user, context.arenas);
    bolt_.prepare(*context.user);
  }
  void close() override { bolt_.cleanup(); }

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& batch, bool exclusive, Outputs& outputs) override {
    process_input(0, batch, exclusive, outputs);
  }
  void process_input(std::uint32_t input, BatchBase& batch, bool, Outputs& outputs) override {
    const std::size_t type = std::tuple_size_v<Pointers> == 1 ? 0 : type_of_input_[input];
    with_input_type<Pointers>(type,
                              [&]<class T>() { handle(static_cast<Batch<T>&>(batch), outputs); });
  }

  void tick(Outputs& outputs) override {
    if (context().timed && newest_ == kTimeMin)
      return;  // there is no time to give to what it emits
    call_apart([this] { bolt_.B::tick(emission_.output()); }, outputs);
  }
  void advance(Time watermark, Outputs& outputs) override {
    if (watermark != kTimeMax) {
      newest_ = std::max(newest_, watermark);
    } else if constexpr (Finishes<B>) {
      if (context().timed && newest_ == kTimeMin) newest_ = 0;
      call_apart([this] { bolt_.B::finish(emission_.output()); }, outputs);
    }
  }

 private:
  template <class T>
  void handle(Batch<T>& in, Outputs& outputs) {
    const std::size_t count = in.values.size();
    emission_.begin(in);
    const auto undo = [this](std::size_t) { emission_.undo(); };
    const auto one = [&](std::size_t at) {
      emission_.mark();
      bolt_.B::process(std::as_const(in.values[at]), emission_.output());
    };
    std::size_t failed = 0;
    if (in.is_plain()) {
      failed = guarded_loop(0, count, in, batch_type<T>(), *context().dead_letters, one, undo);
    } else {
      failed = guarded_loop(
          0, count, in, batch_type<T>(), *context().dead_letters,
          [&](std::size_t at) {
            one(at);
            emission_.inherit(in, at);
          },
          undo);
      if constexpr (Ticks<B> || Finishes<B>) {
        if (!in.times.empty())
          newest_ = std::max(newest_, *std::max_element(in.times.begin(), in.times.end()));
      }
    }
    tally().processed += count - failed;
    tally().dead_lettered += failed;
    emission_.push(&in, outputs);
  }

  /// What is emitted outside of a record takes the newest event time that this task knows of.
  template <class Call>
  void call_apart(Call&& call, Outputs& outputs) {
    emission_.begin();
    call();
    emission_.stamp(newest_);
    if (context().makes_arrivals) emission_.number(context().component, context().task);
    emission_.push(nullptr, outputs);
  }

  B bolt_;
  std::vector<std::uint8_t> type_of_input_;
  Emission<typename B::Record> emission_;
  Time newest_ = kTimeMin;
};

}  // namespace detail
}  // namespace millrace
