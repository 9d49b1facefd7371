// CallingOperator: what operators that call the outside have in common.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "operator/call_figures.hpp"
#include "operator/call_line.hpp"
#include "operator/call_options.hpp"
#include "operator/call_place.hpp"
#include "operator/call_tries.hpp"
#include "operator/operator.hpp"

namespace millrace::detail {

/// Records of T wait in a line for what is made of them, a U; calls of `F` are answered by an R.
/// What is held is in the image, by key group where there is a key, and called for again after a
/// restart.
template <class T, class U, class R, class F>
class CallingOperator : public Operator, public CallsOut {
 public:
  CallingOperator(F function, const CallOptions& options, const TurnsBy& by)
      : functions_(1, std::move(function)), line_(options.ordered, by), options_(options) {}

  void call_from(CallPlace place) override { place_ = std::move(place); }
  bool is_full() const override { return tries_ && (tries_->has_waiting() || line_.is_full()); }
  bool has_answers() const override { return tries_ && tries_->has_answers(); }
  bool may_end(bool in_image) const override {
    return line_.size() == 0 || (in_image && !is_complete_);
  }

  void open(const OperatorContext& context) override {
    Operator::open(context);
    line_.open(context, tally());
    figures_.open(context.user);
    tries_ = std::make_unique<CallTries<R>>(options_, place_.wake);
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
    const std::int64_t now_ns = steady_ns();
    line_.restore(reader, now_ns, [&](std::uint32_t place) { begin_record(place, now_ns); });
    all_begun(now_ns);
  }

  void process(BatchBase& base, bool exclusive, Outputs& outputs) override {
    const std::int64_t now_ns = steady_ns();
    line_.add(static_cast<Batch<T>&>(base), exclusive, now_ns,
              [&](std::uint32_t place) { begin_record(place, now_ns); });
    all_begun(now_ns);
    go_on(now_ns, outputs);
  }
  void advance(Time watermark, Outputs& outputs) override {
    is_complete_ |= watermark == kTimeMax;
    line_.watermark(watermark);
    go_on(steady_ns(), outputs);
  }
  void release(std::int64_t now_ns, bool, Outputs& outputs) override {
    if (workers_) workers_->run_due(now_ns);
    go_on(now_ns, outputs);
  }

 protected:
  /// It is the turn of a record, at that place of the line, which came then.
  virtual void begin_record(std::uint32_t place, std::int64_t came_ns) = 0;
  /// Those of a batch have.
  virtual void all_begun(std::int64_t /*now_ns*/) {}
  /// Takes answers, makes calls, and hands on what may go.
  virtual void go_on(std::int64_t now_ns, Outputs& outputs) = 0;

  /// Behind open(): run() calls the function on threads, of which each has a copy.
  void open_workers() {
    if (!place_.make_workers) return;
    while (functions_.size() < options_.threads) functions_.push_back(functions_.front());
    workers_ = place_.make_workers(options_.threads);
  }
  /// Begins those whose turn has come; false: none has.
  bool begin_turns() {
    bool any = false;
    while (const auto turn = line_.next_turn()) {
      begin_record(turn->place, turn->came_ns);
      any = true;
    }
    return any;
  }
  /// Answers with what call(F&) gives or throws.
  template <class Call>
  void run(Reply<R> reply, Call call) {
    CallWorkers::Job job = [this, reply = std::move(reply),
                            call = std::move(call)](std::size_t worker) {
      if (!reply.wanted()) return;
      try {
        reply(call(functions_[worker]));
      } catch (...) {
        reply.fail(current_exception_text());
      }
    };
    if (!workers_) return job(0);
    workers_->run(std::move(job));
  }

  std::vector<F> functions_;  ///< by worker, which reads it
  CallLine<T, U> line_;
  std::unique_ptr<CallTries<R>> tries_;  ///< while it is open
  CallFigures figures_;

 private:
  std::int64_t steady_ns() { return context().env->clock->steady_ns(); }

  CallOptions options_;
  CallPlace place_;
  std::unique_ptr<CallWorkers> workers_;  ///< null: calls are made in the step
  bool is_complete_ = false;              ///< the last watermark has come
};

}  // namespace millrace::detail
