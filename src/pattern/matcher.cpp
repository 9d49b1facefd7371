// Matcher: a record against all partial matches of its key, and what becomes of matches.
#include "pattern/matcher.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.hpp"

namespace millrace::detail {
namespace {

/// Memory for many more than `wanted` is given back.
template <class T>
void tighten(CountedVector<T>& list, std::size_t wanted) {
  constexpr std::size_t kLoose = 1024;
  if (list.capacity() > kLoose && wanted < list.capacity() / 4) list.shrink_to_fit();
}
template <class T>
void tighten(CountedVector<T>& list) {
  tighten(list, list.size());
}
/// Keeps the first ones.
template <class T>
void cut(CountedVector<T>& list, std::size_t kept) {
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(kept), list.end());
  tighten(list);
}

}  // namespace

void Matcher::take(KeyMatches& key, Time time) {
  expire(key, time);
  decisions_.clear();
  for (const MatchRun& run : key.runs)
    decisions_.push_back(decide(plan_.steps[run.step], run.open, run.fresh, run.node));
  decisions_.push_back(decide(plan_.steps[0], plan_.steps[0].open, true, MatchBuffer::kNone));
  apply(key, time);
  settle(key, time);
  clear_lists(key.runs.size());
}

void Matcher::clear_lists(std::size_t runs) {
  const auto clear = [runs](auto& list) {
    list.clear();
    tighten(list, runs);
  };
  clear(decisions_);
  clear(begun_);
  clear(complete_);
  clear(over_);
}

/// Nothing is changed here: a condition may throw.
Matcher::Decision Matcher::decide(const MatchStep& step, std::uint64_t open, bool fresh,
                                  std::uint32_t node) {
  Decision decision{0, open};
  for (std::uint64_t left = open; left != 0; left &= left - 1) {
    const auto at = static_cast<std::size_t>(std::countr_zero(left));
    const std::uint64_t bit = std::uint64_t{1} << at;
    const MatchWay& way = step.ways[at];
    if ((way.blocked_by & decision.taken) != 0 || forbidden(way, fresh, node)) {
      decision.open &= ~bit;
      continue;
    }
    if (way.to == kMatchAtEnd) continue;
    const MatchStep& to = plan_.steps[way.to];
    if (to.until != kNoCondition && host_.holds(to.until, node)) {
      decision.open &= ~bit;
      continue;
    }
    const bool fits = asks(to.condition, node);
    if (fits) decision.taken |= bit;
    if (way.contiguity == Contiguity::next || (fits && way.contiguity == Contiguity::followed_by))
      decision.open &= ~bit;
  }
  return decision;
}

bool Matcher::forbidden(const MatchWay& way, bool fresh, std::uint32_t node) {
  return std::any_of(way.guards.begin(), way.guards.end(), [&](const MatchGuard& guard) {
    return (fresh || !guard.next_only) && asks(guard.condition, node);
  });
}

void Matcher::apply(KeyMatches& key, Time time) {
  record_ = MatchBuffer::kNone;
  begun_.clear();
  std::size_t kept = 0;
  for (std::size_t at = 0; at < key.runs.size(); ++at) {
    MatchRun run = key.runs[at];
    const Decision& decision = decisions_[at];
    if (decision.taken != 0) extend(key, &run, plan_.steps[run.step], decision.taken, time);
    run.open = decision.open;
    run.fresh = false;
    if (lasting_ > 0)  // what would decide it may have closed
      key.deadline = std::min(key.deadline, deadline_of(run));
    if (run.open == 0) {
      let_go(run.node);
    } else {
      key.runs[kept++] = run;
    }
  }
  cut(key.runs, kept);
  if (decisions_.back().taken != 0)
    extend(key, nullptr, plan_.steps[0], decisions_.back().taken, time);
  key.runs.insert(key.runs.end(), begun_.begin(), begun_.end());
  ++key.records;
}

