// CallOperator: calls an outside function for each record, and hands on what it replies.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/call_figures.hpp"
#include "operator/call_line.hpp"
#include "operator/call_options.hpp"
#include "operator/call_place.hpp"
#include "operator/call_tries.hpp"
#include "operator/operator.hpp"

namespace millrace::detail {

template <class R>
struct RecordOfReply {
  using Type = R;
};
template <class U>
struct RecordOfReply<std::optional<U>> {
  using Type = U;
};

/// In place of a function that stands in for what could not be had.
struct NoFallback {};

/// What `fallback` gives for a record, as its outcome; or the failure.
template <class U, class T, class Fallback>
CallOutcome<U> fallen_back(Fallback& fallback, const Batch<T>& records, std::uint32_t index,
                           std::string reason, CallFigures& figures) {
  if constexpr (!std::is_same_v<Fallback, NoFallback>) {
    try {
      CallOutcome<U> outcome;
      if constexpr (std::is_invocable_v<Fallback&, decltype(record_at(records, index)),
                                        std::string_view>) {
        outcome.result = std::invoke(fallback, record_at(records, index), std::string_view(reason));
      } else {
        outcome.result = std::invoke(fallback, record_at(records, index));
      }
      figures.fell_back();
      return outcome;
    } catch (...) {
      reason += "; then its fallback threw: " + current_exception_text();
    }
  }
  figures.failed();
  return {std::nullopt, std::move(reason)};
}

/// How a call is made: `F` blocks, and each worker has a copy of its own; or it is given a reply.
/// What is held is called again after a restart. See CallOptions.
template <class T, class R, class F, class Fallback = NoFallback>
class CallOperator final : public Operator, public CallsOut {
 public:
  using U = typename RecordOfReply<R>::Type;
  static constexpr bool kReplies = std::is_invocable_v<F&, const T&, Reply<R>>;

  CallOperator(F function, Fallback fallback, CallOptions options)
      : functions_(1, std::move(function)),
        fallback_(std::move(fallback)),
        options_(options),
        line_(options.ordered) {}

  void call_from(CallPlace place) override { place_ = std::move(place); }
  bool is_full() const override { return tries_ && tries_->has_waiting(); }
  bool has_answers() const override { return tries_ && tries_->has_answers(); }
  bool may_end(bool in_image) const override {
    return line_.size() == 0 || (in_image && !is_complete_);
  }

  void open(const OperatorContext& context) override {
    Operator::open(context);
    line_.open(context, tally());
    figures_.open(context.user);
    tries_ = std::make_unique<CallTries<R>>(options_, place_.wake);
    if (kReplies || !place_.make_workers) return;
    while (functions_.size() < options_.threads) functions_.push_back(functions_.front());
    workers_ = place_.make_workers(options_.threads);
  }
  void close() override {
    workers_.reset();
    tries_.reset();
  }
  void ended() override { line_.abandon(); }
  Anchoring anchoring() const override { return Anchoring::by_record; }
  Waiting waiting() const override {
    const std::int64_t due_ns = tries_->due_ns();
    return {line_.size(), workers_ ? std::min(due_ns, workers_->due_ns()) : due_ns};
  }
  Time forwarded(Time) const override { return line_.passed(); }

  void save_state(StateWriter& writer) override { line_.save(writer); }
  void restore_state(StateReader& reader) override {
    const std::int64_t now_ns = context().env->clock->steady_ns();
    line_.restore(reader, [&](std::uint32_t place) { tries_->admit(place, now_ns); });
  }

  void process(BatchBase& base, bool exclusive, Outputs& outputs) override {
    const std::int64_t now_ns = context().env->clock->steady_ns();
    line_.add(static_cast<Batch<T>&>(base), exclusive,
              [&](std::uint32_t place) { tries_->admit(place, now_ns); });
    go_on(now_ns, outputs);
  }
  void advance(Time watermark, Outputs& outputs) override {
    is_complete_ |= watermark == kTimeMax;
    line_.watermark(watermark);
    go_on(context().env->clock->steady_ns(), outputs);
  }
  void release(std::int64_t now_ns, bool, Outputs& outputs) override {
    if (workers_) workers_->run_due(now_ns);
    go_on(now_ns, outputs);
  }

 private:
  /// What has left makes room for calls, which may be answered at once.
  void go_on(std::int64_t now_ns, Outputs& outputs) {
    const auto begin = [this](std::uint32_t place, Reply<R> reply) {
      call(place, std::move(reply));
    };
    const auto done = [this](std::uint32_t place, std::optional<R> result, std::string failure) {
      line_.settle(place, outcome(place, std::move(result), std::move(failure)));
    };
    bool any = true;
    while (any) {
      tries_->pass(now_ns, figures_, begin, done);
      any = line_.release(outputs, [this](std::uint32_t place) { tries_->release(place); });
    }
    figures_.in_flight(tries_->in_flight());
  }

  void call(std::uint32_t place, Reply<R> reply) {
    if constexpr (kReplies) {
      try {
        std::invoke(functions_.front(), record_at(*line_.records(place), line_.index(place)),
                    reply);
      } catch (...) {
        reply.fail(current_exception_text());
      }
    } else {
      CallWorkers::Job job = [this, records = line_.records(place), index = line_.index(place),
                              reply = std::move(reply)](std::size_t worker) {
        if (!reply.wanted()) return;
        try {
          reply(std::invoke(functions_[worker], record_at(*records, index)));
        } catch (...) {
          reply.fail(current_exception_text());
        }
      };
      if (!workers_) return job(0);
      workers_->run(std::move(job));
    }
  }

  CallOutcome<U> outcome(std::uint32_t place, std::optional<R> result, std::string failure) {
    if (!result)
      return fallen_back<U>(fallback_, *line_.records(place), line_.index(place),
                            std::move(failure), figures_);
    if constexpr (std::is_same_v<R, U>) {
      return {std::move(result), {}};
    } else {
      return {std::move(*result), {}};
    }
  }

  std::vector<F> functions_;  ///< by worker; workers read it
  Fallback fallback_;
  CallOptions options_;
  CallPlace place_;
  CallLine<T, U> line_;
  std::unique_ptr<CallTries<R>> tries_;   ///< while it is open
  std::unique_ptr<CallWorkers> workers_;  ///< null: calls are made in the step
  CallFigures figures_;
  bool is_complete_ = false;  ///< the last watermark has come
};

}  // namespace millrace::detail
