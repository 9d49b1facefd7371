// Verbs that give the records of a stream their times.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "millrace/split_verbs.hpp"
#include "operator/event_time.hpp"

namespace millrace {

namespace detail {

/// What explain and the page say of how time goes on.
inline std::string time_note(std::string strategy, const EventTimeOptions& options) {
  if (options.idle_after > Duration(0))
    strategy += ", idle after " + format_duration(options.idle_after);
  if (options.align_within > Duration(0))
    strategy += ", within " + format_duration(options.align_within) + " of the others";
  return strategy;
}

inline std::string note_of(const Bounded&, const EventTimeOptions& options) {
  return options.out_of_order == Duration(0)
             ? "in order"
             : format_duration(options.out_of_order) + " out of order";
}
template <class F>
std::string note_of(const Punctuated<F>&, const EventTimeOptions&) {
  return "punctuated";
}
template <class W>
std::string note_of(const OwnWatermarks<W>&, const EventTimeOptions&) {
  return "watermarks of its own";
}

/// The first thing that is wrong with the options.
inline Status time_problem(const EventTimeOptions& options, bool bounded) {
  const auto invalid = [](const std::string& text) {
    return Status(Code::parameter_invalid, text);
  };
  if (options.out_of_order < Duration(0))
    return invalid("out_of_order is negative: give a duration of 0 or more");
  if (options.idle_after < Duration(0))
    return invalid("idle_after is negative: give a duration above 0, or 0 for never");
  if (options.align_within < Duration(0))
    return invalid("align_within is negative: give a duration above 0, or 0 for any distance");
  if (!bounded && options.out_of_order > Duration(0))
    return invalid(
        "out_of_order is given beside a strategy that makes the watermarks: leave one of them out");
  return {};
}

}  // namespace detail

/// The verbs of Stream that give its records times. They stand in the source's chain, before any
/// shuffle or merge (2007).
template <class T>
class TimeVerbs : public SplitVerbs<T> {
 public:
  using SplitVerbs<T>::SplitVerbs;

  /// Takes each record's event time from a member (Timestamp, or integer microseconds) or a
  /// function, and says how far out of order records may come (by default not at all). Errors:
  /// 2007, 2010 for a negative duration.
  template <class Get>
  Stream<T> event_time(Get get, EventTimeOptions options = {}) const {
    return timed("event_time", std::move(get), detail::Bounded{}, options);
  }
  /// The same with watermarks made by punctuated(...) or watermarks(...).
  template <class Get, class F>
  Stream<T> event_time(Get get, Punctuated<F> strategy, EventTimeOptions options = {}) const {
    static_assert(
        std::is_invocable_v<F&, const T&>,
        "millrace: punctuated needs a predicate or function that takes this stream's records");
    return timed("event_time", std::move(get), std::move(strategy), options);
  }
  template <class Get, class W>
  Stream<T> event_time(Get get, OwnWatermarks<W> strategy, EventTimeOptions options = {}) const {
    static_assert(
        requires(W& own, const T& record) {
          { own.after(record, Timestamp{}) } -> std::convertible_to<std::optional<Timestamp>>;
        },
        "millrace: watermarks needs a class with std::optional<Timestamp> after(const Record&, "
        "Timestamp)");
    return timed("event_time", std::move(get), std::move(strategy), options);
  }

  /// Gives each record the wall clock's time at which it was read. Nothing is ever late, and the
  /// watermark follows the clock (every 100 ms while nothing comes), so windows close though no
  /// record comes. A replay with --speed does not pace it.
  Stream<T> ingestion_time() const {
    return timed("ingestion_time", detail::ReadClock{}, detail::Bounded{}, {});
  }

 private:
  template <class Get, class Strategy>
  Stream<T> timed(std::string kind, Get get, Strategy strategy,
                  const EventTimeOptions& options) const {
    constexpr bool kBounded = std::is_same_v<Strategy, detail::Bounded>;
    std::string note = std::is_same_v<Get, detail::ReadClock> ? std::string("when it was read")
                                                              : detail::note_of(strategy, options);
    detail::Node node = detail::operator_node<detail::EventTime<T, Get, Strategy>>(
        std::move(kind), this->inputs({}), std::move(get), options, std::move(strategy));
    node.note = detail::time_note(std::move(note), options);
    node.originates_time = true;
    node.tasks_are_fixed = "it runs where its source runs";
    node.output = &detail::batch_type<T>();
    node.problem = detail::time_problem(options, kBounded);
    return this->template derive<T>(std::move(node));
  }
};

}  // namespace millrace
