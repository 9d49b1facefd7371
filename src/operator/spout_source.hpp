// SpoutSource and BoltCall: the adapters that run a user's spout or bolt through its concrete type.
#pragma once

#include <utility>

#include "operator/operator.hpp"
#include "operator/output.hpp"

namespace millrace::detail {

/// A user's spout as a Source of one partition a task.
template <class S, class T>
class SpoutSource final : public Source {
 public:
  explicit SpoutSource(S spout) : spout_(std::move(spout)) {}

  Status open(const EndContext& context) override {
    batch_records_max_ = context.batch_records_max;
    spout_.open(static_cast<int>(context.task), static_cast<int>(context.tasks));
    return {};
  }
  Result<Poll> poll(BatchBase& base) override {
    auto& batch = static_cast<Batch<T>&>(base);
    output_.bind(batch);
    bool more = true;
    while (more && batch.values.size() < batch_records_max_) {
      const std::size_t before = batch.values.size();
      more = spout_.S::next(output_);
      if (batch.values.size() == before) break;
    }
    read_ += batch.values.size();
    if (!more) return Poll::ended;
    return batch.values.empty() ? Poll::idle : Poll::ready;
  }
  std::uint64_t records_read() const override { return read_; }

 private:
  S spout_;
  Output<T> output_;
  std::size_t batch_records_max_ = 0;
  std::uint64_t read_ = 0;
};

/// Calls a bolt's process without a virtual call.
template <class B>
struct BoltCall {
  B bolt;
  void open(const OperatorContext& context) {
    bolt.prepare(static_cast<int>(context.task), static_cast<int>(context.tasks));
  }
  template <class In, class Out>
  void operator()(const In& record, Output<Out>& out) {
    bolt.B::process(record, out);
  }
};

}  // namespace millrace::detail
