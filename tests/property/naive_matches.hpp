// Naive matches: all matches of a pattern in the records of one key by trying everything, and what
// the rules for skipping leave of them: the model of the matcher.
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "pattern/pattern.hpp"

namespace millrace::property {

/// A record of a key; they are numbered from 0.
struct Letter {
  Time time = 0;
  int kind = 0;
  int value = 0;
};
/// (number of the record, name of the stage) of each record.
using Taken = std::vector<std::pair<int, std::string>>;
/// When something is told: what is over at a time goes before the records of that time.
using Moment = std::pair<Time, int>;

struct ToldMatch {
  Moment moment;
  int kind = 0;  ///< 0: a partial match is over, 1: a match, 2: a match that missed its stage
  Taken taken;
  friend auto operator<=>(const ToldMatch&, const ToldMatch&) = default;
};

/// How a pattern may go on: by a record of a stage, or by its end.
struct NaiveWay {
  const detail::StageShape* stage;  ///< null: the end
  Contiguity contiguity;
  std::vector<const detail::StageShape*> guards;
  std::vector<std::size_t> blockers;  ///< of the ways beside it
  std::function<std::vector<NaiveWay>()> on;
};

/// Goes through the stages of a pattern, which outlives the ways.
class NaiveWays {
 public:
  using Way = NaiveWay;

  static std::vector<Way> first(const std::vector<detail::StageShape>& stages) {
    const auto end = [](Passed passed, std::vector<Way>& out) {
      out.push_back({nullptr, {}, std::move(passed.guards), std::move(passed.blockers), {}});
    };
    std::vector<Way> ways;
    sequence(stages, 0, {}, {}, end, ways);
    return ways;
  }

 private:
  struct Passed {
    std::vector<const detail::StageShape*> guards = {};
    std::vector<std::size_t> blockers = {};
  };
  using Rest = std::function<void(Passed, std::vector<Way>&)>;

  static void sequence(const std::vector<detail::StageShape>& stages, std::size_t at,
                       std::optional<Contiguity> head, Passed passed, Rest rest,
                       std::vector<Way>& out) {
    if (at == stages.size()) return rest(std::move(passed), out);
    const detail::StageShape& stage = stages[at];
    const Rest tail = [&stages, at, rest](Passed now, std::vector<Way>& to) {
      sequence(stages, at + 1, {}, std::move(now), rest, to);
    };
    if (stage.kind == detail::StageKind::not_next ||
        stage.kind == detail::StageKind::not_followed_by) {
      passed.guards.push_back(&stage);
      return tail(passed, out);
    }
    const std::size_t first = out.size();
    enter(stage, 1, head.value_or(stage.contiguity), passed, tail, out);
    if (!stage.optional) return;
    if (stage.greedy) passed.blockers.push_back(first);
    tail(passed, out);
  }
  static void enter(const detail::StageShape& stage, std::uint32_t times, Contiguity contiguity,
                    const Passed& passed, const Rest& tail, std::vector<Way>& out) {
    const Rest again = [&stage, times, tail](Passed now, std::vector<Way>& to) {
      const std::size_t first = to.size();
      const bool more = stage.times_max == detail::kAnyTimes || times < stage.times_max;
      if (more) enter(stage, times + 1, stage.inner, now, tail, to);
      if (times < stage.times_min) return;
      if (more && stage.greedy) now.blockers.push_back(first);
      tail(now, to);
    };
    if (stage.kind == detail::StageKind::group)
      return sequence(stage.stages, 0, contiguity, passed, again, out);
    out.push_back({&stage, contiguity, passed.guards, passed.blockers, [again] {
                     std::vector<Way> on;
                     again({}, on);
                     return on;
                   }});
  }
};

/// What a naive search has found.
struct NaiveFinds {
  struct Partial {
    Taken taken;
    Moment over;  ///< it is told then, if it is not skipped
  };
  struct Whole {
    int start;
    Moment moment;
    Taken taken;
    friend auto operator<=>(const Whole&, const Whole&) = default;
  };

