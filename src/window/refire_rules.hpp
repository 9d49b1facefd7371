// RefireRules: when windows and sessions emit besides once at their end, and what those rows hold.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.hpp"
#include "base/time.hpp"
#include "window/early_trigger.hpp"

namespace millrace {

namespace detail {

/// How far `time` lies behind the last multiple of `span` since 1970.
constexpr std::uint64_t past_multiple(Time time, std::uint64_t span) {
  const Time left = time % static_cast<Time>(span);
  return static_cast<std::uint64_t>(left < 0 ? left + static_cast<Time>(span) : left);
}

/// `windows` as the text of them.
Status invalid_windows(const std::string& windows, const char* what);

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
    early_ = early_.empty() ? trigger : any_of(early_, trigger);
  }
  constexpr void set(RefireMode mode) { mode_ = mode; }

  constexpr RefireMode mode() const { return mode_; }
  constexpr std::int64_t lateness_us() const { return lateness_; }
  constexpr const EarlyTrigger& early() const { return early_; }
  constexpr bool has_early() const { return !early_.empty(); }
  /// Early rows hold what has arrived: they come as records do, or by the clock.
  constexpr bool by_arrival() const {
    return early_.uses(Kind::clock) || early_.uses(Kind::records);
  }
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
  EarlyTrigger early_;
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
  /// Emits early rows too. Called twice, at whichever comes first.
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
