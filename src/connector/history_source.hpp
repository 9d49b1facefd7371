// HistorySource: stored records up to a switch, then a live source from there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/source.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {

/// Reads `history` to its end and gives its records whose time, by `get` (Timestamp or
/// microseconds), is before the switch; then `live`, which gives those from the switch on. One task
/// reads both. Partitions are those of the live side, then those of history.
///
/// While history is read, the live partitions are promised to be at the switch, so that the
/// watermark is history's; at its end it is the switch, and then the live side's.
///
/// Without a switch time the live side begins at an offset: all of history is before it, and what
/// times it has nobody knows, so that the watermark waits for it.
template <class T, class Get>
class HistorySource final : public Source {
 public:
  HistorySource(std::unique_ptr<Source> history, std::unique_ptr<Source> live, Get get,
                std::optional<Time> at)
      : history_(std::move(history)), live_(std::move(live)), get_(std::move(get)), at_(at) {}

  Status open(const EndContext& context) override {
    is_other_ = context.task > 0;
    if (is_other_) return {};
    live_context_ = history_context_ = context;
    live_context_.tasks = history_context_.tasks = 1;
    if (!at_ || context.range.from_time() <= *at_) live_context_.range.from = {};
    history_context_.range = {};
    history_context_.gate = &history_gate_;
    if (Status status = live_->open(live_context_); !status.ok()) return status;
    return history_->open(history_context_);
  }
  void activate() override { history_->activate(), live_->activate(); }
  void deactivate() override { history_->deactivate(), live_->deactivate(); }
  std::uint32_t partitions() const override {
    return is_other_ ? 0 : live_->partitions() + history_->partitions();
  }
  std::string partition_name(std::uint32_t partition) const override {
    const std::uint32_t live = live_->partitions();
    if (partition < live) return live_->partition_name(partition);
    return history_->partition_name(partition - live);
  }

  Result<Poll> poll(BatchBase& batch) override {
    if (is_other_) return Poll::ended;
    if (at_ && promised_ < live_->partitions()) {
      batch.partition = promised_++;
      batch.watermark = *at_;
      return Poll::ready;
    }
    if (!history_over_) return poll_history(static_cast<Batch<T>&>(batch));
    if (told_ < history_->partitions()) {
      batch.partition = live_->partitions() + told_++;
      return Poll::partition_ended;
    }
    return live_->poll(batch);
  }
  std::uint64_t records_read() const override {
    return history_->records_read() - passed_over_ + live_->records_read();
  }

  bool replayable() const override { return history_->replayable() && live_->replayable(); }
  void save_positions(std::vector<SourcePosition>& to) const override {
    if (is_other_) return;
    for (const bool live : {false, true}) {
      std::vector<SourcePosition> own;
      (live ? live_ : history_)->save_positions(own);
      for (SourcePosition& position : own) {
        to.push_back(
            {std::string(live ? kLive : kHistory) + position.partition, std::move(position.bytes)});
      }
    }
  }
  Status resume(std::span<const SourcePosition> positions) override {
    if (is_other_) return {};
    for (const bool live : {false, true}) {
      const std::string_view prefix = live ? kLive : kHistory;
      std::vector<SourcePosition> own;
      for (const SourcePosition& position : positions) {
        if (!position.partition.starts_with(prefix)) continue;
        own.push_back({position.partition.substr(prefix.size()), position.bytes});
      }
      if (Status status = (live ? live_ : history_)->resume(own); !status.ok()) return status;
    }
    return {};
  }
  void close() override { history_->close(), live_->close(); }

 private:
  static constexpr std::string_view kHistory = "history ";
  static constexpr std::string_view kLive = "live ";

  static Time micros(Time time) { return time; }
  static Time micros(Timestamp time) { return time.micros; }

  /// Ends of partitions are told when all have ended, too: a source need not tell that of the last.
  Result<Poll> poll_history(Batch<T>& batch) {
    const std::uint32_t live = live_->partitions();
    shut_history(live);
    const Result<Poll> outcome = history_->poll(batch);
    if (!outcome) return outcome;
    batch.partition += live;
    if (at_) keep_before_switch(batch);
    if (*outcome != Poll::ended) return outcome;
    history_over_ = true;
    return Poll::ready;
  }
  /// Its partitions have other numbers than in the gate of the source.
  void shut_history(std::uint32_t live) {
    const PartitionGate* gate = live_context_.gate;
    if (gate == nullptr || !history_gate_.heeded()) return;
    history_gate_.open(history_->partitions());
    for (std::uint32_t at = 0; at < history_->partitions(); ++at) {
      if (gate->is_shut(live + at)) history_gate_.shut(at);
    }
  }
  void keep_before_switch(Batch<T>& batch) {
    picks_.clear();
    const auto values = std::as_const(batch.values).data();
    for (std::size_t at = 0; at < batch.values.size(); ++at) {
      if (micros(std::invoke(get_, values[at])) < *at_)
        picks_.push_back(static_cast<std::uint32_t>(at));
    }
    if (picks_.size() == batch.values.size()) return;
    passed_over_ += batch.values.size() - picks_.size();
    kept_.clear();
    carry_marks(batch, kept_);
    kept_.watermark = batch.watermark;
    batch_type<T>().append(kept_, batch, picks_);
    batch_type<T>().swap(batch, kept_);
    kept_.clear();
  }

  std::unique_ptr<Source> history_;
  std::unique_ptr<Source> live_;
  Get get_;
  std::optional<Time> at_;
  bool is_other_ = false;  ///< not the task that reads
  EndContext live_context_;
  EndContext history_context_;
  PartitionGate history_gate_;
  std::uint32_t promised_ = 0;  ///< live partitions that the switch was promised for
  bool history_over_ = false;
  std::uint32_t told_ = 0;  ///< partitions of history that were told to have ended behind that
  std::uint64_t passed_over_ = 0;  ///< records of history at the switch or later
  Batch<T> kept_;
  std::vector<std::uint32_t> picks_;
};

}  // namespace millrace::detail
