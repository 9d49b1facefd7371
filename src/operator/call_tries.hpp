// CallTries: the tries of calls: their room, time-outs, pauses, deadlines and answers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "operator/call_figures.hpp"
#include "operator/call_options.hpp"
#include "operator/call_place.hpp"
#include "operator/reply.hpp"

namespace millrace::detail {

/// When something is due of a unit, unless it has another version by then.
struct CallDue {
  std::int64_t at_ns;
  std::uint32_t unit;
  std::uint64_t version;
  friend bool operator>(const CallDue& a, const CallDue& b) { return a.at_ns > b.at_ns; }
};

/// The earliest first. One thread.
class CallDues {
 public:
  void add(const CallDue& due) { heap_.push(due); }
  std::int64_t first_ns() const { return heap_.empty() ? kNeverDue : heap_.top().at_ns; }
  CallDue take_first() {
    const CallDue first = heap_.top();
    heap_.pop();
    return first;
  }
  /// Drops the first ones for which stale(due) holds.
  template <class Stale>
  void forget(Stale&& stale) {
    while (!heap_.empty() && stale(heap_.top())) heap_.pop();
  }

 private:
  std::priority_queue<CallDue, std::vector<CallDue>, std::greater<>> heap_;
};

enum class CallState : std::uint8_t { none, waiting, called, resting, over };

/// What is known of one that is called for.
template <class R>
struct CallUnit {
  CallState state = CallState::none;
  bool takes_room = false;
  int tries = 0;
  std::uint64_t version = 0;  ///< of the try at hand; of no other unit or try
  std::int64_t deadline_ns = kNeverDue;
  std::weak_ptr<CallTry<R>> under_way;
};

/// What is called for is a unit, a small number of the caller's. One task's thread. Cost: O(log n)
/// a try, of n that are under way.
template <class R>
class CallTries {
 public:
  /// `wake` as of CallPlace.
  CallTries(const CallOptions& options, std::function<void()> wake)
      : options_(options), inbox_(std::make_shared<CallInbox<R>>(std::move(wake))) {}
  CallTries(const CallTries&) = delete;
  CallTries& operator=(const CallTries&) = delete;
  ~CallTries() { inbox_->close(); }

  /// What came then waits from now on for room, and then for its answer.
  void admit(std::uint32_t unit, std::int64_t came_ns) {
    if (units_.size() <= unit) units_.resize(unit + 1);
    Unit& its = units_[unit];
    its = {};
    its.state = State::waiting;
    its.version = ++versions_;
    its.deadline_ns = options_.deadline > Duration(0) ? came_ns + ns(options_.deadline) : kNeverDue;
    if (its.deadline_ns != kNeverDue) due_at(unit, its.deadline_ns);
    waiting_.push_back({unit, its.version});
    ++waiting_left_;
  }
  /// What was found for the unit has left, or needs no call: its room is free. Any admitted one.
  void release(std::uint32_t unit) {
    Unit& its = units_[unit];
    if (its.state == State::waiting) --waiting_left_;
    if (its.takes_room) --in_flight_;
    its = {};
    forget_stale();
  }

  bool has_waiting() const { return waiting_left_ > 0; }
  bool may_begin() const { return waiting_left_ > 0 && in_flight_ < options_.in_flight_max; }
  bool has_answers() const { return inbox_->any(); }
  std::size_t in_flight() const { return in_flight_; }
  /// When pass() has something to do; steady nanoseconds.
  std::int64_t due_ns() const {
    if (may_begin()) return 0;
    return due_.first_ns();
  }

  /// Takes answers, ends what took too long, and begins what has room: begin(unit, Reply<R>) makes
  /// a call, which may answer at once; done(unit, std::optional<R>, failure) ends its tries.
  template <class Begin, class Done>
  void pass(std::int64_t now_ns, CallFigures& figures, Begin&& begin, Done&& done) {
    do {
      for (CallAnswer<R>& answer : inbox_->take()) take(answer, now_ns, figures, done);
      run_due(now_ns, figures, begin, done);
      while (may_begin()) {
        const Waiting next = waiting_.front();
        waiting_.pop_front();
        if (units_[next.unit].version != next.version) continue;
        --waiting_left_;
        ++in_flight_;
        units_[next.unit].takes_room = true;
        call(next.unit, now_ns, figures, begin);
      }
    } while (inbox_->any());
  }

