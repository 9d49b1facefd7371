// Patterns as data: which can be, and their text.
#include "pattern/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace millrace::detail {
namespace {

bool takes(const StageShape& stage) {
  return stage.kind == StageKind::single || stage.kind == StageKind::group;
}
bool can_be_empty(const std::vector<StageShape>& stages) {
  return std::all_of(stages.begin(), stages.end(),
                     [](const StageShape& stage) { return !takes(stage) || stage.optional; });
}

/// Finds the first thing that cannot be.
class Check {
 public:
  explicit Check(const PatternShape& pattern) : pattern_(pattern) {}

  PatternProblem run() {
    const auto& stages = pattern_.stages;
    if (stages.empty()) return {"it has no stage: give it at least one"};
    sequence(stages, false);
    if (!problem_.text.empty()) return problem_;
    if (can_be_empty(stages))
      return {"every stage is optional, so nothing would match: leave one optional() out"};
    if (pattern_.within.count() < 0 || pattern_.within_neighbours.count() < 0)
      return {"within needs a span greater than 0", {}, "within"};
    const bool bounded = pattern_.within.count() > 0 || pattern_.within_neighbours.count() > 0 ||
                         pattern_.lasting().count() > 0;
    const std::string& last = stages.back().name;
    if (!takes(stages.back()) && !bounded)
      return {"\"" + last +
                  "\" at the end is never decided: give the pattern a within(...), or \"" + last +
                  "\" a lasting(...)",
              last};
    return {skip(), {}, "skip"};
  }

 private:
  void fail(const StageShape& stage, std::string_view what) {
    if (problem_.text.empty())
      problem_ = {"stage \"" + stage.name + "\": " + std::string(what), stage.name};
  }

  void sequence(const std::vector<StageShape>& stages, bool in_group) {
    if (!stages.empty() && !takes(stages.front()))
      fail(stages.front(), "a pattern or group cannot begin with what must not come");
    if (in_group && !stages.empty() && !takes(stages.back()))
      fail(stages.back(), "a group cannot end with what must not come: put it behind the group");
    for (const StageShape& stage : stages) {
      if (stage.kind != StageKind::group) name(stage);
      if (stage.lasting.count() != 0) lasting(stage, !in_group && &stage == &stages.back());
      if (takes(stage)) {
        repetition(stage);
      } else {
        refusal(stage);
      }
      if (stage.kind != StageKind::group) continue;
      if (stage.stages.empty() || can_be_empty(stage.stages))
        fail(stage, "a group needs a stage that is not optional");
      sequence(stage.stages, true);
    }
  }
  void name(const StageShape& stage) {
    const auto is_plain = [](unsigned char c) { return c > ' ' && c != '|' && c != 127; };
    const auto& text = stage.name;
    if (text.empty() || text.size() > 64 || !std::all_of(text.begin(), text.end(), is_plain))
      return fail(stage, "a name has 1 to 64 characters without spaces and '|'");
    if (!names_.insert(text).second) fail(stage, "another stage has this name: name it otherwise");
  }
  void repetition(const StageShape& stage) {
    if (stage.times_min < 1 || stage.times_max < stage.times_min)
      fail(stage, "times needs 1 or more, the least first; may it be missing, say optional()");
    if (stage.times_max == 1 && stage.inner != Contiguity::followed_by)
      fail(stage, "consecutive() and allow_combinations() are for a repetition: it has none");
    if (stage.until != kNoCondition && stage.times_max != kAnyTimes)
      fail(stage, "until ends one_or_more() or times_or_more(n): it has neither");
    if (stage.until != kNoCondition && stage.kind == StageKind::group)
      fail(stage, "until is for a stage, not for a group: give it to those in it");
    if (!stage.greedy) return;
    if (stage.kind == StageKind::group) fail(stage, "a group cannot be greedy");
    if (stage.inner == Contiguity::followed_by_any)
      fail(stage, "greedy() and allow_combinations() exclude each other");
  }
  void lasting(const StageShape& stage, bool is_last) {
    if (stage.kind != StageKind::not_followed_by || !is_last)
      fail(stage, "lasting is for a not_followed_by at the end of a pattern");
    if (stage.lasting.count() < 0) fail(stage, "lasting needs a span greater than 0");
  }
  void refusal(const StageShape& stage) {
    if (stage.times_min != 1 || stage.times_max != 1 || stage.optional || stage.greedy ||
        stage.until != kNoCondition)
      fail(stage, "what must not come has neither times nor optional, greedy or until");
  }
  std::string skip() const {
    const AfterMatch after = pattern_.after_match;
    if (after != AfterMatch::skip_to_first && after != AfterMatch::skip_to_last) {
      return pattern_.fail_on_miss ? "fail_on_miss() is for skip_to_first and skip_to_last" : "";
    }
    if (names_.contains(pattern_.skip_stage)) return {};
    return "it skips to \"" + pattern_.skip_stage + "\", which is no stage of it";
  }

