// Pattern: which records of a key, in which order, make a match: as a sentence, or as a list of
// stages that is made at run time.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "operator/matched.hpp"
#include "operator/pattern_match.hpp"
#include "pattern/pattern.hpp"

namespace millrace {

inline constexpr std::uint32_t kAnyTimes = detail::kAnyTimes;
using StageKind = detail::StageKind;

/// One stage of a pattern as data.
template <class T>
struct PatternStage {
  explicit PatternStage(std::string called = {}) : name(std::move(called)) {}

  std::string name;  ///< 1 to 64 characters without spaces and '|', unique; a group has none
  StageKind kind = StageKind::single;
  Contiguity contiguity = Contiguity::followed_by;  ///< to the stage before it
  Where<T> where;
  std::uint32_t times_min = 1;                 ///< 1 or more
  std::uint32_t times_max = 1;                 ///< kAnyTimes: without bound
  Contiguity inner = Contiguity::followed_by;  ///< from one time to the next
  bool optional = false;
  bool greedy = false;
  Where<T> until;                    ///< of a stage without bound: ends it
  Duration lasting{0};               ///< of not_followed_by at the end: so long; 0: as within
  std::vector<PatternStage> stages;  ///< of a group
};

namespace detail {

/// A pattern as far as it was said. One thread.
template <class T>
struct PatternDraft {
  using Stages = std::vector<PatternStage<T>>;

  Stages stages;
  PatternShape rules = {};  ///< without stages
  bool has_rules = false;
  std::string problem = {};  ///< of what cannot be said in stages

  void add(std::string name, Contiguity contiguity, StageKind kind) {
    PatternStage<T>& stage = stages.emplace_back(std::move(name));
    stage.kind = kind;
    stage.contiguity = contiguity;
  }
  void add_group(const PatternDraft& group, Contiguity contiguity) {
    add({}, contiguity, StageKind::group);
    stages.back().stages = group.stages;
    if (!group.problem.empty()) problem = group.problem;
    if (group.has_rules)
      problem = "pattern " + group.shape().to_string() +
                ": a group has no within and no skip rule: give them to the whole pattern";
  }
  Result<TypedPattern<T>> compile() const {
    if (!problem.empty()) return Status(Code::parameter_invalid, problem);
    std::vector<Where<T>> conditions;
    auto plan = MatchPlan::of(shape(&conditions));
    if (!plan) return plan.error();
    return TypedPattern<T>{std::move(*plan), std::move(conditions)};
  }
  /// `conditions`: they are added to it, and the shape has their numbers; null: it has none.
  PatternShape shape(std::vector<Where<T>>* conditions = nullptr) const {
    PatternShape shape = rules;
    shape.stages = shapes(stages, conditions);
    return shape;
  }

 private:
  static std::uint32_t number(const Where<T>& where, std::vector<Where<T>>* conditions) {
    if (where.always()) return kNoCondition;
    if (conditions == nullptr) return 0;
    conditions->push_back(where);
    return static_cast<std::uint32_t>(conditions->size() - 1);
  }
  static std::vector<StageShape> shapes(const Stages& stages, std::vector<Where<T>>* conditions) {
    std::vector<StageShape> list;
    for (const PatternStage<T>& stage : stages) {
      list.push_back({stage.name, stage.kind, stage.contiguity, number(stage.where, conditions),
                      stage.times_min, stage.times_max, stage.inner, stage.optional, stage.greedy,
                      number(stage.until, conditions), stage.lasting,
                      shapes(stage.stages, conditions)});
    }
    return list;
  }
};

}  // namespace detail

/// What must come, one after the other, among the records of a key. Each verb says something of the
/// stage before it or of the whole pattern and gives the pattern so changed. Nothing is checked
/// before match(): errors are 2010, with the stage, the cause and a fix. See
/// how-to-match-patterns.md.
///
///   pattern<Login>("failed").where(is_wrong).times(3).followed_by("in").where(is_right)
///       .within(1min)
template <class T>
class Pattern {
 public:
  using Stages = std::vector<PatternStage<T>>;

  explicit Pattern(Stages stages) : draft_{std::move(stages)} {}

  /// The record directly behind, the first behind that fits, or any behind that fits.
  Pattern next(std::string name) const { return with(std::move(name), Contiguity::next); }
  Pattern followed_by(std::string name) const {
    return with(std::move(name), Contiguity::followed_by);
  }
  Pattern followed_by_any(std::string name) const {
    return with(std::move(name), Contiguity::followed_by_any);
  }
  /// The same of the first record of a pattern, whose stages become a group of this one: it can be
  /// repeated or missing as a whole. Its within and skip rule must not be set.
  Pattern next(const Pattern& group) const { return with(group, Contiguity::next); }
  Pattern followed_by(const Pattern& group) const { return with(group, Contiguity::followed_by); }
  Pattern followed_by_any(const Pattern& group) const {
    return with(group, Contiguity::followed_by_any);
  }
  /// The record directly behind must not fit; none may fit up to the record that the next stage
  /// takes, itself included. At the end: until the time of within is over, or for lasting(), when
  /// the match is made.
  Pattern not_next(std::string name) const {
    return with(std::move(name), Contiguity::next, StageKind::not_next);
  }
  Pattern not_followed_by(std::string name) const {
    return with(std::move(name), Contiguity::followed_by, StageKind::not_followed_by);
  }

