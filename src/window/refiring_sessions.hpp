// RefiringSessions: sessions that emit more than once: early, on time, and again for late records.
#pragma once

#include <string>
#include <utility>

#include "window/refire_rules.hpp"
#include "window/session.hpp"

namespace millrace {

template <class Gap>
class FinalSessions;

/// Sessions that emit early, on time, and again when a late record reaches into them or joins them,
/// made by session(30min).allowed_lateness(10min) and session(30min).early(every(1min)). Their rows
/// are WindowUpdates: one replaces all rows of its key before it that lie within its bounds.
///
/// Cost: as of session(); each record behind its watermark, and with early rows by event time each
/// record, waits in a heap, O(log n). Memory: an accumulator a session until lateness after its
/// end (retracting: and the values that it replaces), and one a record that waits.
template <class Gap>
class RefiringSessions : public RefireVerbs<RefiringSessions<Gap>> {
 public:
  explicit RefiringSessions(Sessions<Gap> sessions) : sessions_(std::move(sessions)) {}

  /// One row a session, when the watermark has passed its end by the lateness.
  FinalSessions<Gap> final_only() const { return FinalSessions<Gap>(*this); }

  /// The same sessions of the wall clock: see Sessions::by_clock. 2005 with allowed_lateness.
  ByClock<RefiringSessions> by_clock() const { return {*this}; }

  const Sessions<Gap>& sessions() const { return sessions_; }
  /// Internal: the same with another gap.
  RefiringSessions with_gap(Gap gap) const {
    RefiringSessions changed = *this;
    changed.sessions_.gap = std::move(gap);
    return changed;
  }
  /// 2005 where the gap or the rules cannot be.
  Status validate() const {
    Status status = sessions_.validate();
    if (status.ok()) status = this->rules().validate(to_string());
    if (!status.ok() || this->rules().early().is_plain()) return status;
    return {Code::window_invalid,
            "window " + to_string() +
                ": sessions, which join, take one every(...) of each kind: leave all_of, times and "
                "then out"};
  }
  /// "session(30min).allowed_lateness(10min).retracting()".
  std::string to_string() const { return sessions_.to_string() + this->rules().to_string(); }

 private:
  Sessions<Gap> sessions_;
};

/// Sessions that emit one row, when no record can join them any more; made by final_only(). What
/// stands behind them sees the watermark as much later.
template <class Gap>
class FinalSessions {
 public:
  explicit FinalSessions(RefiringSessions<Gap> refiring) : refiring_(std::move(refiring)) {}

  const RefiringSessions<Gap>& refiring() const { return refiring_; }
  const Sessions<Gap>& sessions() const { return refiring_.sessions(); }
  /// Internal: the same with another gap.
  FinalSessions with_gap(Gap gap) const {
    return FinalSessions(refiring_.with_gap(std::move(gap)));
  }
  /// 2005 also where early rows, or a mode of further ones, were asked for.
  Status validate() const {
    Status status = refiring_.validate();
    return status.ok() ? refiring_.rules().validate_final(to_string()) : status;
  }
  std::string to_string() const { return refiring_.to_string() + ".final_only()"; }

 private:
  RefiringSessions<Gap> refiring_;
};

template <class Gap>
RefiringSessions<Gap> Sessions<Gap>::allowed_lateness(Duration lateness) const {
  return RefiringSessions<Gap>(*this).allowed_lateness(lateness);
}
template <class Gap>
RefiringSessions<Gap> Sessions<Gap>::early(EarlyTrigger trigger) const {
  return RefiringSessions<Gap>(*this).early(trigger);
}

}  // namespace millrace
