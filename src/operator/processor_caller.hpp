// ProcessorCaller: calls the methods of a user's class for a record or a timer; one that throws
// leaves no trace.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "operator/operator.hpp"
#include "operator/owned_emission.hpp"
#include "operator/processor_progress.hpp"
#include "operator/processor_rows.hpp"
#include "operator/timers_at_end.hpp"

namespace millrace::detail {

template <class P, class K, class U>
inline constexpr bool kTimersNothrow = [] {
  bool nothrow = true;
  if constexpr (HasOnTimer<P, K, U>) {
    nothrow = nothrow && noexcept(std::declval<P&>().on_timer(
                             Time{}, std::declval<KeyedContext<K>&>(), std::declval<Output<U>&>()));
  }
  if constexpr (HasOnClock<P, K, U>) {
    nothrow = nothrow && noexcept(std::declval<P&>().on_clock(
                             Time{}, std::declval<KeyedContext<K>&>(), std::declval<Output<U>&>()));
  }
  return nothrow;
}();

/// Emits into one batch until it is flushed. One thread; used once it is open. `Traits` says what
/// P's methods process() emit, and whether they may throw.
template <class K, class P, class Traits = ProcessTraits<decltype(&P::process)>>
class ProcessorCaller {
 public:
  using Processor = P;
  using Emitted = typename Traits::Emitted;
  using Rows = ProcessorRows<K, P>;
  using Row = typename Rows::Row;
  using Kind = KeyTimers::Kind;
  static constexpr bool kOnTimer = HasOnTimer<P, K, Emitted>;
  static constexpr bool kOnClock = HasOnClock<P, K, Emitted>;

  explicit ProcessorCaller(P processor) : processor_(std::move(processor)) {}
  void open(const OperatorContext& context) {
    context_ = &context;
    rows_.emplace(processor_, kLogging, context.state, kOnTimer, kOnClock);
    user_.emplace(rows_->timers(), *context.user);
    emission_.open(*context.user, context.arenas);
  }
  P& processor() { return processor_; }
  void inspect(StateQuery& query) {
    rows_->call().clock_now = context_->env->clock->wall_us();
    rows_->inspect(query, user_->watermark());
  }
  Rows& rows() { return *rows_; }
  const Rows& rows() const { return *rows_; }
  KeyedContext<K>& user() { return *user_; }
  OwnedEmission<Emitted>& emission() { return emission_; }

  /// `newest` of all records so far goes with it, and is what restore() gives.
  void save(StateWriter& writer, Time newest) {
    ProcessorProgress{user_->watermark(), at_.forwarded, newest, at_.numbered}.save(writer);
    save_form(writer, processor_);
    rows_->save(writer);
  }
  Time restore(StateReader& reader) {
    begin_batch();  // timers of the clock are due by its time
    at_ = ProcessorProgress::restored(reader);
    user_->set_watermark(at_.watermark);
    restore_form(reader, processor_);
    rows_->restore(reader, std::max(at_.watermark, at_.newest), user_->now().micros);
    return at_.newest;
  }

  void begin_batch() {
    emission_.begin();
    user_->set_now(context_->env->clock->wall_us());
    rows_->call().clock_now = user_->now().micros;
    if constexpr (kOnClock) steady_ns_ = context_->env->clock->steady_ns();
  }
  /// When the first timer of the wall clock is due, steady nanoseconds.
  std::int64_t clock_due_ns() const {
    const Time next = rows_->timers().queue(Kind::clock).next();
    if (next == kTimeMax) return kNeverDue;
    constexpr std::int64_t kWaitMax_us = Duration(24h).count();  // then it looks again
    const std::int64_t wait_us =
        std::clamp<std::int64_t>(saturating_add(next, -user_->now().micros), 0, kWaitMax_us);
    return steady_ns_ + wait_us * 1000;
  }

  /// Calls process() for record `at` of a batch, on a marked emission. True when it removed timers.
  /// What it throws passes; then call undo().
  template <class T>
  bool process(const Batch<T>& in, std::size_t at, Time behind, const K& key, std::uint64_t hash,
               Row* row) {
    const Time time = in.times.empty() ? kTimeMin : in.times[at];
    rows_->call().event_now = std::max(time, behind);
    user_->point(key, time, behind != kTimeMin);
    rows_->begin(hash, row);
    processor_.process(record_at(in, at), *user_, emission_.output());
    emission_.own_texts(context_->arenas);
    const bool removed = rows_->keep(key, hash, row);
    emission_.give_time(time, behind);
    if (context_->makes_arrivals) emission_.give_place(in.arrival_of(at));
    emission_.give_message(in.message_of(at));
    return removed;
  }
  void undo() {
    emission_.undo();
    rows_->undo();
  }
  auto undoing() {
    return [this](std::size_t) { undo(); };
  }
  /// Calls on_timer or on_clock if that timer is pending; `newest` is the event time of what a wall
  /// clock timer emits. True when it removed timers.
  bool fire(Kind kind, Time time, const K& key, std::uint64_t hash, Time newest) {
    Row* const row = rows_->due().take(kind, time, key, hash);
    if (row == nullptr) return false;
    const Time row_time = kind == Kind::event ? time : newest;
    rows_->call().event_now = row_time;
    emission_.mark();
    user_->point(key, row_time, false);
    rows_->begin(hash, row);
    bool removed = false;
    try {
      call_timer(kind, time);
      emission_.own_texts(context_->arenas);
      removed = rows_->keep(key, hash, row);
    } catch (const MemoryRefused&) {
      throw;  // the run's trouble, not this timer's
    } catch (...) {
      undo();
      refuse(key, time);
      if (rows_->is_empty(*row)) rows_->erase(key, hash);
    }
    emission_.give_time(context_->timed ? row_time : kTimeMin,
                        row_time < at_.forwarded ? at_.forwarded : kTimeMin);
    if (context_->makes_arrivals)
      emission_.give_place(Arrival::at(context_->component, context_->task, at_.numbered++));
    return removed;
  }

  void set_watermark(Time watermark, std::size_t waiting) {
    user_->set_watermark(watermark);
    if (user_->at_end()) at_end_.begin(rows_->timers().pending(Kind::event) + waiting);
  }
  Time watermark() const { return user_->watermark(); }
  /// Readers have the watermark now.
  void set_forwarded() { at_.forwarded = user_->watermark(); }

 private:
  /// Methods that are all noexcept need no log of what they write.
  static constexpr bool kLogging = !Traits::kNothrow || !kTimersNothrow<P, K, Emitted>;

  void call_timer([[maybe_unused]] Kind kind, [[maybe_unused]] Time time) {
    if constexpr (kOnTimer) {
      if (kind == Kind::event) {
        if (user_->at_end()) at_end_.count(rows_->timers());
        return processor_.on_timer(time, *user_, emission_.output());
      }
    }
    if constexpr (kOnClock) {
      if (kind == Kind::clock) processor_.on_clock(time, *user_, emission_.output());
    }
  }
  [[gnu::noinline]] void refuse(const K& key, Time time) {
    std::string text;
    if constexpr (Described<K>) append_json(text, key);
    context_->dead_letters->add(current_exception_text(), "timer at " + format_iso_time(time),
                                text);
    ++context_->tally->rows_refused;
  }

  const OperatorContext* context_ = nullptr;
  P processor_;
  std::optional<Rows> rows_;
  std::optional<KeyedContext<K>> user_;
  OwnedEmission<Emitted> emission_;
  ProcessorProgress at_;
  std::int64_t steady_ns_ = 0;  ///< when the batch at hand began
  TimersAtEnd at_end_;
};

}  // namespace millrace::detail