  /// Of not_followed_by at the end: none may fit at times below the last record's + `span`, however
  /// long within is; then the match is made, and goes no further.
  Pattern lasting(Duration span) const {
    return change([=](PatternStage<T>& stage) { stage.lasting = checked(span); });
  }

  /// Of the stage before it: which records fit; several must all hold. f(const T&), or f(const T&,
  /// const Matched<T>&), which sees what was matched before.
  Pattern where(Where<T> holds) const {
    return change([&](PatternStage<T>& stage) { stage.where = stage.where && holds; });
  }
  /// Fits too, whatever was said so far.
  Pattern or_where(Where<T> holds) const {
    return change([&](PatternStage<T>& stage) { stage.where = stage.where || holds; });
  }
  /// So often; from `least` to `most` times. Records that do not fit may lie between, unless
  /// consecutive().
  Pattern times(std::uint32_t count) const { return times(count, count); }
  Pattern times(std::uint32_t least, std::uint32_t most) const {
    return change([=](PatternStage<T>& stage) {
      stage.times_min = least;
      stage.times_max = most;
    });
  }
  Pattern times_or_more(std::uint32_t least) const { return times(least, kAnyTimes); }
  Pattern one_or_more() const { return times_or_more(1); }
  /// May be missing.
  Pattern optional() const {
    return change([](PatternStage<T>& stage) { stage.optional = true; });
  }
  /// Takes all it can: the stages behind it wait for a record that it does not take.
  Pattern greedy() const {
    return change([](PatternStage<T>& stage) { stage.greedy = true; });
  }
  /// Of a repetition: each record directly behind the one before.
  Pattern consecutive() const { return inner(Contiguity::next); }
  /// Of a repetition: those that fit may be passed over, too.
  Pattern allow_combinations() const { return inner(Contiguity::followed_by_any); }
  /// Of a repetition without bound: a record for which it holds ends it and is not part of it.
  Pattern until(Where<T> ends) const {
    return change([&](PatternStage<T>& stage) { stage.until = ends; });
  }

  /// The whole match: its last time less its first one is below `span`, which is above 0.
  Pattern within(Duration span) const {
    return rule([span](auto& rules) { rules.within = checked(span); });
  }
  /// Any record and the one matched before it: their times are less than `span` apart.
  Pattern within_neighbours(Duration span) const {
    return rule([span](auto& rules) { rules.within_neighbours = checked(span); });
  }

  /// What may begin where a match was found; without: all. See AfterMatch.
  Pattern skip_to_next() const { return after(AfterMatch::skip_to_next); }
  Pattern skip_past_last() const { return after(AfterMatch::skip_past_last); }
  Pattern skip_to_first(std::string stage) const {
    return after(AfterMatch::skip_to_first, std::move(stage));
  }
  Pattern skip_to_last(std::string stage) const {
    return after(AfterMatch::skip_to_last, std::move(stage));
  }
  /// A match without that stage, or that begins with it, is a dead letter; else nothing is skipped
  /// then.
  Pattern fail_on_miss() const {
    return rule([](auto& rules) { rules.fail_on_miss = true; });
  }

  /// The stages, to be changed and made a pattern again.
  const Stages& stages() const { return draft_.stages; }

  /// "failed{3} followed_by in within 1min".
  std::string to_string() const { return draft_.shape().to_string(); }

  // Internal.
  Result<detail::TypedPattern<T>> compile() const { return draft_.compile(); }

 private:
  static Duration checked(Duration span) { return span.count() > 0 ? span : Duration(-1); }

  Pattern with(std::string name, Contiguity contiguity, StageKind kind = StageKind::single) const {
    Pattern changed = *this;
    changed.draft_.add(std::move(name), contiguity, kind);
    return changed;
  }
  Pattern with(const Pattern& group, Contiguity contiguity) const {
    Pattern changed = *this;
    changed.draft_.add_group(group.draft_, contiguity);
    return changed;
  }
  template <class Change>
  Pattern change(Change&& change) const {
    Pattern changed = *this;
    if (!draft_.stages.empty()) change(changed.draft_.stages.back());
    return changed;
  }
  template <class Change>
  Pattern rule(Change&& change) const {
    Pattern changed = *this;
    changed.draft_.has_rules = true;
    change(changed.draft_.rules);
    return changed;
  }
  Pattern inner(Contiguity contiguity) const {
    return change([=](PatternStage<T>& stage) { stage.inner = contiguity; });
  }
  Pattern after(AfterMatch after, std::string stage = {}) const {
    return rule([&](auto& rules) {
      rules.after_match = after;
      rules.skip_stage = stage;
    });
  }

  detail::PatternDraft<T> draft_;
};

/// A pattern that begins with a stage of that name.
template <class T>
Pattern<T> pattern(std::string name) {
  return Pattern<T>({PatternStage<T>(std::move(name))});
}
/// A pattern that begins with a group.
template <class T>
Pattern<T> pattern(const Pattern<T>& group) {
  return Pattern<T>(typename Pattern<T>::Stages{}).followed_by(group);
}

}  // namespace millrace