/// The partial matches that the record makes of `run`, or begins.
void Matcher::extend(KeyMatches& key, const MatchRun* run, const MatchStep& step,
                     std::uint64_t taken, Time time) {
  if (record_ == MatchBuffer::kNone) record_ = buffer_.add_record(host_.keep(), key.records, time);
  const std::size_t first = begun_.size();
  for (; taken != 0; taken &= taken - 1) {
    const std::uint32_t number = step.ways[static_cast<std::size_t>(std::countr_zero(taken))].to;
    const auto alike = [number](const MatchRun& other) { return other.step == number; };
    if (std::any_of(begun_.begin() + static_cast<std::ptrdiff_t>(first), begun_.end(), alike))
      continue;
    const MatchStep& to = plan_.steps[number];
    MatchRun next{
        run ? run->first : time, time, run ? run->start : key.records, to.open, 0, number, true};
    next.node = buffer_.add_node(run ? run->node : MatchBuffer::kNone, record_, to.stage);
    if (to.matches) {
      buffer_.hold(next.node);
      complete_.push_back({next.start, next.node});
    }
    if (to.open == 0) {
      let_go(next.node);
    } else {
      key.deadline = std::min(key.deadline, deadline_of(next));
      begun_.push_back(next);
    }
  }
}

std::uint64_t Matcher::ways_to_end(const MatchRun& run) const {
  std::uint64_t ways = 0;
  for (std::uint64_t left = run.open; left != 0; left &= left - 1) {
    const auto at = static_cast<std::size_t>(std::countr_zero(left));
    if (plan_.steps[run.step].ways[at].to == kMatchAtEnd) ways |= std::uint64_t{1} << at;
  }
  return ways;
}

Time Matcher::decided_at(const MatchRun& run) const {
  return lasting_ > 0 && ways_to_end(run) != 0 ? saturating_add(run.last, lasting_) : kTimeMax;
}

Time Matcher::taking_until(const MatchRun& run) const {
  Time deadline = kTimeMax;
  const PatternShape& shape = plan_.shape;
  if (lasting_ > 0 && ways_to_end(run) == run.open) return deadline;
  if (shape.within.count() > 0) deadline = saturating_add(run.first, shape.within.count());
  if (shape.within_neighbours.count() > 0)
    deadline = std::min(deadline, saturating_add(run.last, shape.within_neighbours.count()));
  return deadline;
}

void Matcher::expire(KeyMatches& key, Time until) {
  while (key.deadline <= until && key.deadline != kTimeMax) drop_expired(key, key.deadline);
}

void Matcher::drop_expired(KeyMatches& key, Time now) {
  key.deadline = kTimeMax;
  std::size_t kept = 0;
  for (std::size_t at = 0; at < key.runs.size(); ++at) {
    MatchRun run = key.runs[at];
    const std::uint64_t to_end = ways_to_end(run);
    if (taking_until(run) <= now && now < decided_at(run) && decided_at(run) != kTimeMax)
      run.open = to_end;  // it only waits for what must not come
    if (const Time deadline = deadline_of(run); deadline > now) {
      key.deadline = std::min(key.deadline, deadline);
      key.runs[kept++] = run;
      continue;
    }
    if (to_end != 0) {
      complete_.push_back({run.start, run.node});
    } else if (!plan_.steps[run.step].matches) {
      over_.push_back({run.start, run.node});
    } else {
      let_go(run.node);
    }
  }
  cut(key.runs, kept);
  put_in_order(over_);
  for (const Complete& partial : over_) {
    host_.timed_out(partial.node, now);
    let_go(partial.node);
  }
  over_.clear();
  settle(key, now);
  clear_lists(key.runs.size());
}

void Matcher::end(KeyMatches& key, Time now) {
  for (const MatchRun& run : key.runs) let_go(run.node);
  key.runs.clear();
  settle(key, now);
}

void Matcher::clear(KeyMatches& key) {
  for (const MatchRun& run : key.runs) let_go(run.node);
  for (const FoundMatch& match : key.held) let_go(match.node);
  key.runs.clear();
  key.held.clear();
}

