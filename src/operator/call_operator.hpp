// CallOperator: calls an outside function for each record, and hands on what it replies.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "operator/calling_operator.hpp"

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

/// How a call is made: `F` blocks, or it is given a reply.
template <class T, class R, class F, class Fallback = NoFallback>
class CallOperator : public CallingOperator<T, typename RecordOfReply<R>::Type, R, F> {
 public:
  using U = typename RecordOfReply<R>::Type;
  static constexpr bool kReplies = std::is_invocable_v<F&, const T&, Reply<R>>;

  /// `key`: calls of one come one after the other; null: there is none.
  CallOperator(F function, Fallback fallback, const CallOptions& options,
               std::shared_ptr<const KeyHash> key = nullptr)
      : Base(std::move(function), options,
             {std::move(key), options.key_in_flight_max, options.in_flight_max}),
        fallback_(std::move(fallback)) {}

  void open(const OperatorContext& context) override {
    Base::open(context);
    if (!kReplies) this->open_workers();
  }

 private:
  using Base = CallingOperator<T, U, R, F>;
  using Base::figures_;
  using Base::line_;
  using Base::tries_;

  void begin_record(std::uint32_t place, std::int64_t came_ns) override {
    tries_->admit(place, came_ns);
  }
  /// What has left makes room for calls, which may be answered at once; so does what is over of a
  /// key.
  void go_on(std::int64_t now_ns, Outputs& outputs) override {
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
      any |= this->begin_turns();
    }
    figures_.in_flight(tries_->in_flight());
  }

  void call(std::uint32_t place, Reply<R> reply) {
    const std::shared_ptr<const Batch<T>>& records = line_.records(place);
    const std::uint32_t index = line_.index(place);
    if constexpr (kReplies) {
      try {
        std::invoke(this->functions_.front(), record_at(*records, index), reply);
      } catch (...) {
        reply.fail(current_exception_text());
      }
    } else {
      this->run(std::move(reply), [records, index](F& function) -> R {
        return std::invoke(function, record_at(*records, index));
      });
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

  Fallback fallback_;
};

}  // namespace millrace::detail