 private:
  using State = CallState;
  using Unit = CallUnit<R>;
  struct Waiting {
    std::uint32_t unit;
    std::uint64_t version;
  };
  static std::int64_t ns(Duration of) { return std::chrono::nanoseconds(of).count(); }

  void due_at(std::uint32_t unit, std::int64_t at_ns) {
    due_.add({at_ns, unit, units_[unit].version});
  }
  /// So that due_ns() tells of none that is over.
  void forget_stale() {
    due_.forget([this](const CallDue& due) { return units_[due.unit].version != due.version; });
  }

  template <class Begin>
  void call(std::uint32_t unit, std::int64_t now_ns, CallFigures& figures, Begin& begin) {
    Unit& its = units_[unit];
    its.state = State::called;
    its.version = ++versions_;
    if (++its.tries > 1) figures.retried();
    figures.called();
    due_at(unit, std::min(now_ns + ns(options_.time_out), its.deadline_ns));
    auto made = std::make_shared<CallTry<R>>(inbox_, unit, its.version);
    its.under_way = made;
    begin(unit, Reply<R>(std::move(made)));
  }

  template <class Done>
  void take(CallAnswer<R>& answer, std::int64_t now_ns, CallFigures& figures, Done& done) {
    const Unit& its = units_[answer.unit];
    if (its.version != answer.number || its.state != State::called) return figures.came_late();
    if (!answer.result) return failed(answer.unit, std::move(answer.failure), now_ns, done);
    end(answer.unit);
    done(answer.unit, std::move(answer.result), std::string());
  }

  /// A try has failed; `reason` without a result.
  template <class Done>
  void failed(std::uint32_t unit, std::string reason, std::int64_t now_ns, Done& done) {
    Unit& its = units_[unit];
    const std::int64_t again_ns = now_ns + pause_before_next(options_, its.tries);
    if (its.tries < options_.tries && again_ns < its.deadline_ns) {
      its.state = State::resting;
      its.version = ++versions_;
      return due_at(unit, again_ns);
    }
    if (its.tries > 1) reason += ", at try " + std::to_string(its.tries);
    end(unit);
    done(unit, std::nullopt, std::move(reason));
  }
  void end(std::uint32_t unit) {
    Unit& its = units_[unit];
    if (its.state == State::waiting) --waiting_left_;
    its.state = State::over;
    its.version = ++versions_;
    its.under_way.reset();
    forget_stale();
  }
  template <class Begin, class Done>
  void run_due(std::int64_t now_ns, CallFigures& figures, Begin& begin, Done& done) {
    for (forget_stale(); due_.first_ns() <= now_ns; forget_stale()) {
      const std::uint32_t unit = due_.take_first().unit;
      if (units_[unit].state == State::resting) {
        call(unit, now_ns, figures, begin);
      } else {
        time_out(unit, now_ns, figures, done);
      }
    }
  }
  template <class Done>
  void time_out(std::uint32_t unit, std::int64_t now_ns, CallFigures& figures, Done& done) {
    Unit& its = units_[unit];
    figures.timed_out();
    if (const auto under_way = its.under_way.lock()) under_way->forget();
    if (now_ns < its.deadline_ns)
      return failed(unit, "no reply within " + format_duration(options_.time_out), now_ns, done);
    end(unit);
    done(unit, std::nullopt, "no reply by the deadline of " + format_duration(options_.deadline));
  }

  CallOptions options_;
  std::shared_ptr<CallInbox<R>> inbox_;
  std::vector<Unit> units_;
  std::deque<Waiting> waiting_;   ///< for room, in the order they came; some of them are over
  std::size_t waiting_left_ = 0;  ///< that are not
  std::size_t in_flight_ = 0;
  std::uint64_t versions_ = 0;
  CallDues due_;  ///< some of them are over
};

}  // namespace millrace::detail
