// SpoutSource: runs a user's spout through its concrete type, as a source of one partition a task.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>

#include "operator/emission.hpp"
#include "operator/operator.hpp"
#include "operator/output.hpp"
#include "operator/streams.hpp"
#include "operator/task_context.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {

/// What spouts of one stream and of several have in common.
template <class S>
class SpoutBase : public Source {
 public:
  explicit SpoutBase(S spout) : spout_(std::move(spout)) {}

  Status open(const EndContext& context) override {
    context_ = &context;
    open_output();
    spout_.open(*context.user);
    return {};
  }
  void activate() override { spout_.activate(); }
  void deactivate() override { spout_.deactivate(); }
  void close() override { spout_.close(); }
  std::uint64_t records_read() const override { return read_; }

 protected:
  virtual void open_output() = 0;
  bool is_full(std::size_t records, std::size_t bytes) const {
    return records >= context_->batch_records_max || bytes >= context_->batch_bytes_max;
  }

  S spout_;
  const EndContext* context_ = nullptr;
  std::uint64_t read_ = 0;
};

template <class S, class T>
class SpoutSource final : public SpoutBase<S> {
 public:
  using SpoutBase<S>::SpoutBase;

  Result<Poll> poll(BatchBase& base) override {
    auto& batch = static_cast<Batch<T>&>(base);
    output_.bind(batch);
    bool more = true;
    std::size_t bytes = 0;
    while (more && !this->is_full(batch.values.size(), bytes + output_.interned_bytes())) {
      const std::size_t before = batch.values.size();
      more = this->spout_.S::next(output_);
      if (batch.values.size() == before) break;
      bytes += batch_type<T>().heap_bytes(batch, before);
    }
    this->read_ += batch.values.size();
    if (!more) return Poll::ended;
    return batch.values.empty() ? Poll::idle : Poll::ready;
  }

 private:
  void open_output() override { output_.count_with(this->context_->arenas); }

  Output<T> output_;
};

/// A spout of several streams fills a batch of each, of which a poll hands on one; while one waits
/// the spout is not asked for more. Each stream keeps the order in which it was emitted to.
template <class S, class... Streamed>
class SpoutSource<S, Streams<Streamed...>> final : public SpoutBase<S> {
  static constexpr std::size_t kPorts = sizeof...(Streamed);

 public:
  using SpoutBase<S>::SpoutBase;

  std::uint32_t port() const override { return static_cast<std::uint32_t>(next_); }

  Result<Poll> poll(BatchBase& batch) override {
    if (first_from(0) == kPorts) fill();
    emission_.swap_with(next_, batch);
    const std::size_t records = batch.size();
    this->read_ += records;
    const std::size_t waiting = first_from(next_ + 1);
    next_ = waiting < kPorts ? waiting : 0;
    if (waiting < kPorts) return Poll::ready;
    if (ended_) return Poll::ended;
    return records > 0 ? Poll::ready : Poll::idle;
  }

 private:
  void open_output() override { emission_.open(*this->context_->user, this->context_->arenas); }

  void fill() {
    emission_.begin();
    std::size_t records = 0;
    std::size_t bytes = 0;
    while (!ended_ && !this->is_full(records, bytes + emission_.output().interned_bytes())) {
      emission_.mark();
      ended_ = !this->spout_.S::next(emission_.output());
      const auto sizes = emission_.sizes();
      const std::size_t before =
          std::exchange(records, std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}));
      if (records == before) break;
      bytes += emission_.heap_bytes();
    }
  }
  /// The first port from `port` on whose records wait; kPorts: none.
  std::size_t first_from(std::size_t port) {
    const auto sizes = emission_.sizes();
    while (port < kPorts && sizes[port] == 0) ++port;
    return port;
  }

  Emission<Streams<Streamed...>> emission_;
  std::size_t next_ = 0;
  bool ended_ = false;
};

}  // namespace millrace::detail
