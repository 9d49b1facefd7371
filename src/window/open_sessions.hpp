// OpenSessions: the sessions of one key that may still grow.
#pragma once

#include <algorithm>
#include <utility>

#include "base/time.hpp"
#include "state/counted_allocator.hpp"

namespace millrace::detail {

/// One session: from its first record to the last instant at which a record still belongs to it.
template <class Acc>
struct OpenSession {
  Time first;
  Time last;  ///< inclusive
  Acc acc;
};

/// Sessions that do not touch each other, in the order of time. There is always one: the newest,
/// which lies here itself, so that records in order find it at once.
///
/// Cost of a record: O(log n) for n open sessions of the key; where it opens one before others, the
/// later ones move.
template <class Acc>
class OpenSessions {
 public:
  using Session = OpenSession<Acc>;

  OpenSessions(Session session, MemoryMeter* meter)
      : newest_(std::move(session)), older_(CountedAllocator<Session>(meter)) {}

  /// When next to look whether a session is over; the owner's.
  Time alarm = kTimeMax;

  /// Adds a record that belongs together with all of [time, last]: to the session that it touches,
  /// joined by merge(Acc&, const Acc&) with those that it links, or to a new one made by init().
  /// add(Acc&) may throw, then nothing has changed. Returns the session, valid until the next call.
  template <class Init, class Add, class Merge>
  Session& add(Time time, Time last, Init&& init, Add&& add, Merge&& merge) {
    const auto touched = [&](const Session& s) { return s.first <= last && time <= s.last; };
    if (touched(newest_)) return grow(newest_, older_.size(), time, last, add, merge);
    const auto place = newest_.last < time ? older_.end() : last_before(last);
    if (place != older_.begin() && newest_.last >= time && touched(place[-1])) {
      return grow(place[-1], static_cast<std::size_t>(place - older_.begin()) - 1, time, last, add,
                  merge);
    }
    Session fresh{time, last, init()};
    add(fresh.acc);
    if (newest_.last >= time) return *older_.insert(place, std::move(fresh));
    older_.push_back(std::move(newest_));
    return newest_ = std::move(fresh);
  }

  /// Calls fire(Session&) for those that end before `time` (for all of them at kTimeMax) and
  /// forgets them. True: none is left, and this must not be used any more.
  template <class Fire>
  bool close(Time time, Fire&& fire) {
    const auto is_over = [&](const Session& s) { return s.last < time || time == kTimeMax; };
    auto end = older_.begin();
    for (; end != older_.end() && is_over(*end); ++end) fire(*end);
    older_.erase(older_.begin(), end);
    if (!older_.empty() || !is_over(newest_)) return false;
    fire(newest_);
    return true;
  }
  Session& newest() { return newest_; }
  /// Adds one that lies behind all others, with a gap.
  void append(Session session) {
    older_.push_back(std::move(newest_));
    newest_ = std::move(session);
  }
  /// Calls visit(Session&) from the newest back until it returns false.
  template <class Visit>
  void from_newest(Visit&& visit) {
    each_from_newest(*this, visit);
  }
  /// The same for who only reads them: visit(const Session&).
  template <class Visit>
  void from_newest(Visit&& visit) const {
    each_from_newest(*this, visit);
  }
  /// The last instant of the earliest one.
  Time first_over() const { return older_.empty() ? newest_.last : older_.front().last; }
  std::size_t size() const { return older_.size() + 1; }

 private:
  template <class Self, class Visit>
  static void each_from_newest(Self& self, Visit& visit) {
    if (!visit(self.newest_)) return;
    for (auto at = self.older_.rbegin(); at != self.older_.rend() && visit(*at); ++at) {
    }
  }

  /// Behind the last older session that begins at or before `time`.
  auto last_before(Time time) {
    return std::upper_bound(older_.begin(), older_.end(), time,
                            [](Time at, const Session& s) { return at < s.first; });
  }

  /// `before`: how many older sessions lie before this one.
  template <class Add, class Merge>
  Session& grow(Session& session, std::size_t before, Time time, Time last, Add&& add,
                Merge&& merge) {
    add(session.acc);
    session.first = std::min(session.first, time);
    session.last = std::max(session.last, last);
    if (before == 0 || older_[before - 1].last < session.first) return session;
    std::size_t keep = before;
    while (keep > 0 && older_[keep - 1].last >= session.first) {
      --keep;
      merge(session.acc, std::as_const(older_[keep].acc));
      session.first = std::min(session.first, older_[keep].first);
    }
    const auto from = older_.begin() + static_cast<std::ptrdiff_t>(keep);
    const bool is_newest = &session == &newest_;
    const auto end = older_.erase(from, older_.begin() + static_cast<std::ptrdiff_t>(before));
    return is_newest ? newest_ : *end;
  }

  Session newest_;
  CountedVector<Session> older_;
};

}  // namespace millrace::detail
