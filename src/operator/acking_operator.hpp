// AckingOperator: runs a user's bolt that acks by hand through its concrete type.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "operator/anchored_output.hpp"
#include "operator/bolt_operator.hpp"

namespace millrace::detail {

/// `inputs` as of BoltOperator. A message that is taken is looked at every quarter of `timeout`.
template <class B>
class AckingOperator final : public Operator, private AnchorTarget {
 public:
  using Emitted = typename B::Record;
  using Pointers = typename InputTypes<typename B::Input>::Pointers;

  AckingOperator(B bolt, std::vector<std::uint8_t> inputs)
      : bolt_(std::move(bolt)), type_of_input_(std::move(inputs)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    emission_.open(*context.user, context.arenas);
    emission_.output().set_anchors(anchors_);
    if (context.ack_timeout > Duration(0)) {
      const std::string name(context.user->component());
      book_ = std::make_shared<TakenBook>(name);
      look_ns_ = std::chrono::nanoseconds(context.ack_timeout).count() / TakenBook::kLooks;
      silence_ = "nothing happened to it for " + format_duration(context.ack_timeout);
    }
    bolt_.prepare(*context.user);
  }
  /// A run that failed ends without ended(): what is held then is nobody's any more.
  void close() override {
    bolt_.cleanup();
    if (book_) book_->end(false);
  }
  Anchoring anchoring() const override { return Anchoring::by_record; }

  void process(BatchBase& batch, bool exclusive, Outputs& outputs) override {
    process_input(0, batch, exclusive, outputs);
  }
  void process_input(std::uint32_t input, BatchBase& batch, bool, Outputs& outputs) override {
    const std::size_t type = std::tuple_size_v<Pointers> == 1 ? 0 : type_of_input_[input];
    with_input_type<Pointers>(type,
                              [&]<class T>() { handle(static_cast<Batch<T>&>(batch), outputs); });
    plan_look();
  }

  void tick(Outputs& outputs) override {
    if (context().timed && newest_ == kTimeMin) return;
    call_apart([this] { bolt_.B::tick(emission_.output()); }, outputs);
  }
  void advance(Time watermark, Outputs& outputs) override {
    if (watermark != kTimeMax) {
      newest_ = std::max(newest_, watermark);
      return;
    }
    finished_ = true;
    if (context().timed && newest_ == kTimeMin) newest_ = 0;
    call_apart([this] { bolt_.B::finish(emission_.output()); }, outputs);
  }
  void ended() override {
    if (book_) book_->end(finished_);
  }

  Waiting waiting() const override { return {0, next_look_ns_}; }
  void release(std::int64_t now_ns, bool, Outputs&) override {
    if (!book_ || now_ns < next_look_ns_) return;
    next_look_ns_ = kNeverDue;
    book_->look(silence_);
    plan_look();
  }

 private:
  /// While something is held.
  void plan_look() {
    if (!book_ || next_look_ns_ != kNeverDue || book_->size() == 0) return;
    next_look_ns_ = context().env->clock->steady_ns() + look_ns_;
  }

  template <class T>
  void handle(Batch<T>& in, Outputs& outputs) {
    const std::size_t count = in.values.size();
    emission_.begin(in);
    const auto one = [&](std::size_t at) {
      emission_.mark();
      present_ = in.message_of(at);
      Message message(present_, book_);
      bolt_.B::process(std::as_const(in.values[at]), message, emission_.output());
      message.leave();
      if (!message.failure().empty()) throw std::runtime_error(message.failure());
      emission_.inherit_apart(in, at);
      fill_messages();
    };
    const std::size_t failed = guarded_loop(0, count, in, batch_type<T>(), *context().dead_letters,
                                            one, [this](std::size_t) { emission_.undo(); });
    if (!in.times.empty())
      newest_ = std::max(newest_, *std::max_element(in.times.begin(), in.times.end()));
    tally().processed += count - failed;
    tally().dead_lettered += failed;
    emission_.push(&in, outputs);
    anchors_.let_go();
  }

  template <class Call>
  void call_apart(Call&& call, Outputs& outputs) {
    emission_.begin();
    present_ = {};
    call();
    fill_messages();
    emission_.stamp(newest_);
    if (context().makes_arrivals) emission_.number(context().component, context().task);
    emission_.push(nullptr, outputs);
    anchors_.let_go();
  }

  void anchor(MessageRef ref) override {
    fill_messages();
    present_ = ref;
  }
  void fill_messages() {
    if (book_) emission_.fill_messages(present_);
  }

  B bolt_;
  std::vector<std::uint8_t> type_of_input_;
  Emission<Emitted, AnchoredOutput<Emitted>> emission_;
  CallAnchors anchors_{*this};
  MessageRef present_;               ///< to which what is emitted now belongs
  std::shared_ptr<TakenBook> book_;  ///< null: nothing is tracked
  std::int64_t look_ns_ = 0;
  std::int64_t next_look_ns_ = kNeverDue;
  std::string silence_;
  Time newest_ = kTimeMin;
  bool finished_ = false;
};

}  // namespace millrace::detail
