// RefireRules: when windows and sessions emit besides once at their end, and what those rows hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace {

/// When a window emits before its end; made by every().
class EarlyTrigger {
 public:
  enum class Kind { event_time, clock, records };
  constexpr EarlyTrigger(Kind kind, std::int64_t amount) : kind_(kind), amount_(amount) {}

  /// The span is one of the wall clock: it begins with the first change since the last row, so that
  /// a row is at most so old. What such a row holds depends on what has arrived.
  constexpr EarlyTrigger by_clock() const {
    return {kind_ == Kind::event_time ? Kind::clock : kind_, amount_};
  }

  constexpr Kind kind() const { return kind_; }
  /// Microseconds, or records.
  constexpr std::int64_t amount() const { return amount_; }
  std::string to_string() const;

 private:
  Kind kind_;
  std::int64_t amount_;
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

namespace detail {

/// How far `time` lies behind the last multiple of `span` since 1970.
constexpr std::uint64_t past_multiple(Time time, std::uint64_t span) {
  const Time left = time % static_cast<Time>(span);
  return static_cast<std::uint64_t>(left < 0 ? left + static_cast<Time>(span) : left);
}

}  // namespace detail

/// What a row holds: all of the window so far (accumulating), or what came since the row before
/// (discarding); retracting ones also send the row before once more, to be taken back.
enum class RefireMode { accumulating, discarding, retracting };

/// The rules of windows that emit more than once.
class RefireRules {
 public:
  using Kind = EarlyTrigger::Kind;

  constexpr void allow(Duration lateness) { lateness_ = lateness.count(); }
  constexpr void add(EarlyTrigger trigger) {
    early_[static_cast<std::size_t>(trigger.kind())] = trigger.amount() > 0 ? trigger.amount() : -1;
  }
  constexpr void set(RefireMode mode) { mode_ = mode; }

  constexpr RefireMode mode() const { return mode_; }
  constexpr std::int64_t lateness_us() const { return lateness_; }
  /// What early(...) was given of that kind; 0: not, below 0: nothing that is above 0.
  constexpr std::int64_t early(Kind kind) const { return early_[static_cast<std::size_t>(kind)]; }
  /// Early rows come as records do, or by the clock.
  constexpr bool by_arrival() const { return early(Kind::clock) != 0 || early(Kind::records) != 0; }
  constexpr bool has_early() const { return by_arrival() || early(Kind::event_time) != 0; }
  /// When what ends at `end` takes nothing more.
  constexpr Time closes(Time end) const { return saturating_add(end, lateness_); }

  /// 2005 of the windows called `text`: lateness is negative, or a trigger cannot be.
  Status validate(const std::string& text) const;
  /// The same where one row is wanted, at the last.
  Status validate_final(const std::string& text) const;
  /// ".allowed_lateness(10s).early(every(10s)).retracting()".
  std::string to_string() const;

 private:
  std::int64_t lateness_ = 0;
  std::int64_t early_[3] = {0, 0, 0};  ///< by kind
  RefireMode mode_ = RefireMode::accumulating;
};

/// How the rules are said: `windows.allowed_lateness(10s).early(every(1min)).retracting()`.
template <class Derived>
class RefireVerbs {
 public:
  using Mode = RefireMode;

  /// A record counts while what it belongs to ends less than `lateness` before the watermark that
  /// the record is behind; one behind an end makes a further row at once. 0 by default.
  constexpr Derived allowed_lateness(Duration lateness) const {
    return changed([lateness](RefireRules& rules) { rules.allow(lateness); });
  }
  /// Emits early rows too. Called twice, at whichever comes first; every(span) of event time stands
  /// alone.
  constexpr Derived early(EarlyTrigger trigger) const {
    return changed([trigger](RefireRules& rules) { rules.add(trigger); });
  }
  /// Each row holds all of its window so far: the default.
  constexpr Derived accumulating() const { return in_mode(Mode::accumulating); }
  /// Each row holds what came since the one before; keys to which nothing came have none.
  constexpr Derived discarding() const { return in_mode(Mode::discarding); }
  /// Before each further row of a key and window comes the one that it replaces, with `retracted`
  /// set: sums and joins behind can take it back. Of sessions all that it replaces.
  constexpr Derived retracting() const { return in_mode(Mode::retracting); }

  constexpr const RefireRules& rules() const { return rules_; }

 protected:
  RefireRules rules_;

 private:
  template <class Change>
  constexpr Derived changed(Change change) const {
    Derived made = static_cast<const Derived&>(*this);
    change(static_cast<RefireVerbs&>(made).rules_);
    return made;
  }
  constexpr Derived in_mode(Mode mode) const {
    return changed([mode](RefireRules& rules) { rules.set(mode); });
  }
};

}  // namespace millrace
