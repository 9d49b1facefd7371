// How the watermark of a stream follows its records: within a bound, at marks, or by a class of the
// user's.
#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/time.hpp"

namespace millrace {

/// How event time is taken from a stream.
struct EventTimeOptions {
  /// How far a record may lie behind the newest of its partition before it is late. Default 0: in
  /// order. Not with punctuated() and watermarks().
  Duration out_of_order{0};
  /// Added to the stamps once for every time a repeating source began again. 0: nothing.
  Duration lap{0};
  /// A partition that gave no record for so long while its source was read does not hold event
  /// time any more, until it gives one again. 0: each partition holds it for ever.
  Duration idle_after{0};
  /// A partition of its source waits while it is ahead, in event time, of another one, or of
  /// another source that it meets behind, by more than this; those that are idle, have ended or not
  /// begun are not waited for. Looked at before each batch. 0: any distance.
  Duration align_within{0};
};

/// Watermarks at marks alone: the predicate says of a record whether no earlier one follows it, or
/// returns a std::optional<Timestamp>: no record before that time follows.
template <class F>
struct Punctuated {
  F mark;
};
template <class F>
Punctuated<F> punctuated(F mark) {
  return {std::move(mark)};
}

/// Watermarks of the user's own: W has `std::optional<Timestamp> after(const Record&, Timestamp)`:
/// no record before the time that is returned follows this one in its partition; nullopt: nothing
/// new is known. It may also have `std::optional<Timestamp> on_time(Timestamp now)`, which is asked
/// about every 100 ms with the wall clock, also while nothing comes; with it, which records are
/// late depends on when they came. Each partition has a copy. Watermarks never go back.
template <class W>
struct OwnWatermarks {
  W own;
};
template <class W>
OwnWatermarks<W> watermarks(W own) {
  return {std::move(own)};
}

namespace detail {

/// The strategy of `out_of_order`.
struct Bounded {};

inline Time time_or_none(const std::optional<Timestamp>& time) {
  return time ? time->micros : kTimeMin;
}

/// Its watermarks also follow the clock.
template <class Strategy>
inline constexpr bool kHasTimer = false;
template <class W>
inline constexpr bool kHasTimer<OwnWatermarks<W>> = requires(W own, Timestamp now) {
  { own.on_time(now) } -> std::convertible_to<std::optional<Timestamp>>;
};

/// The watermark after a record, by a strategy; kTimeMin: as it was.
template <class F, class T>
Time watermark_after(Punctuated<F>& strategy, const T& record, Time time) {
  if constexpr (std::is_same_v<std::invoke_result_t<F&, const T&>, std::optional<Timestamp>>) {
    return time_or_none(std::invoke(strategy.mark, record));
  } else {
    return std::invoke(strategy.mark, record) ? time : kTimeMin;
  }
}
template <class W, class T>
Time watermark_after(OwnWatermarks<W>& strategy, const T& record, Time time) {
  return time_or_none(strategy.own.after(record, Timestamp{time}));
}

}  // namespace detail
}  // namespace millrace