void Matcher::settle(KeyMatches& key, Time now) {
  put_in_order(complete_);
  if (plan_.shape.after_match == AfterMatch::no_skip) {
    for (const Complete& match : complete_) {
      host_.matched(match.node, now);
      let_go(match.node);
    }
    return complete_.clear();
  }
  for (const Complete& match : complete_) {
    key.held.push_back({match.start, key.found++, match.node});
    std::push_heap(key.held.begin(), key.held.end());
  }
  complete_.clear();
  const auto began_before = [&key](const MatchRun& run) {
    return run.start < key.held.front().start;
  };
  while (!key.held.empty() && std::none_of(key.runs.begin(), key.runs.end(), began_before))
    tell_first(key, now);
}

/// By their records, those that differ first in an earlier record first; of equal ones one is kept.
void Matcher::put_in_order(CountedVector<Complete>& list) {
  if (list.size() < 2) return;
  std::sort(list.begin(), list.end(),
            [this](const Complete& a, const Complete& b) { return compare(a.node, b.node) < 0; });
  std::size_t kept = 0;
  for (std::size_t at = 1; at < list.size(); ++at) {
    if (compare(list[kept].node, list[at].node) == 0) {
      let_go(list[at].node);
    } else {
      list[++kept] = list[at];
    }
  }
  cut(list, kept + 1);
}

/// Paths by the numbers and stages of their records; one that another begins with stands before it.
std::strong_ordering Matcher::compare(std::uint32_t a, std::uint32_t b) const {
  const std::size_t length_of_a = length(a);
  const std::size_t length_of_b = length(b);
  std::strong_ordering order = length_of_a <=> length_of_b;
  for (std::size_t more = length_of_b; more < length_of_a; ++more) a = buffer_.node(a).before;
  for (std::size_t more = length_of_a; more < length_of_b; ++more) b = buffer_.node(b).before;
  for (; a != b; a = buffer_.node(a).before, b = buffer_.node(b).before) {
    const auto records = buffer_.record_of(a).number <=> buffer_.record_of(b).number;
    const auto stages = buffer_.node(a).stage <=> buffer_.node(b).stage;
    if (records != 0 || stages != 0) order = records != 0 ? records : stages;
  }
  return order;
}

std::size_t Matcher::length(std::uint32_t node) const {
  std::size_t length = 0;
  for (; node != MatchBuffer::kNone; node = buffer_.node(node).before) ++length;
  return length;
}

void Matcher::tell_first(KeyMatches& key, Time now) {
  std::pop_heap(key.held.begin(), key.held.end());
  const FoundMatch match = key.held.back();
  key.held.pop_back();
  bool missed = false;
  const auto limit = skip_to(match.node, match.start, missed);
  if (missed && plan_.shape.fail_on_miss) {
    host_.missed(match.node, now);
  } else {
    host_.matched(match.node, now);
  }
  if (limit) prune(key, *limit);
  let_go(match.node);
}

/// Nothing that began before that number is matched any more.
std::optional<std::uint64_t> Matcher::skip_to(std::uint32_t node, std::uint64_t start,
                                              bool& missed) const {
  const AfterMatch rule = plan_.shape.after_match;
  if (rule == AfterMatch::skip_to_next) return start + 1;
  if (rule == AfterMatch::skip_past_last) return buffer_.record_of(node).number + 1;
  std::optional<std::uint64_t> to;
  for (; node != MatchBuffer::kNone; node = buffer_.node(node).before) {
    if (buffer_.node(node).stage != plan_.skip_stage) continue;
    if (!to || rule == AfterMatch::skip_to_first) to = buffer_.record_of(node).number;
  }
  missed = !to || *to == start;
  return to;
}

void Matcher::prune(KeyMatches& key, std::uint64_t before) {
  while (!key.held.empty() && key.held.front().start < before) {
    let_go(key.held.front().node);
    std::pop_heap(key.held.begin(), key.held.end());
    key.held.pop_back();
  }
  std::erase_if(key.runs, [this, before](const MatchRun& run) {
    if (run.start >= before) return false;
    let_go(run.node);
    return true;
  });
  tighten(key.runs);
  tighten(key.held);
}

}  // namespace millrace::detail