  std::vector<Whole> wholes;
  std::vector<Partial> partials;
  std::map<int, Moment> deaths;  ///< by number of the first record: the last of what it began
};

/// Which ways may be taken.
class NaiveFits {
 public:
  using Holds = std::function<bool(std::uint32_t condition, const Taken& before, int record)>;

 protected:
  using Way = NaiveWay;

  NaiveFits(const detail::PatternShape& pattern, const std::vector<Letter>& letters, Holds holds)
      : pattern_(pattern), letters_(letters), holds_(std::move(holds)) {}

  int count() const { return static_cast<int>(letters_.size()); }
  Time time(int at) const { return letters_[static_cast<std::size_t>(at)].time; }
  bool holds(std::uint32_t condition, const Taken& taken, int at) const {
    return condition == detail::kNoCondition || holds_(condition, taken, at);
  }

  /// From when on nothing is taken behind that.
  Time deadline(const Taken& taken) const {
    Time over = kTimeMax;
    if (taken.empty()) return over;
    if (pattern_.within.count() > 0) over = time(taken.front().first) + pattern_.within.count();
    if (pattern_.within_neighbours.count() > 0)
      over = std::min(over, time(taken.back().first) + pattern_.within_neighbours.count());
    return over;
  }

  /// No record of [from, to] forbids the way.
  bool clear(const Way& way, const Taken& taken, int from, int to) const {
    for (int at = from; at <= to; ++at) {
      for (const auto* guard : way.guards) {
        const bool looks = at == from || guard->kind == detail::StageKind::not_followed_by;
        if (looks && holds(guard->condition, taken, at)) return false;
      }
      if (way.stage && way.stage->until != detail::kNoCondition &&
          holds(way.stage->until, taken, at))
        return false;
    }
    return true;
  }
  bool blocked(const Way& way, const std::vector<Way>& ways, const Taken& taken, int from,
               int to) const {
    for (const std::size_t blocker : way.blockers) {
      for (int at = from; at <= to; ++at) {
        if (time(at) < deadline(taken) && fits(ways[blocker], ways, taken, from, at)) return true;
      }
    }
    return false;
  }
  bool earlier_fits(const Way& way, const Taken& taken, int from, int to) const {
    for (int at = from; at < to; ++at) {
      if (holds(way.stage->condition, taken, at)) return true;
    }
    return false;
  }
  /// The way takes record `at`, where `from` is the first behind what is taken.
  bool fits(const Way& way, const std::vector<Way>& ways, const Taken& taken, int from,
            int at) const {
    if (!way.stage || !holds(way.stage->condition, taken, at)) return false;
    if (way.contiguity == Contiguity::next && at != from) return false;
    if (way.contiguity == Contiguity::followed_by && earlier_fits(way, taken, from, at))
      return false;
    return clear(way, taken, from, at) && !blocked(way, ways, taken, from, at);
  }
  /// Records [from, to) leave it open.
  bool open(const Way& way, const std::vector<Way>& ways, const Taken& taken, int from,
            int to) const {
    if (way.stage && way.contiguity == Contiguity::next && to > from) return false;
    if (way.stage && way.contiguity == Contiguity::followed_by &&
        earlier_fits(way, taken, from, to))
      return false;
    return clear(way, taken, from, to - 1) && !blocked(way, ways, taken, from, to - 1);
  }
  bool end_open(const std::vector<Way>& ways, const Taken& taken, int from, int to) const {
    return std::any_of(ways.begin(), ways.end(), [&](const Way& way) {
      return !way.stage && open(way, ways, taken, from, to);
    });
  }

 private:
  const detail::PatternShape& pattern_;
  const std::vector<Letter>& letters_;
  Holds holds_;
};

class NaiveSearch : private NaiveFits {
 public:
  using NaiveFits::Holds;

  NaiveSearch(const detail::PatternShape& pattern, const std::vector<Letter>& letters, Holds holds)
      : NaiveFits(pattern, letters, std::move(holds)), pattern_(pattern) {}

