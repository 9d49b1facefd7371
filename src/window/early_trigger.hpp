// EarlyTrigger: when a window emits before its end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace {

/// When a window emits before its end: every(), any_of(), all_of(), and what comes `then`. What it
/// asks for counts anew from each row of a key and window on.
class EarlyTrigger {
 public:
  enum class Kind : std::uint8_t { event_time, clock, records };

  /// Never.
  constexpr EarlyTrigger() = default;
  constexpr EarlyTrigger(Kind kind, std::int64_t amount) { push({static_cast<Op>(kind), amount}); }

  /// Its spans are of the wall clock: rows come at multiples of the span, of keys that have
  /// changed, so that a row is at most so old. What such a row holds depends on what has arrived.
  constexpr EarlyTrigger by_clock() const {
    EarlyTrigger changed = *this;
    for (Step& step : changed.steps_) {
      if (step.op == Op::event_time) step.op = Op::clock;
    }
    return changed;
  }
  /// So many rows of a key and window, then those of then(), or none.
  constexpr EarlyTrigger times(std::int64_t rows) const {
    EarlyTrigger changed = *this;
    changed.push({Op::rows, rows});
    return changed;
  }
  /// After its row (or rows, of times()) the next trigger has its turn:
  /// every(10).then(every(1000)), every(1s).times(5).then(every(1min)).
  constexpr EarlyTrigger then(const EarlyTrigger& next) const {
    EarlyTrigger made = count_ > 0 && steps_[count_ - 1].op == Op::rows ? *this : times(1);
    made.append(next);
    return made;
  }

  // Internal.
  constexpr bool empty() const { return count_ == 0; }
  /// Calls visit(kind, amount) for each every() in it.
  template <class Visit>
  constexpr void each_every(Visit&& visit) const {
    for (std::size_t at = 0; at < count_; ++at) {
      if (is_every(steps_[at])) visit(static_cast<Kind>(steps_[at].op), steps_[at].amount);
    }
  }
  constexpr bool uses(Kind kind) const { return least(kind) != 0; }
  /// The least amount of that kind; 0: it has none.
  constexpr std::int64_t least(Kind kind) const {
    std::int64_t least = 0;
    each_every([&](Kind of, std::int64_t amount) {
      if (of == kind && (least == 0 || amount < least)) least = amount;
    });
    return least;
  }
  /// The span where it is every(span) of event time alone; else 0.
  constexpr std::int64_t span_us() const {
    return count_ == 1 && steps_[0].op == Op::event_time ? steps_[0].amount : 0;
  }
  /// The greatest common divisor of its spans of event time; 0: it has none.
  constexpr std::int64_t slice_us() const {
    std::int64_t slice = 0;
    each_every([&](Kind of, std::int64_t amount) {
      if (of == Kind::event_time) slice = std::gcd(slice, amount);
    });
    return slice;
  }
  /// Whether a key and window that has had `rows` rows has one now, where holds(kind, amount) says
  /// whether one every() does.
  template <class Holds>
  constexpr bool fires(std::int64_t rows, Holds&& holds) const {
    std::uint32_t stack = 0;  // a bit an operand, the last one lowest
    for (std::size_t at = 0; at < count_; ++at) {
      const auto [op, amount] = steps_[at];
      if (op == Op::rows) {
        if (rows < amount) return (stack & 1) != 0;
        rows -= amount;
        stack = 0;
      } else if (is_every(steps_[at])) {
        stack = stack << 1 | (holds(static_cast<Kind>(op), amount) ? 1u : 0u);
      } else {
        const std::uint32_t operands = (1u << amount) - 1;
        const bool all = (stack & operands) == operands;
        const bool fires = op == Op::all ? all : (stack & operands) != 0;
        stack = stack >> amount << 1 | (fires ? 1u : 0u);
      }
    }
    return (stack & 1) != 0;
  }
  /// At most one every() of each kind, whichever comes first.
  constexpr bool is_plain() const {
    std::array<int, 3> kinds = {0, 0, 0};
    each_every([&](Kind kind, std::int64_t) { ++kinds[static_cast<std::size_t>(kind)]; });
    for (std::size_t at = 0; at < count_; ++at) {
      if (steps_[at].op == Op::all || steps_[at].op == Op::rows) return false;
    }
    return kinds[0] <= 1 && kinds[1] <= 1 && kinds[2] <= 1;
  }
  /// 2005 of the windows called `windows`: an amount is not above 0, it is too long, or then()
  /// stands within others.
  Status validate(const std::string& windows) const;
  /// "any_of(every(100), every(1s).by_clock())"; "..." of one that validate() refuses as a whole.
  std::string to_string() const;
  /// Of one part or more.
  static constexpr EarlyTrigger joined(bool all, std::span<const EarlyTrigger> parts) {
    EarlyTrigger made;
    for (const EarlyTrigger& part : parts) {
      made.append(part);
      made.nested_ = made.nested_ || part.has_turns();
    }
    made.push({all ? Op::all : Op::any, static_cast<std::int64_t>(parts.size())});
    return made;
  }

 private:
  /// In the order of Kind, then what joins the operands before it; `rows` ends a turn.
  enum class Op : std::uint8_t { event_time, clock, records, any, all, rows };
  struct Step {
    Op op = Op::any;
    std::int64_t amount = 0;
  };
  static constexpr std::size_t kStepsMax = 16;

  static constexpr bool is_every(const Step& step) { return step.op <= Op::records; }
  constexpr bool has_turns() const {
    for (std::size_t at = 0; at < count_; ++at) {
      if (steps_[at].op == Op::rows) return true;
    }
    return false;
  }
  constexpr void push(Step step) {
    if (count_ < kStepsMax) {
      steps_[count_++] = step;
    } else {
      too_long_ = true;
    }
  }
  constexpr void append(const EarlyTrigger& other) {
    for (std::size_t at = 0; at < other.count_; ++at) push(other.steps_[at]);
    too_long_ = too_long_ || other.too_long_;
    nested_ = nested_ || other.nested_;
  }

  std::array<Step, kStepsMax> steps_{};  ///< what joins stands behind what it joins
  std::uint8_t count_ = 0;
  bool too_long_ = false;
  bool nested_ = false;
};

/// Early rows at start + span, start + 2 * span, ... of each window, when the watermark has reached
/// it: what the window holds up to there, whatever the schedule. Only of keys that have changed.
/// Sessions and global() have no start that stays: there at multiples of span since 1970.
constexpr EarlyTrigger every(Duration span) {
  return {EarlyTrigger::Kind::event_time, span.count()};
}
/// An early row after every `records` of a key and window, at once and in the order of arrival.
constexpr EarlyTrigger every(std::size_t records) {
  return {EarlyTrigger::Kind::records, static_cast<std::int64_t>(records)};
}
/// A row at whichever comes first: any_of(every(100), every(1s).by_clock()).
template <class... More>
constexpr EarlyTrigger any_of(const EarlyTrigger& first, const More&... more) {
  const std::array<EarlyTrigger, 1 + sizeof...(More)> parts = {first, more...};
  return EarlyTrigger::joined(false, parts);
}
/// A row when each of them asks for one: all_of(every(100), every(1s).by_clock()) is one a second
/// at most, of at least 100 records.
template <class... More>
constexpr EarlyTrigger all_of(const EarlyTrigger& first, const More&... more) {
  const std::array<EarlyTrigger, 1 + sizeof...(More)> parts = {first, more...};
  return EarlyTrigger::joined(true, parts);
}

}  // namespace millrace
