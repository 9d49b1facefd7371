// KeyedContext: what a class behind key_by knows of the record or timer at hand, and its timers.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "operator/task_context.hpp"
#include "state/timer_queue.hpp"

namespace millrace {

namespace detail {

/// A TimerSet where there is one to have: the tables of a class without on_timer have no room for
/// it.
template <bool kHas, int kTag>
struct TimersIf {
  static constexpr TimerSet* get() { return nullptr; }
  static constexpr bool empty() { return true; }
};
template <int kTag>
struct TimersIf<true, kTag> {
  TimerSet set;
  TimerSet* get() { return &set; }
  bool empty() const { return set.empty(); }
};

/// The timers of one key, in both times.
template <bool kOnTimer, bool kOnClock>
struct RowTimers : TimersIf<kOnTimer, 0>, TimersIf<kOnClock, 1> {
  using Event = TimersIf<kOnTimer, 0>;
  using Clock = TimersIf<kOnClock, 1>;
  /// Null: the class has no method for such timers.
  TimerSet* event() { return Event::get(); }
  TimerSet* clock() { return Clock::get(); }
  bool empty() const { return Event::empty() && Clock::empty(); }
};

}  // namespace detail

/// The timers of the present key. A timer is a time: set twice it fires once. What a call that
/// throws has set or removed is as before.
///
/// Event time: fires when all records with times up to and including its own are there, that is,
/// when the watermark lies beyond it. A time before that of the record or timer at hand means that
/// one. All fire when the input ends, also those that on_timer sets then: ask at_end() before
/// setting the next of an endless row.
/// Wall clock: fires when the clock has reached it, never once the input has ended.
class KeyTimers {
 public:
  /// Calls on_timer(time, ...) at that event time. kTimeMax: never. Needs a stream with event time.
  void at(Time time) { set(Kind::event, std::max(time, event_now_)); }
  void at(Timestamp time) { at(time.micros); }
  /// False when there is none at that time.
  bool remove(Time time) { return unset(Kind::event, time); }
  bool remove(Timestamp time) { return remove(time.micros); }

  /// Calls on_clock(time, ...) when the wall clock shows `time`.
  void clock_at(Timestamp time) { set(Kind::clock, time.micros); }
  /// The same in `wait` from now; returns when that is.
  Timestamp clock_after(Duration wait) {
    const Timestamp time{saturating_add(now_, wait.count())};
    clock_at(time);
    return time;
  }
  bool clock_remove(Timestamp time) { return unset(Kind::clock, time.micros); }

  // Internal, as all below.
  enum class Kind : std::uint8_t { event, clock };

  KeyTimers(detail::MemoryMeter* meter, bool on_timer, bool on_clock)
      : event_(meter), clock_(meter), on_timer_(on_timer), on_clock_(on_clock) {}
  detail::TimerQueue& queue(Kind kind) { return kind == Kind::event ? event_ : clock_; }
  const detail::TimerQueue& queue(Kind kind) const { return kind == Kind::event ? event_ : clock_; }
  /// Null: the class has no method for them.
  template <class Row>
  static detail::TimerSet* set_of(Row& timers, Kind kind) {
    return kind == Kind::event ? timers.event() : timers.clock();
  }
  void set_now(Time now) { now_ = now; }
  /// What is set from here on is forgotten at once.
  void set_deaf(bool deaf) { deaf_ = deaf; }
  /// The calls that follow are for this key.
  template <class Row>
  void point(Row& timers, std::uint64_t hash, Time event_now) {
    sets_ = {timers.event(), timers.clock()};
    hash_ = hash;
    event_now_ = event_now;
  }
  /// The call went well. True when it removed timers. Throws MemoryRefused.
  bool keep() { return !log_.empty() && keep_log(); }
  void undo() {
    for (; !log_.empty(); log_.pop_back()) {
      const Change& change = log_.back();
      detail::TimerSet& times = *set_of(change.kind);
      if (change.added) {
        times.erase(change.time);
      } else {
        times.insert(change.time);
      }
    }
  }
  /// A timer of an image is pending, and in the set of its key.
  void restore(Kind kind, Time time, std::uint64_t hash) {
    queue(kind).push(time, hash);
    count(kind, true);
  }
  /// A timer that was pending has come.
  void count_fired(Kind kind) { count(kind, false); }
  std::size_t pending(Kind kind) const { return pending_[static_cast<std::size_t>(kind)]; }