  NaiveFinds run() {
    const std::vector<Way> ways = NaiveWays::first(pattern_.stages);
    Taken taken;
    for (int at = 0; at < count(); ++at) {
      for (const Way& way : ways) {
        if (way.stage && fits(way, ways, taken, at, at)) extend(way, taken, at);
      }
    }
    return std::move(finds_);
  }

 private:
  void extend(const Way& way, Taken& taken, int at) {
    taken.emplace_back(at, way.stage->name);
    walk(taken, way.on());
    taken.pop_back();
  }
  void walk(Taken& taken, const std::vector<Way>& ways) {
    const int from = taken.back().first + 1;
    const Moment begun{time(taken.back().first), taken.back().first};
    const Time over = deadline(taken);
    bool whole = false;
    for (const Way& way : ways) whole |= !way.stage && way.guards.empty();
    if (whole) finds_.wholes.push_back({taken.front().first, begun, taken});
    const bool lasts = pattern_.lasting().count() > 0;
    int to = from;
    for (; to < count() && time(to) < over; ++to) {
      if (lasts && time(to) >= decided(taken) && end_open(ways, taken, from, to)) break;
      for (const Way& way : ways) {
        if (way.stage && fits(way, ways, taken, from, to)) extend(way, taken, to);
      }
    }
    if (lasts) return note_lasting(taken, ways, over, from);
    note_end(taken, ways, whole, {over, -1}, from, to);
  }
  /// The same of a pattern that ends with what must not come for a time of its own.
  void note_lasting(const Taken& taken, const std::vector<Way>& ways, Time over, int from) {
    Moment& death = finds_.deaths.try_emplace(taken.front().first, kTimeMin, -1).first->second;
    bool taking = true;
    for (int to = from;; ++to) {
      const Time next = to < count() ? time(to) : kTimeMax;
      const bool ends = end_open(ways, taken, from, to);
      if (ends && decided(taken) <= next) {
        death = std::max(death, Moment{decided(taken), -1});
        return finds_.wholes.push_back({taken.front().first, {decided(taken), -1}, taken});
      }
      const bool takes = taking && std::any_of(ways.begin(), ways.end(), [&](const Way& way) {
                           return way.stage && open(way, ways, taken, from, to);
                         });
      if (!ends && !takes) {
        death = std::max(death, Moment{time(to - 1), to - 1});
        return;
      }
      if (over > next || (over == kTimeMax && to < count())) continue;
      if (!ends) {
        death = std::max(death, Moment{over, -1});
        if (over != kTimeMax) finds_.partials.push_back({taken, {over, -1}});
        return;
      }
      taking = false;
    }
  }
  Time decided(const Taken& taken) const {
    return time(taken.back().first) + pattern_.lasting().count();
  }
  /// When nothing is open any more, and what is told of it when its time is over.
  void note_end(const Taken& taken, const std::vector<Way>& ways, bool whole, Moment over, int from,
                int to) {
    const auto any_open = [&](int until) {
      return std::any_of(ways.begin(), ways.end(), [&](const Way& way) {
        return (way.stage || !way.guards.empty()) && open(way, ways, taken, from, until);
      });
    };
    Moment& death = finds_.deaths.try_emplace(taken.front().first, kTimeMin, -1).first->second;
    int until = from;
    while (until <= to && any_open(until)) ++until;
    if (until <= to) {
      death = std::max(death, Moment{time(until - 1), until - 1});
      return;
    }
    death = std::max(death, over);
    if (over.first == kTimeMax) return;
    const bool matches = std::any_of(ways.begin(), ways.end(), [&](const Way& way) {
      return !way.stage && !way.guards.empty() && open(way, ways, taken, from, to);
    });
    if (matches) {
      finds_.wholes.push_back({taken.front().first, over, taken});
    } else if (!whole) {
      finds_.partials.push_back({taken, over});
    }
  }

