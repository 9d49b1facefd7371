// KeptSink: keeps what it is given, in memory, and hands it to the sink it stands before.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "operator/stateful_sink.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {

/// Batches as they came; what their records borrow is their own. One thread.
template <class T>
struct Kept {
  std::vector<std::unique_ptr<Batch<T>>> batches;
  std::size_t batch = 0;  ///< of the next record to read
  std::size_t row = 0;
};

template <class T>
class KeptSink final : public StatefulSink {
 public:
  /// `next` may be null: then it only keeps.
  KeptSink(std::shared_ptr<Kept<T>> kept, std::unique_ptr<Sink> next)
      : kept_(std::move(kept)),
        next_(std::move(next)),
        stateful_(dynamic_cast<StatefulSink*>(next_.get())) {}

  Status open(const EndContext& context) override {
    return next_ ? next_->open(context) : Status();
  }
  Status write(const BatchBase& base) override {
    auto copy = std::make_unique<Batch<T>>();
    batch_type<T>().append_all(*copy, base);
    copy->messages.release();
    batch_type<T>().rehome(*copy);
    kept_->batches.push_back(std::move(copy));
    return next_ ? next_->write(base) : Status();
  }
  Status flush() override { return next_ ? next_->flush() : Status(); }
  void give_up() override {
    if (next_) next_->give_up();
  }
  Status close() override { return next_ ? next_->close() : Status(); }
  bool transactional() const override { return next_ && next_->transactional(); }
  Result<std::string> prepare(std::uint64_t epoch) override {
    return next_ ? next_->prepare(epoch) : Result<std::string>(std::string());
  }
  Status commit(std::uint64_t epoch, std::string_view prepared) override {
    return next_ ? next_->commit(epoch, prepared) : Status();
  }
  Status recover(std::span<const std::string> prepared) override {
    return next_ ? next_->recover(prepared) : Status();
  }
  void open_state(MemoryMeter& state, bool restores) override {
    if (stateful_) stateful_->open_state(state, restores);
  }
  void marked_up_to(Time watermark) override {
    if (stateful_) stateful_->marked_up_to(watermark);
  }
  void advance(Time watermark) override {
    if (stateful_) stateful_->advance(watermark);
  }
  void save_state(StateWriter& writer) override {
    if (stateful_) stateful_->save_state(writer);
  }
  void restore_state(StateReader* reader) override {
    if (stateful_) stateful_->restore_state(reader);
  }

 private:
  std::shared_ptr<Kept<T>> kept_;
  std::unique_ptr<Sink> next_;
  StatefulSink* stateful_;  ///< the next one, if it keeps rows
};

}  // namespace millrace::detail
