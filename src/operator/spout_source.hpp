// SpoutSource: runs a user's spout through its concrete type, as a source of one partition a task.
#pragma once

#include <utility>

#include "operator/operator.hpp"
#include "operator/output.hpp"
#include "operator/task_context.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {

template <class S, class T>
class SpoutSource final : public Source {
 public:
  explicit SpoutSource(S spout) : spout_(std::move(spout)) {}

  Status open(const EndContext& context) override {
    context_ = &context;
    output_.count_with(context.arenas);
    spout_.open(*context.user);
    return {};
  }
  void activate() override { spout_.activate(); }
  void deactivate() override { spout_.deactivate(); }
  void close() override { spout_.close(); }

  Result<Poll> poll(BatchBase& base) override {
    auto& batch = static_cast<Batch<T>&>(base);
    output_.bind(batch);
    bool more = true;
    std::size_t bytes = 0;
    while (more && batch.values.size() < context_->batch_records_max &&
           bytes + output_.interned_bytes() < context_->batch_bytes_max) {
      const std::size_t before = batch.values.size();
      more = spout_.S::next(output_);
      if (batch.values.size() == before) break;
      bytes += batch_type<T>().heap_bytes(batch, before);
    }
    read_ += batch.values.size();
    if (!more) return Poll::ended;
    return batch.values.empty() ? Poll::idle : Poll::ready;
  }
  std::uint64_t records_read() const override { return read_; }

 private:
  S spout_;
  Output<T> output_;
  const EndContext* context_ = nullptr;
  std::uint64_t read_ = 0;
};

}  // namespace millrace::detail