  const detail::PatternShape& pattern_;
  NaiveFinds finds_;
};

/// What the rules for skipping leave of what was found.
class NaiveSkips {
 public:
  NaiveSkips(const detail::PatternShape& pattern, NaiveFinds finds)
      : pattern_(pattern), finds_(std::move(finds)) {}

  /// In the order in which it is told.
  std::vector<ToldMatch> run() {
    tell_matches();
    tell_partials();
    std::ranges::stable_sort(told_, [](const ToldMatch& a, const ToldMatch& b) {
      return std::pair(a.moment, a.kind != 0) < std::pair(b.moment, b.kind != 0);
    });
    return std::move(told_);
  }

 private:
  using Whole = NaiveFinds::Whole;
  using Partial = NaiveFinds::Partial;

  /// The number before which nothing may begin behind the match.
  std::optional<int> limit(const Whole& match, bool& missed) const {
    std::optional<int> to;
    switch (pattern_.after_match) {
      case AfterMatch::no_skip:
        return std::nullopt;
      case AfterMatch::skip_to_next:
        return match.start + 1;
      case AfterMatch::skip_past_last:
        return match.taken.back().first + 1;
      case AfterMatch::skip_to_first:
      case AfterMatch::skip_to_last:
        break;
    }
    for (const auto& [record, stage] : match.taken) {
      if (stage != pattern_.skip_stage) continue;
      if (!to || pattern_.after_match == AfterMatch::skip_to_last) to = record;
    }
    missed = !to || *to == match.start;
    return to;
  }
  /// From when on nothing that begins there goes on.
  Moment pruned_at(int start) const {
    Moment at{kTimeMax, std::numeric_limits<int>::max()};
    for (const auto& [before, moment] : pruned_) {
      if (start < before) at = std::min(at, moment);
    }
    return at;
  }
  void tell_matches() {
    auto& wholes = finds_.wholes;
    std::sort(wholes.begin(), wholes.end());
    wholes.erase(std::unique(wholes.begin(), wholes.end()), wholes.end());
    if (pattern_.after_match == AfterMatch::no_skip) {
      std::sort(wholes.begin(), wholes.end(), [](const Whole& a, const Whole& b) {
        return std::tie(a.moment, a.taken) < std::tie(b.moment, b.taken);
      });
      for (const Whole& match : wholes) told_.push_back({match.moment, 1, match.taken});
      return;
    }
    Moment now{kTimeMin, -1};
    for (const Whole& match : wholes) {
      if (pruned_at(match.start) < Moment{kTimeMax, 0}) continue;
      now = std::max(now, match.moment);
      for (const auto& [start, death] : finds_.deaths) {
        if (start < match.start) now = std::max(now, std::min(death, pruned_at(start)));
      }
      bool missed = false;
      const auto before = limit(match, missed);
      told_.push_back({now, missed && pattern_.fail_on_miss ? 2 : 1, match.taken});
      if (before) pruned_.emplace_back(*before, now);
    }
  }
  void tell_partials() {
    auto& partials = finds_.partials;
    std::sort(partials.begin(), partials.end(),
              [](const Partial& a, const Partial& b) { return a.taken < b.taken; });
    const Taken* last = nullptr;
    for (const Partial& partial : partials) {
      const bool again = last != nullptr && *last == partial.taken;
      last = &partial.taken;
      if (again || pruned_at(partial.taken.front().first) < partial.over) continue;
      told_.push_back({partial.over, 0, partial.taken});
    }
  }

  const detail::PatternShape& pattern_;
  NaiveFinds finds_;
  std::vector<std::pair<int, Moment>> pruned_;  ///< nothing that began before goes on from then
  std::vector<ToldMatch> told_;
};

inline std::vector<ToldMatch> naive_matches(const detail::PatternShape& pattern,
                                            const std::vector<Letter>& letters,
                                            NaiveSearch::Holds holds) {
  return NaiveSkips(pattern, NaiveSearch(pattern, letters, std::move(holds)).run()).run();
}

}  // namespace millrace::property
