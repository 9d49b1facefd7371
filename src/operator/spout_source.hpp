// SpoutSource: runs a user's spout through its concrete type, as a source of one partition a task.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/emission.hpp"
#include "operator/message_output.hpp"
#include "operator/operator.hpp"
#include "operator/output.hpp"
#include "operator/streams.hpp"
#include "operator/task_context.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {

/// True of a spout that names its messages.
template <class S>
inline constexpr bool kNamesMessages = requires { typename S::NamesMessages; };

/// What spouts of one stream and of several have in common.
template <class S>
class SpoutBase : public Source {
 public:
  using Emitted = typename S::Record;
  using Out = std::conditional_t<kNamesMessages<S>, MessageOutput<Emitted>, Output<Emitted>>;
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

  bool replayable() const override {
    if constexpr (kNamesPositions) return spout_.replayable();
    return false;
  }
  void save_positions(std::vector<SourcePosition>& to) const override {
    if constexpr (kNamesPositions) {
      to.push_back({position_name(context_->task), spout_.position()});
    }
  }
  Status resume(std::span<const SourcePosition> positions) override {
    if constexpr (kNamesPositions) {
      if (!positions.empty() && positions.size() != context_->tasks) return other_tasks(positions);
      for (const SourcePosition& position : positions) {
        if (position.partition == position_name(context_->task)) spout_.resume(position.bytes);
      }
    }
    return {};
  }

  bool fits_room() const override { return true; }
  bool names_messages() const override { return kNamesMessages<S>; }
  std::span<const std::optional<std::uint64_t>> message_names() const override { return names_; }
  void acked([[maybe_unused]] std::uint64_t name) override {
    if constexpr (kNamesMessages<S>) spout_.S::ack(name);
  }
  void failed([[maybe_unused]] std::uint64_t name) override {
    if constexpr (kNamesMessages<S>) spout_.S::fail(name);
  }

 protected:
  static constexpr bool kNamesPositions = requires(const S& spout) {
    { spout.replayable() } -> std::same_as<bool>;
  };
  static std::string position_name(std::uint32_t task) { return "task " + std::to_string(task); }
  Status other_tasks(std::span<const SourcePosition> positions) const {
    return {Code::source_failed,
            "the spout \"" + context_->user->component() + "\" had " +
                std::to_string(positions.size()) + " tasks when its positions were kept, and has " +
                std::to_string(context_->tasks) +
                " now, which divide its input otherwise: give it as many as before, or begin anew "
                "with another state folder"};
  }

  virtual void open_output() = 0;
  /// The names of what is handed on of a port.
  void keep_names([[maybe_unused]] Out& output, [[maybe_unused]] std::size_t port,
                  [[maybe_unused]] std::size_t records) {
    if constexpr (kNamesMessages<S>) names_ = output.names(port).of(records);
  }
  static void forget_names([[maybe_unused]] Out& output, [[maybe_unused]] std::size_t port) {
    if constexpr (kNamesMessages<S>) output.names(port).clear();
  }
  bool is_full(std::size_t records, std::size_t bytes) const {
    return records >= context_->batch_records_max || bytes >= context_->batch_bytes_max;
  }

  S spout_;
  std::span<const std::optional<std::uint64_t>> names_;  ///< of the last poll
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
    this->forget_names(output_, 0);
    bool more = true;
    std::size_t bytes = 0;
    while (more && !this->is_full(batch.values.size(), bytes + output_.interned_bytes())) {
      const std::size_t before = batch.values.size();
      more = this->spout_.S::next(output_);
      if (batch.values.size() == before) break;
      bytes += batch_type<T>().heap_bytes(batch, before);
    }
    this->read_ += batch.values.size();
    this->keep_names(output_, 0, batch.values.size());
    if (!more) return Poll::ended;
    return batch.values.empty() ? Poll::idle : Poll::ready;
  }

 private:
  void open_output() override { output_.count_with(this->context_->arenas); }

  typename SpoutBase<S>::Out output_;
};

/// A spout of several streams fills a batch of each, of which a poll hands on one; while one waits
/// the spout is not asked for more. Each stream keeps the order in which it was emitted to.
template <class S, class... Streamed>
class SpoutSource<S, Streams<Streamed...>> final : public SpoutBase<S> {
  static constexpr std::size_t kPorts = sizeof...(Streamed);

 public:
  using SpoutBase<S>::SpoutBase;

  std::uint32_t port() const override { return static_cast<std::uint32_t>(next_); }
  /// Its position lies behind what waits to be handed on.
  bool replayable() const override { return false; }

  Result<Poll> poll(BatchBase& batch) override {
    if (first_from(0) == kPorts) fill();
    emission_.swap_with(next_, batch);
    const std::size_t records = batch.size();
    this->keep_names(emission_.output(), next_, records);
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
    for (std::size_t port = 0; port < kPorts; ++port) {
      this->forget_names(emission_.output(), port);
    }
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

  Emission<Streams<Streamed...>, typename SpoutBase<S>::Out> emission_;
  std::size_t next_ = 0;
  bool ended_ = false;
};

}  // namespace millrace::detail