 private:
  struct Change {
    Time time;
    Kind kind;
    bool added;
  };

  [[gnu::noinline]] bool keep_log() {
    bool removed = false;
    for (const Change& change : log_) {
      if (change.added) queue(change.kind).push(change.time, hash_);
      count(change.kind, change.added);
      removed |= !change.added;
    }
    log_.clear();
    return removed;
  }
  detail::TimerSet* set_of(Kind kind) const { return sets_[static_cast<std::size_t>(kind)]; }
  void set(Kind kind, Time time) {
    if (!(kind == Kind::event ? on_timer_ : on_clock_)) refuse(kind);
    if (time == kTimeMax || deaf_ || !set_of(kind)->insert(time)) return;
    log_.push_back({time, kind, true});
  }
  /// What the queue has of it stays there and is passed over.
  bool unset(Kind kind, Time time) {
    if (time == kTimeMax || !set_of(kind) || !set_of(kind)->erase(time)) return false;
    log_.push_back({time, kind, false});
    return true;
  }
  void count(Kind kind, bool added) {
    std::size_t& pending = pending_[static_cast<std::size_t>(kind)];
    pending = added ? pending + 1 : pending - 1;
  }
  [[noreturn]] static void refuse(Kind kind) {
    throw std::logic_error(kind == Kind::event
                               ? "a timer without a method to call: give the class "
                                 "on_timer(Time, KeyedContext<Key>&, Output<Result>&)"
                               : "a clock timer without a method to call: give the class "
                                 "on_clock(Time, KeyedContext<Key>&, Output<Result>&)");
  }

  detail::TimerQueue event_;
  detail::TimerQueue clock_;
  bool on_timer_;
  bool on_clock_;
  bool deaf_ = false;
  Time now_ = 0;
  Time event_now_ = kTimeMin;                ///< of the record or timer at hand
  std::array<detail::TimerSet*, 2> sets_{};  ///< of the present key
  std::uint64_t hash_ = 0;
  std::vector<Change> log_;  ///< of this call
  std::array<std::size_t, 2> pending_{};
};

/// Given to process, on_timer and on_clock; valid during the call. `K` is the key as a view: of a
/// text std::string_view, of several members std::tuple.
template <class K>
class KeyedContext {
 public:
  using Key = K;
  const K& key() const { return *key_; }
  /// Event time of the record, or of the timer that fires; kTimeMin where there is none.
  Time time() const { return time_; }
  /// True for a record behind the watermark of its own source partition.
  bool is_late() const { return late_; }
  /// No record with an earlier time will come, late ones aside; kTimeMin: not known yet.
  Time watermark() const { return watermark_; }
  /// True when all input has ended: only timers are left.
  bool at_end() const { return watermark_ == kTimeMax; }
  /// The wall clock as it was when the batch at hand began.
  Timestamp now() const { return {now_}; }
  KeyTimers& timers() { return *timers_; }
  /// The component's place, log and metrics.
  TaskContext& task() { return *task_; }

  // Internal, as all below.
  KeyedContext(KeyTimers& timers, TaskContext& task) : timers_(&timers), task_(&task) {}
  void point(const K& key, Time time, bool late) {
    key_ = &key;
    time_ = time;
    late_ = late;
  }
  void set_watermark(Time watermark) { watermark_ = watermark; }
  void set_now(Time now) {
    now_ = now;
    timers_->set_now(now);
  }

 private:
  const K* key_ = nullptr;
  KeyTimers* timers_;
  TaskContext* task_;
  Time time_ = kTimeMin;
  Time watermark_ = kTimeMin;
  Time now_ = 0;
  bool late_ = false;
};

}  // namespace millrace
