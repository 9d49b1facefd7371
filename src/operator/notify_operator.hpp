// NotifyOperator: a NotifyStep by key, whose notices have places made of their keys.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "operator/keyed_process.hpp"
#include "operator/notify.hpp"

namespace millrace::detail {

/// No two notices of a key have one time: key and time are a place that is the same in each run.
template <class T, class Key, class Step>
class NotifyOperator final : public Operator, public Inspectable, public Spills {
 public:
  using Main = KeyedProcess<T, Key, Step>;
  using Emitted = typename Step::Emitted;
  using Form = decltype(Step::form);
  using KeyPtr = typename Main::KeyPtr;

  NotifyOperator(const KeyPtr& key, const Step& step) : main_(key, step), placing_(key) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    main_.open(context);
  }
  void spill_to(const SpillPlace& place) override { main_.spill_to(place); }
  void process(BatchBase& batch, bool exclusive, Outputs& out) override {
    main_.process(batch, exclusive, placing_.to(out, context()));
  }
  void advance(Time watermark, Outputs& out) override {
    main_.advance(watermark, placing_.to(out, context()));
  }
  void release(std::int64_t now_ns, bool drain, Outputs& out) override {
    main_.release(now_ns, drain, placing_.to(out, context()));
  }
  void save_state(StateWriter& writer) override { main_.save_state(writer); }
  void restore_state(StateReader& reader) override { main_.restore_state(reader); }
  void inspect(StateQuery& query) override { main_.inspect(query); }
  Waiting waiting() const override { return main_.waiting(); }
  Standing standing() const override { return main_.standing(); }

 private:
  class Placing final : public Outputs {
   public:
    explicit Placing(KeyPtr key) : key_(std::move(key)) {}
    Placing& to(Outputs& out, const OperatorContext& context) {
      out_ = &out;
      context_ = &context;
      return *this;
    }
    void push(std::uint32_t port, BatchBase& base) override {
      if (context_->makes_arrivals) place(static_cast<Batch<Emitted>&>(base));
      out_->push(port, base);
    }
    bool has_readers(std::uint32_t port) const override { return out_->has_readers(port); }
    void advance_watermark(Time watermark) override { out_->advance_watermark(watermark); }

   private:
    void place(Batch<Emitted>& batch) const {
      for (std::size_t at = 0; at < batch.values.size(); ++at) {
        key_->key().with(Form::record(batch.values[at]), [&](const auto& key) {
          batch.arrivals[at] = Arrival::at(context_->component, 0,
                                           KeyTraits<std::decay_t<decltype(key)>>::hash(key));
        });
      }
    }

    KeyPtr key_;
    Outputs* out_ = nullptr;
    const OperatorContext* context_ = nullptr;
  };

  Main main_;
  Placing placing_;
};

}  // namespace millrace::detail