  const PatternShape& pattern_;
  std::set<std::string> names_;
  PatternProblem problem_;
};

std::string_view word(Contiguity contiguity) {
  switch (contiguity) {
    case Contiguity::next:
      return "next";
    case Contiguity::followed_by:
      return "followed_by";
    case Contiguity::followed_by_any:
      return "followed_by_any";
  }
  return "";
}

void append(std::string& out, const std::vector<StageShape>& stages);

void append_times(std::string& out, const StageShape& stage) {
  if (stage.times_max == kAnyTimes) {
    out += stage.times_min == 1 ? "+" : fmt::format("{{{},}}", stage.times_min);
  } else if (stage.times_max > stage.times_min) {
    out += fmt::format("{{{},{}}}", stage.times_min, stage.times_max);
  } else if (stage.times_max > 1) {
    out += fmt::format("{{{}}}", stage.times_min);
  }
  if (stage.optional) out += "?";
  if (stage.times_max > 1 && stage.inner == Contiguity::next) out += " consecutive";
  if (stage.times_max > 1 && stage.inner == Contiguity::followed_by_any) out += " combinations";
  if (stage.greedy) out += " greedy";
  if (stage.until != kNoCondition) out += " until";
}

void append(std::string& out, const std::vector<StageShape>& stages) {
  for (const StageShape& stage : stages) {
    const bool is_first = &stage == &stages.front();
    if (stage.kind == StageKind::not_next) {
      out += " not_next ";
    } else if (stage.kind == StageKind::not_followed_by) {
      out += " not_followed_by ";
    } else if (!is_first) {
      out += " " + std::string(word(stage.contiguity)) + " ";
    }
    if (stage.kind == StageKind::group) {
      out += "(";
      append(out, stage.stages);
      out += ")";
    } else {
      out += stage.name;
    }
    append_times(out, stage);
    if (stage.lasting.count() != 0) out += " lasting " + format_duration(stage.lasting);
  }
}

}  // namespace

PatternProblem PatternShape::problem() const { return Check(*this).run(); }

Status PatternShape::validate() const {
  const PatternProblem found = problem();
  if (found.text.empty()) return {};
  return {Code::parameter_invalid, "pattern " + to_string() + ": " + found.text};
}

std::string PatternShape::to_string() const {
  std::string out;
  append(out, stages);
  if (within.count() != 0) out += " within " + format_duration(within);
  if (within_neighbours.count() != 0)
    out += " within_neighbours " + format_duration(within_neighbours);
  switch (after_match) {
    case AfterMatch::no_skip:
      break;
    case AfterMatch::skip_to_next:
      out += " skip_to_next";
      break;
    case AfterMatch::skip_past_last:
      out += " skip_past_last";
      break;
    case AfterMatch::skip_to_first:
      out += " skip_to_first " + skip_stage;
      break;
    case AfterMatch::skip_to_last:
      out += " skip_to_last " + skip_stage;
      break;
  }
  if (fail_on_miss) out += " fail_on_miss";
  return out;
}

}  // namespace millrace::detail
